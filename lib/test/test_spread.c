#include <CUnit/CUnit.h>

#include "server/spread.h"
#include "suites.h"

static void test_fewest(void)
{
	static const uint32_t loads[] = {7, 3, 9, 4};
	uint32_t last;

	for (last = 0; last < 4; last++)
		CU_ASSERT_EQUAL(lbp_spread_choose(loads, 4, last), 1);
}

static void test_the_last_one_of_equals(void)
{
	static const uint32_t loads[] = {2, 5, 2, 2};
	static const uint32_t alone[] = {UINT32_MAX};

	CU_ASSERT_EQUAL(lbp_spread_choose(loads, 4, 0), 0);
	CU_ASSERT_EQUAL(lbp_spread_choose(loads, 4, 2), 2);
	CU_ASSERT_EQUAL(lbp_spread_choose(loads, 4, 3), 3);
	CU_ASSERT_EQUAL(lbp_spread_choose(alone, 1, 0), 0);
}

static void test_equals_take_turns(void)
{
	static const uint32_t second[] = {2, 5, 2, 2};
	static const uint32_t fourth[] = {1, 1, 1, 2};

	CU_ASSERT_EQUAL(lbp_spread_choose(second, 4, 1), 2);
	CU_ASSERT_EQUAL(lbp_spread_choose(fourth, 4, 3), 0);
}

/* Sessions that stay: the fullest has at most one more than the emptiest. */
static void test_sessions_that_stay(void)
{
	uint32_t loads[4] = {0};
	uint32_t last = 3;
	uint32_t i, n;

	for (i = 0; i < 120; i++) {
		last = lbp_spread_choose(loads, 4, last);
		loads[last]++;
		for (n = 0; n < 4; n++)
			CU_ASSERT(loads[n] == i / 4 || loads[n] == i / 4 + 1);
	}
	CU_ASSERT_EQUAL(loads[0], 30);
}

void suite_spread(void)
{
	CU_pSuite suite = CU_add_suite("spread", NULL, NULL);

	CU_add_test(suite, "[SRV-53] the one with the fewest", test_fewest);
	CU_add_test(suite, "[SRV-53] the last one among equals",
		test_the_last_one_of_equals);
	CU_add_test(suite, "[SRV-53] else the next in turn",
		test_equals_take_turns);
	CU_add_test(suite, "[SRV-53] sessions that stay are spread",
		test_sessions_that_stay);
}
