#include "statics.h"

/* NOLINTNEXTLINE(bugprone-suspicious-include): to get at what is static. */
#include "../../cmd/lbproxyd/sink.c"

void reset_sink(void)
{
	sink.rest_len = 0;
}
