/*
 * What lbp_sources_* and their tests share. Private.
 *
 * ci/prove shows what the parts promise: the source of an address and its
 * bucket (sources_hash.c), the order of who loses a place (sources_order.c),
 * that who loses one is of those that have the most (sources_victim.c), which
 * places are taken, and by which ticket (sources_places.c). It does not show
 * that the lists by age and those of the buckets are whole, on which the parts
 * rely, nor the calls in sources.c, which put the parts together: these rest on
 * lbp_sources_validate and a model, under fuzzing and in all short sequences of
 * calls.
 */
#ifndef LBP_SOURCES_STATE_H
#define LBP_SOURCES_STATE_H

#include "server/sources.h"

/* A place; all but at means something only while it is taken. */
struct lbp_sources_place {
	uint64_t order;  /* of its ticket */
	uint32_t holder; /* index of who has it */
	uint32_t older;  /* place of the same holder, or LBP_NONE */
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
	uint32_t before; /* in its bucket, or LBP_NONE */
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
	uint32_t *buckets; /* the first holder, or LBP_NONE */
};

/* The bucket that a source belongs to. */
uint32_t lbp_sources_bucket(
	const struct lbp_sources *sources, const struct lbp_source *source);

/*
 * Is holder a to be evicted from before holder b? A strict total order of
 * those that have a place.
 */
bool lbp_sources_before(
	const struct lbp_sources *sources, uint32_t a, uint32_t b);

/* Starts the heap: of all holders, of which none has a place. */
void lbp_sources_order_init(struct lbp_sources *sources);

/* A holder, of those that have places, goes sooner than before, or as soon. */
void lbp_sources_sooner(struct lbp_sources *sources, uint32_t holder);

/* The same, later. */
void lbp_sources_later(struct lbp_sources *sources, uint32_t holder);

/* A holder that had no place, and is to have one; it is the last to go yet. */
uint32_t lbp_sources_hold(struct lbp_sources *sources);

/* A holder has no place any more. */
void lbp_sources_drop(struct lbp_sources *sources, uint32_t holder);

/* Who to evict from: none has more places, and none goes before it. */
uint32_t lbp_sources_first(const struct lbp_sources *sources);

/* Has the ticket its place still? */
bool lbp_sources_has(
	const struct lbp_sources *sources, struct lbp_ticket ticket);

/* Lists all places, of which none is taken. */
void lbp_sources_list_all(struct lbp_sources *sources);

/* Takes a free place for a holder, as its newest. */
uint32_t lbp_sources_take(struct lbp_sources *sources, uint32_t holder);

/* Gives a taken place back, whose holder has one less then. */
void lbp_sources_give(struct lbp_sources *sources, uint32_t p);

/* The holder of this source, or LBP_NONE. */
uint32_t lbp_sources_find(
	const struct lbp_sources *sources, const struct lbp_source *source);

/*
 * The holder whose oldest place a newcomer of this source gets when none is
 * free: its own if none has more, else who goes first.
 */
uint32_t lbp_sources_victim(
	const struct lbp_sources *sources, const struct lbp_source *source);

#ifdef __FRAMAC__
#include "proof/sources.h"
#endif

#endif
