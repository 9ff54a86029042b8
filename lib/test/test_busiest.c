#include <CUnit/CUnit.h>

#include "server/busiest.h"
#include "suites.h"

static uint64_t use_of(uint64_t wait_ns, uint32_t open, uint32_t admitted)
{
	const struct lbp_client_look look = {
		.wait_ns = wait_ns, .open = open, .admitted = admitted};

	return lbp_busiest_use(&look);
}

static void what_is_busier(void)
{
	CU_ASSERT_EQUAL(use_of(0, 0, 0), 0);
	CU_ASSERT_TRUE(use_of(0, 0, 1) > 0);
	CU_ASSERT_TRUE(use_of(0, 0, 2) > use_of(0, 0, 1));
	CU_ASSERT_TRUE(use_of(0, 1, 0) > use_of(0, 0, 1000000));
	CU_ASSERT_TRUE(use_of(0, 2, 0) > use_of(0, 1, 1000000));
	CU_ASSERT_TRUE(use_of(1, 0, 1) > use_of(0, 1000000, 1000000));
	CU_ASSERT_EQUAL(use_of(1, 2, 3), use_of(9, 2, 3));
}

/* None of the three reaches into the next, however large it is. */
static void the_largest_counts(void)
{
	CU_ASSERT_TRUE(use_of(0, 1, 0) > use_of(0, 0, INT32_MAX));
	CU_ASSERT_TRUE(use_of(0, INT32_MAX, 1) > use_of(0, INT32_MAX, 0));
	CU_ASSERT_TRUE(use_of(1, 0, 0) > use_of(0, INT32_MAX, INT32_MAX));
	CU_ASSERT_TRUE(use_of(UINT64_MAX, 1, 0) > use_of(1, 0, INT32_MAX));
}

static void the_busiest_stay(void)
{
	static const struct {
		uint64_t use;
		uint32_t place;
	} offers[] = {{5, 0}, {0, LBP_NONE}, {3, 1}, {9, 2}, {3, LBP_NONE},
		{2, LBP_NONE}, {4, 1}, {6, 1}, {7, 0}, {6, LBP_NONE}, {8, 1},
		{10, 0}};
	uint64_t uses[3];
	struct lbp_busiest busiest;
	size_t i;

	lbp_busiest_init(&busiest, uses, 3);
	for (i = 0; i < sizeof(offers) / sizeof(*offers); i++)
		CU_ASSERT_EQUAL(lbp_busiest_offer(&busiest, offers[i].use),
			offers[i].place);
	CU_ASSERT_EQUAL(busiest.len, 3);
	CU_ASSERT_EQUAL(busiest.left_out, 8);
	CU_ASSERT_TRUE(uses[0] == 10 && uses[1] == 8 && uses[2] == 9);
}

static void without_room_all_are_left_out(void)
{
	struct lbp_busiest busiest;

	lbp_busiest_init(&busiest, NULL, 0);
	CU_ASSERT_EQUAL(lbp_busiest_offer(&busiest, 1), LBP_NONE);
	CU_ASSERT_EQUAL(lbp_busiest_offer(&busiest, 0), LBP_NONE);
	CU_ASSERT_EQUAL(busiest.len, 0);
	CU_ASSERT_EQUAL(busiest.left_out, 1);
}

/* Each place in turn is that of the least, and yields. */
static void the_least_yields(void)
{
	uint64_t uses[3];
	struct lbp_busiest busiest;
	uint32_t i;

	for (i = 0; i < 3; i++) {
		uint64_t use;

		lbp_busiest_init(&busiest, uses, 3);
		for (use = 0; use < 3; use++)
			(void)lbp_busiest_offer(&busiest, use == i ? 4 : 5);
		CU_ASSERT_EQUAL(lbp_busiest_offer(&busiest, 6), i);
	}
	/* Of equally busy ones the first. */
	lbp_busiest_init(&busiest, uses, 3);
	for (i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(lbp_busiest_offer(&busiest, 5), i);
	CU_ASSERT_EQUAL(lbp_busiest_offer(&busiest, 5), LBP_NONE);
	CU_ASSERT_EQUAL(lbp_busiest_offer(&busiest, 6), 0);
	CU_ASSERT_EQUAL(lbp_busiest_offer(&busiest, 6), 1);
}

void suite_busiest(void)
{
	CU_pSuite suite = CU_add_suite("busiest", NULL, NULL);

	CU_add_test(suite, "[ADM-14] what is busier", what_is_busier);
	CU_add_test(suite, "[ADM-14] the largest counts", the_largest_counts);
	CU_add_test(suite, "[ADM-14] the least yields", the_least_yields);
	CU_add_test(suite, "[ADM-14] the busiest stay", the_busiest_stay);
	CU_add_test(suite, "[ADM-14] without room all are left out",
		without_room_all_are_left_out);
}
