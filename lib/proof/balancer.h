/*
 * What is proved of core/balancer.h, which includes this at its end for
 * Frama-C alone.
 */
#ifndef LBP_PROOF_BALANCER_H
#define LBP_PROOF_BALANCER_H

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
  @ lemma load_grows: \forall integer a, wa, b, wb, more;
  @ 	wb > 0 && a < more && !load_less(a, wa, b, wb) ==>
  @ 		load_less(b, wb, more, wa);
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
  @ lemma slot_before_idle{L}:
  @ 	\forall struct lbp_balancer_slot *slots, integer x, y;
  @ 		slots[x].open == 0 && slots[y].open == 0 &&
  @ 		slots[x].chosen == slots[y].chosen && x < y ==>
  @ 			!slot_before(slots, y, x);
  @
  @ // What the order is made of stays, between K and L.
  @ predicate slot_kept{K,L}(struct lbp_balancer_slot *slot) =
  @ 	\at(slot->open, L) == \at(slot->open, K) &&
  @ 	\at(slot->weight, L) == \at(slot->weight, K) &&
  @ 	\at(slot->chosen, L) == \at(slot->chosen, K);
  @
  @ // Between K and L its load grew, or it was chosen later, or neither.
  @ predicate slot_later{K,L}(struct lbp_balancer_slot *slot) =
  @ 	\at(slot->weight, L) == \at(slot->weight, K) &&
  @ 	(\at(slot->open, L) > \at(slot->open, K) ||
  @ 	(\at(slot->open, L) == \at(slot->open, K) &&
  @ 	\at(slot->chosen, L) >= \at(slot->chosen, K)));
  @
  @ // All that it works on is there, and apart.
  @ predicate balancer_storage(struct lbp_balancer *b) =
  @ 	\valid(b) && b->heap_len <= b->slot_len <= LBP_UPSTREAMS_MAX &&
  @ 	\valid(b->slots + (0 .. b->slot_len - 1)) &&
  @ 	\valid(b->heap + (0 .. b->slot_len - 1)) &&
  @ 	\separated(b, b->slots + (0 .. b->slot_len - 1),
  @ 		b->heap + (0 .. b->slot_len - 1));
  @
  @ // No weight is zero, none too large.
  @ predicate balancer_weights(struct lbp_balancer *b) =
  @ 	\forall integer i; 0 <= i < b->slot_len ==>
  @ 		1 <= b->slots[i].weight <= LBP_WEIGHT_MAX;
  @
  @ // No choice is later than the last one.
  @ predicate balancer_chosen(struct lbp_balancer *b) =
  @ 	\forall integer i; 0 <= i < b->slot_len ==>
  @ 		b->slots[i].chosen <= b->choices;
  @
  @ predicate balancer_eligible(struct lbp_balancer *b, integer i) =
  @ 	b->slots[i].at != LBP_NOT_IN_HEAP;
  @
  @ // The heap is the eligible upstreams, each once.
  @ predicate balancer_places(struct lbp_balancer *b) =
  @ 	(\forall integer i; 0 <= i < b->slot_len &&
  @ 		balancer_eligible(b, i) ==>
  @ 			b->slots[i].at < b->heap_len &&
  @ 			b->heap[b->slots[i].at] == i) &&
  @ 	(\forall integer at; 0 <= at < b->heap_len ==>
  @ 		b->heap[at] < b->slot_len &&
  @ 		b->slots[b->heap[at]].at == at);
  @
  @ // Is the place up directly above the place at?
  @ predicate is_above(integer up, integer at) =
  @ 	0 <= up && (at == 2 * up + 1 || at == 2 * up + 2);
  @ lemma one_is_above: \forall integer x, y, at;
  @ 	is_above(x, at) && is_above(y, at) ==> x == y;
  @
  @ // What is at a place does not go before what is above it.
  @ predicate balancer_ordered(struct lbp_balancer *b) =
  @ 	\forall integer up, at; at < b->heap_len && is_above(up, at) ==>
  @ 		!slot_before(b->slots, b->heap[at], b->heap[up]);
  @
  @ predicate balancer_valid(struct lbp_balancer *b) =
  @ 	balancer_storage(b) && balancer_weights(b) && balancer_chosen(b) &&
  @ 	balancer_places(b) && balancer_ordered(b);
  @
  @ // Counts and last choices of all upstreams but one stay.
  @ predicate balancer_others_kept{K,L}(
  @ 	struct lbp_balancer *b, integer but) =
  @ 	\forall integer i; 0 <= i < \at(b->slot_len, K) && i != but ==>
  @ 		slot_kept{K,L}(\at(b->slots, K) + i);
  @
  @ // The same upstreams are eligible; the same, but for one.
  @ predicate balancer_eligible_kept{K,L}(struct lbp_balancer *b) =
  @ 	\forall integer i; 0 <= i < \at(b->slot_len, K) ==>
  @ 		(balancer_eligible{L}(b, i) <==> balancer_eligible{K}(b, i));
  @ predicate others_eligible_kept{K,L}(struct lbp_balancer *b, integer but) =
  @ 	\forall integer i; 0 <= i < \at(b->slot_len, K) && i != but ==>
  @ 		(balancer_eligible{L}(b, i) <==> balancer_eligible{K}(b, i));
  @
  @ // Nothing is in NULL.
  @ predicate tried_has(uint8_t *tried, integer i) =
  @ 	tried != \null && tried_bit(tried, i);
  @ predicate tried_storage(uint8_t *tried, integer len) =
  @ 	tried == \null || \valid_read(tried + (0 .. (len + 7) / 8 - 1));
  @
  @ // [BAL-1]: is it eligible and was not tried?
  @ predicate may_choose(struct lbp_balancer *b, uint8_t *tried, integer i) =
  @ 	0 <= i < b->slot_len && balancer_eligible(b, i) &&
  @ 	!tried_has(tried, i);
  @
  @ // No upstream that may be chosen goes before i.
  @ predicate least_to_choose(
  @ 	struct lbp_balancer *b, uint8_t *tried, integer i) =
  @ 	may_choose(b, tried, i) && (\forall integer j;
  @ 		may_choose(b, tried, j) ==> !slot_before(b->slots, j, i));
  @*/

/*@ requires 1 <= len <= LBP_UPSTREAMS_MAX;
  @ requires \valid(balancer) && \valid(slots + (0 .. len - 1)) &&
  @ 	\valid(heap + (0 .. len - 1));
  @ requires \separated(
  @ 	balancer, slots + (0 .. len - 1), heap + (0 .. len - 1));
  @ requires \forall integer i; 0 <= i < len ==>
  @ 	1 <= slots[i].weight <= LBP_WEIGHT_MAX;
  @ assigns *balancer, heap[0 .. len - 1], slots[0 .. len - 1].open,
  @ 	slots[0 .. len - 1].chosen, slots[0 .. len - 1].at;
  @ ensures balancer_valid(balancer);
  @ ensures balancer->slots == slots && balancer->heap == heap &&
  @ 	balancer->slot_len == len && balancer->choices == 0;
  @ ensures \forall integer i; 0 <= i < len ==>
  @ 	balancer_eligible(balancer, i) && slots[i].open == 0 &&
  @ 	slots[i].chosen == 0;
  @*/
void lbp_balancer_init(struct lbp_balancer *balancer,
	struct lbp_balancer_slot *slots, uint16_t *heap, uint32_t len);

/*@ requires balancer_valid(balancer);
  @ requires tried_storage(tried, balancer->slot_len);
  @ requires \valid(out) && \separated(out, balancer,
  @ 	balancer->slots + (0 .. balancer->slot_len - 1),
  @ 	balancer->heap + (0 .. balancer->slot_len - 1));
  @ requires balancer->choices < UINT64_MAX;
  @ requires \forall integer i; 0 <= i < balancer->slot_len ==>
  @ 	balancer->slots[i].open < UINT32_MAX;
  @ assigns *out, balancer->choices,
  @ 	balancer->heap[0 .. balancer->slot_len - 1],
  @ 	balancer->slots[0 .. balancer->slot_len - 1].open,
  @ 	balancer->slots[0 .. balancer->slot_len - 1].chosen,
  @ 	balancer->slots[0 .. balancer->slot_len - 1].at;
  @ ensures balancer_valid(balancer);
  @ ensures balancer_eligible_kept{Pre,Post}(balancer);
  @
  @ behavior none:
  @ 	assumes \forall integer i; !may_choose(balancer, tried, i);
  @ 	assigns \nothing;
  @ 	ensures \result == LBP_ERR_NO_UPSTREAM;
  @
  @ behavior chosen:
  @ 	assumes \exists integer i; may_choose(balancer, tried, i);
  @ 	ensures \result == LBP_OK;
  @ 	ensures \at(least_to_choose(balancer, tried, \at(*out, Post)), Pre);
  @ 	ensures balancer_others_kept{Pre,Post}(balancer, *out);
  @ 	ensures balancer->slots[*out].open ==
  @ 		\at(balancer->slots[\at(*out, Post)].open, Pre) + 1;
  @ 	ensures balancer->choices == \old(balancer->choices) + 1;
  @ 	ensures balancer->slots[*out].chosen == balancer->choices;
  @
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
enum lbp_err lbp_balancer_choose(
	struct lbp_balancer *balancer, const uint8_t *tried, uint32_t *out);

/*@ requires balancer_valid(balancer);
  @ assigns balancer->heap[0 .. balancer->slot_len - 1],
  @ 	balancer->slots[0 .. balancer->slot_len - 1].at,
  @ 	balancer->slots[upstream].open;
  @ ensures balancer_valid(balancer);
  @ ensures balancer_eligible_kept{Pre,Post}(balancer);
  @
  @ behavior beyond:
  @ 	assumes upstream >= balancer->slot_len;
  @ 	ensures \result == LBP_ERR_RANGE;
  @ 	assigns \nothing;
  @
  @ behavior unused:
  @ 	assumes upstream < balancer->slot_len;
  @ 	assumes balancer->slots[upstream].open == 0;
  @ 	ensures \result == LBP_ERR_STATE;
  @ 	assigns \nothing;
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

/*@ requires balancer_valid(balancer) && balancer_valid(from);
  @ requires upstream < balancer->slot_len && upstream < from->slot_len;
  @ requires balancer->slots[upstream].open == 0;
  @ requires balancer->slots[upstream].chosen == 0;
  @ requires \separated(from, from->slots + upstream, balancer,
  @ 	balancer->slots + (0 .. balancer->slot_len - 1),
  @ 	balancer->heap + (0 .. balancer->slot_len - 1));
  @ assigns balancer->choices,
  @ 	balancer->heap[0 .. balancer->slot_len - 1],
  @ 	balancer->slots[0 .. balancer->slot_len - 1].at,
  @ 	balancer->slots[upstream].open, balancer->slots[upstream].chosen;
  @ ensures balancer_valid(balancer);
  @ ensures balancer_eligible_kept{Pre,Post}(balancer);
  @ ensures balancer->slots[upstream].open == from->slots[upstream].open;
  @ ensures balancer->slots[upstream].chosen ==
  @ 	from->slots[upstream].chosen;
  @ ensures balancer->choices ==
  @ 	\max(\old(balancer->choices), from->choices);
  @*/
void lbp_balancer_inherit(struct lbp_balancer *balancer,
	const struct lbp_balancer *from, uint32_t upstream);

/*@ requires balancer_valid(balancer);
  @ assigns balancer->heap_len,
  @ 	balancer->heap[0 .. balancer->slot_len - 1],
  @ 	balancer->slots[0 .. balancer->slot_len - 1].at;
  @ ensures balancer_valid(balancer);
  @
  @ behavior beyond:
  @ 	assumes upstream >= balancer->slot_len;
  @ 	assigns \nothing;
  @ 	ensures \result == LBP_ERR_RANGE;
  @
  @ behavior set:
  @ 	assumes upstream < balancer->slot_len;
  @ 	ensures \result == LBP_OK;
  @ 	ensures balancer_eligible(balancer, upstream) <==> eligible;
  @ 	ensures others_eligible_kept{Pre,Post}(balancer, upstream);
  @
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
enum lbp_err lbp_balancer_set_eligible(
	struct lbp_balancer *balancer, uint32_t upstream, bool eligible);

/*@ requires balancer_storage(balancer);
  @ assigns \nothing;
  @ ensures \result <==> upstream < balancer->slot_len &&
  @ 	balancer_eligible(balancer, upstream);
  @*/
bool lbp_balancer_is_eligible(
	const struct lbp_balancer *balancer, uint32_t upstream);

/*@ requires balancer_storage(balancer);
  @ assigns \nothing;
  @ ensures \result <==> balancer_valid(balancer);
  @*/
bool lbp_balancer_validate(const struct lbp_balancer *balancer);

#endif
