/*
 * When the service manager is told that the server lives: only while every
 * thread carries out orders. In each period all threads are asked; once all
 * have answered, and not before, there is one sign of life. Source: SPEC.md
 * [SVC-6].
 */
#ifndef LBP_WATCHDOG_H
#define LBP_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: nobody was asked yet. Fields are private. */
struct lbp_watchdog {
	uint32_t waiting; /* threads that were asked and have not answered */
	bool is_late;     /* and it was said that they are late */
};

enum lbp_watchdog_act {
	LBP_WATCHDOG_ASK,  /* ask all threads */
	LBP_WATCHDOG_LATE, /* say who has not answered */
	LBP_WATCHDOG_WAIT, /* that was said already */
};

/*
 * Begins a period, with this many threads, at least one. Returns what is to be
 * done; those that are asked are waited for, however many periods it takes.
 */
enum lbp_watchdog_act lbp_watchdog_tick(
	struct lbp_watchdog *watchdog, uint32_t threads);

/*
 * One of those that are waited for has answered, or ended in good order.
 * Returns true if it was the last one: a sign of life is due.
 */
bool lbp_watchdog_answered(struct lbp_watchdog *watchdog);

#endif
