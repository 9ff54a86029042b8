/*
 * Weighted least connections over the eligible upstreams of one application.
 *
 * A binary heap of the eligible upstreams, least open/weight first, ties to
 * the one chosen longest ago: choosing and giving back are O(log n).
 * Source: SPEC.md [BAL-*].
 */
#ifndef LBP_BALANCER_H
#define LBP_BALANCER_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

#define LBP_UPSTREAMS_MAX 1024
#define LBP_WEIGHT_MAX    256
/* "No upstream", and "not in the heap". */
#define LBP_NONE UINT32_MAX

/* Bytes of a set of upstreams, one bit for each, upstream i at i % 8 of i / 8.
 */
#define LBP_TRIED_BYTES(upstream_len) (((upstream_len) + 7u) / 8u)

struct lbp_balancer_slot {
	uint32_t open;   /* connections and dials in progress */
	uint32_t weight; /* 1 to LBP_WEIGHT_MAX */
	uint64_t chosen; /* the choice that chose it last; 0: never */
	uint32_t at;     /* its place in the heap, LBP_NONE if not eligible */
};

/* All fields are private; tests may read them. */
struct lbp_balancer {
	struct lbp_balancer_slot *slots; /* slot_len of them, the caller's */
	uint32_t *heap;                  /* heap_len of slot_len used */
	uint32_t slot_len;
	uint32_t heap_len;
	uint64_t choices;
};

/*@ // Is a / wa < b / wb? The lemmas show that this is an order, by way of
  @ // both sides times w.
  @ predicate load_less(integer a, integer wa, integer b, integer wb) =
  @ 	a * wb < b * wa;
  @ predicate load_less_by(
  @ 	integer a, integer wa, integer b, integer wb, integer w) =
  @ 	(a * wb) * w < (b * wa) * w;
  @
  @ lemma load_scale: \forall integer a, wa, b, wb, w;
  @ 	w > 0 && load_less(a, wa, b, wb) ==> load_less_by(a, wa, b, wb, w);
  @ lemma load_unscale: \forall integer a, wa, b, wb, w;
  @ 	w > 0 && load_less_by(a, wa, b, wb, w) ==> load_less(a, wa, b, wb);
  @ lemma load_join: \forall integer a, wa, b, wb, c, wc;
  @ 	load_less_by(a, wa, b, wb, wc) && !load_less_by(c, wc, b, wb, wa) ==>
  @ 		load_less_by(a, wa, c, wc, wb);
  @ lemma load_joined: \forall integer a, wa, b, wb, c, wc;
  @ 	wb > 0 && load_less_by(a, wa, b, wb, wc) &&
  @ 	!load_less_by(c, wc, b, wb, wa) ==> load_less(a, wa, c, wc);
  @ lemma load_scaled: \forall integer a, wa, b, wb, c, wc;
  @ 	wb > 0 && wc > 0 && load_less(a, wa, b, wb) &&
  @ 	!load_less_by(c, wc, b, wb, wa) ==> load_less(a, wa, c, wc);
  @ lemma load_order: \forall integer a, wa, b, wb, c, wc;
  @ 	wa > 0 && wb > 0 && wc > 0 && load_less(a, wa, b, wb) &&
  @ 	!load_less(c, wc, b, wb) ==> load_less(a, wa, c, wc);
  @
  @ predicate slot_less{L}(
  @ 	struct lbp_balancer_slot *a, struct lbp_balancer_slot *b) =
  @ 	load_less(a->open, a->weight, b->open, b->weight);
  @
  @ // [BAL-1], [BAL-2]: is upstream x to be chosen before upstream y?
  @ predicate slot_before{L}(
  @ 	struct lbp_balancer_slot *slots, integer x, integer y) =
  @ 	slot_less(slots + x, slots + y) ||
  @ 	(!slot_less(slots + y, slots + x) &&
  @ 	(slots[x].chosen < slots[y].chosen ||
  @ 	(slots[x].chosen == slots[y].chosen && x < y)));
  @
  @ lemma slot_before_order{L}:
  @ 	\forall struct lbp_balancer_slot *slots, integer x, y, z;
  @ 		slots[x].weight > 0 && slots[y].weight > 0 &&
  @ 		slots[z].weight > 0 &&
  @ 		!slot_before(slots, y, x) && !slot_before(slots, z, y) ==>
  @ 			!slot_before(slots, z, x);
  @ lemma slot_before_strict{L}:
  @ 	\forall struct lbp_balancer_slot *slots, integer x, y;
  @ 		slots[x].weight > 0 && slots[y].weight > 0 &&
  @ 		slot_before(slots, x, y) ==> !slot_before(slots, y, x);
  @
  @ predicate balancer_storage(struct lbp_balancer *b) =
  @ 	\valid(b) && b->heap_len <= b->slot_len <= LBP_UPSTREAMS_MAX &&
  @ 	\valid(b->slots + (0 .. b->slot_len - 1)) &&
  @ 	\valid(b->heap + (0 .. b->slot_len - 1)) &&
  @ 	\separated(b, b->slots + (0 .. b->slot_len - 1),
  @ 		b->heap + (0 .. b->slot_len - 1));
  @
  @ predicate balancer_weights(struct lbp_balancer *b) =
  @ 	\forall integer i; 0 <= i < b->slot_len ==>
  @ 		1 <= b->slots[i].weight <= LBP_WEIGHT_MAX;
  @
  @ predicate balancer_chosen(struct lbp_balancer *b) =
  @ 	\forall integer i; 0 <= i < b->slot_len ==>
  @ 		b->slots[i].chosen <= b->choices;
  @
  @ predicate slot_placed(struct lbp_balancer *b, integer i) =
  @ 	b->slots[i].at == LBP_NONE || (b->slots[i].at < b->heap_len &&
  @ 	b->heap[b->slots[i].at] == i);
  @
  @ predicate place_held(struct lbp_balancer *b, integer at) =
  @ 	b->heap[at] < b->slot_len && b->slots[b->heap[at]].at == at;
  @
  @ // The heap is the eligible upstreams, each once.
  @ predicate balancer_places(struct lbp_balancer *b) =
  @ 	(\forall integer i; 0 <= i < b->slot_len ==> slot_placed(b, i)) &&
  @ 	(\forall integer at; 0 <= at < b->heap_len ==> place_held(b, at));
  @
  @ // All invariants but the order of the heap.
  @ predicate balancer_valid(struct lbp_balancer *b) =
  @ 	balancer_storage(b) && balancer_weights(b) && balancer_chosen(b) &&
  @ 	balancer_places(b);
  @
  @ predicate balancer_eligible(struct lbp_balancer *b, integer i) =
  @ 	b->slots[i].at != LBP_NONE;
  @
  @ // What the order is made of stays, between K and L.
  @ predicate slot_kept{K,L}(struct lbp_balancer_slot *slot) =
  @ 	\at(slot->open, L) == \at(slot->open, K) &&
  @ 	\at(slot->weight, L) == \at(slot->weight, K) &&
  @ 	\at(slot->chosen, L) == \at(slot->chosen, K);
  @
  @ predicate balancer_size_kept{K,L}(struct lbp_balancer *b) =
  @ 	\at(b->slots, L) == \at(b->slots, K) &&
  @ 	\at(b->heap, L) == \at(b->heap, K) &&
  @ 	\at(b->heap_len, L) == \at(b->heap_len, K) &&
  @ 	\at(b->slot_len, L) == \at(b->slot_len, K) &&
  @ 	\at(b->choices, L) == \at(b->choices, K);
  @
  @ predicate balancer_slots_kept{K,L}(struct lbp_balancer *b) =
  @ 	\forall integer i; 0 <= i < \at(b->slot_len, K) ==>
  @ 		slot_kept{K,L}(\at(b->slots, K) + i);
  @
  @ predicate balancer_others_kept{K,L}(
  @ 	struct lbp_balancer *b, integer but) =
  @ 	\forall integer i; 0 <= i < \at(b->slot_len, K) && i != but ==>
  @ 		slot_kept{K,L}(\at(b->slots, K) + i);
  @
  @ predicate balancer_eligible_kept{K,L}(struct lbp_balancer *b) =
  @ 	(\forall integer i; 0 <= i < \at(b->slot_len, K) ==>
  @ 		(balancer_eligible{L}(b, i) <==> balancer_eligible{K}(b, i)));
  @
  @ lemma slot_before_kept{K,L}:
  @ 	\forall struct lbp_balancer_slot *slots, integer x, y;
  @ 		slot_kept{K,L}(slots + x) && slot_kept{K,L}(slots + y) ==>
  @ 			(slot_before{L}(slots, x, y) <==>
  @ 			slot_before{K}(slots, x, y));
  @*/

/*
 * Starts a balancer over len upstreams (1 to LBP_UPSTREAMS_MAX), all eligible
 * and with nothing open. slots has len entries with the weights filled in,
 * heap has len entries; both belong to the caller and must outlive it.
 */
void lbp_balancer_init(struct lbp_balancer *balancer,
	struct lbp_balancer_slot *slots, uint32_t *heap, uint32_t len);

/*
 * Chooses the eligible upstream with the least open/weight that is not in
 * the set tried (LBP_TRIED_BYTES(len) bytes, NULL for the empty set), among
 * equals the one chosen longest ago, among those never chosen the first;
 * counts one connection on it and puts its index into *out.
 * LBP_ERR_NO_UPSTREAM: there is none; nothing changes.
 * Source: [BAL-1] to [BAL-5].
 */
LBP_MUST_CHECK enum lbp_err lbp_balancer_choose(
	struct lbp_balancer *balancer, const uint8_t *tried, uint32_t *out);

/*
 * Gives back one connection of an upstream, eligible or not.
 * LBP_ERR_RANGE: no such upstream. LBP_ERR_STATE: none is open on it. In
 * both cases nothing changes. Source: [BAL-6].
 */
/*@ requires balancer_valid(balancer);
  @ assigns balancer->heap[0 .. balancer->slot_len - 1];
  @ assigns balancer->slots[0 .. balancer->slot_len - 1];
  @ ensures balancer_size_kept{Pre,Post}(balancer);
  @ ensures balancer_places(balancer);
  @ ensures balancer_eligible_kept{Pre,Post}(balancer);
  @ ensures balancer_others_kept{Pre,Post}(balancer, upstream);
  @
  @ behavior beyond:
  @ 	assumes upstream >= balancer->slot_len;
  @ 	ensures \result == LBP_ERR_RANGE;
  @
  @ behavior unused:
  @ 	assumes upstream < balancer->slot_len;
  @ 	assumes balancer->slots[upstream].open == 0;
  @ 	ensures \result == LBP_ERR_STATE;
  @ 	ensures slot_kept{Pre,Post}(balancer->slots + upstream);
  @
  @ behavior released:
  @ 	assumes upstream < balancer->slot_len;
  @ 	assumes balancer->slots[upstream].open > 0;
  @ 	ensures \result == LBP_OK;
  @ 	ensures balancer->slots[upstream].open ==
  @ 		\old(balancer->slots[upstream].open) - 1;
  @
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
enum lbp_err lbp_balancer_release(
	struct lbp_balancer *balancer, uint32_t upstream);

/*
 * Goes on with what another balancer counted on the upstream of the same
 * index, which has nothing open and was never chosen here: its connections,
 * and when it was chosen last. Both have such an upstream. Source: [BAL-8].
 */
void lbp_balancer_carry(struct lbp_balancer *balancer,
	const struct lbp_balancer *from, uint32_t upstream);

/*
 * Makes an upstream eligible or not; its connections go on and stay counted.
 * LBP_ERR_RANGE: no such upstream; nothing changes. Source: [BAL-7].
 */
enum lbp_err lbp_balancer_set_eligible(
	struct lbp_balancer *balancer, uint32_t upstream, bool eligible);

/* Is this upstream eligible? False if there is no such upstream. */
/*@ requires balancer_storage(balancer);
  @ assigns \nothing;
  @ ensures \result <==> upstream < balancer->slot_len &&
  @ 	balancer_eligible(balancer, upstream);
  @*/
bool lbp_balancer_is_eligible(
	const struct lbp_balancer *balancer, uint32_t upstream);

/* Do all invariants hold? For tests and fuzz targets; O(n). */
bool lbp_balancer_validate(const struct lbp_balancer *balancer);

/* Is upstream i in the set? */
static inline bool lbp_tried_has(const uint8_t *tried, uint32_t i)
{
	return (tried[i / 8] >> (i % 8) & 1) != 0;
}

/* Puts upstream i into the set. */
static inline void lbp_tried_add(uint8_t *tried, uint32_t i)
{
	tried[i / 8] = (uint8_t)(tried[i / 8] | 1u << (i % 8));
}

/* Takes an upstream out of a set. */
static inline void lbp_tried_remove(uint8_t *tried, uint32_t i)
{
	tried[i / 8] = (uint8_t)(tried[i / 8] & ~(1u << (i % 8)));
}

#endif
