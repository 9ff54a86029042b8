#include "core/balancer.h"

#include <stddef.h>

/* Is upstream x to be chosen before upstream y? A strict total order. */
/*@ requires balancer_storage(balancer);
  @ requires x < balancer->slot_len && y < balancer->slot_len;
  @ assigns \nothing;
  @ ensures \result <==> slot_before(balancer->slots, x, y);
  @*/
static bool goes_before(
	const struct lbp_balancer *balancer, uint32_t x, uint32_t y)
{
	const struct lbp_balancer_slot *a = &balancer->slots[x];
	const struct lbp_balancer_slot *b = &balancer->slots[y];
	/* a.open / a.weight < b.open / b.weight, without the rounding */
	uint64_t a_load = (uint64_t)a->open * b->weight;
	uint64_t b_load = (uint64_t)b->open * a->weight;

	if (a_load != b_load)
		return a_load < b_load;
	if (a->chosen != b->chosen)
		return a->chosen < b->chosen;
	return x < y;
}

/*@ // Of three upstreams, as of any three slots.
  @ lemma balancer_order{L}: \forall struct lbp_balancer *b, integer x, y, z;
  @ 	balancer_weights(b) && 0 <= x < b->slot_len &&
  @ 	0 <= y < b->slot_len && 0 <= z < b->slot_len &&
  @ 	!slot_before(b->slots, y, x) && !slot_before(b->slots, z, y) ==>
  @ 		!slot_before(b->slots, z, x);
  @ lemma balancer_strict{L}: \forall struct lbp_balancer *b, integer x, y;
  @ 	balancer_weights(b) && 0 <= x < b->slot_len &&
  @ 	0 <= y < b->slot_len && slot_before(b->slots, x, y) ==>
  @ 		!slot_before(b->slots, y, x);
  @
  @ // Every place in use has the number of an upstream.
  @ predicate heap_in_range(struct lbp_balancer *b) =
  @ 	\forall integer at; 0 <= at < b->heap_len ==>
  @ 		0 <= b->heap[at] < b->slot_len;
  @
  @ // All but upstream i are in their places, which are not hole.
  @ predicate places_but(struct lbp_balancer *b, integer hole, integer i) =
  @ 	(\forall integer j; 0 <= j < b->slot_len && j != i &&
  @ 		balancer_eligible(b, j) ==>
  @ 			b->slots[j].at < b->heap_len &&
  @ 			b->slots[j].at != hole &&
  @ 			b->heap[b->slots[j].at] == j) &&
  @ 	(\forall integer at; 0 <= at < b->heap_len && at != hole ==>
  @ 		b->heap[at] < b->slot_len && b->heap[at] != i &&
  @ 		b->slots[b->heap[at]].at == at);
  @
  @ // The heap is in order but for what is at hole.
  @ predicate ordered_but(struct lbp_balancer *b, integer hole) =
  @ 	\forall integer up, at; at < b->heap_len && is_above(up, at) &&
  @ 		up != hole && at != hole ==>
  @ 			!slot_before(b->slots, b->heap[at], b->heap[up]);
  @
  @ // What is below hole is in order below what is above hole.
  @ predicate ordered_across(struct lbp_balancer *b, integer hole) =
  @ 	\forall integer up, at; at < b->heap_len && is_above(up, hole) &&
  @ 		is_above(hole, at) ==>
  @ 			!slot_before(b->slots, b->heap[at], b->heap[up]);
  @
  @ // Upstream i in hole would be in order with what is above or below.
  @ predicate ordered_above(
  @ 	struct lbp_balancer *b, integer hole, integer i) =
  @ 	\forall integer up; is_above(up, hole) ==>
  @ 		!slot_before(b->slots, i, b->heap[up]);
  @ predicate ordered_below(
  @ 	struct lbp_balancer *b, integer hole, integer i) =
  @ 	\forall integer at; at < b->heap_len && is_above(hole, at) ==>
  @ 		!slot_before(b->slots, b->heap[at], i);
  @
  @ // What is in the hole is in order with its neighbours: all is in order.
  @ lemma ordered_if{L}: \forall struct lbp_balancer *b, integer at;
  @ 	ordered_but(b, at) && ordered_above(b, at, b->heap[at]) &&
  @ 	ordered_below(b, at, b->heap[at]) ==> balancer_ordered(b);
  @ // Something would be in order in the hole: so is what is around it.
  @ lemma across_by{L}: \forall struct lbp_balancer *b, integer hole, i;
  @ 	balancer_weights(b) && heap_in_range(b) &&
  @ 	0 <= i < b->slot_len && ordered_above(b, hole, i) &&
  @ 	ordered_below(b, hole, i) ==> ordered_across(b, hole);
  @
  @ // The order of two stays where nothing changed that it is made of.
  @ lemma before_kept{K,L}:
  @ 	\forall struct lbp_balancer_slot *slots, integer x, y;
  @ 		slot_kept{K,L}(slots + x) && slot_kept{K,L}(slots + y) &&
  @ 		!slot_before{K}(slots, x, y) ==>
  @ 			!slot_before{L}(slots, x, y);
  @ // The order of all stays.
  @ predicate order_kept{K,L}(struct lbp_balancer *b) =
  @ 	\forall integer x, y; 0 <= x < \at(b->slot_len, K) &&
  @ 		0 <= y < \at(b->slot_len, K) ==>
  @ 			(slot_before{L}(\at(b->slots, K), x, y) <==>
  @ 			slot_before{K}(\at(b->slots, K), x, y));
  @ // What the order of all is made of stays.
  @ predicate slots_kept{K,L}(struct lbp_balancer *b) =
  @ 	\at(b->slots, L) == \at(b->slots, K) &&
  @ 	(\forall integer i; 0 <= i < \at(b->slot_len, K) ==>
  @ 		slot_kept{K,L}(\at(b->slots, K) + i));
  @ lemma kept_order{K,L}: \forall struct lbp_balancer *b;
  @ 	slots_kept{K,L}(b) ==> order_kept{K,L}(b);
  @ // What x did not go before, it does not when it goes later.
  @ lemma later_after{K,L}:
  @ 	\forall struct lbp_balancer_slot *slots, integer x, y;
  @ 		\at(slots[x].weight, K) > 0 && \at(slots[y].weight, K) > 0 &&
  @ 		slot_later{K,L}(slots + x) && slot_kept{K,L}(slots + y) &&
  @ 		!slot_before{K}(slots, x, y) ==>
  @ 			!slot_before{L}(slots, x, y);
  @ // What went before x still does when x goes later.
  @ lemma later_before{K,L}:
  @ 	\forall struct lbp_balancer_slot *slots, integer x, y;
  @ 		\at(slots[x].weight, K) > 0 && \at(slots[y].weight, K) > 0 &&
  @ 		slot_later{K,L}(slots + x) && slot_kept{K,L}(slots + y) &&
  @ 		slot_before{K}(slots, y, x) ==>
  @ 			slot_before{L}(slots, y, x);
  @
  @ // Between K and L nothing changed but what the order of i is made of.
  @ predicate only_changed{K,L}(struct lbp_balancer *b, integer i) =
  @ 	\at(b->slots, L) == \at(b->slots, K) &&
  @ 	\at(b->heap, L) == \at(b->heap, K) &&
  @ 	\at(b->slot_len, L) == \at(b->slot_len, K) &&
  @ 	\at(b->heap_len, L) == \at(b->heap_len, K) &&
  @ 	0 <= i < \at(b->slot_len, K) &&
  @ 	(\forall integer at; 0 <= at < \at(b->slot_len, K) ==>
  @ 		\at(b->heap[at], L) == \at(b->heap[at], K)) &&
  @ 	(\forall integer j; 0 <= j < \at(b->slot_len, K) ==>
  @ 		\at(b->slots[j].at, L) == \at(b->slots[j].at, K)) &&
  @ 	(\forall integer j; 0 <= j < \at(b->slot_len, K) && j != i ==>
  @ 		slot_kept{K,L}(\at(b->slots, K) + j));
  @ // The places stay; so does the order if i is in none of them; else all
  @ // but i is in order, and what is above i with what is below it.
  @ lemma changed_places{K,L}: \forall struct lbp_balancer *b, integer i;
  @ 	only_changed{K,L}(b, i) && balancer_valid{K}(b) ==>
  @ 		balancer_places{L}(b);
  @ lemma changed_out{K,L}: \forall struct lbp_balancer *b, integer i;
  @ 	only_changed{K,L}(b, i) && balancer_valid{K}(b) &&
  @ 	!balancer_eligible{K}(b, i) ==> balancer_ordered{L}(b);
  @ lemma changed_but{K,L}: \forall struct lbp_balancer *b, integer i;
  @ 	only_changed{K,L}(b, i) && balancer_valid{K}(b) &&
  @ 	balancer_eligible{K}(b, i) ==>
  @ 		ordered_but{L}(b, \at(b->slots[i].at, L));
  @ lemma order_across{L}: \forall struct lbp_balancer *b, integer i;
  @ 	balancer_valid(b) && 0 <= i < b->slot_len &&
  @ 	balancer_eligible(b, i) ==> ordered_across(b, b->slots[i].at);
  @ lemma across_kept{K,L}:
  @ 	\forall struct lbp_balancer *b, integer i, hole;
  @ 	only_changed{K,L}(b, i) && balancer_valid{K}(b) &&
  @ 	balancer_eligible{K}(b, i) && hole == \at(b->slots[i].at, K) &&
  @ 	ordered_across{K}(b, hole) ==> ordered_across{L}(b, hole);
  @ lemma changed_across{K,L}: \forall struct lbp_balancer *b, integer i;
  @ 	only_changed{K,L}(b, i) && balancer_valid{K}(b) &&
  @ 	balancer_eligible{K}(b, i) ==>
  @ 		ordered_across{L}(b, \at(b->slots[i].at, L));
  @ // Upstream i that goes later, or sooner, and another one.
  @ lemma later_than{K,L}: \forall struct lbp_balancer *b, integer i, j;
  @ 	only_changed{K,L}(b, i) && balancer_weights{K}(b) && i != j &&
  @ 	0 <= j < \at(b->slot_len, K) &&
  @ 	slot_later{K,L}(\at(b->slots, K) + i) &&
  @ 	!slot_before{K}(\at(b->slots, K), i, j) ==>
  @ 		!slot_before{L}(\at(b->slots, K), i, j);
  @ lemma sooner_than{K,L}: \forall struct lbp_balancer *b, integer i, j;
  @ 	only_changed{K,L}(b, i) && balancer_weights{K}(b) && i != j &&
  @ 	0 <= j < \at(b->slot_len, K) &&
  @ 	slot_later{L,K}(\at(b->slots, K) + i) &&
  @ 	!slot_before{K}(\at(b->slots, K), j, i) ==>
  @ 		!slot_before{L}(\at(b->slots, K), j, i);
  @ // Upstream i that goes later is in order with what is above it.
  @ lemma changed_later{K,L}: \forall struct lbp_balancer *b, integer i;
  @ 	only_changed{K,L}(b, i) && balancer_valid{K}(b) &&
  @ 	balancer_eligible{K}(b, i) &&
  @ 	slot_later{K,L}(\at(b->slots, K) + i) ==>
  @ 		ordered_above{L}(b, \at(b->slots[i].at, L), i);
  @ // Upstream i that goes sooner is in order with what is below it.
  @ lemma order_below{L}: \forall struct lbp_balancer *b, integer i;
  @ 	balancer_valid(b) && 0 <= i < b->slot_len &&
  @ 	balancer_eligible(b, i) ==> ordered_below(b, b->slots[i].at, i);
  @ lemma below_kept{K,L}: \forall struct lbp_balancer *b, integer i, hole;
  @ 	only_changed{K,L}(b, i) && balancer_valid{K}(b) &&
  @ 	slot_later{L,K}(\at(b->slots, K) + i) &&
  @ 	hole == \at(b->slots[i].at, K) && ordered_below{K}(b, hole, i) ==>
  @ 		ordered_below{L}(b, hole, i);
  @ lemma changed_sooner{K,L}: \forall struct lbp_balancer *b, integer i;
  @ 	only_changed{K,L}(b, i) && balancer_valid{K}(b) &&
  @ 	balancer_eligible{K}(b, i) &&
  @ 	slot_later{L,K}(\at(b->slots, K) + i) ==>
  @ 		ordered_below{L}(b, \at(b->slots[i].at, L), i);
  @*/

/*@ requires balancer_storage(balancer);
  @ requires at < balancer->slot_len && upstream < balancer->slot_len;
  @ assigns balancer->heap[0 .. balancer->slot_len - 1],
  @ 	balancer->slots[0 .. balancer->slot_len - 1].at;
  @ ensures balancer->heap[at] == upstream;
  @ ensures balancer->slots[upstream].at == at;
  @ ensures \forall integer j; 0 <= j < balancer->slot_len && j != at ==>
  @ 	balancer->heap[j] == \old(balancer->heap[j]);
  @ ensures \forall integer j; 0 <= j < balancer->slot_len &&
  @ 	j != upstream ==>
  @ 	balancer->slots[j].at == \old(balancer->slots[j].at);
  @ // It fills the hole, or leaves another one where it was.
  @ ensures \old(places_but(balancer, at, upstream)) &&
  @ 	at < balancer->heap_len ==> balancer_places(balancer);
  @ ensures \forall integer i; \old(places_but(balancer, at, i)) &&
  @ 	i != upstream && at < balancer->heap_len &&
  @ 	\old(balancer_eligible(balancer, upstream)) ==>
  @ 		places_but(balancer, \old(balancer->slots[upstream].at), i);
  @ ensures \old(ordered_across(balancer, at)) ==>
  @ 	ordered_across(balancer, at);
  @*/
static void put(struct lbp_balancer *balancer, uint32_t at, uint32_t upstream)
{
	balancer->heap[at] = (uint16_t)upstream;
	balancer->slots[upstream].at = (uint16_t)at;
}

/* The place above a place that is not the root. */
/*@ requires at > 0;
  @ assigns \nothing;
  @ ensures \result < at && is_above(\result, at);
  @*/
static uint32_t place_above(uint32_t at)
{
	return (at - 1) / 2;
}

/* Moves what is at a place up to where it may be; returns that place. */
/*@ requires balancer_storage(balancer) && balancer_weights(balancer);
  @ requires balancer_places(balancer) && at < balancer->heap_len;
  @ requires ordered_but(balancer, at) && ordered_across(balancer, at);
  @ assigns balancer->heap[0 .. balancer->slot_len - 1],
  @ 	balancer->slots[0 .. balancer->slot_len - 1].at;
  @ ensures balancer_places(balancer);
  @ ensures balancer_eligible_kept{Pre,Post}(balancer);
  @ ensures \result < balancer->heap_len;
  @ ensures balancer->heap[\result] == \old(balancer->heap[at]);
  @ ensures ordered_but(balancer, \result);
  @ ensures ordered_across(balancer, \result);
  @ ensures ordered_above(balancer, \result, balancer->heap[\result]);
  @ ensures \old(ordered_below(balancer, at, balancer->heap[at])) ==>
  @ 	ordered_below(balancer, \result, balancer->heap[\result]);
  @*/
static uint32_t sift_up(struct lbp_balancer *balancer, uint32_t at)
{
	uint32_t moving = balancer->heap[at];

	/*@ assert moving < balancer->slot_len &&
	  @ 	balancer_eligible(balancer, moving);
	  @*/
	/*@ loop invariant at < balancer->heap_len;
	  @ loop invariant heap_in_range(balancer);
	  @ loop invariant places_but(balancer, at, moving);
	  @ loop invariant balancer_eligible_kept{Pre,Here}(balancer);
	  @ loop invariant ordered_but(balancer, at);
	  @ loop invariant ordered_across(balancer, at);
	  @ loop invariant at != \at(at, Pre) ||
	  @ 	\at(ordered_below(balancer, at, balancer->heap[at]), Pre) ==>
	  @ 		ordered_below(balancer, at, moving);
	  @ loop assigns at,
	  @ 	balancer->heap[0 .. balancer->slot_len - 1],
	  @ 	balancer->slots[0 .. balancer->slot_len - 1].at;
	  @ loop variant at;
	  @*/
	while (at > 0) {
		uint32_t parent = place_above(at);

		if (!goes_before(balancer, moving, balancer->heap[parent]))
			break;
		put(balancer, at, balancer->heap[parent]);
		at = parent;
	}
	put(balancer, at, moving);
	return at;
}

/* The place below a place of what goes first; the place itself if none. */
/*@ requires balancer_storage(balancer) && balancer_weights(balancer);
  @ requires heap_in_range(balancer) && at < balancer->heap_len;
  @ assigns \nothing;
  @ ensures \result == at ==> 2 * at + 1 >= balancer->heap_len;
  @ ensures \result != at ==> \result < balancer->heap_len &&
  @ 	is_above(at, \result) &&
  @ 	ordered_below(balancer, at, balancer->heap[\result]);
  @*/
static uint32_t least_child(const struct lbp_balancer *balancer, uint32_t at)
{
	const uint16_t *heap = balancer->heap;
	uint32_t child = 2 * at + 1;

	if (child >= balancer->heap_len)
		return at;
	if (child + 1 < balancer->heap_len &&
		goes_before(balancer, heap[child + 1], heap[child]))
		child++;
	return child;
}

/* Moves what is at a place down to where it may be. */
/*@ requires balancer_storage(balancer) && balancer_weights(balancer);
  @ requires balancer_places(balancer) && at < balancer->heap_len;
  @ requires ordered_but(balancer, at) && ordered_across(balancer, at);
  @ requires ordered_above(balancer, at, balancer->heap[at]);
  @ assigns balancer->heap[0 .. balancer->slot_len - 1],
  @ 	balancer->slots[0 .. balancer->slot_len - 1].at;
  @ ensures balancer_places(balancer) && balancer_ordered(balancer);
  @ ensures balancer_eligible_kept{Pre,Post}(balancer);
  @*/
static void sift_down(struct lbp_balancer *balancer, uint32_t at)
{
	uint32_t moving = balancer->heap[at];

	/*@ loop invariant at < balancer->heap_len;
	  @ loop invariant heap_in_range(balancer);
	  @ loop invariant places_but(balancer, at, moving);
	  @ loop invariant balancer_eligible_kept{Pre,Here}(balancer);
	  @ loop invariant ordered_but(balancer, at);
	  @ loop invariant ordered_across(balancer, at);
	  @ loop invariant ordered_above(balancer, at, moving);
	  @ loop assigns at,
	  @ 	balancer->heap[0 .. balancer->slot_len - 1],
	  @ 	balancer->slots[0 .. balancer->slot_len - 1].at;
	  @ loop variant balancer->heap_len - at;
	  @*/
	for (;;) {
		uint32_t child = least_child(balancer, at);

		if (child == at ||
			!goes_before(balancer, balancer->heap[child], moving))
			break;
		put(balancer, at, balancer->heap[child]);
		at = child;
	}
	put(balancer, at, moving);
}

void lbp_balancer_init(struct lbp_balancer *balancer,
	struct lbp_balancer_slot *slots, uint16_t *heap, uint32_t len)
{
	balancer->slots = slots;
	balancer->heap = heap;
	balancer->slot_len = len;
	balancer->heap_len = len;
	balancer->choices = 0;
	/*@ loop invariant 0 <= i <= len;
	  @ loop invariant balancer->slots == slots;
	  @ loop invariant balancer->heap == heap;
	  @ loop invariant balancer->slot_len == len;
	  @ loop invariant balancer->heap_len == len;
	  @ loop invariant balancer->choices == 0;
	  @ loop invariant balancer_storage(balancer);
	  @ loop invariant \forall integer j; 0 <= j < len ==>
	  @ 	slots[j].weight == \at(slots[j].weight, Pre);
	  @ loop invariant \forall integer j; 0 <= j < i ==>
	  @ 	slots[j].open == 0 && slots[j].chosen == 0;
	  @ loop invariant \forall integer j; 0 <= j < i ==>
	  @ 	slots[j].at == j;
	  @ loop invariant \forall integer j; 0 <= j < i ==> heap[j] == j;
	  @ loop assigns i, heap[0 .. len - 1], slots[0 .. len - 1].open,
	  @ 	slots[0 .. len - 1].chosen, slots[0 .. len - 1].at;
	  @ loop variant len - i;
	  @*/
	for (uint32_t i = 0; i < len; i++) {
		slots[i].open = 0;
		slots[i].chosen = 0;
		put(balancer, i, i);
	}
	//@ assert balancer_weights(balancer);
	//@ assert balancer_ordered(balancer);
}

/*@ // Is a place root, or below it?
  @ predicate in_subtree(integer root, integer at) =
  @ 	at == root || (at > root && in_subtree(root, (at - 1) / 2));
  @
  @ // Of the upstreams at root and below, i is the one to choose, or none.
  @ predicate least_in(struct lbp_balancer *b, uint8_t *tried,
  @ 	integer root, integer i) =
  @ 	(i != LBP_NONE ==> may_choose(b, tried, i)) &&
  @ 	(\forall integer j; may_choose(b, tried, j) &&
  @ 		in_subtree(root, b->slots[j].at) ==>
  @ 			i != LBP_NONE && !slot_before(b->slots, j, i));
  @*/

/* What is at a place goes before all that is below it. */
/*@ ghost
  /@ requires balancer_valid(balancer) && at < balancer->heap_len;
   @ assigns \nothing;
   @ ensures \forall integer p; 0 <= p < balancer->heap_len &&
   @ 	in_subtree(at, p) ==> !slot_before(balancer->slots,
   @ 		balancer->heap[p], balancer->heap[at]);
   @/
  static void root_is_least(const struct lbp_balancer *balancer, uint32_t at)
  {
	/@ loop invariant at <= p <= balancer->heap_len;
	 @ loop invariant \forall integer q; 0 <= q < p &&
	 @ 	in_subtree(at, q) ==> !slot_before(balancer->slots,
	 @ 		balancer->heap[q], balancer->heap[at]);
	 @ loop assigns p;
	 @ loop variant balancer->heap_len - p;
	 @/
	for (uint32_t p = at; p < balancer->heap_len; p++)
		/@ assert p > at ==> is_above((p - 1) / 2, p); @/
		;
  }
*/

/* A place below another one is on one of its two sides. */
/*@ ghost
  /@ requires at <= LBP_UPSTREAMS_MAX && len <= LBP_UPSTREAMS_MAX;
   @ assigns \nothing;
   @ ensures \forall integer p; 0 <= p < len && in_subtree(at, p) ==>
   @ 	p == at || in_subtree(2 * at + 1, p) || in_subtree(2 * at + 2, p);
   @/
  static void subtree_splits(uint32_t at, uint32_t len)
  {
	/@ loop invariant 0 <= p;
	 @ loop invariant \forall integer q; 0 <= q < p &&
	 @ 	in_subtree(at, q) ==> q == at ||
	 @ 		in_subtree(2 * at + 1, q) || in_subtree(2 * at + 2, q);
	 @ loop assigns p;
	 @ loop variant len - p;
	 @/
	for (uint32_t p = 0; p < len; p++)
		/@ assert p > at ==> is_above((p - 1) / 2, p); @/
		;
  }
*/

/* All places are below the first one. */
/*@ ghost
  /@ requires len <= LBP_UPSTREAMS_MAX;
   @ assigns \nothing;
   @ ensures \forall integer p; 0 <= p < len ==> in_subtree(0, p);
   @/
  static void root_is_above_all(uint32_t len)
  {
	/@ loop invariant 0 <= p;
	 @ loop invariant \forall integer q; 0 <= q < p ==> in_subtree(0, q);
	 @ loop assigns p;
	 @ loop variant len - p;
	 @/
	for (uint32_t p = 0; p < len; p++)
		;
  }
*/

/*
 * The least untried upstream at a place or below it, LBP_NONE if there is
 * none. Only what lies directly below tried upstreams, or at the root, can be
 * it, so this visits no more than 2k + 1 places; and a heap of
 * LBP_UPSTREAMS_MAX is no more than 11 places deep.
 */
/*@ requires balancer_valid(balancer);
  @ requires tried_storage(tried, balancer->slot_len);
  @ requires at <= 2 * LBP_UPSTREAMS_MAX;
  @ decreases 2 * LBP_UPSTREAMS_MAX - at;
  @ assigns \nothing;
  @ ensures least_in(balancer, tried, at, \result);
  @*/
static uint32_t least_untried(
	const struct lbp_balancer *balancer, const uint8_t *tried, uint32_t at)
{
	uint32_t i, left, right;

	if (at >= balancer->heap_len)
		return LBP_NONE;
	i = balancer->heap[at];
	//@ ghost root_is_least(balancer, at);
	//@ ghost subtree_splits(at, balancer->heap_len);
	if (tried == NULL || !lbp_tried_has(tried, i))
		return i;
	left = least_untried(balancer, tried, 2 * at + 1);
	right = least_untried(balancer, tried, 2 * at + 2);
	if (left == LBP_NONE ||
		(right != LBP_NONE && goes_before(balancer, right, left)))
		return right;
	return left;
}

enum lbp_err lbp_balancer_choose(
	struct lbp_balancer *balancer, const uint8_t *tried, uint32_t *out)
{
	struct lbp_balancer_slot *slot;
	uint32_t best;

	//@ ghost root_is_above_all(balancer->heap_len);
	best = least_untried(balancer, tried, 0);
	if (best == LBP_NONE)
		return LBP_ERR_NO_UPSTREAM;
	//@ assert least_to_choose(balancer, tried, best);
	*out = best;
	slot = &balancer->slots[best];
	slot->open++;
	slot->chosen = ++balancer->choices;
	//@ assert only_changed{Pre,Here}(balancer, best);
	sift_down(balancer, slot->at);
	return LBP_OK;
}

enum lbp_err lbp_balancer_release(
	struct lbp_balancer *balancer, uint32_t upstream)
{
	struct lbp_balancer_slot *slot;

	if (upstream >= balancer->slot_len)
		return LBP_ERR_RANGE;
	slot = &balancer->slots[upstream];
	if (slot->open == 0)
		return LBP_ERR_STATE;
	slot->open--;
	//@ assert only_changed{Pre,Here}(balancer, upstream);
	if (slot->at != LBP_NOT_IN_HEAP)
		sift_up(balancer, slot->at);
	return LBP_OK;
}

void lbp_balancer_inherit(struct lbp_balancer *balancer,
	const struct lbp_balancer *from, uint32_t upstream)
{
	struct lbp_balancer_slot *slot = &balancer->slots[upstream];

	slot->open = from->slots[upstream].open;
	slot->chosen = from->slots[upstream].chosen;
	//@ assert slot_later{Pre,Here}(slot);
	if (balancer->choices < from->choices)
		balancer->choices = from->choices;
	//@ assert only_changed{Pre,Here}(balancer, upstream);
	//@ assert balancer_chosen(balancer);
	/* From the least that it can be it only goes down. */
	if (slot->at != LBP_NOT_IN_HEAP)
		sift_down(balancer, slot->at);
}

/*@ // How many of the first len upstreams are at places before end?
  @ logic integer placed(struct lbp_balancer *b, integer end, integer len) =
  @ 	len <= 0 ? 0 : placed(b, end, len - 1) +
  @ 		(b->slots[len - 1].at < end ? 1 : 0);
  @*/

/* Where an upstream is not eligible the heap has room for it. */
/*@ ghost
  /@ requires balancer_valid(balancer) && upstream < balancer->slot_len;
   @ requires !balancer_eligible(balancer, upstream);
   @ assigns \nothing;
   @ ensures balancer->heap_len < balancer->slot_len;
   @/
  static void has_room(const struct lbp_balancer *balancer, uint32_t upstream)
  {
	/@ loop invariant i <= balancer->slot_len;
	 @ loop invariant placed(balancer, 0, i) == 0;
	 @ loop assigns i;
	 @ loop variant balancer->slot_len - i;
	 @/
	for (uint32_t i = 0; i < balancer->slot_len; i++)
		;
	/@ loop invariant at <= balancer->heap_len;
	 @ loop invariant placed(balancer, at, balancer->slot_len) == at;
	 @ loop assigns at;
	 @ loop variant balancer->heap_len - at;
	 @/
	for (uint32_t at = 0; at < balancer->heap_len; at++) {
		/@ loop invariant i <= balancer->slot_len;
		 @ loop invariant placed(balancer, at + 1, i) ==
		 @ 	placed(balancer, at, i) +
		 @ 		(balancer->heap[at] < i ? 1 : 0);
		 @ loop assigns i;
		 @ loop variant balancer->slot_len - i;
		 @/
		for (uint32_t i = 0; i < balancer->slot_len; i++)
			;
	}
	/@ loop invariant i <= balancer->slot_len;
	 @ loop invariant placed(balancer, balancer->heap_len, i) <=
	 @ 	(upstream < i ? i - 1 : i);
	 @ loop assigns i;
	 @ loop variant balancer->slot_len - i;
	 @/
	for (uint32_t i = 0; i < balancer->slot_len; i++)
		;
  }
*/

/*@ requires balancer_valid(balancer);
  @ requires balancer->heap_len < balancer->slot_len;
  @ requires upstream < balancer->slot_len;
  @ requires !balancer_eligible(balancer, upstream);
  @ assigns balancer->heap_len,
  @ 	balancer->heap[0 .. balancer->slot_len - 1],
  @ 	balancer->slots[0 .. balancer->slot_len - 1].at;
  @ ensures balancer_valid(balancer);
  @ ensures balancer_eligible(balancer, upstream);
  @ ensures others_eligible_kept{Pre,Post}(balancer, upstream);
  @*/
static void take_in(struct lbp_balancer *balancer, uint32_t upstream)
{
	uint32_t at = balancer->heap_len++;

	//@ assert ordered_but(balancer, at);
	put(balancer, at, upstream);
	sift_up(balancer, at);
}

/*@ requires balancer_valid(balancer);
  @ requires upstream < balancer->slot_len;
  @ requires balancer_eligible(balancer, upstream);
  @ assigns balancer->heap_len,
  @ 	balancer->heap[0 .. balancer->slot_len - 1],
  @ 	balancer->slots[0 .. balancer->slot_len - 1].at;
  @ ensures balancer_valid(balancer);
  @ ensures !balancer_eligible(balancer, upstream);
  @ ensures others_eligible_kept{Pre,Post}(balancer, upstream);
  @*/
static void take_out(struct lbp_balancer *balancer, uint32_t upstream)
{
	uint32_t at = balancer->slots[upstream].at;
	uint32_t last = balancer->heap[--balancer->heap_len];

	balancer->slots[upstream].at = LBP_NOT_IN_HEAP;
	//@ assert balancer_storage(balancer) && balancer_weights(balancer);
	//@ assert balancer_chosen(balancer);
	//@ assert order_kept{Pre,Here}(balancer);
	//@ assert last == upstream ==> balancer_places(balancer);
	if (last == upstream)
		return;
	//@ assert places_but(balancer, at, last);
	put(balancer, at, last);
	//@ assert others_eligible_kept{Pre,Here}(balancer, upstream);
	at = sift_up(balancer, at);
	sift_down(balancer, at);
	//@ assert balancer_valid(balancer);
}

enum lbp_err lbp_balancer_set_eligible(
	struct lbp_balancer *balancer, uint32_t upstream, bool eligible)
{
	if (upstream >= balancer->slot_len)
		return LBP_ERR_RANGE;
	if (eligible == lbp_balancer_is_eligible(balancer, upstream))
		return LBP_OK;
	if (eligible) {
		//@ ghost has_room(balancer, upstream);
		take_in(balancer, upstream);
	} else {
		take_out(balancer, upstream);
	}
	return LBP_OK;
}

bool lbp_balancer_is_eligible(
	const struct lbp_balancer *balancer, uint32_t upstream)
{
	return upstream < balancer->slot_len &&
	       balancer->slots[upstream].at != LBP_NOT_IN_HEAP;
}

/*@ requires balancer_storage(balancer) && i < balancer->slot_len;
  @ assigns \nothing;
  @ ensures \result <==>
  @ 	1 <= balancer->slots[i].weight <= LBP_WEIGHT_MAX &&
  @ 	balancer->slots[i].chosen <= balancer->choices &&
  @ 	(balancer_eligible(balancer, i) ==>
  @ 		balancer->slots[i].at < balancer->heap_len &&
  @ 		balancer->heap[balancer->slots[i].at] == i);
  @*/
static bool slot_is_valid(const struct lbp_balancer *balancer, uint32_t i)
{
	const struct lbp_balancer_slot *slot = &balancer->slots[i];

	if (slot->weight < 1 || slot->weight > LBP_WEIGHT_MAX ||
		slot->chosen > balancer->choices)
		return false;
	return slot->at == LBP_NOT_IN_HEAP ||
	       (slot->at < balancer->heap_len && balancer->heap[slot->at] == i);
}

/* Does a place have an upstream that knows it, and goes after what is above? */
/*@ requires balancer_storage(balancer) && at < balancer->heap_len;
  @ requires \forall integer p; 0 <= p < at ==>
  @ 	balancer->heap[p] < balancer->slot_len;
  @ assigns \nothing;
  @ ensures \result <==> balancer->heap[at] < balancer->slot_len &&
  @ 	balancer->slots[balancer->heap[at]].at == at &&
  @ 	(\forall integer up; is_above(up, at) ==>
  @ 		!slot_before(balancer->slots, balancer->heap[at],
  @ 			balancer->heap[up]));
  @*/
static bool place_is_valid(const struct lbp_balancer *balancer, uint32_t at)
{
	uint32_t i = balancer->heap[at];

	if (i >= balancer->slot_len || balancer->slots[i].at != at)
		return false;
	return at == 0 ||
	       !goes_before(balancer, i, balancer->heap[place_above(at)]);
}

bool lbp_balancer_validate(const struct lbp_balancer *balancer)
{
	/*@ loop invariant 0 <= i <= balancer->slot_len;
	  @ loop invariant \forall integer j; 0 <= j < i ==>
	  @ 	1 <= balancer->slots[j].weight <= LBP_WEIGHT_MAX &&
	  @ 	balancer->slots[j].chosen <= balancer->choices &&
	  @ 	(balancer_eligible(balancer, j) ==>
	  @ 		balancer->slots[j].at < balancer->heap_len &&
	  @ 		balancer->heap[balancer->slots[j].at] == j);
	  @ loop assigns i;
	  @ loop variant balancer->slot_len - i;
	  @*/
	for (uint32_t i = 0; i < balancer->slot_len; i++) {
		if (!slot_is_valid(balancer, i))
			return false;
	}
	/*@ loop invariant 0 <= at <= balancer->heap_len;
	  @ loop invariant \forall integer p; 0 <= p < at ==>
	  @ 	balancer->heap[p] < balancer->slot_len &&
	  @ 	balancer->slots[balancer->heap[p]].at == p;
	  @ loop invariant \forall integer up, p; p < at && is_above(up, p) ==>
	  @ 	!slot_before(
	  @ 		balancer->slots, balancer->heap[p], balancer->heap[up]);
	  @ loop assigns at;
	  @ loop variant balancer->heap_len - at;
	  @*/
	for (uint32_t at = 0; at < balancer->heap_len; at++) {
		if (!place_is_valid(balancer, at))
			return false;
	}
	return true;
}
