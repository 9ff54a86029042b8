#include "balancer.h"

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

/*@ // All but upstream i are in their places, which are not hole.
  @ predicate slots_placed_but(struct lbp_balancer *b, integer hole,
  @ 	integer i) =
  @ 	\forall integer j; 0 <= j < b->slot_len && j != i ==>
  @ 		slot_placed(b, j) && b->slots[j].at != hole;
  @ predicate places_held_but(struct lbp_balancer *b, integer hole,
  @ 	integer i) =
  @ 	\forall integer at; 0 <= at < b->heap_len && at != hole ==>
  @ 		place_held(b, at) && b->heap[at] != i;
  @ predicate places_but(struct lbp_balancer *b, integer hole, integer i) =
  @ 	slots_placed_but(b, hole, i) && places_held_but(b, hole, i);
  @
  @ predicate heap_in_range(struct lbp_balancer *b) =
  @ 	\forall integer at; 0 <= at < b->heap_len ==>
  @ 		0 <= b->heap[at] < b->slot_len;
  @
  @ // Between K and L what was at one place came to another one too.
  @ predicate heap_moved{K,L}(
  @ 	struct lbp_balancer *b, integer from, integer to) =
  @ 	balancer_size_kept{K,L}(b) &&
  @ 	\at(b->heap[to], L) == \at(b->heap[from], K) &&
  @ 	(\forall integer at; 0 <= at < \at(b->heap_len, K) && at != to ==>
  @ 		\at(b->heap[at], L) == \at(b->heap[at], K));
  @
  @ // Between K and L upstream i came to a place.
  @ predicate heap_put{K,L}(struct lbp_balancer *b, integer to, integer i) =
  @ 	balancer_size_kept{K,L}(b) && \at(b->heap[to], L) == i &&
  @ 	(\forall integer at; 0 <= at < \at(b->slot_len, K) && at != to ==>
  @ 		\at(b->heap[at], L) == \at(b->heap[at], K));
  @
  @ // Between K and L the place of upstream i became at.
  @ predicate slot_put{K,L}(struct lbp_balancer *b, integer i, integer at) =
  @ 	\at(b->slots[i].at, L) == at &&
  @ 	(\forall integer j; 0 <= j < \at(b->slot_len, K) && j != i ==>
  @ 		\at(b->slots[j].at, L) == \at(b->slots[j].at, K));
  @
  @ // Upstream i fills the hole, or the hole goes to the place from.
  @ lemma put_held{K,L}: \forall struct lbp_balancer *b, integer at, i;
  @ 	heap_put{K,L}(b, at, i) && slot_put{K,L}(b, i, at) &&
  @ 	0 <= i < \at(b->slot_len, K) &&
  @ 	\at(b->heap_len, K) <= \at(b->slot_len, K) &&
  @ 	places_held_but{K}(b, at, i) ==>
  @ 		\forall integer p; 0 <= p < \at(b->heap_len, L) ==>
  @ 			place_held{L}(b, p);
  @ lemma put_placed{K,L}: \forall struct lbp_balancer *b, integer at, i;
  @ 	heap_put{K,L}(b, at, i) && slot_put{K,L}(b, i, at) &&
  @ 	0 <= at < \at(b->heap_len, K) <= \at(b->slot_len, K) &&
  @ 	slots_placed_but{K}(b, at, i) ==>
  @ 		\forall integer j; 0 <= j < \at(b->slot_len, L) ==>
  @ 			slot_placed{L}(b, j);
  @ lemma put_places{K,L}: \forall struct lbp_balancer *b, integer at, i;
  @ 	heap_put{K,L}(b, at, i) && slot_put{K,L}(b, i, at) &&
  @ 	0 <= at < \at(b->heap_len, K) <= \at(b->slot_len, K) &&
  @ 	0 <= i < \at(b->slot_len, K) &&
  @ 	places_but{K}(b, at, i) ==> balancer_places{L}(b);
  @ lemma moved_held{K,L}: \forall struct lbp_balancer *b,
  @ 	integer from, to, i;
  @ 	heap_moved{K,L}(b, from, to) &&
  @ 	slot_put{K,L}(b, \at(b->heap[from], K), to) && from != to &&
  @ 	0 <= from < \at(b->heap_len, K) &&
  @ 	places_held_but{K}(b, to, i) ==> places_held_but{L}(b, from, i);
  @ lemma moved_placed{K,L}: \forall struct lbp_balancer *b,
  @ 	integer from, to, i;
  @ 	heap_moved{K,L}(b, from, to) &&
  @ 	slot_put{K,L}(b, \at(b->heap[from], K), to) && from != to &&
  @ 	0 <= from < \at(b->heap_len, K) && 0 <= to < \at(b->heap_len, K) &&
  @ 	slots_placed_but{K}(b, to, i) ==> slots_placed_but{L}(b, from, i);
  @ lemma moved_eligible{J,K,L}: \forall struct lbp_balancer *b,
  @ 	integer i, at;
  @ 	balancer_size_kept{J,K}(b) && balancer_size_kept{K,L}(b) &&
  @ 	slot_put{K,L}(b, i, at) && 0 <= i < \at(b->slot_len, K) &&
  @ 	balancer_eligible{J}(b, i) && at != LBP_NONE &&
  @ 	balancer_eligible_kept{J,K}(b) ==> balancer_eligible_kept{J,L}(b);
  @
  @ // All places stay, between K and L.
  @ predicate heap_kept{K,L}(struct lbp_balancer *b) =
  @ 	balancer_size_kept{K,L}(b) &&
  @ 	(\forall integer at; 0 <= at < \at(b->slot_len, K) ==>
  @ 		\at(b->heap[at], L) == \at(b->heap[at], K)) &&
  @ 	(\forall integer i; 0 <= i < \at(b->slot_len, K) ==>
  @ 		\at(b->slots[i].at, L) == \at(b->slots[i].at, K));
  @ lemma held_kept{K,L}: \forall struct lbp_balancer *b, integer at;
  @ 	heap_kept{K,L}(b) && place_held{K}(b, at) &&
  @ 	0 <= at < \at(b->heap_len, K) <= \at(b->slot_len, K) ==>
  @ 		place_held{L}(b, at);
  @ lemma placed_kept{K,L}: \forall struct lbp_balancer *b, integer i;
  @ 	heap_kept{K,L}(b) && slot_placed{K}(b, i) &&
  @ 	0 <= i < \at(b->slot_len, K) &&
  @ 	\at(b->heap_len, K) <= \at(b->slot_len, K) ==>
  @ 		slot_placed{L}(b, i);
  @ lemma all_held_kept{K,L}: \forall struct lbp_balancer *b;
  @ 	heap_kept{K,L}(b) &&
  @ 	\at(b->heap_len, K) <= \at(b->slot_len, K) &&
  @ 	(\forall integer at; 0 <= at < \at(b->heap_len, K) ==>
  @ 		place_held{K}(b, at)) ==>
  @ 		\forall integer at; 0 <= at < \at(b->heap_len, L) ==>
  @ 			place_held{L}(b, at);
  @ lemma all_placed_kept{K,L}: \forall struct lbp_balancer *b;
  @ 	heap_kept{K,L}(b) &&
  @ 	\at(b->heap_len, K) <= \at(b->slot_len, K) &&
  @ 	(\forall integer i; 0 <= i < \at(b->slot_len, K) ==>
  @ 		slot_placed{K}(b, i)) ==>
  @ 		\forall integer i; 0 <= i < \at(b->slot_len, L) ==>
  @ 			slot_placed{L}(b, i);
  @ lemma places_kept{K,L}: \forall struct lbp_balancer *b;
  @ 	heap_kept{K,L}(b) && balancer_places{K}(b) &&
  @ 	\at(b->heap_len, K) <= \at(b->slot_len, K) ==>
  @ 		balancer_places{L}(b);
  @ lemma eligible_kept{K,L}: \forall struct lbp_balancer *b;
  @ 	heap_kept{K,L}(b) ==> balancer_eligible_kept{K,L}(b);
  @ lemma others_order{J,K,L}: \forall struct lbp_balancer *b, integer i;
  @ 	balancer_size_kept{J,K}(b) && balancer_others_kept{J,K}(b, i) &&
  @ 	balancer_slots_kept{K,L}(b) ==> balancer_others_kept{J,L}(b, i);
  @ lemma eligible_order{J,K,L}: \forall struct lbp_balancer *b;
  @ 	balancer_size_kept{J,K}(b) && balancer_eligible_kept{J,K}(b) &&
  @ 	balancer_eligible_kept{K,L}(b) ==> balancer_eligible_kept{J,L}(b);
  @*/

/*@ requires balancer_storage(balancer);
  @ requires at < balancer->slot_len && upstream < balancer->slot_len;
  @ assigns balancer->heap[0 .. balancer->slot_len - 1];
  @ assigns balancer->slots[0 .. balancer->slot_len - 1];
  @ ensures heap_put{Pre,Post}(balancer, at, upstream);
  @ ensures slot_put{Pre,Post}(balancer, upstream, at);
  @ ensures balancer_slots_kept{Pre,Post}(balancer);
  @*/
static void put(struct lbp_balancer *balancer, uint32_t at, uint32_t upstream)
{
	balancer->heap[at] = upstream;
	balancer->slots[upstream].at = at;
}

/* Moves what is at a place to another one, the hole. */
/*@ requires balancer_storage(balancer) && heap_in_range(balancer);
  @ requires from < balancer->heap_len && to < balancer->heap_len;
  @ assigns balancer->heap[0 .. balancer->slot_len - 1];
  @ assigns balancer->slots[0 .. balancer->slot_len - 1];
  @ ensures heap_moved{Pre,Post}(balancer, from, to);
  @ ensures slot_put{Pre,Post}(balancer, \old(balancer->heap[from]), to);
  @ ensures balancer_slots_kept{Pre,Post}(balancer);
  @ ensures heap_in_range(balancer);
  @*/
static void move(struct lbp_balancer *balancer, uint32_t from, uint32_t to)
{
	put(balancer, to, balancer->heap[from]);
}

/* The place above a place that is not the root. */
/*@ requires at > 0;
  @ assigns \nothing;
  @ ensures 0 <= \result < at;
  @ ensures at == 2 * \result + 1 || at == 2 * \result + 2;
  @*/
static uint32_t place_above(uint32_t at)
{
	return (at - 1) / 2;
}

/* Moves what is at a place up to where it may be; returns that place. */
/*@ requires balancer_storage(balancer) && balancer_weights(balancer);
  @ requires balancer_places(balancer) && at < balancer->heap_len;
  @ assigns balancer->heap[0 .. balancer->slot_len - 1];
  @ assigns balancer->slots[0 .. balancer->slot_len - 1];
  @ ensures balancer_places(balancer);
  @ ensures balancer_slots_kept{Pre,Post}(balancer);
  @ ensures balancer_size_kept{Pre,Post}(balancer);
  @ ensures balancer_eligible_kept{Pre,Post}(balancer);
  @ ensures \result < balancer->heap_len;
  @ ensures balancer->heap[\result] == \old(balancer->heap[at]);
  @*/
static uint32_t sift_up(struct lbp_balancer *balancer, uint32_t at)
{
	uint32_t moving = balancer->heap[at];

	//@ assert balancer_eligible(balancer, moving);
	/*@ loop invariant balancer_size_kept{Pre,Here}(balancer);
	  @ loop invariant at < balancer->heap_len;
	  @ loop invariant balancer_slots_kept{Pre,Here}(balancer);
	  @ loop invariant heap_in_range(balancer);
	  @ loop invariant places_but(balancer, at, moving);
	  @ loop invariant balancer_eligible_kept{Pre,Here}(balancer);
	  @ loop assigns at,
	  @ 	balancer->heap[0 .. \at(balancer->slot_len, Pre) - 1],
	  @ 	balancer->slots[0 .. \at(balancer->slot_len, Pre) - 1];
	  @ loop variant at;
	  @*/
	while (at > 0) {
		uint32_t parent = place_above(at);

		//@ assert place_held(balancer, parent);
		if (!goes_before(balancer, moving, balancer->heap[parent]))
			break;
		/*@ assert
		  @ 	balancer_eligible{Pre}(balancer, balancer->heap[parent]);
		  @*/
		move(balancer, parent, at);
		at = parent;
	}
	//@ assert balancer_eligible{Pre}(balancer, moving);
	put(balancer, at, moving);
	//@ assert balancer_size_kept{Pre,Here}(balancer);
	//@ assert balancer_slots_kept{Pre,Here}(balancer);
	return at;
}

/* The place below a place of what goes first; the place itself if none. */
/*@ requires balancer_storage(balancer) && balancer_weights(balancer);
  @ requires heap_in_range(balancer) && at < balancer->heap_len;
  @ assigns \nothing;
  @ ensures at <= \result < balancer->heap_len;
  @*/
static uint32_t least_child(const struct lbp_balancer *balancer, uint32_t at)
{
	const uint32_t *heap = balancer->heap;
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
  @ assigns balancer->heap[0 .. balancer->slot_len - 1];
  @ assigns balancer->slots[0 .. balancer->slot_len - 1];
  @ ensures balancer_places(balancer);
  @ ensures balancer_slots_kept{Pre,Post}(balancer);
  @ ensures balancer_size_kept{Pre,Post}(balancer);
  @ ensures balancer_eligible_kept{Pre,Post}(balancer);
  @*/
static void sift_down(struct lbp_balancer *balancer, uint32_t at)
{
	uint32_t moving = balancer->heap[at];

	//@ assert balancer_eligible(balancer, moving);
	/*@ loop invariant balancer_size_kept{Pre,Here}(balancer);
	  @ loop invariant at < balancer->heap_len;
	  @ loop invariant balancer_slots_kept{Pre,Here}(balancer);
	  @ loop invariant heap_in_range(balancer);
	  @ loop invariant places_but(balancer, at, moving);
	  @ loop invariant balancer_eligible_kept{Pre,Here}(balancer);
	  @ loop assigns at,
	  @ 	balancer->heap[0 .. \at(balancer->slot_len, Pre) - 1],
	  @ 	balancer->slots[0 .. \at(balancer->slot_len, Pre) - 1];
	  @ loop variant balancer->heap_len - at;
	  @*/
	for (;;) {
		uint32_t child = least_child(balancer, at);

		if (child == at ||
			!goes_before(balancer, balancer->heap[child], moving))
			break;
		//@ assert place_held(balancer, child);
		/*@ assert
		  @ 	balancer_eligible{Pre}(balancer, balancer->heap[child]);
		  @*/
		move(balancer, child, at);
		at = child;
	}
	//@ assert balancer_eligible{Pre}(balancer, moving);
	put(balancer, at, moving);
	//@ assert balancer_size_kept{Pre,Here}(balancer);
	//@ assert balancer_slots_kept{Pre,Here}(balancer);
}

void lbp_balancer_init(struct lbp_balancer *balancer,
	struct lbp_balancer_slot *slots, uint32_t *heap, uint32_t len)
{
	*balancer = (struct lbp_balancer){
		.slots = slots, .heap = heap, .slot_len = len, .heap_len = len};
	for (uint32_t i = 0; i < len; i++) {
		slots[i].open = 0;
		slots[i].chosen = 0;
		put(balancer, i, i);
	}
}

/* The place after the subtree at a place, in preorder; 0 after the last. */
static uint32_t after_subtree(const struct lbp_balancer *balancer, uint32_t at)
{
	/* Up from right children, and from a left one without a sibling. */
	while (at > 0 && (at % 2 == 0 || at + 1 == balancer->heap_len))
		at = (at - 1) / 2;
	return at > 0 ? at + 1 : 0;
}

/*
 * Only what lies directly below tried upstreams, or at the root, can be the
 * least of the others, so this visits no more than 2k + 1 places.
 */
static uint32_t least_untried(
	const struct lbp_balancer *balancer, const uint8_t *tried)
{
	uint32_t best = LBP_NONE;
	uint32_t at = 0;

	do {
		uint32_t i = balancer->heap[at];
		bool skipped = tried != NULL && lbp_tried_has(tried, i);

		if (!skipped &&
			(best == LBP_NONE || goes_before(balancer, i, best)))
			best = i;
		if (skipped && 2 * at + 1 < balancer->heap_len)
			at = 2 * at + 1;
		else
			at = after_subtree(balancer, at);
	} while (at != 0);
	return best;
}

enum lbp_err lbp_balancer_choose(
	struct lbp_balancer *balancer, const uint8_t *tried, uint32_t *out)
{
	struct lbp_balancer_slot *slot;
	uint32_t best;

	if (balancer->heap_len == 0)
		return LBP_ERR_NO_UPSTREAM;
	best = least_untried(balancer, tried);
	if (best == LBP_NONE)
		return LBP_ERR_NO_UPSTREAM;
	slot = &balancer->slots[best];
	slot->open++;
	slot->chosen = ++balancer->choices;
	sift_down(balancer, slot->at);
	*out = best;
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
	//@ assert balancer_size_kept{Pre,Here}(balancer);
	/*@ assert \forall integer at; 0 <= at < balancer->slot_len ==>
	  @ 	balancer->heap[at] ==
	  @ 		\at(balancer->heap[at], Pre);
	  @*/
	/*@ assert \forall integer i; 0 <= i < balancer->slot_len ==>
	  @ 	balancer->slots[i].at ==
	  @ 		\at(balancer->slots[i].at, Pre);
	  @*/
	//@ assert heap_kept{Pre,Here}(balancer);
	//@ assert balancer_eligible_kept{Pre,Here}(balancer);
	//@ assert balancer_others_kept{Pre,Here}(balancer, upstream);
	//@ assert slot_placed(balancer, upstream);
	if (slot->at != LBP_NONE)
		sift_up(balancer, slot->at);
	//@ assert balancer_size_kept{Pre,Here}(balancer);
	//@ assert balancer_others_kept{Pre,Here}(balancer, upstream);
	return LBP_OK;
}

void lbp_balancer_carry(struct lbp_balancer *balancer,
	const struct lbp_balancer *from, uint32_t upstream)
{
	struct lbp_balancer_slot *slot = &balancer->slots[upstream];

	slot->open = from->slots[upstream].open;
	slot->chosen = from->slots[upstream].chosen;
	if (balancer->choices < from->choices)
		balancer->choices = from->choices;
	/* From the least that it can be it only goes down. */
	if (slot->at != LBP_NONE)
		sift_down(balancer, slot->at);
}

static void take_in(struct lbp_balancer *balancer, uint32_t upstream)
{
	put(balancer, balancer->heap_len++, upstream);
	sift_up(balancer, balancer->slots[upstream].at);
}

static void take_out(struct lbp_balancer *balancer, uint32_t upstream)
{
	uint32_t at = balancer->slots[upstream].at;
	uint32_t last = balancer->heap[--balancer->heap_len];

	balancer->slots[upstream].at = LBP_NONE;
	if (last == upstream)
		return;
	put(balancer, at, last);
	sift_down(balancer, sift_up(balancer, at));
}

enum lbp_err lbp_balancer_set_eligible(
	struct lbp_balancer *balancer, uint32_t upstream, bool eligible)
{
	if (upstream >= balancer->slot_len)
		return LBP_ERR_RANGE;
	if (eligible == lbp_balancer_is_eligible(balancer, upstream))
		return LBP_OK;
	if (eligible)
		take_in(balancer, upstream);
	else
		take_out(balancer, upstream);
	return LBP_OK;
}

bool lbp_balancer_is_eligible(
	const struct lbp_balancer *balancer, uint32_t upstream)
{
	return upstream < balancer->slot_len &&
	       balancer->slots[upstream].at != LBP_NONE;
}

static bool slot_is_valid(const struct lbp_balancer *balancer, uint32_t i)
{
	const struct lbp_balancer_slot *slot = &balancer->slots[i];

	if (slot->weight < 1 || slot->weight > LBP_WEIGHT_MAX ||
		slot->chosen > balancer->choices)
		return false;
	return slot->at == LBP_NONE ||
	       (slot->at < balancer->heap_len && balancer->heap[slot->at] == i);
}

bool lbp_balancer_validate(const struct lbp_balancer *balancer)
{
	const uint32_t *heap = balancer->heap;
	uint32_t eligible = 0;

	for (uint32_t i = 0; i < balancer->slot_len; i++) {
		if (!slot_is_valid(balancer, i))
			return false;
		if (lbp_balancer_is_eligible(balancer, i))
			eligible++;
	}
	if (eligible != balancer->heap_len)
		return false;
	for (uint32_t at = 1; at < balancer->heap_len; at++) {
		if (!goes_before(balancer, heap[(at - 1) / 2], heap[at]))
			return false;
	}
	return true;
}
