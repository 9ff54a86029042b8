#include <CUnit/CUnit.h>

#include "base.h"
#include "server/times.h"
#include "suites.h"

static void bounds(void)
{
	static const uint64_t us[] = {100, 250, 500, 1000, 2500, 5000, 10000,
		25000, 50000, 100000, 250000, 500000, 1000000, 5000000};
	uint32_t i;

	CU_ASSERT_EQUAL(sizeof(us) / sizeof(*us), LBP_TIMES_BUCKETS - 1);
	for (i = 0; i < LBP_TIMES_BUCKETS - 1; i++)
		CU_ASSERT_EQUAL(lbp_times_bound_ns(i), us[i] * 1000);
	CU_ASSERT_EQUAL(lbp_times_bound_ns(LBP_TIMES_BUCKETS - 1), LBP_NEVER);
	CU_ASSERT_EQUAL(lbp_times_bound_ns(UINT32_MAX), LBP_NEVER);
}

static void a_bound_belongs_to_its_bucket(void)
{
	uint32_t i;

	CU_ASSERT_EQUAL(lbp_times_bucket(0), 0);
	for (i = 0; i < LBP_TIMES_BUCKETS - 1; i++) {
		CU_ASSERT_EQUAL(lbp_times_bucket(lbp_times_bound_ns(i)), i);
		CU_ASSERT_EQUAL(
			lbp_times_bucket(lbp_times_bound_ns(i) + 1), i + 1);
	}
	CU_ASSERT_EQUAL(lbp_times_bucket(UINT64_MAX), LBP_TIMES_BUCKETS - 1);
}

void suite_times(void)
{
	CU_pSuite suite = CU_add_suite("times", NULL, NULL);

	CU_add_test(suite, "[ADM-12] bounds", bounds);
	CU_add_test(suite, "[ADM-12] a bound belongs to its bucket",
		a_bound_belongs_to_its_bucket);
}
