#include "timers.h"

#include <stddef.h>

#define NOT_ARMED UINT32_MAX

/* Is a due before b? A strict total order. */
/*@ requires \valid_read(a) && \valid_read(b);
  @ assigns \nothing;
  @ ensures \result <==> !timer_no_later(b, a);
  @*/
static bool goes_before(const struct lbp_timer *a, const struct lbp_timer *b)
{
	if (a->due_ns != b->due_ns)
		return a->due_ns < b->due_ns;
	return a->order < b->order;
}

/*@ // All places but the hole hold their timers, of which none is moving.
  @ predicate places_but(struct lbp_timers *t, integer hole,
  @ 	struct lbp_timer *moving) =
  @ 	\forall integer at; 0 <= at < t->len && at != hole ==>
  @ 		t->heap[at]->at == at && t->heap[at] != moving;
  @
  @ // Is it the moving timer, or one that has its place?
  @ predicate hold_but(struct lbp_timers *t, integer hole,
  @ 	struct lbp_timer *moving, struct lbp_timer *timer) =
  @ 	timer == moving || (timer->at != hole && timers_hold(t, timer));
  @
  @ // The timers armed at K are the moving one and those with a place at L.
  @ predicate same_but{K,L}(struct lbp_timers *t, integer hole,
  @ 	struct lbp_timer *moving) =
  @ 	\forall struct lbp_timer *timer;
  @ 		hold_but{L}(t, hole, moving, timer) <==>
  @ 			timers_hold{K}(t, timer);
  @
  @ // Between K and L the timer came to a place.
  @ predicate came_to{K,L}(struct lbp_timers *t, integer to,
  @ 	struct lbp_timer *timer) =
  @ 	\at(t->heap, L) == \at(t->heap, K) &&
  @ 	\at(t->len, L) == \at(t->len, K) &&
  @ 	\at(t->cap, L) == \at(t->cap, K) &&
  @ 	\at(t->heap[to], L) == timer && \at(timer->at, L) == to &&
  @ 	(\forall integer at; 0 <= at < \at(t->len, K) && at != to ==>
  @ 		\at(t->heap[at], L) == \at(t->heap[at], K)) &&
  @ 	(\forall struct lbp_timer *other; other != timer ==>
  @ 		\at(other->at, L) == \at(other->at, K));
  @
  @ // Another timer fills the hole, and leaves one at its place.
  @ lemma moved_same{J,K,L}: \forall struct lbp_timers *t,
  @ 	integer from, to, struct lbp_timer *moving;
  @ 	came_to{K,L}(t, to, \at(t->heap[from], K)) && from != to &&
  @ 	0 <= from < \at(t->len, K) && 0 <= to < \at(t->len, K) &&
  @ 	places_but{K}(t, to, moving) && same_but{J,K}(t, to, moving) ==>
  @ 		same_but{J,L}(t, from, moving);
  @ // The moving timer fills the hole.
  @ lemma settled_same{J,K,L}: \forall struct lbp_timers *t,
  @ 	integer hole, struct lbp_timer *moving;
  @ 	came_to{K,L}(t, hole, moving) && 0 <= hole < \at(t->len, K) &&
  @ 	places_but{K}(t, hole, moving) &&
  @ 	same_but{J,K}(t, hole, moving) ==> timers_same{J,L}(t);
  @
  @ // The order holds for all but what is in the hole.
  @ predicate ordered_but(struct lbp_timers *t, integer hole) =
  @ 	(\forall integer above, at;
  @ 		0 <= above && at < t->len && timers_above(above, at) &&
  @ 		above != hole && at != hole ==>
  @ 			timer_no_later(t->heap[above], t->heap[at])) &&
  @ 	(\forall integer above, at;
  @ 		0 <= above && at < t->len && timers_above(above, hole) &&
  @ 		timers_above(hole, at) ==>
  @ 			timer_no_later(t->heap[above], t->heap[at]));
  @
  @ // What is above the hole goes before this timer.
  @ predicate below_above(struct lbp_timers *t, integer hole,
  @ 	struct lbp_timer *timer) =
  @ 	\forall integer above; 0 <= above && timers_above(above, hole) ==>
  @ 		timer_no_later(t->heap[above], timer);
  @*/

/*@ requires timers_array(timers) && at < timers->len;
  @ requires \valid(timer) && \separated(timer, timers);
  @ requires \separated(timer, timers->heap + (0 .. timers->cap - 1));
  @ assigns timers->heap[at], timer->at;
  @ ensures came_to{Pre,Post}(timers, at, timer);
  @*/
static void put(struct lbp_timers *timers, uint32_t at, struct lbp_timer *timer)
{
	timers->heap[at] = timer;
	timer->at = at;
}

/* The place above a place that is not the root. */
/*@ requires at > 0;
  @ assigns \nothing;
  @ ensures 0 <= \result < at && timers_above(\result, at);
  @*/
static uint32_t place_above(uint32_t at)
{
	return (at - 1) / 2;
}

/*@ requires timers_storage(timers) && timers_places(timers);
  @ requires at < timers->len && ordered_but(timers, at);
  @ assigns timers->heap[0 .. timers->len - 1],
  @ 	{ other->at | struct lbp_timer *other; timers_hold(timers, other) };
  @ ensures timers_array(timers);
  @ ensures timers_places(timers);
  @ ensures timers_same{Pre,Post}(timers);
  @ ensures timers_storage(timers);
  @ ensures ordered_but(timers, \old(timers->heap[at])->at);
  @ ensures below_above(timers, \old(timers->heap[at])->at,
  @ 	\old(timers->heap[at]));
  @*/
static void sift_up(struct lbp_timers *timers, uint32_t at)
{
	struct lbp_timer *moving = timers->heap[at];

	/*@ loop invariant at < timers->len && timers_array(timers);
	  @ loop invariant timers->heap == \at(timers->heap, Pre);
	  @ loop invariant timers->len == \at(timers->len, Pre);
	  @ loop invariant timers->cap == \at(timers->cap, Pre);
	  @ loop invariant places_but(timers, at, moving);
	  @ loop invariant same_but{Pre,Here}(timers, at, moving);
	  @ loop invariant ordered_but(timers, at);
	  @ loop assigns at,
	  @ 	\at(timers->heap, Pre)[0 .. \at(timers->len, Pre) - 1],
	  @ 	{ other->at | struct lbp_timer *other;
	  @ 		timers_hold{Pre}(timers, other) };
	  @ loop variant at;
	  @*/
	while (at > 0) {
		uint32_t parent = place_above(at);

		//@ assert timers_hold{Pre}(timers, timers->heap[parent]);
		if (!goes_before(moving, timers->heap[parent]))
			break;
		put(timers, at, timers->heap[parent]);
		at = parent;
	}
	put(timers, at, moving);
}

/* The least child of a place; the place itself if it has none. */
/*@ requires timers_array(timers) && at < timers->len;
  @ requires \forall integer i; at < i < timers->len ==>
  @ 	\valid_read(timers->heap[i]);
  @ assigns \nothing;
  @ ensures \result == at ==> 2 * at + 1 >= timers->len;
  @ ensures \result != at ==>
  @ 	\result < timers->len && timers_above(at, \result);
  @ ensures \forall integer i; timers_above(at, i) && i < timers->len ==>
  @ 	timer_no_later(timers->heap[\result], timers->heap[i]);
  @*/
static uint32_t least_child(const struct lbp_timers *timers, uint32_t at)
{
	uint64_t left = 2 * (uint64_t)at + 1;
	uint32_t child = (uint32_t)left;

	if (left >= timers->len)
		return at;
	if (left + 1 < timers->len &&
		goes_before(timers->heap[child + 1], timers->heap[child]))
		child++;
	return child;
}

/*@ requires timers_storage(timers) && timers_places(timers);
  @ requires at < timers->len && ordered_but(timers, at);
  @ requires below_above(timers, at, timers->heap[at]);
  @ assigns timers->heap[0 .. timers->len - 1],
  @ 	{ other->at | struct lbp_timer *other; timers_hold(timers, other) };
  @ ensures timers_places(timers);
  @ ensures timers_same{Pre,Post}(timers);
  @ ensures timers_storage(timers);
  @ ensures timers_ordered(timers);
  @*/
static void sift_down(struct lbp_timers *timers, uint32_t at)
{
	struct lbp_timer *moving = timers->heap[at];

	//@ assert timers_hold(timers, moving);
	/*@ loop invariant at < timers->len && timers_array(timers);
	  @ loop invariant timers->heap == \at(timers->heap, Pre);
	  @ loop invariant timers->len == \at(timers->len, Pre);
	  @ loop invariant timers->cap == \at(timers->cap, Pre);
	  @ loop invariant places_but(timers, at, moving);
	  @ loop invariant same_but{Pre,Here}(timers, at, moving);
	  @ loop invariant ordered_but(timers, at);
	  @ loop invariant below_above(timers, at, moving);
	  @ loop assigns at,
	  @ 	\at(timers->heap, Pre)[0 .. \at(timers->len, Pre) - 1],
	  @ 	{ other->at | struct lbp_timer *other;
	  @ 		timers_hold{Pre}(timers, other) };
	  @ loop variant timers->len - at;
	  @*/
	for (;;) {
		uint32_t child = least_child(timers, at);

		if (child == at || !goes_before(timers->heap[child], moving))
			break;
		put(timers, at, timers->heap[child]);
		at = child;
	}
	put(timers, at, moving);
}

/* Moves a timer to where it belongs, which only it is not. */
/*@ requires timers_storage(timers) && timers_places(timers);
  @ requires timers_hold(timers, timer) && ordered_but(timers, timer->at);
  @ assigns timers->heap[0 .. timers->len - 1],
  @ 	{ other->at | struct lbp_timer *other; timers_hold(timers, other) };
  @ ensures timers_storage(timers);
  @ ensures timers_places(timers);
  @ ensures timers_same{Pre,Post}(timers);
  @ ensures timers_ordered(timers);
  @*/
static void settle(struct lbp_timers *timers, struct lbp_timer *timer)
{
	sift_up(timers, timer->at);
	sift_down(timers, timer->at);
}

/* By induction: what is above a place is no later, so the root is no later. */
/*@ ghost
  /@ requires timers_valid(timers) && timers->len > 0;
   @ assigns \nothing;
   @ ensures timers_first(timers, timers->heap[0]);
   @/
  static void root_is_first(const struct lbp_timers *timers)
  {
	/@ loop invariant 1 <= len <= timers->len;
	 @ loop invariant \forall integer at; 0 <= at < len ==>
	 @ 	timer_no_later(timers->heap[0], timers->heap[at]);
	 @ loop assigns len;
	 @ loop variant timers->len - len;
	 @/
	for (uint32_t len = 1; len < timers->len; len++) {
		uint32_t above = (len - 1) / 2;

		/@ assert timers_above(above, len); @/
	}
  }
  @*/

void lbp_timers_init(
	struct lbp_timers *timers, struct lbp_timer **heap, uint32_t cap)
{
	*timers = (struct lbp_timers){.heap = heap, .cap = cap};
}

void lbp_timer_init(struct lbp_timer *timer)
{
	*timer = (struct lbp_timer){.at = NOT_ARMED};
}

bool lbp_timer_is_armed(const struct lbp_timer *timer)
{
	return timer->at != NOT_ARMED;
}

enum lbp_err lbp_timers_arm(
	struct lbp_timers *timers, struct lbp_timer *timer, uint64_t due_ns)
{
	if (!lbp_timer_is_armed(timer)) {
		if (timers->len == timers->cap)
			return LBP_ERR_RANGE;
		put(timers, timers->len++, timer);
	}
	timer->due_ns = due_ns;
	timer->order = timers->orders++;
	/*@ assert \forall struct lbp_timer *other;
	  @ 	timers_hold(timers, other) <==>
	  @ 		other == timer || timers_hold{Pre}(timers, other);
	  @*/
	/*@ assert \forall struct lbp_timer *other;
	  @ 	timers_hold{Pre}(timers, other) && other != timer ==>
	  @ 		other->due_ns == \at(other->due_ns, Pre) &&
	  @ 		other->order == \at(other->order, Pre);
	  @*/
	settle(timers, timer);
	return LBP_OK;
}

void lbp_timers_disarm(struct lbp_timers *timers, struct lbp_timer *timer)
{
	struct lbp_timer *last;
	uint32_t at = timer->at;

	if (!lbp_timer_is_armed(timer))
		return;
	last = timers->heap[--timers->len];
	//@ assert timers_hold{Pre}(timers, last);
	timer->at = NOT_ARMED;
	if (last == timer)
		return;
	put(timers, at, last);
	/*@ assert \forall struct lbp_timer *other;
	  @ 	timers_hold(timers, other) <==>
	  @ 		other != timer && timers_hold{Pre}(timers, other);
	  @*/
	settle(timers, last);
}

uint64_t lbp_timers_due(const struct lbp_timers *timers)
{
	/*@ ghost
	  if (timers->len > 0)
		root_is_first(timers);
	  @*/
	return timers->len > 0 ? timers->heap[0]->due_ns : UINT64_MAX;
}

struct lbp_timer *lbp_timers_take(struct lbp_timers *timers, uint64_t now_ns)
{
	struct lbp_timer *first;

	/*@ ghost
	  if (timers->len > 0)
		root_is_first(timers);
	  @*/
	if (timers->len == 0 || timers->heap[0]->due_ns > now_ns)
		return NULL;
	first = timers->heap[0];
	lbp_timers_disarm(timers, first);
	return first;
}

bool lbp_timers_validate(const struct lbp_timers *timers)
{
	if (timers->len > timers->cap)
		return false;
	/*@ loop invariant 0 <= at <= timers->len;
	  @ loop invariant \forall integer i; 0 <= i < at ==>
	  @ 	timers->heap[i]->at == i &&
	  @ 	timers->heap[i]->order < timers->orders;
	  @ loop invariant \forall integer above, i;
	  @ 	0 <= above && i < at && timers_above(above, i) ==>
	  @ 		!timer_no_later(timers->heap[i], timers->heap[above]);
	  @ loop assigns at;
	  @ loop variant timers->len - at;
	  @*/
	for (uint32_t at = 0; at < timers->len; at++) {
		const struct lbp_timer *timer = timers->heap[at];

		if (timer->at != at || timer->order >= timers->orders)
			return false;
		if (at > 0 &&
			!goes_before(timers->heap[place_above(at)], timer))
			return false;
	}
	return true;
}
