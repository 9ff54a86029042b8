#include "balancer.h"

#include <stddef.h>

/* Is upstream x to be chosen before upstream y? A strict total order. */
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

static void put(struct lbp_balancer *balancer, uint32_t at, uint32_t upstream)
{
	balancer->heap[at] = upstream;
	balancer->slots[upstream].at = at;
}

static void sift_up(struct lbp_balancer *balancer, uint32_t at)
{
	uint32_t moving = balancer->heap[at];

	while (at > 0) {
		uint32_t parent = (at - 1) / 2;

		if (!goes_before(balancer, moving, balancer->heap[parent]))
			break;
		put(balancer, at, balancer->heap[parent]);
		at = parent;
	}
	put(balancer, at, moving);
}

static void sift_down(struct lbp_balancer *balancer, uint32_t at)
{
	const uint32_t *heap = balancer->heap;
	uint32_t moving = heap[at];

	while (2 * at + 1 < balancer->heap_len) {
		uint32_t child = 2 * at + 1;

		if (child + 1 < balancer->heap_len &&
			goes_before(balancer, heap[child + 1], heap[child]))
			child++;
		if (!goes_before(balancer, heap[child], moving))
			break;
		put(balancer, at, heap[child]);
		at = child;
	}
	put(balancer, at, moving);
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
	if (slot->at != LBP_NONE)
		sift_up(balancer, slot->at);
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
	sift_up(balancer, at);
	sift_down(balancer, balancer->slots[last].at);
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
