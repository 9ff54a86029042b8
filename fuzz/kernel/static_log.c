#include "statics.h"

/* NOLINTNEXTLINE(bugprone-suspicious-include): to get at what is static. */
#include "../../cmd/lbproxyd/log.c"

void reset_log(void)
{
	log_level = LBP_LOG_INFO;
	dropped = 0;
	copy = NULL;
}

void *swap_log_copy(void *with)
{
	void *was = copy;

	copy = with;
	return was;
}
