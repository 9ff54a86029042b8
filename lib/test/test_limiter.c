#include <CUnit/CUnit.h>
#include <string.h>

#include "limiter.h"
#include "suites.h"

#define RING_MAX 8

static uint64_t ring[RING_MAX + 1];

static struct lbp_limiter make(
	uint32_t concurrent, uint32_t connections, uint64_t window_ns)
{
	struct lbp_limits limits = {concurrent, connections, window_ns};
	struct lbp_limiter limiter;

	memset(ring, 0xee, sizeof(ring));
	lbp_limiter_init(&limiter, &limits, connections > 0 ? ring : NULL);
	return limiter;
}

static void expect_admits(
	struct lbp_limiter *limiter, uint64_t now_ns, uint32_t times)
{
	while (times-- > 0)
		CU_ASSERT_EQUAL(lbp_limiter_admit(limiter, now_ns), LBP_OK);
}

/* Refused for this reason, and nothing but the clock has changed. */
static void expect_refusal(
	struct lbp_limiter *limiter, uint64_t now_ns, enum lbp_err err)
{
	struct lbp_limiter before = *limiter;
	uint64_t ring_before[RING_MAX + 1];

	memcpy(ring_before, ring, sizeof(ring));
	CU_ASSERT_EQUAL(lbp_limiter_admit(limiter, now_ns), err);
	CU_ASSERT_EQUAL(memcmp(ring, ring_before, sizeof(ring)), 0);
	CU_ASSERT_EQUAL(limiter->open, before.open);
	CU_ASSERT_EQUAL(limiter->len, before.len);
	CU_ASSERT_EQUAL(limiter->head, before.head);
}

static void the_cap_holds(void)
{
	struct lbp_limiter limiter = make(3, 0, 1);

	expect_admits(&limiter, 5, 3);
	expect_refusal(&limiter, 5, LBP_ERR_CONCURRENT);
	expect_refusal(&limiter, UINT64_MAX, LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(lbp_limiter_release(&limiter), LBP_OK);
	expect_admits(&limiter, 5, 1);
	expect_refusal(&limiter, 5, LBP_ERR_CONCURRENT);
}

static void zero_is_no_cap(void)
{
	struct lbp_limiter limiter = make(0, 0, 1);

	expect_admits(&limiter, 0, 10000);
	CU_ASSERT_EQUAL(limiter.open, 10000);
	limiter.open = UINT32_MAX - 1;
	expect_admits(&limiter, 0, 1);
	expect_refusal(&limiter, 0, LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(limiter.open, UINT32_MAX);
}

static void the_rate_holds(void)
{
	struct lbp_limiter limiter = make(0, 3, 100);

	expect_admits(&limiter, 10, 1);
	expect_admits(&limiter, 50, 1);
	expect_admits(&limiter, 60, 1);
	expect_refusal(&limiter, 60, LBP_ERR_RATE);
	expect_refusal(&limiter, 109, LBP_ERR_RATE);
	expect_admits(&limiter, 110, 1);
	expect_refusal(&limiter, 149, LBP_ERR_RATE);
	expect_admits(&limiter, 150, 1);
	expect_admits(&limiter, 160, 1);
	expect_refusal(&limiter, 209, LBP_ERR_RATE);
	expect_admits(&limiter, 210, 1);
}

static void the_ring_goes_round(void)
{
	struct lbp_limiter limiter = make(0, RING_MAX, 1000);

	for (uint64_t i = 0; i < 5 * RING_MAX; i++) {
		uint64_t now_ns = i * 125;

		expect_admits(&limiter, now_ns, 1);
		if (i + 1 >= RING_MAX)
			expect_refusal(&limiter, now_ns + 124, LBP_ERR_RATE);
		CU_ASSERT_TRUE(limiter.head < RING_MAX);
	}
	CU_ASSERT_EQUAL(ring[RING_MAX], 0xeeeeeeeeeeeeeeee);
}

static void a_burst_frees_a_burst(void)
{
	struct lbp_limiter limiter = make(0, 4, 10);

	expect_admits(&limiter, 0, 4);
	expect_refusal(&limiter, 9, LBP_ERR_RATE);
	expect_admits(&limiter, 10, 4);
	expect_refusal(&limiter, 19, LBP_ERR_RATE);
	expect_admits(&limiter, 30, 2);
	expect_admits(&limiter, 39, 2);
	expect_refusal(&limiter, 39, LBP_ERR_RATE);
	expect_admits(&limiter, 40, 2);
	expect_refusal(&limiter, 48, LBP_ERR_RATE);
}

static void zero_is_no_rate(void)
{
	struct lbp_limiter limiter = make(2, 0, UINT64_MAX);

	for (int i = 0; i < 1000; i++) {
		expect_admits(&limiter, 7, 1);
		CU_ASSERT_EQUAL(lbp_limiter_release(&limiter), LBP_OK);
	}
}

static void extreme_times(void)
{
	struct lbp_limiter limiter = make(0, 1, UINT64_MAX);

	expect_admits(&limiter, 0, 1);
	expect_refusal(&limiter, UINT64_MAX - 1, LBP_ERR_RATE);
	expect_admits(&limiter, UINT64_MAX, 1);
	expect_refusal(&limiter, UINT64_MAX, LBP_ERR_RATE);
	limiter = make(0, 1, 1);
	expect_admits(&limiter, UINT64_MAX - 1, 1);
	expect_refusal(&limiter, UINT64_MAX - 1, LBP_ERR_RATE);
	expect_admits(&limiter, UINT64_MAX, 1);
}

static void the_cap_comes_first(void)
{
	struct lbp_limiter limiter = make(1, 1, 10);

	expect_admits(&limiter, 0, 1);
	expect_refusal(&limiter, 0, LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(lbp_limiter_release(&limiter), LBP_OK);
	expect_refusal(&limiter, 0, LBP_ERR_RATE);
}

static void refusals_do_not_count(void)
{
	struct lbp_limiter limiter = make(1, 2, 100);

	expect_admits(&limiter, 0, 1);
	for (uint64_t now_ns = 0; now_ns < 50; now_ns++)
		expect_refusal(&limiter, now_ns, LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(lbp_limiter_release(&limiter), LBP_OK);
	expect_admits(&limiter, 50, 1);
	CU_ASSERT_EQUAL(lbp_limiter_release(&limiter), LBP_OK);
	for (uint64_t now_ns = 50; now_ns < 100; now_ns++)
		expect_refusal(&limiter, now_ns, LBP_ERR_RATE);
	expect_admits(&limiter, 100, 1);
}

static void time_does_not_go_back(void)
{
	struct lbp_limiter limiter = make(0, 2, 100);

	expect_admits(&limiter, 1000, 1);
	expect_admits(&limiter, 500, 1);
	CU_ASSERT_EQUAL(limiter.last_ns, 1000);
	expect_refusal(&limiter, 1000, LBP_ERR_RATE);
	/* 500 counts as 1000: it is in the window until 1100. */
	expect_refusal(&limiter, 0, LBP_ERR_RATE);
	expect_refusal(&limiter, 1099, LBP_ERR_RATE);
	expect_admits(&limiter, 1100, 2);
	expect_refusal(&limiter, 1100, LBP_ERR_RATE);
}

static void refusals_show_the_time(void)
{
	struct lbp_limiter limiter = make(1, 1, 100);

	expect_admits(&limiter, 0, 1);
	expect_refusal(&limiter, 150, LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(limiter.last_ns, 150);
	CU_ASSERT_EQUAL(lbp_limiter_release(&limiter), LBP_OK);
	expect_admits(&limiter, 50, 1);
	CU_ASSERT_EQUAL(lbp_limiter_release(&limiter), LBP_OK);
	expect_refusal(&limiter, 249, LBP_ERR_RATE);
	CU_ASSERT_EQUAL(limiter.last_ns, 249);
	expect_admits(&limiter, 250, 1);
}

static void a_release_frees_only_the_cap(void)
{
	struct lbp_limiter limiter = make(1, 2, 100);

	expect_admits(&limiter, 0, 1);
	CU_ASSERT_EQUAL(lbp_limiter_release(&limiter), LBP_OK);
	expect_admits(&limiter, 0, 1);
	CU_ASSERT_EQUAL(lbp_limiter_release(&limiter), LBP_OK);
	expect_refusal(&limiter, 99, LBP_ERR_RATE);
}

static void nothing_open_is_an_error(void)
{
	struct lbp_limiter limiter = make(1, 2, 100);

	CU_ASSERT_EQUAL(lbp_limiter_release(&limiter), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(limiter.open, 0);
	expect_admits(&limiter, 0, 1);
	CU_ASSERT_EQUAL(lbp_limiter_release(&limiter), LBP_OK);
	CU_ASSERT_EQUAL(lbp_limiter_release(&limiter), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(limiter.open, 0);
	CU_ASSERT_EQUAL(limiter.len, 1);
	expect_admits(&limiter, 0, 1);
	expect_refusal(&limiter, 0, LBP_ERR_CONCURRENT);
}

/* Admits at each of these times, and leaves at once. */
static void admit_all(
	struct lbp_limiter *limiter, const uint64_t *times, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		expect_admits(limiter, times[i], 1);
		CU_ASSERT_EQUAL(lbp_limiter_release(limiter), LBP_OK);
	}
}

/*
 * Six admissions to a ring of `from`, of which a ring of `to` keeps the last:
 * each frees its place exactly a window after it.
 */
static void expect_carried(uint32_t from_len, uint32_t to_len)
{
	static const uint64_t times[] = {0, 100, 201, 303, 406, 510};
	uint64_t to_ring[RING_MAX + 1] = {0};
	uint32_t kept = from_len < to_len ? from_len : to_len;
	struct lbp_limits limits = {0, to_len, 1000};
	struct lbp_limiter from = make(0, from_len, 1);
	struct lbp_limiter limiter;

	admit_all(&from, times, 6);
	kept = kept < 6 ? kept : 6;
	to_ring[to_len] = 0xee;
	lbp_limiter_init(&limiter, &limits, to_ring);
	lbp_limiter_inherit(&limiter, &from);
	CU_ASSERT_EQUAL(limiter.len, kept);
	CU_ASSERT_EQUAL(limiter.head, 0);
	CU_ASSERT_EQUAL(limiter.last_ns, 510);
	for (uint32_t i = 0; i < kept; i++)
		CU_ASSERT_EQUAL(to_ring[i], times[6 - kept + i]);
	CU_ASSERT_EQUAL(to_ring[to_len], 0xee);
	/* Those that fit, then none, until the first one has left. */
	expect_admits(&limiter, 600, to_len - kept);
	if (kept == 0)
		return;
	CU_ASSERT_EQUAL(lbp_limiter_admit(&limiter, times[6 - kept] + 999),
		LBP_ERR_RATE);
	expect_admits(&limiter, times[6 - kept] + 1000, 1);
}

static void the_last_admissions_stay_counted(void)
{
	for (uint32_t from = 0; from <= RING_MAX; from++) {
		for (uint32_t to = 1; to <= RING_MAX; to++)
			expect_carried(from, to);
	}
}

static void without_a_rate_nothing_is_kept(void)
{
	struct lbp_limits none = {3, 0, 1};
	struct lbp_limiter from = make(0, 2, 1000);
	struct lbp_limiter limiter;

	expect_admits(&from, 5, 2);
	lbp_limiter_init(&limiter, &none, NULL);
	lbp_limiter_inherit(&limiter, &from);
	CU_ASSERT_EQUAL(limiter.open, 2);
	expect_admits(&limiter, 5, 1);
	CU_ASSERT_EQUAL(lbp_limiter_admit(&limiter, 5), LBP_ERR_CONCURRENT);
}

static void a_lowered_cap_waits_for_its_time(void)
{
	struct lbp_limits two = {2, 0, 1};
	struct lbp_limiter from = make(5, 0, 1);
	struct lbp_limiter limiter;

	expect_admits(&from, 7, 4);
	lbp_limiter_init(&limiter, &two, NULL);
	lbp_limiter_inherit(&limiter, &from);
	CU_ASSERT_EQUAL(limiter.open, 4);
	CU_ASSERT_EQUAL(limiter.last_ns, 7);
	for (int i = 0; i < 3; i++) {
		expect_refusal(&limiter, 8, LBP_ERR_CONCURRENT);
		CU_ASSERT_EQUAL(lbp_limiter_release(&limiter), LBP_OK);
	}
	expect_admits(&limiter, 8, 1);
	expect_refusal(&limiter, 8, LBP_ERR_CONCURRENT);
	/* The one that it came from counts for itself. */
	CU_ASSERT_EQUAL(from.open, 4);
}

/* What the ring had before, and where it began, is gone. */
static void a_used_limiter_begins_anew(void)
{
	struct lbp_limiter from = make(0, 2, 1000);
	uint64_t to_ring[2] = {0};
	struct lbp_limits two = {0, 2, 1000};
	struct lbp_limiter limiter;

	lbp_limiter_init(&limiter, &two, to_ring);
	expect_admits(&limiter, 5, 2);
	expect_admits(&limiter, 2005, 1);
	CU_ASSERT_EQUAL(limiter.head, 1);
	expect_admits(&from, 3000, 1);
	lbp_limiter_inherit(&limiter, &from);
	CU_ASSERT_EQUAL(limiter.head, 0);
	CU_ASSERT_EQUAL(limiter.len, 1);
	expect_admits(&limiter, 3001, 1);
	expect_refusal(&limiter, 3999, LBP_ERR_RATE);
}

/*
 * So many admissions to a ring of RING_MAX, of which there is one each 10 ns;
 * then under another rate and window: how many are let in at once?
 */
static uint32_t admitted_under(
	uint32_t len, uint32_t connections, uint64_t window_ns)
{
	struct lbp_limits limits = {0, connections, window_ns};
	struct lbp_limiter limiter = make(0, RING_MAX, 1);
	uint32_t admitted = 0;

	for (uint32_t i = 0; i < len; i++)
		expect_admits(&limiter, 10 * i, 1);
	lbp_limiter_set_limits(&limiter, &limits);
	while (admitted <= RING_MAX &&
		lbp_limiter_admit(&limiter, 10 * len) == LBP_OK)
		admitted++;
	CU_ASSERT_EQUAL(ring[RING_MAX], 0xeeeeeeeeeeeeeeee);
	return admitted;
}

static void new_limits_count_what_was_admitted(void)
{
	for (uint32_t len = 0; len <= 3 * RING_MAX; len++) {
		for (uint32_t most = 1; most <= RING_MAX; most++) {
			for (uint32_t recent = 0; recent < 12; recent++) {
				/* The times 10 to 10 * recent ago. */
				uint32_t known = recent < len ? recent : len;
				uint32_t want = known < most ? most - known : 0;

				CU_ASSERT_EQUAL(admitted_under(len, most,
							10 * recent + 1),
					want);
			}
		}
		CU_ASSERT_EQUAL(admitted_under(len, 0, 1), RING_MAX + 1);
	}
}

/* What is admitted under a lower rate, or none, goes to the same ring. */
static void a_rate_that_was_away_forgets_nothing(void)
{
	const struct lbp_limits none = {0, 0, 0}, one = {0, 1, 100};
	struct lbp_limiter limiter = make(0, 3, 100);
	const struct lbp_limits three = limiter.limits;

	expect_admits(&limiter, 0, 1);
	expect_admits(&limiter, 10, 1);
	lbp_limiter_set_limits(&limiter, &one);
	expect_refusal(&limiter, 109, LBP_ERR_RATE);
	expect_admits(&limiter, 110, 1);
	lbp_limiter_set_limits(&limiter, &three);
	expect_admits(&limiter, 110, 2);
	expect_refusal(&limiter, 209, LBP_ERR_RATE);
	lbp_limiter_set_limits(&limiter, &none);
	expect_admits(&limiter, 209, 2);
	lbp_limiter_set_limits(&limiter, &three);
	expect_admits(&limiter, 210, 1);
	expect_refusal(&limiter, 308, LBP_ERR_RATE);
	expect_admits(&limiter, 309, 2);
	expect_refusal(&limiter, 309, LBP_ERR_RATE);
}

static void a_new_cap_counts_what_is_open(void)
{
	const struct lbp_limits two = {2, 0, 0}, none = {0, 0, 0};
	struct lbp_limiter limiter = make(3, 0, 0);

	expect_admits(&limiter, 0, 3);
	lbp_limiter_set_limits(&limiter, &two);
	CU_ASSERT_EQUAL(lbp_limiter_release(&limiter), LBP_OK);
	expect_refusal(&limiter, 0, LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(lbp_limiter_release(&limiter), LBP_OK);
	expect_admits(&limiter, 0, 1);
	expect_refusal(&limiter, 0, LBP_ERR_CONCURRENT);
	lbp_limiter_set_limits(&limiter, &none);
	expect_admits(&limiter, 0, 1);
}

void suite_limiter(void)
{
	CU_pSuite suite = CU_add_suite("limiter", NULL, NULL);

	CU_add_test(suite, "[LIM-1] the cap holds", the_cap_holds);
	CU_add_test(suite, "[LIM-1] 0 is no cap", zero_is_no_cap);
	CU_add_test(suite, "[LIM-2][LIM-3] the rate holds, to the nanosecond",
		the_rate_holds);
	CU_add_test(suite, "[LIM-2] the ring goes round", the_ring_goes_round);
	CU_add_test(suite, "[LIM-2][LIM-3] a burst leaves the window at once",
		a_burst_frees_a_burst);
	CU_add_test(suite, "[LIM-2] 0 is no rate", zero_is_no_rate);
	CU_add_test(suite, "[LIM-2][LIM-3] extreme times", extreme_times);
	CU_add_test(suite, "[LIM-4] the cap is judged before the rate",
		the_cap_comes_first);
	CU_add_test(
		suite, "[LIM-4] refusals do not count", refusals_do_not_count);
	CU_add_test(
		suite, "[LIM-5] time does not go back", time_does_not_go_back);
	CU_add_test(suite, "[LIM-5] the time of a refusal has been seen",
		refusals_show_the_time);
	CU_add_test(suite, "[LIM-6] a release frees the cap, not the window",
		a_release_frees_only_the_cap);
	CU_add_test(suite, "[LIM-6] a release with nothing open",
		nothing_open_is_an_error);
	CU_add_test(suite, "[LIM-7][LIM-2] the last admissions stay counted",
		the_last_admissions_stay_counted);
	CU_add_test(suite, "[LIM-7] without a rate nothing is kept",
		without_a_rate_nothing_is_kept);
	CU_add_test(suite, "[LIM-7][LIM-1] a lowered cap waits for its time",
		a_lowered_cap_waits_for_its_time);
	CU_add_test(suite, "[LIM-7] a used limiter begins anew",
		a_used_limiter_begins_anew);
	CU_add_test(suite, "[LIM-8] new limits count what was admitted",
		new_limits_count_what_was_admitted);
	CU_add_test(suite, "[LIM-8] a rate that was away forgets nothing",
		a_rate_that_was_away_forgets_nothing);
	CU_add_test(suite, "[LIM-8] a new cap counts what is open",
		a_new_cap_counts_what_is_open);
}
