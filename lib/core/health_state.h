/*
 * The health of one upstream: rise and fall, and when the next active check
 * is due. Source: SPEC.md [HLT-*].
 */
#ifndef LBP_HEALTH_STATE_H
#define LBP_HEALTH_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "health.h"

/* All fields are private; tests may read them. */
struct lbp_health {
	uint32_t run; /* failures in a row while up, successes while down */
	bool up;
	bool checking; /* a check is in progress */
	bool lost;     /* it has no address, and is down because of that */
	uint64_t due_ns;
};

/*
 * Initializes the health of an upstream, which is eligible. Check i of n
 * upstreams (i < n) is first due at now_ns + interval * i / n, rounded down,
 * so that checks are spread over the interval. Source: [HLT-1], [HLT-7].
 */
void lbp_health_init(struct lbp_health *health,
	const struct lbp_health_options *options, uint64_t now_ns, uint32_t i,
	uint32_t n);

/*
 * Inherits the health of the same upstream under other options: up or down, its
 * run of results, and any check in progress; with keep_times also when the next
 * check is due. health has just been initialized with options; if these
 * disable checks it stays up. Source: [HLT-11], [HLT-12].
 */
void lbp_health_inherit(struct lbp_health *health,
	const struct lbp_health_options *options, const struct lbp_health *from,
	bool keep_times);

/*
 * Records the result of a real dial. While up, a failure counts towards
 * fall and a success ends the run of failures; while down, a failure ends
 * the run of successful checks and a success counts for nothing.
 * Source: [HLT-2] to [HLT-5].
 */
enum lbp_health_change lbp_health_dialed(struct lbp_health *health,
	const struct lbp_health_options *options, bool ok);

/*
 * Records that the upstream has no address, or has one again. Without one it is
 * down, even with checks disabled, and no result counts; with one it continues
 * as at the start: up, and with its checks due as before. Source: [HLT-12].
 */
enum lbp_health_change lbp_health_set_address(
	struct lbp_health *health, bool has_address);

/*
 * Returns when the next check is due; LBP_NEVER while one is in progress, or
 * with checks disabled.
 */
uint64_t lbp_health_due(const struct lbp_health *health,
	const struct lbp_health_options *options);

/*
 * Takes the check that is due at now_ns, to be answered with
 * lbp_health_checked or lbp_health_check_dropped. False: none is due, and
 * nothing changes. The next one is due at the first multiple of the interval
 * after the last due time that is later than now_ns: missed checks are not
 * made up for. Source: [HLT-6], [HLT-8].
 */
LBP_MUST_CHECK bool lbp_health_take(struct lbp_health *health,
	const struct lbp_health_options *options, uint64_t now_ns);

/*
 * Records the result of the check that was taken; if none was, nothing changes.
 * Source: [HLT-2] to [HLT-5].
 */
enum lbp_health_change lbp_health_checked(struct lbp_health *health,
	const struct lbp_health_options *options, bool ok);

/*
 * Drops the check that was taken: it could not be carried out, and says nothing
 * about the upstream. Source: [HLT-10].
 */
void lbp_health_check_dropped(struct lbp_health *health);

#endif
