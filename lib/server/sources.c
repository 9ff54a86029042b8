#include "server/sources_state.h"

#include <stdlib.h>

/* --- holders ------------------------------------------------------------- */

/* It has no place yet, as all that are free. */
static uint32_t add_holder(
	struct lbp_sources *sources, const struct lbp_source *source)
{
	uint32_t bucket = lbp_sources_bucket(sources, source);
	uint32_t i = lbp_sources_hold(sources);
	struct lbp_sources_holder *holder = &sources->holders[i];

	holder->source = *source;
	holder->before = LBP_NONE;
	holder->next = sources->buckets[bucket];
	if (holder->next != LBP_NONE)
		sources->holders[holder->next].before = i;
	sources->buckets[bucket] = i;
	return i;
}

static void leave_bucket(
	struct lbp_sources *sources, const struct lbp_sources_holder *holder)
{
	uint32_t before = holder->before;
	uint32_t next = holder->next;

	if (before != LBP_NONE)
		sources->holders[before].next = next;
	else
		sources->buckets[lbp_sources_bucket(sources, &holder->source)] =
			next;
	if (next != LBP_NONE)
		sources->holders[next].before = before;
}

/* --- entering and leaving ------------------------------------------------ */

static void give_back(struct lbp_sources *sources, uint32_t p)
{
	uint32_t holder = sources->places[p].holder;

	lbp_sources_give(sources, p);
	if (sources->holders[holder].taken == 0) {
		leave_bucket(sources, &sources->holders[holder]);
		lbp_sources_drop(sources, holder);
	} else {
		lbp_sources_later(sources, holder);
	}
}

static struct lbp_ticket ticket_of(
	const struct lbp_sources *sources, uint32_t place)
{
	return (struct lbp_ticket){sources->places[place].order, place};
}

void lbp_sources_enter(struct lbp_sources *sources,
	const struct lbp_source *source, struct lbp_ticket *ticket,
	struct lbp_ticket *evicted)
{
	uint32_t holder;

	*evicted = (struct lbp_ticket){0, 0};
	if (sources->taken == sources->cap) {
		uint32_t victim = lbp_sources_victim(sources, source);
		uint32_t oldest = sources->holders[victim].oldest;

		*evicted = ticket_of(sources, oldest);
		give_back(sources, oldest);
	}
	holder = lbp_sources_find(sources, source);
	if (holder == LBP_NONE)
		holder = add_holder(sources, source);
	*ticket = ticket_of(sources, lbp_sources_take(sources, holder));
	lbp_sources_sooner(sources, holder);
}

enum lbp_err lbp_sources_heard(
	struct lbp_sources *sources, struct lbp_ticket ticket)
{
	struct lbp_sources_place *place;

	if (!lbp_sources_has(sources, ticket))
		return LBP_ERR_STATE;
	place = &sources->places[ticket.place];
	place->heard = true;
	/* If it is the oldest, its holder is no sooner to lose than before. */
	lbp_sources_later(sources, place->holder);
	return LBP_OK;
}

enum lbp_err lbp_sources_leave(
	struct lbp_sources *sources, struct lbp_ticket ticket)
{
	if (!lbp_sources_has(sources, ticket))
		return LBP_ERR_STATE;
	give_back(sources, ticket.place);
	return LBP_OK;
}

uint32_t lbp_sources_taken(const struct lbp_sources *sources)
{
	return sources->taken;
}

uint32_t lbp_sources_taken_by(
	const struct lbp_sources *sources, const struct lbp_source *source)
{
	uint32_t own = lbp_sources_find(sources, source);

	return own != LBP_NONE ? sources->holders[own].taken : 0;
}

uint32_t lbp_sources_count(const struct lbp_sources *sources)
{
	return sources->held;
}

/* The least power of two that is no less, minus 1. */
static uint32_t mask_for(uint32_t cap)
{
	uint32_t mask = 0;

	while (mask < cap - 1)
		mask = mask << 1 | 1;
	return mask;
}

static void make_empty(struct lbp_sources *sources)
{
	lbp_sources_list_all(sources);
	lbp_sources_order_init(sources);
	for (uint32_t i = 0; i <= sources->mask; i++)
		sources->buckets[i] = LBP_NONE;
}

enum lbp_err lbp_sources_new(
	struct lbp_sources **out, uint32_t cap, const uint64_t seed[2])
{
	struct lbp_sources *sources;

	*out = NULL;
	if (cap < 1 || cap > LBP_SOURCES_MAX)
		return LBP_ERR_RANGE;
	sources = calloc(1, sizeof(*sources));
	if (sources == NULL)
		return LBP_ERR_NOMEM;
	sources->seed[0] = seed[0];
	sources->seed[1] = seed[1];
	sources->cap = cap;
	sources->mask = mask_for(cap);
	sources->places = calloc(cap, sizeof(*sources->places));
	sources->holders = calloc(cap, sizeof(*sources->holders));
	sources->listed = calloc(cap, sizeof(*sources->listed));
	sources->heap = calloc(cap, sizeof(*sources->heap));
	sources->buckets =
		calloc((size_t)sources->mask + 1, sizeof(*sources->buckets));
	if (sources->places == NULL || sources->holders == NULL ||
		sources->listed == NULL || sources->heap == NULL ||
		sources->buckets == NULL) {
		lbp_sources_free(sources);
		return LBP_ERR_NOMEM;
	}
	make_empty(sources);
	*out = sources;
	return LBP_OK;
}

void lbp_sources_free(struct lbp_sources *sources)
{
	if (sources == NULL)
		return;
	free(sources->places);
	free(sources->holders);
	free(sources->listed);
	free(sources->heap);
	free(sources->buckets);
	free(sources);
}
