#include "server/sources_state.h"

/* Does each place of both lists have what says so? */
static bool lists_are_valid(const struct lbp_sources *sources)
{
	for (uint32_t at = 0; at < sources->cap; at++) {
		uint32_t place = sources->listed[at];
		uint32_t holder = sources->heap[at];

		if (place >= sources->cap || holder >= sources->cap ||
			sources->places[place].at != at ||
			sources->holders[holder].at != at)
			return false;
	}
	return true;
}

/* Is it one of a holder's places, which came after another one? */
static bool place_is_valid(const struct lbp_sources *sources, uint32_t p,
	uint32_t older, uint32_t holder)
{
	const struct lbp_sources_place *place;

	if (p >= sources->cap)
		return false;
	place = &sources->places[p];
	return place->at < sources->taken && place->holder == holder &&
	       place->older == older && place->order <= sources->orders &&
	       (older == LBP_NONE ||
		       place->order > sources->places[older].order);
}

/* Has a holder the places that it says, the oldest first? */
static bool holder_is_valid(const struct lbp_sources *sources, uint32_t i)
{
	const struct lbp_sources_holder *holder = &sources->holders[i];
	uint32_t older = LBP_NONE;
	uint32_t p = holder->oldest;

	for (uint32_t n = 0; n < holder->taken; n++) {
		if (!place_is_valid(sources, p, older, i))
			return false;
		older = p;
		p = sources->places[p].newer;
	}
	return holder->taken > 0 && p == LBP_NONE && holder->newest == older;
}

/* Are all that have a place holders, and in the order of a heap? */
static bool heap_is_valid(const struct lbp_sources *sources)
{
	uint64_t taken = 0;

	for (uint32_t at = 0; at < sources->held; at++) {
		uint32_t i = sources->heap[at];

		if (!holder_is_valid(sources, i))
			return false;
		if (at > 0 && lbp_sources_before(
				      sources, i, sources->heap[(at - 1) / 2]))
			return false;
		taken += sources->holders[i].taken;
	}
	return taken == sources->taken;
}

/*
 * Adds to *held the holders of a bucket; false if one does not belong. That
 * each knows the one before it is why none comes twice, and this ends.
 */
static bool bucket_is_valid(
	const struct lbp_sources *sources, uint32_t bucket, uint32_t *held)
{
	uint32_t before = LBP_NONE;
	uint32_t i = sources->buckets[bucket];

	while (i != LBP_NONE) {
		const struct lbp_sources_holder *holder;

		if (i >= sources->cap)
			return false;
		holder = &sources->holders[i];
		if (holder->at >= sources->held || holder->before != before ||
			lbp_sources_bucket(sources, &holder->source) != bucket)
			return false;
		before = i;
		i = holder->next;
		++*held;
	}
	return true;
}

static bool buckets_are_valid(const struct lbp_sources *sources)
{
	uint32_t held = 0;

	for (uint32_t bucket = 0; bucket <= sources->mask; bucket++) {
		if (!bucket_is_valid(sources, bucket, &held))
			return false;
	}
	return held == sources->held;
}

bool lbp_sources_validate(const struct lbp_sources *sources)
{
	return sources->held <= sources->cap && lists_are_valid(sources) &&
	       heap_is_valid(sources) && buckets_are_valid(sources);
}
