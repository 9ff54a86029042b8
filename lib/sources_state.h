/* What lbp_sources_* and their tests share. Private. */
#ifndef LBP_SOURCES_STATE_H
#define LBP_SOURCES_STATE_H

#include "sources.h"

#define LBP_NOWHERE UINT32_MAX /* the end of a list */

/* A place; all but at means something only while it is taken. */
struct lbp_sources_place {
	uint64_t order;  /* of its ticket */
	uint32_t holder; /* index of who has it */
	uint32_t older;  /* place of the same holder, or LBP_NOWHERE */
	uint32_t newer;
	uint32_t at; /* index in listed */
	bool heard;  /* it has sent something */
};

/* A source with a handshake in progress; of others only at means something. */
struct lbp_sources_holder {
	struct lbp_source source;
	uint32_t taken; /* places */
	uint32_t oldest;
	uint32_t newest;
	uint32_t at;     /* index in heap */
	uint32_t before; /* in its bucket, or LBP_NOWHERE */
	uint32_t next;
};

/*
 * listed is all places, those that are taken first. heap is all holders, those
 * that have a place first, as a binary heap with the one to evict from at its
 * root. What comes after is free, and nobody need look for it.
 */
struct lbp_sources {
	uint64_t seed[2];
	uint32_t cap;
	uint32_t taken;                   /* places */
	uint32_t held;                    /* holders */
	uint32_t mask;                    /* one less than there are buckets */
	uint64_t orders;                  /* the last one that was given out */
	struct lbp_sources_place *places; /* cap of each */
	struct lbp_sources_holder *holders;
	uint32_t *listed;
	uint32_t *heap;
	uint32_t *buckets; /* the first holder, or LBP_NOWHERE */
};

/* The bucket that a source belongs to. */
uint32_t lbp_sources_bucket(
	const struct lbp_sources *sources, const struct lbp_source *source);

/* Is holder a to be evicted from before holder b? A strict total order. */
bool lbp_sources_before(
	const struct lbp_sources *sources, uint32_t a, uint32_t b);

#endif
