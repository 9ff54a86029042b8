#include <CUnit/CUnit.h>

#include "server/dial_time.h"
#include "suites.h"

#define MS UINT64_C(1000000)

static void each_address_has_its_part(void)
{
	CU_ASSERT_EQUAL(lbp_dial_due(1000, 4000, 3), 2000);
	CU_ASSERT_EQUAL(lbp_dial_due(2000, 4000, 2), 3000);
	CU_ASSERT_EQUAL(lbp_dial_due(2500, 4000, 1), 4000);
	/* What a quick one leaves over is for the others. */
	CU_ASSERT_EQUAL(lbp_dial_due(1001, 4000, 2), 2500);
	CU_ASSERT_EQUAL(lbp_dial_due(1001, 4002, 2), 2501);
	CU_ASSERT_EQUAL(lbp_dial_due(3999, 4000, 2), 3999);
	CU_ASSERT_EQUAL(lbp_dial_due(4000, 4000, 2), 4000);
	CU_ASSERT_EQUAL(lbp_dial_due(4001, 4000, 2), 4000);
	CU_ASSERT_EQUAL(lbp_dial_due(0, UINT64_MAX, 1), UINT64_MAX);
}

static void a_check_waits_for_an_answer(void)
{
	CU_ASSERT_EQUAL(lbp_dial_settle_due(0, 1 * MS, 1000 * MS), 101 * MS);
	CU_ASSERT_EQUAL(lbp_dial_settle_due(0, 99 * MS, 1000 * MS), 199 * MS);
	CU_ASSERT_EQUAL(lbp_dial_settle_due(0, 100 * MS, 1000 * MS), 200 * MS);
	CU_ASSERT_EQUAL(lbp_dial_settle_due(0, 101 * MS, 1000 * MS), 202 * MS);
	CU_ASSERT_EQUAL(
		lbp_dial_settle_due(5 * MS, 305 * MS, 1000 * MS), 605 * MS);
	/* Not beyond its time. */
	CU_ASSERT_EQUAL(lbp_dial_settle_due(0, 500 * MS, 1001 * MS), 1000 * MS);
	CU_ASSERT_EQUAL(lbp_dial_settle_due(0, 500 * MS, 1000 * MS), 1000 * MS);
	CU_ASSERT_EQUAL(lbp_dial_settle_due(0, 500 * MS, 999 * MS), 999 * MS);
	CU_ASSERT_EQUAL(lbp_dial_settle_due(0, 1 * MS, 50 * MS), 50 * MS);
	CU_ASSERT_EQUAL(lbp_dial_settle_due(0, 50 * MS, 50 * MS), 50 * MS);
	CU_ASSERT_EQUAL(lbp_dial_settle_due(0, 51 * MS, 50 * MS), 50 * MS);
}

void suite_dial_time(void)
{
	CU_pSuite suite = CU_add_suite("dial time", NULL, NULL);

	CU_add_test(suite, "[SRV-92] each address has its part of the time",
		each_address_has_its_part);
	CU_add_test(suite, "[SRV-96] a check waits for an answer",
		a_check_waits_for_an_answer);
}
