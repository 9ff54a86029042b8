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
#include "heap_node.h"

LBP_BEGIN_DECLS

/* One timer; start it with lbp_timer_init. Fields are private. */
struct lbp_timer {
	struct lbp_heap_node node; /* when it is due, then when it was armed */
};

/* All fields are private; tests may read them. */
struct lbp_timers {
	struct lbp_heap heap;
	uint64_t orders; /* how many were armed */
};

/*
 * Starts an empty set over the caller's array of cap pointers, at most
 * INT32_MAX.
 */
void lbp_timers_init(
	struct lbp_timers *timers, struct lbp_heap_node **heap, uint32_t cap);

/* Makes a timer that is not armed. */
void lbp_timer_init(struct lbp_timer *timer);

/* Is it armed? */
bool lbp_timer_is_armed(const struct lbp_timer *timer);

/* The time that it is or was armed for; 0 if it never was. */
uint64_t lbp_timer_due(const struct lbp_timer *timer);

/*
 * Arms a timer for due_ns, or moves it there if it is armed, as the last
 * armed one in either case; it must stay where it is in memory until it has
 * been disarmed or taken. One for LBP_NEVER is due at that time only, which no
 * clock reaches. LBP_ERR_RANGE: cap timers are armed already; nothing changes.
 * Source: [TMR-1], [TMR-3].
 */
enum lbp_err lbp_timers_arm(
	struct lbp_timers *timers, struct lbp_timer *timer, uint64_t due_ns);

/* Disarms a timer; one that is not armed stays so. Source: [TMR-4]. */
void lbp_timers_disarm(struct lbp_timers *timers, struct lbp_timer *timer);

/* When the next timer is due; LBP_NEVER if none is armed. Source: [TMR-5]. */
uint64_t lbp_timers_due(const struct lbp_timers *timers);

/*
 * Takes out and returns the timer that was due first, of those due at or
 * before now_ns; NULL if there is none. Source: [TMR-2].
 */
struct lbp_timer *lbp_timers_take(struct lbp_timers *timers, uint64_t now_ns);

/* Do all invariants hold? For tests and fuzz targets; O(n). */
bool lbp_timers_validate(const struct lbp_timers *timers);

LBP_END_DECLS

#ifdef __FRAMAC__
#include "proof/timers.h"
#endif

#endif
