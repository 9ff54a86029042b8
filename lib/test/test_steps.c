/* When steps of handshakes are taken. */
#include <CUnit/CUnit.h>

#include "base.h"
#include "server/steps.h"
#include "suites.h"

#define START (100 * LBP_NS_PER_S)
#define MS    LBP_NS_PER_MS

static struct lbp_steps steps;

/* After a step that ended at START, and took this long. */
static void after_a_step_of(uint64_t took_ns)
{
	steps = (struct lbp_steps){0};
	CU_ASSERT_TRUE(lbp_steps_begin(&steps, true, START - took_ns));
	CU_ASSERT_FALSE(lbp_steps_go_on(&steps, START));
}

static void all_else_comes_first(void)
{
	after_a_step_of(100);
	CU_ASSERT_FALSE(lbp_steps_begin(&steps, true, START));
	CU_ASSERT_FALSE(lbp_steps_begin(&steps, true, START + 1));
	CU_ASSERT_FALSE(lbp_steps_begin(&steps, true, START + 399));
	CU_ASSERT_TRUE(lbp_steps_begin(&steps, true, START + 400));
}

static void but_not_for_ever(void)
{
	after_a_step_of(5 * MS - 1);
	CU_ASSERT_FALSE(lbp_steps_begin(&steps, true, START + 20 * MS - 5));
	CU_ASSERT_TRUE(lbp_steps_begin(&steps, true, START + 20 * MS - 4));
	after_a_step_of(60 * LBP_NS_PER_S);
	CU_ASSERT_FALSE(lbp_steps_begin(&steps, true, START + 20 * MS - 1));
	CU_ASSERT_TRUE(lbp_steps_begin(&steps, true, START + 20 * MS));
}

static void nothing_else_is_ready(void)
{
	after_a_step_of(100);
	CU_ASSERT_TRUE(lbp_steps_begin(&steps, false, START));
	after_a_step_of(100);
	CU_ASSERT_FALSE(lbp_steps_begin(&steps, true, START + 50));
	CU_ASSERT_TRUE(lbp_steps_begin(&steps, false, START + 51));
}

static void none_has_waited(void)
{
	after_a_step_of(100);
	lbp_steps_rest(&steps);
	CU_ASSERT_TRUE(lbp_steps_begin(&steps, true, START + 1));
	/* What was before it does not count for it. */
	after_a_step_of(100);
	lbp_steps_rest(&steps);
	CU_ASSERT_TRUE(lbp_steps_begin(&steps, true, START + 10000));
	CU_ASSERT_FALSE(lbp_steps_go_on(&steps, START + 10001));
}

/* Of steps of 100 ns each, as many as follow each other. */
static unsigned steps_after(uint64_t other_ns)
{
	uint64_t now_ns = START + other_ns;
	unsigned n = 0;

	after_a_step_of(10);
	CU_ASSERT_TRUE(lbp_steps_begin(&steps, true, now_ns));
	do {
		n++;
		now_ns += 100;
	} while (lbp_steps_go_on(&steps, now_ns));
	return n;
}

static void a_fifth_is_theirs(void)
{
	CU_ASSERT_EQUAL(steps_after(40), 1);
	CU_ASSERT_EQUAL(steps_after(400), 1);
	CU_ASSERT_EQUAL(steps_after(401), 2);
	CU_ASSERT_EQUAL(steps_after(800), 2);
	CU_ASSERT_EQUAL(steps_after(801), 3);
	CU_ASSERT_EQUAL(steps_after(1200), 3);
}

static void all_of_them_count(void)
{
	CU_ASSERT_EQUAL(steps_after(801), 3);
	CU_ASSERT_FALSE(lbp_steps_begin(&steps, true, START + 1101 + 1199));
	CU_ASSERT_TRUE(lbp_steps_begin(&steps, true, START + 1101 + 1200));
}

static void four_at_most(void)
{
	CU_ASSERT_EQUAL(steps_after(1201), 4);
	CU_ASSERT_EQUAL(steps_after(UINT64_C(1) << 40), 4);
}

void suite_steps(void)
{
	CU_pSuite suite = CU_add_suite("steps", NULL, NULL);

	CU_add_test(suite, "[SRV-340] all else has four times as long",
		all_else_comes_first);
	CU_add_test(suite, "[SRV-340] but 20 ms at most", but_not_for_ever);
	CU_add_test(suite, "[SRV-340] unless nothing else is ready",
		nothing_else_is_ready);
	CU_add_test(
		suite, "[SRV-340] or no handshake has waited", none_has_waited);
	CU_add_test(suite, "[SRV-340] several steps count together",
		all_of_them_count);
	CU_add_test(suite, "[SRV-341] more than one while they take less",
		a_fifth_is_theirs);
	CU_add_test(suite, "[SRV-43] four at most", four_at_most);
}
