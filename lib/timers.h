/*
 * Deadlines: a binary heap of timers, the next due one first.
 *
 * The timers are embedded in the caller's objects, the heap is an array of
 * the caller's: nothing is allocated. Arming, moving and disarming are
 * O(log n). Source: SPEC.md [TMR-*].
 */
#ifndef LBP_TIMERS_H
#define LBP_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/* One timer; start it with lbp_timer_init. Fields are private. */
struct lbp_timer {
	uint64_t due_ns;
	uint64_t order; /* among equally due ones the first armed is first */
	uint32_t at;    /* its place in the heap, UINT32_MAX if not armed */
};

/* All fields are private; tests may read them. */
struct lbp_timers {
	struct lbp_timer **heap; /* len of cap used; the caller's */
	uint32_t len;
	uint32_t cap;
	uint64_t orders;
};

/* Starts an empty set over the caller's array of cap pointers. */
void lbp_timers_init(
	struct lbp_timers *timers, struct lbp_timer **heap, uint32_t cap);

/* Makes a timer that is not armed. */
void lbp_timer_init(struct lbp_timer *timer);

/* Is it armed? */
bool lbp_timer_is_armed(const struct lbp_timer *timer);

/*
 * Arms a timer for due_ns, or moves it there if it is armed, as the last
 * armed one in either case; it must stay where it is in memory until it has
 * been disarmed or taken. LBP_ERR_RANGE:
 * cap timers are armed already; nothing changes. Source: [TMR-1], [TMR-3].
 */
enum lbp_err lbp_timers_arm(
	struct lbp_timers *timers, struct lbp_timer *timer, uint64_t due_ns);

/* Disarms a timer; one that is not armed stays so. Source: [TMR-4]. */
void lbp_timers_disarm(struct lbp_timers *timers, struct lbp_timer *timer);

/* When the next timer is due; UINT64_MAX if none is armed. [TMR-5]. */
uint64_t lbp_timers_due(const struct lbp_timers *timers);

/*
 * Takes out and returns the timer that was due first, of those due at or
 * before now_ns; NULL if there is none. Source: [TMR-2].
 */
struct lbp_timer *lbp_timers_take(struct lbp_timers *timers, uint64_t now_ns);

/* Do all invariants hold? For tests and fuzz targets; O(n). */
bool lbp_timers_validate(const struct lbp_timers *timers);

#endif
