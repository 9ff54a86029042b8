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

#include "base.h"
#include "err.h"
#include "tried.h"

/* "No place in the heap". */
#define LBP_NOT_IN_HEAP UINT16_MAX

/*
 * Places and the upstreams in them are uint16_t, and nothing else is: so it is
 * plain to the proofs that moving in the heap changes neither order nor sizes.
 * That is why it is not core/heap.h's, which was tried: with nodes beside the
 * counts the provers did not get through.
 */
struct lbp_balancer_slot {
	uint32_t open;   /* connections and dials in progress */
	uint32_t weight; /* 1 to LBP_WEIGHT_MAX */
	uint64_t chosen; /* the choice that chose it last; 0: never */
	uint16_t at;     /* its place in the heap, or LBP_NOT_IN_HEAP */
};

/* All fields are private; tests may read them. */
struct lbp_balancer {
	struct lbp_balancer_slot *slots; /* slot_len of them, the caller's */
	uint16_t *heap;                  /* heap_len of slot_len used */
	uint32_t slot_len;
	uint32_t heap_len;
	uint64_t choices;
};

/*
 * Starts a balancer over len upstreams (1 to LBP_UPSTREAMS_MAX), all eligible
 * and with nothing open. slots has len entries with the weights filled in,
 * heap has len entries; both belong to the caller and must outlive it.
 */
void lbp_balancer_init(struct lbp_balancer *balancer,
	struct lbp_balancer_slot *slots, uint16_t *heap, uint32_t len);

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
enum lbp_err lbp_balancer_release(
	struct lbp_balancer *balancer, uint32_t upstream);

/*
 * Takes over what another balancer counted on the upstream of the same index,
 * which has nothing open and was never chosen here: its connections, and when
 * it was chosen last. Both have such an upstream. Source: [BAL-8].
 */
void lbp_balancer_inherit(struct lbp_balancer *balancer,
	const struct lbp_balancer *from, uint32_t upstream);

/*
 * Makes an upstream eligible or not; its connections stay counted.
 * LBP_ERR_RANGE: no such upstream; nothing changes. Source: [BAL-7].
 */
enum lbp_err lbp_balancer_set_eligible(
	struct lbp_balancer *balancer, uint32_t upstream, bool eligible);

/* Is this upstream eligible? False if there is no such upstream. */
bool lbp_balancer_is_eligible(
	const struct lbp_balancer *balancer, uint32_t upstream);

/* Do all invariants hold? For tests and fuzz targets; O(n). */
bool lbp_balancer_validate(const struct lbp_balancer *balancer);

#ifdef __FRAMAC__
#include "proof/balancer.h"
#endif

#endif
