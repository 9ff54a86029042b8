#include <CUnit/CUnit.h>

#include "core/health_state.h"
#include "suites.h"

#define DAY_NS (UINT64_C(86400) * 1000000000)

static const struct lbp_health_options options = {.enabled = true,
	.interval_ns = 100,
	.timeout_ns = 50,
	.rise = 2,
	.fall = 3};
static const struct lbp_health_options disabled = {
	.interval_ns = 100, .timeout_ns = 50, .rise = 1, .fall = 1};

static struct lbp_health make(void)
{
	struct lbp_health health;

	lbp_health_init(&health, &options, 1000, 0, 1);
	return health;
}

/* Takes the check that is due next and answers it. */
static enum lbp_health_change check(struct lbp_health *health, bool ok)
{
	uint64_t due_ns = lbp_health_due(health, &options);

	CU_ASSERT_TRUE(lbp_health_take(health, &options, due_ns));
	return lbp_health_checked(health, &options, ok);
}

static enum lbp_health_change dial(struct lbp_health *health, bool ok)
{
	return lbp_health_dialed(health, &options, ok);
}

static struct lbp_health make_down(void)
{
	struct lbp_health health = make();

	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_DOWN);
	CU_ASSERT_FALSE(health.up);
	return health;
}

static void it_starts_eligible(void)
{
	struct lbp_health health = make();

	CU_ASSERT_TRUE(health.up);
	CU_ASSERT_FALSE(health.checking);
	CU_ASSERT_EQUAL(health.run, 0);
}

static void failures_add_up(void)
{
	struct lbp_health health = make();

	CU_ASSERT_EQUAL(check(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_TRUE(health.up);
	CU_ASSERT_EQUAL(check(&health, false), LBP_HEALTH_DOWN);
	CU_ASSERT_FALSE(health.up);
	CU_ASSERT_EQUAL(check(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_FALSE(health.up);
}

static void a_success_ends_the_run(void)
{
	struct lbp_health health = make();

	for (int i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_SAME);
		CU_ASSERT_EQUAL(check(&health, false), LBP_HEALTH_SAME);
		CU_ASSERT_EQUAL(
			i % 2 == 0 ? dial(&health, true) : check(&health, true),
			LBP_HEALTH_SAME);
		CU_ASSERT_TRUE(health.up);
	}
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_DOWN);
}

static void checks_bring_it_back(void)
{
	struct lbp_health health = make_down();

	CU_ASSERT_EQUAL(check(&health, true), LBP_HEALTH_SAME);
	CU_ASSERT_FALSE(health.up);
	CU_ASSERT_EQUAL(check(&health, true), LBP_HEALTH_UP);
	CU_ASSERT_TRUE(health.up);
	/* The runs of its earlier life are over. */
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_DOWN);
	CU_ASSERT_EQUAL(check(&health, true), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(check(&health, true), LBP_HEALTH_UP);
}

static void dials_do_not_bring_it_back(void)
{
	struct lbp_health health = make_down();

	for (int i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(dial(&health, true), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(check(&health, true), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(dial(&health, true), LBP_HEALTH_SAME);
	CU_ASSERT_FALSE(health.up);
	CU_ASSERT_EQUAL(check(&health, true), LBP_HEALTH_UP);
}

static void a_failure_ends_the_run(void)
{
	struct lbp_health health = make_down();

	CU_ASSERT_EQUAL(check(&health, true), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(check(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(check(&health, true), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(check(&health, true), LBP_HEALTH_SAME);
	CU_ASSERT_FALSE(health.up);
	CU_ASSERT_EQUAL(check(&health, true), LBP_HEALTH_UP);
}

static void one_is_enough(void)
{
	static const struct lbp_health_options one = {
		.enabled = true, .interval_ns = 1, .rise = 1, .fall = 1};
	struct lbp_health health = make();

	CU_ASSERT_EQUAL(
		lbp_health_dialed(&health, &one, false), LBP_HEALTH_DOWN);
	CU_ASSERT_TRUE(lbp_health_take(&health, &one, 1000));
	CU_ASSERT_EQUAL(lbp_health_checked(&health, &one, true), LBP_HEALTH_UP);
}

static void one_check_at_a_time(void)
{
	struct lbp_health health = make();

	CU_ASSERT_TRUE(lbp_health_take(&health, &options, 1000));
	CU_ASSERT_EQUAL(lbp_health_due(&health, &options), LBP_NEVER);
	CU_ASSERT_FALSE(lbp_health_take(&health, &options, 1000));
	CU_ASSERT_FALSE(lbp_health_take(&health, &options, 5000));
	CU_ASSERT_FALSE(lbp_health_take(&health, &options, LBP_NEVER));
	CU_ASSERT_EQUAL(
		lbp_health_checked(&health, &options, true), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_health_due(&health, &options), 1100);
}

static void results_need_a_check(void)
{
	struct lbp_health health = make();

	for (int i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(lbp_health_checked(&health, &options, false),
			LBP_HEALTH_SAME);
	CU_ASSERT_TRUE(health.up);
	CU_ASSERT_EQUAL(health.run, 0);
	health = make_down();
	for (int i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(lbp_health_checked(&health, &options, true),
			LBP_HEALTH_SAME);
	CU_ASSERT_FALSE(health.up);
	CU_ASSERT_EQUAL(check(&health, true), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(
		lbp_health_checked(&health, &options, true), LBP_HEALTH_SAME);
	CU_ASSERT_FALSE(health.up);
}

static uint64_t first_due(uint64_t interval_ns, uint32_t i, uint32_t n)
{
	struct lbp_health_options spread = options;
	struct lbp_health health;

	spread.interval_ns = interval_ns;
	lbp_health_init(&health, &spread, 1000, i, n);
	return lbp_health_due(&health, &spread) - 1000;
}

static void checks_are_spread(void)
{
	CU_ASSERT_EQUAL(first_due(100, 0, 1), 0);
	CU_ASSERT_EQUAL(first_due(100, 0, 4), 0);
	CU_ASSERT_EQUAL(first_due(100, 1, 4), 25);
	CU_ASSERT_EQUAL(first_due(100, 3, 4), 75);
	CU_ASSERT_EQUAL(first_due(100, 1, 3), 33);
	CU_ASSERT_EQUAL(first_due(100, 2, 3), 66);
	CU_ASSERT_EQUAL(first_due(2, 2, 3), 1);
	/* interval * i does not fit 64 bits here */
	CU_ASSERT_EQUAL(first_due(365 * DAY_NS, 1023, 1024),
		365 * DAY_NS / 1024 * 1023);
	CU_ASSERT_EQUAL(first_due(365 * DAY_NS, 1022, 1023),
		365 * DAY_NS - 365 * DAY_NS / 1023 - 1);
	CU_ASSERT_EQUAL(first_due(UINT64_MAX / 2, UINT32_MAX - 1, UINT32_MAX),
		UINT64_MAX / 2 / UINT32_MAX * (UINT32_MAX - 1) +
			(UINT64_MAX / 2 % UINT32_MAX) * (UINT32_MAX - 1) /
				UINT32_MAX);
}

static void checks_keep_their_place(void)
{
	struct lbp_health health;

	lbp_health_init(&health, &options, 1000, 1, 4);
	CU_ASSERT_FALSE(lbp_health_take(&health, &options, 1024));
	CU_ASSERT_EQUAL(lbp_health_due(&health, &options), 1025);
	CU_ASSERT_EQUAL(check(&health, true), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_health_due(&health, &options), 1125);
	/* late, but before the next one */
	CU_ASSERT_TRUE(lbp_health_take(&health, &options, 1224));
	lbp_health_checked(&health, &options, true);
	CU_ASSERT_EQUAL(lbp_health_due(&health, &options), 1225);
	/* just when the one after it is due */
	CU_ASSERT_TRUE(lbp_health_take(&health, &options, 1325));
	lbp_health_checked(&health, &options, true);
	CU_ASSERT_EQUAL(lbp_health_due(&health, &options), 1425);
	/* many missed ones */
	CU_ASSERT_TRUE(lbp_health_take(&health, &options, 9999));
	lbp_health_checked(&health, &options, true);
	CU_ASSERT_EQUAL(lbp_health_due(&health, &options), 10025);
	CU_ASSERT_FALSE(lbp_health_take(&health, &options, 10024));
	CU_ASSERT_EQUAL(lbp_health_due(&health, &options), 10025);
}

static void time_has_an_end(void)
{
	struct lbp_health health;

	lbp_health_init(&health, &options, UINT64_MAX - 10, 0, 2);
	CU_ASSERT_TRUE(lbp_health_take(&health, &options, UINT64_MAX - 5));
	lbp_health_checked(&health, &options, true);
	CU_ASSERT_EQUAL(lbp_health_due(&health, &options), LBP_NEVER);
	CU_ASSERT_FALSE(lbp_health_take(&health, &options, UINT64_MAX));
	lbp_health_init(&health, &options, UINT64_MAX - 10, 1, 2);
	CU_ASSERT_EQUAL(lbp_health_due(&health, &options), LBP_NEVER);
	lbp_health_init(&health, &options, UINT64_MAX - 51, 1, 2);
	CU_ASSERT_EQUAL(lbp_health_due(&health, &options), UINT64_MAX - 1);
}

static void a_dropped_check_says_nothing(void)
{
	struct lbp_health health;

	lbp_health_init(&health, &options, 0, 0, 1);
	for (uint32_t i = 1; i < options.fall; i++)
		CU_ASSERT_EQUAL(check(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_TRUE(lbp_health_take(
		&health, &options, lbp_health_due(&health, &options)));
	lbp_health_check_dropped(&health);
	CU_ASSERT_TRUE(health.up);
	CU_ASSERT_NOT_EQUAL(lbp_health_due(&health, &options), LBP_NEVER);
	/* no answer is due any more, and the run of failures goes on */
	CU_ASSERT_EQUAL(
		lbp_health_checked(&health, &options, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(check(&health, false), LBP_HEALTH_DOWN);
}

static void disabled_is_eligible(void)
{
	struct lbp_health health;

	lbp_health_init(&health, &disabled, 0, 0, 1);
	CU_ASSERT_TRUE(health.up);
	CU_ASSERT_EQUAL(lbp_health_due(&health, &disabled), LBP_NEVER);
	CU_ASSERT_FALSE(lbp_health_take(&health, &disabled, 1000));
	for (int i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL(lbp_health_dialed(&health, &disabled, false),
			LBP_HEALTH_SAME);
		CU_ASSERT_EQUAL(lbp_health_checked(&health, &disabled, false),
			LBP_HEALTH_SAME);
	}
	CU_ASSERT_TRUE(health.up);
	CU_ASSERT_EQUAL(lbp_health_due(&health, &disabled), LBP_NEVER);
}

static void what_is_known_goes_on(void)
{
	static const struct lbp_health_options slower = {
		.enabled = true, .interval_ns = 1000, .rise = 2, .fall = 2};
	struct lbp_health from = make();
	struct lbp_health health;

	CU_ASSERT_EQUAL(check(&from, false), LBP_HEALTH_SAME);
	lbp_health_init(&health, &slower, 5000, 1, 2);
	lbp_health_inherit(&health, &slower, &from, false);
	CU_ASSERT_EQUAL(lbp_health_due(&health, &slower), 5500);
	/* One failure has been counted, and two are enough now. */
	CU_ASSERT_EQUAL(
		lbp_health_dialed(&health, &slower, false), LBP_HEALTH_DOWN);

	from = make_down();
	CU_ASSERT_EQUAL(check(&from, true), LBP_HEALTH_SAME);
	lbp_health_init(&health, &slower, 5000, 0, 2);
	lbp_health_inherit(&health, &slower, &from, true);
	CU_ASSERT_FALSE(health.up);
	CU_ASSERT_EQUAL(lbp_health_due(&health, &slower), 1100);
	CU_ASSERT_TRUE(lbp_health_take(&health, &slower, 1100));
	CU_ASSERT_EQUAL(
		lbp_health_checked(&health, &slower, true), LBP_HEALTH_UP);
}

static void a_check_that_runs_goes_on(void)
{
	struct lbp_health from = make_down();
	struct lbp_health health;

	CU_ASSERT_TRUE(lbp_health_take(&from, &options, 1000));
	lbp_health_init(&health, &options, 5000, 0, 1);
	lbp_health_inherit(&health, &options, &from, true);
	CU_ASSERT_EQUAL(lbp_health_due(&health, &options), LBP_NEVER);
	CU_ASSERT_EQUAL(
		lbp_health_checked(&health, &options, true), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_health_due(&health, &options), 1100);
	CU_ASSERT_EQUAL(check(&health, true), LBP_HEALTH_UP);
}

static void with_checks_off_it_is_up(void)
{
	struct lbp_health from = make_down();
	struct lbp_health health;

	CU_ASSERT_TRUE(lbp_health_take(&from, &options, 1000));
	lbp_health_init(&health, &disabled, 5000, 0, 1);
	lbp_health_inherit(&health, &disabled, &from, false);
	CU_ASSERT_TRUE(health.up);
	CU_ASSERT_TRUE(health.checking);
	CU_ASSERT_EQUAL(health.run, 0);
	CU_ASSERT_EQUAL(
		lbp_health_checked(&health, &disabled, false), LBP_HEALTH_SAME);
	CU_ASSERT_TRUE(health.up);
	/* Removed while it was down, it learns nothing from late answers. */
	CU_ASSERT_EQUAL(
		lbp_health_checked(&from, &disabled, true), LBP_HEALTH_SAME);
	CU_ASSERT_FALSE(from.up);
	CU_ASSERT_EQUAL(from.run, 0);
}

static void without_an_address_it_is_down(void)
{
	struct lbp_health health = make();

	CU_ASSERT_EQUAL(lbp_health_set_address(&health, true), LBP_HEALTH_SAME);
	CU_ASSERT_TRUE(health.up);
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(
		lbp_health_set_address(&health, false), LBP_HEALTH_DOWN);
	CU_ASSERT_FALSE(health.up);
	CU_ASSERT_EQUAL(
		lbp_health_set_address(&health, false), LBP_HEALTH_SAME);
	/* Checks are due as before, and come to nothing. */
	CU_ASSERT_EQUAL(lbp_health_due(&health, &options), 1000);
	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(check(&health, i != 1), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(dial(&health, true), LBP_HEALTH_SAME);
	CU_ASSERT_FALSE(health.up);
	CU_ASSERT_FALSE(health.checking);
	CU_ASSERT_EQUAL(lbp_health_due(&health, &options), 1400);
	CU_ASSERT_EQUAL(lbp_health_set_address(&health, true), LBP_HEALTH_UP);
	CU_ASSERT_TRUE(health.up);
	/* As at the start: three failures take it down. */
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(dial(&health, false), LBP_HEALTH_DOWN);
}

static void one_that_was_down_gets_an_address(void)
{
	struct lbp_health health = make_down();

	CU_ASSERT_EQUAL(check(&health, true), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(
		lbp_health_set_address(&health, false), LBP_HEALTH_SAME);
	CU_ASSERT_FALSE(health.up);
	CU_ASSERT_EQUAL(health.run, 0);
	CU_ASSERT_EQUAL(lbp_health_set_address(&health, true), LBP_HEALTH_UP);
	CU_ASSERT_EQUAL(lbp_health_set_address(&health, true), LBP_HEALTH_SAME);
	CU_ASSERT_TRUE(health.up);
	CU_ASSERT_EQUAL(health.run, 0);
}

static void checks_off_help_nobody_without_an_address(void)
{
	struct lbp_health health;
	struct lbp_health next;

	lbp_health_init(&health, &disabled, 1000, 0, 1);
	CU_ASSERT_EQUAL(
		lbp_health_set_address(&health, false), LBP_HEALTH_DOWN);
	CU_ASSERT_EQUAL(
		lbp_health_dialed(&health, &disabled, true), LBP_HEALTH_SAME);
	CU_ASSERT_FALSE(health.up);
	/* A reload gives it none, whatever becomes of the checks. */
	lbp_health_init(&next, &disabled, 2000, 0, 1);
	lbp_health_inherit(&next, &disabled, &health, true);
	CU_ASSERT_FALSE(next.up);
	lbp_health_init(&next, &options, 2000, 0, 1);
	lbp_health_inherit(&next, &options, &health, true);
	CU_ASSERT_FALSE(next.up);
	CU_ASSERT_EQUAL(
		lbp_health_dialed(&next, &options, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_health_set_address(&next, true), LBP_HEALTH_UP);
	CU_ASSERT_EQUAL(lbp_health_set_address(&health, true), LBP_HEALTH_UP);
	CU_ASSERT_TRUE(health.up);
}

void suite_health(void)
{
	CU_pSuite suite = CU_add_suite("health", NULL, NULL);

	CU_add_test(
		suite, "[HLT-11] what is known goes on", what_is_known_goes_on);
	CU_add_test(suite, "[HLT-11][HLT-6] a check that runs goes on",
		a_check_that_runs_goes_on);
	CU_add_test(suite, "[HLT-11][HLT-9] with checks off it is up",
		with_checks_off_it_is_up);

	CU_add_test(suite, "[HLT-12] without an address it is down",
		without_an_address_it_is_down);
	CU_add_test(suite, "[HLT-12] one that was down gets an address",
		one_that_was_down_gets_an_address);
	CU_add_test(suite,
		"[HLT-12][HLT-11] checks off help nobody without an address",
		checks_off_help_nobody_without_an_address);
	CU_add_test(suite, "[HLT-1] it starts eligible", it_starts_eligible);
	CU_add_test(suite, "[HLT-2] failures of checks and dials add up",
		failures_add_up);
	CU_add_test(suite, "[HLT-3] a success ends the run of failures",
		a_success_ends_the_run);
	CU_add_test(
		suite, "[HLT-4] checks bring it back", checks_bring_it_back);
	CU_add_test(suite, "[HLT-4] dials do not bring it back",
		dials_do_not_bring_it_back);
	CU_add_test(suite, "[HLT-5] a failure ends the run of successes",
		a_failure_ends_the_run);
	CU_add_test(suite, "[HLT-2][HLT-4] one may be enough", one_is_enough);
	CU_add_test(suite, "[HLT-6] one check at a time", one_check_at_a_time);
	CU_add_test(
		suite, "[HLT-6] a result needs a check", results_need_a_check);
	CU_add_test(suite, "[HLT-7] checks are spread", checks_are_spread);
	CU_add_test(suite, "[HLT-8] checks keep their place",
		checks_keep_their_place);
	CU_add_test(suite, "[HLT-8] no check after the end of time",
		time_has_an_end);
	CU_add_test(suite, "[HLT-10] a dropped check says nothing",
		a_dropped_check_says_nothing);
	CU_add_test(suite, "[HLT-9] disabled is always eligible",
		disabled_is_eligible);
}
