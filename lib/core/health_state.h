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
	bool checking; /* a check has been taken and not been answered */
	bool lost;     /* it has no address, and is down for that */
	uint64_t due_ns;
};

/*
 * Starts an upstream as eligible. Check number i of n upstreams (i < n) is
 * first due at now_ns + interval * i / n, rounded down, which spreads the
 * checks over the interval.
 * Source: [HLT-1], [HLT-7].
 */
void lbp_health_init(struct lbp_health *health,
	const struct lbp_health_options *options, uint64_t now_ns, uint32_t i,
	uint32_t n);

/*
 * Goes on with what is known of the same upstream under other options: up or
 * down, its run of results, and the check that runs; with keep_times also when
 * the next one is due. health was just started under options; with checks off
 * it stays up. Source: [HLT-11], [HLT-12].
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
 * Says that the upstream has no address, or has one again. Without one it is
 * down, checks disabled or not, and no result counts; with one it goes on as
 * at the start: up, and its checks are due as before. Source: [HLT-12].
 */
enum lbp_health_change lbp_health_set_address(
	struct lbp_health *health, bool has_address);

/* When the next check is due; LBP_NEVER while one runs or if disabled. */
uint64_t lbp_health_due(const struct lbp_health *health,
	const struct lbp_health_options *options);

/*
 * Takes the check that is due at now_ns: true, and lbp_health_checked must
 * answer it; false: none is due, nothing changes. The next one is due at the
 * first multiple of the interval after the last due time that is after
 * now_ns: missed checks are not made up for. Source: [HLT-6], [HLT-8].
 */
LBP_MUST_CHECK bool lbp_health_take(struct lbp_health *health,
	const struct lbp_health_options *options, uint64_t now_ns);

/*
 * Records the result of the check that was taken. A result that no taken
 * check stands behind changes nothing. Source: [HLT-2] to [HLT-5].
 */
enum lbp_health_change lbp_health_checked(struct lbp_health *health,
	const struct lbp_health_options *options, bool ok);

/*
 * Gives up the check that was taken: it could not be carried out, and says
 * nothing about the upstream. Source: [HLT-10].
 */
void lbp_health_check_dropped(struct lbp_health *health);

#endif
