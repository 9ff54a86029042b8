/*
 * The upstreams of one application: which of them are eligible, and which one
 * is chosen. An upstream is eligible while it is up and has fewer connections
 * than its bound. Backups are chosen from only when nothing else is left, so
 * they have a balancer of their own; both count their choices together.
 * Source: SPEC.md [BAL-10] to [BAL-12].
 */
#ifndef LBP_POOL_H
#define LBP_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/balancer.h"
#include "err.h"

struct lbp_pool_member {
	uint32_t max_connections; /* 0: no bound */
	bool is_backup;
	bool is_up; /* private */
};

/* All fields are private; tests may read them. */
struct lbp_pool {
	/* Each has a slot for every upstream, of which it uses its own. */
	struct lbp_balancer first;
	struct lbp_balancer backup;
	struct lbp_pool_member *members;
	uint32_t len;
	uint32_t up_len;
};

/*
 * Starts a pool of len upstreams (1 to LBP_UPSTREAMS_MAX), all down and with
 * nothing open. members has len entries with bounds and kinds filled in, slots
 * 2 * len with the weights in the first len, heap 2 * len; they belong to the
 * caller and must outlive the pool.
 */
void lbp_pool_init(struct lbp_pool *pool, struct lbp_pool_member *members,
	struct lbp_balancer_slot *slots, uint16_t *heap, uint32_t len);

/*
 * As lbp_balancer_choose, from those that are no backups, or from the backups
 * if nothing else is left. Source: [BAL-10], [BAL-11].
 */
LBP_MUST_CHECK enum lbp_err lbp_pool_choose(
	struct lbp_pool *pool, const uint8_t *tried, uint32_t *out);

/* As lbp_balancer_release. Source: [BAL-6], [BAL-10]. */
enum lbp_err lbp_pool_release(struct lbp_pool *pool, uint32_t upstream);

/*
 * Takes over what another pool counted on the upstream of the same index, which
 * has nothing open and was never chosen here; it may have been a backup there
 * and be none here, or the other way round. Source: [BAL-8], [BAL-12].
 */
void lbp_pool_inherit(
	struct lbp_pool *pool, const struct lbp_pool *from, uint32_t upstream);

/* Tells whether an upstream, below len, is up. Source: [BAL-7]. */
void lbp_pool_set_up(struct lbp_pool *pool, uint32_t upstream, bool is_up);

/* The connections of an upstream; 0 if there is no such upstream. */
uint32_t lbp_pool_open(const struct lbp_pool *pool, uint32_t upstream);

/* Do all invariants hold? For tests and fuzz targets; O(n). */
bool lbp_pool_validate(const struct lbp_pool *pool);

#ifdef __FRAMAC__
#include "proof/pool.h"
#endif

#endif
