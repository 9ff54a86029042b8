#include "server/times.h"

#include "base.h"

#define US UINT64_C(1000)
#define MS LBP_NS_PER_MS

/* From a resumed handshake nearby to a timeout. */
static const uint64_t bounds[LBP_TIMES_BUCKETS - 1] = {100 * US, 250 * US,
	500 * US, MS, 2500 * US, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS,
	250 * MS, 500 * MS, 1000 * MS, 5000 * MS};

uint32_t lbp_times_bucket(uint64_t ns)
{
	uint32_t bucket = 0;

	while (bucket < LBP_TIMES_BUCKETS - 1 && bounds[bucket] < ns)
		bucket++;
	return bucket;
}

uint64_t lbp_times_bound_ns(uint32_t bucket)
{
	return bucket < LBP_TIMES_BUCKETS - 1 ? bounds[bucket] : LBP_NEVER;
}
