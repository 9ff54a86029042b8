#include "server/watchdog.h"

enum lbp_watchdog_act lbp_watchdog_tick(
	struct lbp_watchdog *watchdog, uint32_t threads)
{
	if (watchdog->waiting == 0) {
		watchdog->waiting = threads;
		watchdog->is_late = false;
		return LBP_WATCHDOG_ASK;
	}
	if (watchdog->is_late)
		return LBP_WATCHDOG_WAIT;
	watchdog->is_late = true;
	return LBP_WATCHDOG_LATE;
}

bool lbp_watchdog_answered(struct lbp_watchdog *watchdog)
{
	watchdog->waiting--;
	return watchdog->waiting == 0;
}
