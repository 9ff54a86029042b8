#include "server/sources_state.h"

/*@ requires \valid_read(a) && \valid_read(b);
  @ assigns \nothing;
  @ ensures \result <==> a->high == b->high && a->low == b->low;
  @*/
static bool is_same(const struct lbp_source *a, const struct lbp_source *b)
{
	return a->high == b->high && a->low == b->low;
}

uint32_t lbp_sources_find(
	const struct lbp_sources *sources, const struct lbp_source *source)
{
	uint32_t i = sources->buckets[lbp_sources_bucket(sources, source)];

	/*@ loop invariant i == LBP_NONE || is_held(sources, i);
	  @ loop assigns i;
	  @*/
	while (i != LBP_NONE && !is_same(&sources->holders[i].source, source))
		i = sources->holders[i].next;
	return i;
}

uint32_t lbp_sources_victim(
	const struct lbp_sources *sources, const struct lbp_source *source)
{
	uint32_t first = lbp_sources_first(sources);
	uint32_t own = lbp_sources_find(sources, source);

	if (own != LBP_NONE &&
		sources->holders[own].taken == sources->holders[first].taken)
		return own;
	return first;
}
