#include "statics.h"

/* NOLINTNEXTLINE(bugprone-suspicious-include): to get at what is static. */
#include "../../cmd/lbproxyd/strangers.c"

void reset_strangers(void)
{
	suppress = (struct lbp_suppress){0};
}
