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

LBP_BEGIN_DECLS

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

/*@ predicate timer_armed(struct lbp_timer *timer) =
  @ 	timer->at != UINT32_MAX;
  @
  @ // [TMR-2]: is a due before b, or just as b?
  @ predicate timer_no_later(struct lbp_timer *a, struct lbp_timer *b) =
  @ 	a->due_ns < b->due_ns ||
  @ 	(a->due_ns == b->due_ns && a->order <= b->order);
  @
  @ // Is it one of the armed timers?
  @ predicate timers_hold(struct lbp_timers *t, struct lbp_timer *timer) =
  @ 	0 <= timer->at < t->len && t->heap[timer->at] == timer;
  @
  @ // The timer may be armed: it shares no memory with anything here.
  @ predicate timers_apart(struct lbp_timers *t, struct lbp_timer *timer) =
  @ 	\valid(timer) && \separated(timer, t) &&
  @ 	\separated(timer, t->heap + (0 .. t->cap - 1)) &&
  @ 	(\forall struct lbp_timer *other;
  @ 		timers_hold(t, other) && other != timer ==>
  @ 			\separated(timer, other));
  @
  @ predicate timers_array(struct lbp_timers *t) =
  @ 	\valid(t) && t->len <= t->cap &&
  @ 	\valid(t->heap + (0 .. t->cap - 1)) &&
  @ 	\separated(t, t->heap + (0 .. t->cap - 1));
  @
  @ predicate timers_storage(struct lbp_timers *t) =
  @ 	timers_array(t) && (\forall struct lbp_timer *timer;
  @ 		timers_hold(t, timer) ==> timers_apart(t, timer));
  @
  @ // Every place holds a timer that says so, thus each at most once.
  @ predicate timers_places(struct lbp_timers *t) =
  @ 	\forall integer at; 0 <= at < t->len ==> t->heap[at]->at == at;
  @
  @ // No two have the same order, and the next order is a new one.
  @ predicate timers_orders(struct lbp_timers *t) =
  @ 	(\forall struct lbp_timer *timer;
  @ 		timers_hold(t, timer) ==> timer->order < t->orders) &&
  @ 	(\forall struct lbp_timer *a, *b;
  @ 		timers_hold(t, a) && timers_hold(t, b) && a != b ==>
  @ 			a->order != b->order);
  @
  @ // Is a place the one above another one?
  @ predicate timers_above(integer above, integer at) =
  @ 	at == 2 * above + 1 || at == 2 * above + 2;
  @
  @ // The heap order.
  @ predicate timers_ordered(struct lbp_timers *t) =
  @ 	\forall integer above, at;
  @ 		0 <= above && at < t->len && timers_above(above, at) ==>
  @ 			timer_no_later(t->heap[above], t->heap[at]);
  @
  @ predicate timers_valid(struct lbp_timers *t) =
  @ 	timers_storage(t) && timers_places(t) && timers_orders(t) &&
  @ 	timers_ordered(t);
  @
  @ // The same timers are armed, at K and L.
  @ predicate timers_same{K,L}(struct lbp_timers *t) =
  @ 	\forall struct lbp_timer *timer;
  @ 		timers_hold{L}(t, timer) <==> timers_hold{K}(t, timer);
  @
  @ // The timer is armed, and no other one is due before it.
  @ predicate timers_first(struct lbp_timers *t, struct lbp_timer *first) =
  @ 	timers_hold(t, first) && (\forall struct lbp_timer *timer;
  @ 		timers_hold(t, timer) ==> timer_no_later(first, timer));
  @
  @ // What lbp_timers_validate looks at.
  @ predicate timers_checked(struct lbp_timers *t) =
  @ 	t->len <= t->cap && timers_places(t) &&
  @ 	(\forall integer at; 0 <= at < t->len ==>
  @ 		t->heap[at]->order < t->orders) &&
  @ 	(\forall integer above, at;
  @ 		0 <= above && at < t->len && timers_above(above, at) ==>
  @ 			!timer_no_later(t->heap[at], t->heap[above]));
  @*/

/* Starts an empty set over the caller's array of cap pointers. */
/*@ requires \valid(timers) && \valid(heap + (0 .. cap - 1));
  @ requires \separated(timers, heap + (0 .. cap - 1));
  @ assigns *timers;
  @ ensures timers_valid(timers);
  @ ensures timers->heap == heap && timers->cap == cap;
  @ ensures timers->len == 0 && timers->orders == 0;
  @*/
void lbp_timers_init(
	struct lbp_timers *timers, struct lbp_timer **heap, uint32_t cap);

/* Makes a timer that is not armed. */
/*@ requires \valid(timer);
  @ assigns *timer;
  @ ensures !timer_armed(timer);
  @*/
void lbp_timer_init(struct lbp_timer *timer);

/* Is it armed? */
/*@ requires \valid_read(timer);
  @ assigns \nothing;
  @ ensures \result <==> timer_armed(timer);
  @*/
bool lbp_timer_is_armed(const struct lbp_timer *timer);

/*
 * Arms a timer for due_ns, or moves it there if it is armed, as the last
 * armed one in either case; it must stay where it is in memory until it has
 * been disarmed or taken. One for LBP_NEVER is due at that time only, which no
 * clock reaches. LBP_ERR_RANGE:
 * cap timers are armed already; nothing changes. Source: [TMR-1], [TMR-3].
 */
/*@ requires timers_valid(timers) && timers_apart(timers, timer);
  @ requires timer_armed(timer) ==> timers_hold(timers, timer);
  @ requires timers->orders < UINT64_MAX;
  @ assigns timers->len, timers->orders,
  @ 	timers->heap[0 .. timers->cap - 1],
  @ 	timer->due_ns, timer->order,
  @ 	{ other->at | struct lbp_timer *other;
  @ 		other == timer || timers_hold(timers, other) };
  @ ensures timers_valid(timers);
  @
  @ behavior full: // [TMR-3]
  @ 	assumes !timer_armed(timer) && timers->len == timers->cap;
  @ 	assigns \nothing;
  @ 	ensures \result == LBP_ERR_RANGE;
  @
  @ behavior armed:
  @ 	assumes timer_armed(timer) || timers->len < timers->cap;
  @ 	ensures \result == LBP_OK;
  @ 	ensures timer->due_ns == due_ns;
  @ 	ensures timer->order == \old(timers->orders) < timers->orders;
  @ 	ensures timers->len == \old(
  @ 		timer->at == UINT32_MAX ? timers->len + 1 : timers->len);
  @ 	ensures \forall struct lbp_timer *other;
  @ 		timers_hold(timers, other) <==>
  @ 			other == timer || \old(timers_hold(timers, other));
  @ 	ensures \forall struct lbp_timer *other;
  @ 		timers_hold(timers, other) && other != timer ==>
  @ 			other->due_ns == \old(other->due_ns) &&
  @ 			other->order == \old(other->order);
  @
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
enum lbp_err lbp_timers_arm(
	struct lbp_timers *timers, struct lbp_timer *timer, uint64_t due_ns);

/* Disarms a timer; one that is not armed stays so. Source: [TMR-4]. */
/*@ requires timers_valid(timers) && timers_apart(timers, timer);
  @ requires timer_armed(timer) ==> timers_hold(timers, timer);
  @ assigns timers->len, timers->heap[0 .. timers->len - 1],
  @ 	{ other->at | struct lbp_timer *other; timers_hold(timers, other) };
  @ ensures timers_valid(timers);
  @ ensures !timer_armed(timer);
  @
  @ behavior idle:
  @ 	assumes !timer_armed(timer);
  @ 	assigns \nothing;
  @
  @ behavior armed:
  @ 	assumes timer_armed(timer);
  @ 	ensures timers->len == \old(timers->len) - 1;
  @ 	ensures \forall struct lbp_timer *other;
  @ 		timers_hold(timers, other) <==>
  @ 			other != timer && \old(timers_hold(timers, other));
  @
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
void lbp_timers_disarm(struct lbp_timers *timers, struct lbp_timer *timer);

/* When the next timer is due; UINT64_MAX if none is armed. [TMR-5]. */
/*@ requires timers_valid(timers);
  @ assigns \nothing;
  @ ensures timers->len == 0 ==> \result == UINT64_MAX;
  @ ensures timers->len > 0 ==> timers_first(timers, timers->heap[0]) &&
  @ 	\result == timers->heap[0]->due_ns;
  @*/
uint64_t lbp_timers_due(const struct lbp_timers *timers);

/*
 * Takes out and returns the timer that was due first, of those due at or
 * before now_ns; NULL if there is none. Source: [TMR-2].
 */
/*@ requires timers_valid(timers);
  @ assigns timers->len, timers->heap[0 .. timers->len - 1],
  @ 	{ other->at | struct lbp_timer *other; timers_hold(timers, other) };
  @ ensures timers_valid(timers);
  @
  @ behavior early: // [TMR-1]
  @ 	assumes \forall struct lbp_timer *timer;
  @ 		timers_hold(timers, timer) ==> timer->due_ns > now_ns;
  @ 	assigns \nothing;
  @ 	ensures \result == \null;
  @
  @ behavior taken: // [TMR-1], [TMR-2]
  @ 	assumes \exists struct lbp_timer *timer;
  @ 		timers_hold(timers, timer) && timer->due_ns <= now_ns;
  @ 	ensures timers_first{Pre}(timers, \result);
  @ 	ensures \result->due_ns <= now_ns;
  @ 	ensures !timer_armed(\result);
  @ 	ensures timers->len == \old(timers->len) - 1;
  @ 	ensures \forall struct lbp_timer *other;
  @ 		timers_hold(timers, other) <==>
  @ 			other != \result && \old(timers_hold(timers, other));
  @
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
struct lbp_timer *lbp_timers_take(struct lbp_timers *timers, uint64_t now_ns);

/* Do all invariants hold? For tests and fuzz targets; O(n). */
/*@ requires \valid_read(timers);
  @ requires \valid_read(timers->heap + (0 .. timers->cap - 1));
  @ requires \forall integer at; 0 <= at < timers->len <= timers->cap ==>
  @ 	\valid_read(timers->heap[at]);
  @ assigns \nothing;
  @ ensures \result <==> timers_checked(timers);
  @ ensures timers_valid(timers) ==> \result;
  @*/
bool lbp_timers_validate(const struct lbp_timers *timers);

LBP_END_DECLS

#endif
