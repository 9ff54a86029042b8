/*
 * How long things take: counted in buckets with fixed bounds, as Prometheus
 * has them. Source: SPEC.md [ADM-12].
 */
#ifndef LBP_TIMES_H
#define LBP_TIMES_H

#include <stdint.h>

/* The last one is for all that is longer than every bound. */
#define LBP_TIMES_BUCKETS 15

/* Buckets are not cumulative here. All is uint64_t, so that it adds up. */
struct lbp_times {
	uint64_t counts[LBP_TIMES_BUCKETS];
	uint64_t sum_ns;
};

/* Returns the bucket of a time: the first whose bound is not less. */
uint32_t lbp_times_bucket(uint64_t ns);

/*
 * Returns the greatest time that a bucket is for; LBP_NEVER for the last one,
 * and for what is none.
 */
uint64_t lbp_times_bound_ns(uint32_t bucket);

#endif
