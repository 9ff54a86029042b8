#include <CUnit/CUnit.h>

#include "health.h"
#include "server/suppress.h"
#include "suites.h"

#define SECOND LBP_SUPPRESS_WINDOW_NS
#define BEGIN  (5 * SECOND)

static struct lbp_suppress suppress;

static struct lbp_source source(uint32_t n)
{
	const uint8_t address[4] = {
		192, 0, (uint8_t)(n >> 8), (uint8_t)(n & 0xff)};

	return lbp_source_ipv4(address);
}

static bool admit(uint32_t n, uint32_t kind, uint64_t now_ns)
{
	struct lbp_source from = source(n);
	bool admitted = lbp_suppress_admit(&suppress, &from, kind, now_ns);

	CU_ASSERT_TRUE(lbp_suppress_validate(&suppress));
	return admitted;
}

/* How many of some attempts get a line. */
static uint32_t attempts(
	uint32_t count, uint32_t n, uint32_t kind, uint64_t now_ns)
{
	uint32_t lines = 0;

	while (count-- > 0)
		lines += admit(n, kind, now_ns);
	return lines;
}

/* The next sum is this pair's. */
static void expect_sum(
	uint32_t n, uint32_t kind, uint64_t count, uint64_t now_ns)
{
	struct lbp_source from = source(n);
	struct lbp_suppress_sum sum;

	CU_ASSERT_TRUE_FATAL(lbp_suppress_take(&suppress, now_ns, &sum));
	CU_ASSERT_FALSE(sum.others);
	CU_ASSERT_EQUAL(sum.source.high, from.high);
	CU_ASSERT_EQUAL(sum.source.low, from.low);
	CU_ASSERT_EQUAL(sum.kind, kind);
	CU_ASSERT_EQUAL(sum.count, count);
	CU_ASSERT_TRUE(lbp_suppress_validate(&suppress));
}

static void expect_none(uint64_t now_ns)
{
	struct lbp_suppress_sum sum = {.count = 42};

	CU_ASSERT_FALSE(lbp_suppress_take(&suppress, now_ns, &sum));
	CU_ASSERT_EQUAL(sum.count, 42);
}

static void ten_attempts_in_a_window_have_a_line(void)
{
	lbp_suppress_init(&suppress);
	CU_ASSERT_EQUAL(attempts(10, 1, 3, BEGIN), 10);
	CU_ASSERT_EQUAL(lbp_suppress_due(&suppress), LBP_NEVER);
	CU_ASSERT_FALSE(admit(1, 3, BEGIN + SECOND - 1));
	CU_ASSERT_EQUAL(lbp_suppress_due(&suppress), BEGIN + SECOND);
	/* A time from another thread that is a little late. */
	CU_ASSERT_FALSE(admit(1, 3, BEGIN - 1));
	CU_ASSERT_TRUE(admit(1, 3, BEGIN + SECOND));
	CU_ASSERT_EQUAL(attempts(20, 1, 3, BEGIN + 2 * SECOND - 1), 9);
	CU_ASSERT_EQUAL(attempts(20, 1, 3, BEGIN + 2 * SECOND), 10);
}

static void sources_and_kinds_count_apart(void)
{
	const uint8_t ipv6[16] = {0x20, 0x01, [15] = 1};
	const uint8_t next[16] = {0x20, 0x01, [7] = 1, [15] = 1};
	struct lbp_source from = lbp_source_ipv6(ipv6);
	struct lbp_source other = lbp_source_ipv6(next);

	lbp_suppress_init(&suppress);
	CU_ASSERT_EQUAL(attempts(11, 1, 3, BEGIN), 10);
	CU_ASSERT_EQUAL(attempts(11, 2, 3, BEGIN), 10);
	CU_ASSERT_EQUAL(attempts(11, 1, 63, BEGIN), 10);
	CU_ASSERT_EQUAL(attempts(1, 1, 3, BEGIN), 0);
	for (int i = 0; i < 10; i++)
		CU_ASSERT_TRUE(lbp_suppress_admit(&suppress, &from, 3, BEGIN));
	CU_ASSERT_FALSE(lbp_suppress_admit(&suppress, &from, 3, BEGIN));
	CU_ASSERT_TRUE(lbp_suppress_admit(&suppress, &other, 3, BEGIN));
}

/* ::1 and the first kind are what an unused pair has. */
static void zeros_are_a_pair_too(void)
{
	const uint8_t loopback[16] = {[15] = 1};
	struct lbp_source from = lbp_source_ipv6(loopback);
	struct lbp_suppress_sum sum;

	lbp_suppress_init(&suppress);
	for (int i = 0; i < 10; i++)
		CU_ASSERT_TRUE(lbp_suppress_admit(&suppress, &from, 0, BEGIN));
	CU_ASSERT_FALSE(lbp_suppress_admit(&suppress, &from, 0, BEGIN));
	CU_ASSERT_TRUE(lbp_suppress_validate(&suppress));
	CU_ASSERT_TRUE(lbp_suppress_admit(&suppress, &from, 0, BEGIN + SECOND));
	CU_ASSERT_TRUE_FATAL(
		lbp_suppress_take(&suppress, BEGIN + SECOND, &sum));
	CU_ASSERT_FALSE(sum.others);
	CU_ASSERT_EQUAL(sum.count, 1);
}

static void a_window_begins_with_an_attempt(void)
{
	lbp_suppress_init(&suppress);
	CU_ASSERT_EQUAL(attempts(10, 1, 0, BEGIN), 10);
	CU_ASSERT_EQUAL(attempts(10, 1, 0, BEGIN + SECOND + SECOND / 2), 10);
	CU_ASSERT_EQUAL(attempts(1, 1, 0, BEGIN + 2 * SECOND), 0);
	CU_ASSERT_EQUAL(
		lbp_suppress_due(&suppress), BEGIN + 2 * SECOND + SECOND / 2);
	lbp_suppress_init(&suppress);
	CU_ASSERT_TRUE(admit(1, 0, 0));
	CU_ASSERT_EQUAL(attempts(10, 1, 0, 1), 9);
}

static void the_rest_is_summed_up(void)
{
	lbp_suppress_init(&suppress);
	expect_none(LBP_NEVER);
	attempts(15, 1, 3, BEGIN);
	attempts(10, 2, 3, BEGIN);
	attempts(27, 3, 4, BEGIN);
	expect_none(BEGIN + SECOND - 1);
	expect_sum(1, 3, 5, BEGIN + SECOND);
	CU_ASSERT_EQUAL(lbp_suppress_due(&suppress), 0);
	expect_sum(3, 4, 17, BEGIN + SECOND);
	CU_ASSERT_EQUAL(lbp_suppress_due(&suppress), LBP_NEVER);
	expect_none(BEGIN + SECOND);
	/* The window began when the sums were taken. */
	CU_ASSERT_EQUAL(attempts(11, 1, 3, BEGIN + SECOND + 1), 10);
	CU_ASSERT_EQUAL(lbp_suppress_due(&suppress), BEGIN + 2 * SECOND);
	expect_sum(1, 3, 1, LBP_NEVER);
	expect_none(LBP_NEVER);
}

static void what_is_not_taken_is_kept(void)
{
	lbp_suppress_init(&suppress);
	attempts(15, 1, 3, BEGIN);
	attempts(15, 1, 3, BEGIN + SECOND);
	attempts(12, 2, 3, BEGIN + SECOND);
	CU_ASSERT_EQUAL(lbp_suppress_due(&suppress), 0);
	expect_sum(1, 3, 5, BEGIN + SECOND);
	CU_ASSERT_EQUAL(lbp_suppress_due(&suppress), BEGIN + 2 * SECOND);
	attempts(15, 1, 3, BEGIN + 2 * SECOND);
	attempts(1, 1, 3, BEGIN + 3 * SECOND);
	expect_sum(1, 3, 10, BEGIN + 3 * SECOND);
	expect_sum(2, 3, 2, BEGIN + 3 * SECOND);
	expect_none(LBP_NEVER);
}

static void what_is_given_back_is_taken_again(void)
{
	struct lbp_suppress_sum sum;

	lbp_suppress_init(&suppress);
	attempts(15, 1, 3, BEGIN);
	CU_ASSERT_TRUE_FATAL(lbp_suppress_take(&suppress, LBP_NEVER, &sum));
	CU_ASSERT_EQUAL(lbp_suppress_due(&suppress), LBP_NEVER);
	lbp_suppress_give_back(&suppress, &sum);
	CU_ASSERT_TRUE(lbp_suppress_validate(&suppress));
	CU_ASSERT_EQUAL(lbp_suppress_due(&suppress), 0);
	sum.count = 7;
	lbp_suppress_give_back(&suppress, &sum);
	CU_ASSERT_TRUE(lbp_suppress_validate(&suppress));
	expect_sum(1, 3, 12, BEGIN);
	sum.count = 0;
	lbp_suppress_give_back(&suppress, &sum);
	expect_none(BEGIN);
	/* The time before, as all was taken, is the last. */
	CU_ASSERT_EQUAL(attempts(11, 1, 3, LBP_NEVER - 1), 10);
	CU_ASSERT_EQUAL(lbp_suppress_due(&suppress), LBP_NEVER);
}

/* All places are taken by sources 0 to 255, with a kind of their own. */
static void fill(uint64_t now_ns)
{
	lbp_suppress_init(&suppress);
	for (uint32_t n = 0; n < 256; n++)
		CU_ASSERT_TRUE(admit(n, n % 2, now_ns));
}

static void those_without_a_place_share_one(void)
{
	struct lbp_suppress_sum sum;

	fill(BEGIN);
	CU_ASSERT_EQUAL(attempts(10, 255, 1, BEGIN), 9);
	CU_ASSERT_EQUAL(attempts(6, 1000, 1, BEGIN), 6);
	CU_ASSERT_EQUAL(attempts(6, 1001, 1, BEGIN), 4);
	CU_ASSERT_EQUAL(attempts(6, 1002, 63, BEGIN), 6);
	CU_ASSERT_EQUAL(attempts(6, 1003, 63, BEGIN), 4);
	CU_ASSERT_EQUAL(attempts(6, 1003, 0, BEGIN), 6);
	CU_ASSERT_EQUAL(attempts(5, 1004, 0, BEGIN), 4);
	expect_sum(255, 1, 1, BEGIN + SECOND);
	CU_ASSERT_TRUE_FATAL(
		lbp_suppress_take(&suppress, BEGIN + SECOND, &sum));
	CU_ASSERT_TRUE(sum.others);
	CU_ASSERT_EQUAL(sum.kind, 0);
	CU_ASSERT_EQUAL(sum.count, 1);
	CU_ASSERT_TRUE_FATAL(
		lbp_suppress_take(&suppress, BEGIN + SECOND, &sum));
	CU_ASSERT_TRUE(sum.others);
	CU_ASSERT_EQUAL(sum.kind, 1);
	CU_ASSERT_EQUAL(sum.count, 2);
	CU_ASSERT_TRUE_FATAL(
		lbp_suppress_take(&suppress, BEGIN + SECOND, &sum));
	CU_ASSERT_TRUE(sum.others);
	CU_ASSERT_EQUAL(sum.kind, 63);
	CU_ASSERT_EQUAL(sum.count, 2);
	expect_none(LBP_NEVER);
	lbp_suppress_give_back(&suppress, &sum);
	CU_ASSERT_TRUE_FATAL(lbp_suppress_take(&suppress, BEGIN, &sum));
	CU_ASSERT_TRUE(sum.others);
	CU_ASSERT_EQUAL(sum.kind, 63);
	CU_ASSERT_EQUAL(sum.count, 2);
	/* In another window there are places again. */
	CU_ASSERT_EQUAL(attempts(20, 1000, 1, BEGIN + 3 * SECOND), 10);
	CU_ASSERT_EQUAL(attempts(20, 1001, 1, BEGIN + 3 * SECOND), 10);
}

static void a_sum_without_a_place_is_the_others(void)
{
	struct lbp_suppress_sum sum = {
		.source = source(2000), .kind = 5, .count = 3};

	fill(BEGIN);
	lbp_suppress_give_back(&suppress, &sum);
	CU_ASSERT_TRUE_FATAL(lbp_suppress_take(&suppress, BEGIN, &sum));
	CU_ASSERT_TRUE(sum.others);
	CU_ASSERT_EQUAL(sum.kind, 5);
	CU_ASSERT_EQUAL(sum.count, 3);
}

/* Every invariant is one that validate misses when it is broken. */
static void validate_finds_what_is_wrong(void)
{
	struct lbp_suppress good;

	lbp_suppress_init(&suppress);
	attempts(12, 1, 3, BEGIN);
	attempts(12, 2, 3, BEGIN);
	good = suppress;
	suppress.pairs[1].source = suppress.pairs[0].source;
	CU_ASSERT_FALSE(lbp_suppress_validate(&suppress));
	fill(BEGIN);
	suppress.len = LBP_SUPPRESS_PAIRS + 1;
	CU_ASSERT_FALSE(lbp_suppress_validate(&suppress));
	suppress = good;
	suppress.pairs[1].lines = LBP_SUPPRESS_LINES + 1;
	CU_ASSERT_FALSE(lbp_suppress_validate(&suppress));
	suppress.pairs[1].lines = LBP_SUPPRESS_LINES - 1;
	CU_ASSERT_FALSE(lbp_suppress_validate(&suppress));
	suppress.pairs[1].count = 1;
	CU_ASSERT_FALSE(lbp_suppress_validate(&suppress));
	suppress.pairs[1].count = 0;
	CU_ASSERT_TRUE(lbp_suppress_validate(&suppress));
	suppress = good;
	suppress.counts = false;
	CU_ASSERT_FALSE(lbp_suppress_validate(&suppress));
	suppress = good;
	suppress.due = 1;
	CU_ASSERT_FALSE(lbp_suppress_validate(&suppress));
	suppress = good;
	suppress.pairs[LBP_SUPPRESS_PAIRS + 63].due = 1;
	CU_ASSERT_FALSE(lbp_suppress_validate(&suppress));
	/* Beyond len there is nothing. */
	suppress = good;
	suppress.pairs[2].due = 1;
	CU_ASSERT_FALSE(lbp_suppress_validate(&suppress));
}

void suite_suppress(void)
{
	CU_pSuite suite = CU_add_suite("suppress", NULL, NULL);

	CU_add_test(suite, "[SUP-1][SUP-2] ten attempts in a window have lines",
		ten_attempts_in_a_window_have_a_line);
	CU_add_test(suite, "[SUP-2] sources and kinds count apart",
		sources_and_kinds_count_apart);
	CU_add_test(
		suite, "[SUP-2] zeros are a pair too", zeros_are_a_pair_too);
	CU_add_test(suite, "[SUP-1] a window begins with an attempt",
		a_window_begins_with_an_attempt);
	CU_add_test(
		suite, "[SUP-4] the rest is summed up", the_rest_is_summed_up);
	CU_add_test(suite, "[SUP-4] what is not taken is kept",
		what_is_not_taken_is_kept);
	CU_add_test(suite, "[SUP-4] what is given back is taken again",
		what_is_given_back_is_taken_again);
	CU_add_test(suite, "[SUP-3] those without a place share one",
		those_without_a_place_share_one);
	CU_add_test(suite,
		"[SUP-3][SUP-4] a sum without a place is the others'",
		a_sum_without_a_place_is_the_others);
	CU_add_test(suite, "[SUP-4] validate finds what is wrong",
		validate_finds_what_is_wrong);
}
