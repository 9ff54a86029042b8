#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "app.h"
#include "checks.h"
#include "core/balancer.h"
#include "lists.h"
#include "reload.h"
#include "suites.h"

enum {
	ALICE,
	BOB,
	EVE,
	CLIENTS
}; /* Eve may use another application */
enum {
	OTHER_APP,
	THE_APP,
	NOBODYS_APP,
	APPS
};

#define UPSTREAMS 3
#define MS        UINT64_C(1000000)
#define START     (100 * MS)

static const struct lbp_upstream upstreams[UPSTREAMS] = {
	UPSTREAM("a", 1), UPSTREAM("b", 1), UPSTREAM("c", 1)};
static struct lbp_acl *acl;

static int set_up(void)
{
	const struct lbp_acl_name names[] = {{name_of(1), ALICE},
		{name_of(2), BOB}, {name_of(3), EVE}, {name_of(0x11), ALICE}};
	static const struct lbp_acl_grant grants[] = {
		{.client = ALICE,
			.app = THE_APP,
			.limits = {.concurrent = 2,
				.connections = 3,
				.window_ns = 50 * MS}},
		{.client = BOB, .app = THE_APP, .limits = {.concurrent = 1}},
		GRANT(EVE, OTHER_APP)};

	return acl_from(&acl, names, 4, grants, 3, CLIENTS, APPS) != LBP_OK;
}

static int tear_down(void)
{
	lbp_acl_free(acl);
	return 0;
}

static struct lbp_app_options options(void)
{
	struct lbp_app_options from;

	lbp_app_options_init(&from);
	from.id = "echo";
	from.acl = acl;
	from.number = THE_APP;
	from.upstreams = upstreams;
	from.upstream_len = UPSTREAMS;
	from.health.enabled = true;
	from.health.interval_ns = 30 * MS;
	from.health.rise = 2;
	from.health.fall = 2;
	return from;
}

static struct lbp_app *make(void)
{
	struct lbp_app_options from = options();
	struct lbp_app *app;

	CU_ASSERT_EQUAL_FATAL(lbp_app_new(&app, &from, START), LBP_OK);
	return app;
}

static uint32_t choose(struct lbp_app *app)
{
	uint32_t upstream = LBP_NONE;

	CU_ASSERT_EQUAL(lbp_app_choose(app, NULL, &upstream), LBP_OK);
	return upstream;
}

static void expect_open(
	const struct lbp_app *app, uint32_t a, uint32_t b, uint32_t c)
{
	CU_ASSERT_EQUAL(lbp_app_open(app, 0), a);
	CU_ASSERT_EQUAL(lbp_app_open(app, 1), b);
	CU_ASSERT_EQUAL(lbp_app_open(app, 2), c);
}

static void it_is_what_it_was_made_from(void)
{
	char id[] = "echo";
	struct lbp_app_options from = options();
	struct lbp_app *app;

	from.id = id;
	CU_ASSERT_EQUAL_FATAL(lbp_app_new(&app, &from, START), LBP_OK);
	id[0] = 'x';
	CU_ASSERT_STRING_EQUAL(lbp_app_id(app), "echo");
	CU_ASSERT_EQUAL(lbp_app_upstreams(app), UPSTREAMS);
	expect_open(app, 0, 0, 0);
	CU_ASSERT_EQUAL(lbp_app_open(app, UPSTREAMS), 0);
	CU_ASSERT_TRUE(lbp_app_is_ready(app));
	lbp_app_free(app);
	lbp_app_free(NULL);
}

static void expect_refused(
	const struct lbp_app_options *from, enum lbp_err want)
{
	struct lbp_app *app = (struct lbp_app *)&acl;

	CU_ASSERT_EQUAL(lbp_app_new(&app, from, START), want);
	CU_ASSERT_PTR_NULL(app);
}

static void expect_made(const struct lbp_app_options *from)
{
	struct lbp_app *app = NULL;

	CU_ASSERT_EQUAL(lbp_app_new(&app, from, START), LBP_OK);
	CU_ASSERT_PTR_NOT_NULL(app);
	lbp_app_free(app);
}

/* A text for each number up to 9999; static. */
static const char *number_text(uint32_t number)
{
	static char texts[LBP_UPSTREAMS_MAX + 2][8];

	snprintf(texts[number], sizeof(texts[number]), "%04u", number);
	return texts[number];
}

static void upstreams_out_of_range_are_refused(void)
{
	static struct lbp_upstream many[LBP_UPSTREAMS_MAX + 1];
	struct lbp_app_options from = options();

	for (uint32_t i = 0; i < LBP_UPSTREAMS_MAX + 1; i++) {
		many[i].name = number_text(i);
		many[i].weight = 1 + i % LBP_WEIGHT_MAX;
	}
	from.upstreams = many;
	from.upstream_len = 0;
	expect_refused(&from, LBP_ERR_FEW_UPSTREAMS);
	from.upstream_len = LBP_UPSTREAMS_MAX + 1;
	expect_refused(&from, LBP_ERR_MANY_UPSTREAMS);
	from.upstream_len = LBP_UPSTREAMS_MAX;
	expect_made(&from);
	from.upstream_len = 1;
	expect_made(&from);
	from.upstream_len = 2;
	many[1].weight = LBP_WEIGHT_MAX;
	expect_made(&from);
	many[1].weight = LBP_WEIGHT_MAX + 1;
	expect_refused(&from, LBP_ERR_WEIGHT);
	many[1].weight = 0;
	expect_refused(&from, LBP_ERR_WEIGHT);
	many[1].weight = 1;
	many[0].weight = 0;
	expect_refused(&from, LBP_ERR_WEIGHT);
}

static void health_options_out_of_range_are_refused(void)
{
	struct lbp_app_options from = options();

	from.health = (struct lbp_health_options){
		true, .interval_ns = 1, .rise = 1, .fall = 1};
	expect_made(&from);
	from.health.interval_ns = UINT64_C(1) << 56;
	expect_made(&from);
	from.health.interval_ns++;
	expect_refused(&from, LBP_ERR_INTERVAL);
	from.health.interval_ns = 0;
	expect_refused(&from, LBP_ERR_INTERVAL);
	from.health.interval_ns = 1;
	from.health.rise = 0;
	expect_refused(&from, LBP_ERR_RISE);
	from.health.rise = 1;
	from.health.fall = 0;
	expect_refused(&from, LBP_ERR_FALL);
	from.health = (struct lbp_health_options){.enabled = false};
	expect_made(&from);
}

static void an_application_may_be_nobodys(void)
{
	struct lbp_app_options from = options();

	from.number = NOBODYS_APP;
	expect_made(&from);
	from.number = APPS;
	expect_refused(&from, LBP_ERR_APP_NUMBER);
	from.number = UINT32_MAX;
	expect_refused(&from, LBP_ERR_APP_NUMBER);
}

static void a_name_given_twice_is_refused(void)
{
	static const struct lbp_upstream twice[] = {
		UPSTREAM("b", 1), UPSTREAM("a", 1), UPSTREAM("b", 2)};
	struct lbp_app_options from = options();

	from.upstreams = twice;
	expect_refused(&from, LBP_ERR_NAME_TWICE);
	from.upstream_len = 2;
	expect_made(&from);
}

static void what_is_missing_is_refused(void)
{
	struct lbp_upstream nameless[] = {UPSTREAM("a", 1), UPSTREAM(NULL, 1)};
	struct lbp_app_options from = options();

	CU_ASSERT_EQUAL(lbp_app_new(NULL, &from, START), LBP_ERR_NULL);
	expect_refused(NULL, LBP_ERR_NULL);
	from.id = NULL;
	expect_refused(&from, LBP_ERR_NULL);
	from = options();
	from.acl = NULL;
	expect_refused(&from, LBP_ERR_NULL);
	from = options();
	from.upstreams = NULL;
	expect_refused(&from, LBP_ERR_NULL);
	from.upstreams = nameless;
	from.upstream_len = 2;
	expect_refused(&from, LBP_ERR_NULL);
	from.upstream_len = 1;
	expect_made(&from);
}

static void a_call_without_an_argument_is_refused(void)
{
	const struct lbp_name alice = name_of(1);
	struct lbp_app *app = make();
	uint32_t number = LBP_NONE;

	CU_ASSERT_EQUAL(
		lbp_app_identify(NULL, &alice, 1, &number), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(lbp_app_identify(app, NULL, 1, &number), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(lbp_app_identify(app, &alice, 1, NULL), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(lbp_app_admit(NULL, ALICE, START), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(lbp_app_leave(NULL, ALICE), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(lbp_app_choose(NULL, NULL, &number), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(lbp_app_choose(app, NULL, NULL), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(number, LBP_NONE);
	CU_ASSERT_EQUAL(lbp_app_release(NULL, 0), LBP_ERR_NULL);
	expect_open(app, 0, 0, 0);
	lbp_app_free(app);
}

static void options_start_with_defaults(void)
{
	struct lbp_app_options from;

	memset(&from, 0xff, sizeof(from));
	lbp_app_options_init(&from);
	CU_ASSERT_EQUAL(from.size, sizeof(from));
	CU_ASSERT_PTR_NULL(from.id);
	CU_ASSERT_EQUAL(from.number, 0);
	CU_ASSERT_EQUAL(from.upstream_len, 0);
	CU_ASSERT_FALSE(from.health.enabled);
	CU_ASSERT_EQUAL(from.health.interval_ns, 2000 * MS);
	CU_ASSERT_EQUAL(from.health.timeout_ns, 1000 * MS);
	CU_ASSERT_EQUAL(from.health.rise, 2);
	CU_ASSERT_EQUAL(from.health.fall, 3);
}

/* What the caller's headers do not have yet is as if it had not been set. */
static void options_of_other_versions_do(void)
{
	struct {
		struct lbp_app_options known;
		uint8_t news[64];
	} newer;
	struct lbp_app_options from = options();
	struct lbp_app *app;

	from.health.interval_ns = 0;
	expect_refused(&from, LBP_ERR_INTERVAL);
	from.size = offsetof(struct lbp_app_options, health);
	CU_ASSERT_EQUAL_FATAL(lbp_app_new(&app, &from, START), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), LBP_NEVER);
	lbp_app_free(app);
	from.size = offsetof(struct lbp_app_options, upstreams);
	expect_refused(&from, LBP_ERR_FEW_UPSTREAMS);
	from.size = sizeof(from.size);
	expect_refused(&from, LBP_ERR_NULL);
	from.size = sizeof(from.size) - 1;
	expect_refused(&from, LBP_ERR_OPTIONS);
	from.size = 0;
	expect_refused(&from, LBP_ERR_OPTIONS);

	memset(&newer, 0xff, sizeof(newer));
	newer.known = options();
	newer.known.size = sizeof(newer);
	expect_made(&newer.known);
}

static void an_upstream_has_what_its_user_gave(void)
{
	int address;
	struct lbp_upstream two[] = {UPSTREAM("a", 1), UPSTREAM("b", 1)};
	struct lbp_app_options from = options();
	struct lbp_app *app;

	two[1].user = &address;
	from.upstreams = two;
	from.upstream_len = 2;
	CU_ASSERT_EQUAL_FATAL(lbp_app_new(&app, &from, START), LBP_OK);
	CU_ASSERT_PTR_NULL(lbp_app_upstream_user(app, 0));
	CU_ASSERT_PTR_EQUAL(lbp_app_upstream_user(app, 1), &address);
	CU_ASSERT_PTR_NULL(lbp_app_upstream_user(app, 2));
	CU_ASSERT_PTR_NULL(lbp_app_upstream_user(app, LBP_NONE));
	lbp_app_free(app);
}

static void without_memory_there_is_no_application(void)
{
	struct lbp_app_options from = options();
	struct lbp_app *app;
	long allocations;

	alloc_fail_at(0);
	CU_ASSERT_EQUAL_FATAL(lbp_app_new(&app, &from, START), LBP_OK);
	lbp_app_free(app);
	allocations = alloc_count();
	CU_ASSERT_TRUE(allocations > 0);
	for (long n = 1; n <= allocations; n++) {
		enum lbp_err err;

		app = (struct lbp_app *)&acl;
		alloc_fail_at(n);
		err = lbp_app_new(&app, &from, START);
		alloc_fail_at(0);
		CU_ASSERT_EQUAL(err, LBP_ERR_NOMEM);
		CU_ASSERT_PTR_NULL(app);
	}
}

static void expect_identity(const struct lbp_app *app, uint8_t octet,
	enum lbp_err err, uint32_t want)
{
	struct lbp_name who = name_of(octet);
	uint32_t client = LBP_NONE;

	CU_ASSERT_EQUAL(lbp_app_identify(app, &who, 1, &client), err);
	CU_ASSERT_EQUAL(client, want);
}

static void only_its_clients_may_use_it(void)
{
	struct lbp_app *app = make();

	expect_identity(app, 1, LBP_OK, ALICE);
	expect_identity(app, 2, LBP_OK, BOB);
	expect_identity(app, 3, LBP_ERR_NOT_ALLOWED, EVE);
	expect_identity(app, 4, LBP_ERR_UNKNOWN_CLIENT, LBP_NONE);
	CU_ASSERT_EQUAL(lbp_app_admit(app, EVE, START), LBP_ERR_NOT_ALLOWED);
	CU_ASSERT_EQUAL(lbp_app_leave(app, EVE), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(
		lbp_app_admit(app, CLIENTS, START), LBP_ERR_NOT_ALLOWED);
	CU_ASSERT_EQUAL(lbp_app_leave(app, LBP_NONE), LBP_ERR_STATE);
	lbp_app_free(app);
}

static void all_serials_of_a_client_share_one_limiter(void)
{
	struct lbp_app *app = make();

	expect_identity(app, 0x11, LBP_OK, ALICE);
	CU_ASSERT_EQUAL(lbp_app_admit(app, ALICE, START), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_admit(app, ALICE, START), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_admit(app, ALICE, START), LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(lbp_app_sessions(app, ALICE), 2);
	CU_ASSERT_EQUAL(lbp_app_sessions(app, BOB), 0);
	CU_ASSERT_EQUAL(lbp_app_sessions(app, EVE), 0);
	CU_ASSERT_EQUAL(lbp_app_admit(app, BOB, START), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_admit(app, BOB, START), LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_admit(app, ALICE, START), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	CU_ASSERT_EQUAL(
		lbp_app_admit(app, ALICE, START + 50 * MS - 1), LBP_ERR_RATE);
	CU_ASSERT_EQUAL(lbp_app_admit(app, ALICE, START + 50 * MS), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, BOB), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, BOB), LBP_ERR_STATE);
	lbp_app_free(app);
}

static void two_clients_have_a_ring_each(void)
{
	static const struct member both[] = {
		{ALICE, {.connections = 2, .window_ns = 10}},
		{BOB, {.connections = 2, .window_ns = 10}}};
	struct lbp_acl *limited = acl_of(NULL, 0, both, 2, CLIENTS);
	struct lbp_app_options from = options();
	struct lbp_app *app;

	from.acl = limited;
	from.number = 0;
	CU_ASSERT_EQUAL_FATAL(lbp_app_new(&app, &from, 0), LBP_OK);
	for (uint64_t t = 0; t < 100; t += 10) {
		CU_ASSERT_EQUAL(lbp_app_admit(app, ALICE, t), LBP_OK);
		CU_ASSERT_EQUAL(lbp_app_admit(app, BOB, t + 3), LBP_OK);
		CU_ASSERT_EQUAL(lbp_app_admit(app, ALICE, t + 5), LBP_OK);
		CU_ASSERT_EQUAL(lbp_app_admit(app, BOB, t + 6), LBP_OK);
		CU_ASSERT_EQUAL(lbp_app_admit(app, ALICE, t + 9), LBP_ERR_RATE);
		CU_ASSERT_EQUAL(lbp_app_admit(app, BOB, t + 9), LBP_ERR_RATE);
	}
	lbp_app_free(app);
	lbp_acl_free(limited);
}

static void a_failed_dial_gives_its_connection_back(void)
{
	struct lbp_app *app = make();

	CU_ASSERT_EQUAL(choose(app), 0);
	CU_ASSERT_EQUAL(choose(app), 1);
	expect_open(app, 1, 1, 0);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_SAME);
	expect_open(app, 0, 1, 0);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 1, true), LBP_HEALTH_SAME);
	expect_open(app, 0, 1, 0);
	CU_ASSERT_EQUAL(lbp_app_release(app, 1), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_release(app, 1), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(lbp_app_release(app, UPSTREAMS), LBP_ERR_RANGE);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, UPSTREAMS, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(
		lbp_app_checked(app, UPSTREAMS, false), LBP_HEALTH_SAME);
	expect_open(app, 0, 0, 0);
	lbp_app_free(app);
}

static void a_good_dial_ends_the_run_of_failures(void)
{
	struct lbp_app *app = make();

	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_SAME);
		CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, true), LBP_HEALTH_SAME);
	}
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_DOWN);
	lbp_app_free(app);
}

/* Takes an upstream down by failed dials. */
static void take_down(struct lbp_app *app, uint32_t upstream)
{
	CU_ASSERT_EQUAL(lbp_app_dialed(app, upstream, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, upstream, false), LBP_HEALTH_DOWN);
}

static void expect_check(struct lbp_app *app, uint64_t due_ns, uint32_t want)
{
	uint32_t upstream = LBP_NONE;

	CU_ASSERT_EQUAL(lbp_app_check_due(app), due_ns);
	CU_ASSERT_FALSE(lbp_app_take_check(app, due_ns - 1, &upstream));
	CU_ASSERT_EQUAL(upstream, LBP_NONE);
	CU_ASSERT_TRUE(lbp_app_take_check(app, due_ns, &upstream));
	CU_ASSERT_EQUAL(upstream, want);
}

static void an_ineligible_upstream_is_not_chosen(void)
{
	struct lbp_app *app = make();

	take_down(app, 0);
	CU_ASSERT_EQUAL(choose(app), 1);
	CU_ASSERT_EQUAL(choose(app), 2);
	CU_ASSERT_EQUAL(choose(app), 1);
	expect_check(app, START, 0);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, true), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(choose(app), 2);
	expect_check(app, START + 10 * MS, 1);
	expect_check(app, START + 20 * MS, 2);
	expect_check(app, START + 30 * MS, 0);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, true), LBP_HEALTH_UP);
	CU_ASSERT_EQUAL(choose(app), 0);
	lbp_app_free(app);
}

static void a_tried_upstream_is_not_chosen(void)
{
	struct lbp_app *app = make();
	uint8_t tried[LBP_TRIED_BYTES(UPSTREAMS)] = {0};
	uint32_t upstream = LBP_NONE;

	lbp_tried_add(tried, 0);
	CU_ASSERT_EQUAL(lbp_app_choose(app, tried, &upstream), LBP_OK);
	CU_ASSERT_EQUAL(upstream, 1);
	lbp_tried_add(tried, 1);
	lbp_tried_add(tried, 2);
	upstream = LBP_NONE;
	CU_ASSERT_EQUAL(
		lbp_app_choose(app, tried, &upstream), LBP_ERR_NO_UPSTREAM);
	CU_ASSERT_EQUAL(upstream, LBP_NONE);
	lbp_app_free(app);
}

static void checks_are_spread_and_keep_their_places(void)
{
	struct lbp_app *app = make();
	uint32_t upstream;

	expect_check(app, START, 0);
	expect_check(app, START + 10 * MS, 1);
	/* A check that runs is not due again, however long it takes. */
	expect_check(app, START + 20 * MS, 2);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), LBP_NEVER);
	CU_ASSERT_FALSE(lbp_app_take_check(app, UINT64_MAX - 1, &upstream));
	lbp_app_checked(app, 1, true);
	lbp_app_checked(app, 2, true);
	lbp_app_checked(app, 0, true);
	expect_check(app, START + 30 * MS, 0);
	lbp_app_checked(app, 0, true);
	/* One that is taken late keeps its place. */
	CU_ASSERT_TRUE(lbp_app_take_check(app, START + 165 * MS, &upstream));
	CU_ASSERT_EQUAL(upstream, 1);
	lbp_app_checked(app, 1, true);
	CU_ASSERT_TRUE(lbp_app_take_check(app, START + 165 * MS, &upstream));
	CU_ASSERT_EQUAL(upstream, 2);
	CU_ASSERT_TRUE(lbp_app_take_check(app, START + 165 * MS, &upstream));
	CU_ASSERT_EQUAL(upstream, 0);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), START + 190 * MS);
	lbp_app_free(app);
}

static void a_dial_moves_no_check(void)
{
	struct lbp_app *app = make();

	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, true), LBP_HEALTH_SAME);
	take_down(app, 1);
	expect_check(app, START, 0);
	take_down(app, 0);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), START + 10 * MS);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 1, true), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), START + 10 * MS);
	lbp_app_free(app);
}

static void a_check_given_up_counts_for_nothing(void)
{
	struct lbp_app *app = make();

	expect_check(app, START, 0);
	lbp_app_check_dropped(app, 0);
	lbp_app_check_dropped(app, UPSTREAMS);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, false), LBP_HEALTH_SAME);
	expect_check(app, START + 10 * MS, 1);
	expect_check(app, START + 20 * MS, 2);
	/* Neither a failure nor the end of a run of them. */
	expect_check(app, START + 30 * MS, 0);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, false), LBP_HEALTH_SAME);
	expect_check(app, START + 60 * MS, 0);
	lbp_app_check_dropped(app, 0);
	expect_check(app, START + 90 * MS, 0);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, false), LBP_HEALTH_DOWN);
	lbp_app_free(app);
}

static void without_checks_nothing_is_due_and_all_are_eligible(void)
{
	struct lbp_app_options from = options();
	uint32_t upstream = LBP_NONE;
	struct lbp_app *app;

	from.health.enabled = false;
	CU_ASSERT_EQUAL_FATAL(lbp_app_new(&app, &from, START), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), LBP_NEVER);
	for (int i = 0; i < 9; i++)
		CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(choose(app), 0);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, true), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), LBP_NEVER);
	CU_ASSERT_FALSE(lbp_app_take_check(app, LBP_NEVER, &upstream));
	CU_ASSERT_EQUAL(upstream, LBP_NONE);
	lbp_app_free(app);
}

static void an_upstream_without_an_address_is_not_chosen(void)
{
	struct lbp_app *app = make();
	uint32_t got;

	CU_ASSERT_EQUAL(lbp_app_set_address(app, 1, false), LBP_HEALTH_DOWN);
	CU_ASSERT_EQUAL(lbp_app_set_address(app, 1, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(
		lbp_app_set_address(app, UPSTREAMS, false), LBP_HEALTH_SAME);
	for (uint32_t i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(lbp_app_choose(app, NULL, &got), LBP_OK);
		CU_ASSERT_EQUAL(got, i % 2 * 2);
	}
	CU_ASSERT_EQUAL(lbp_app_set_address(app, 1, true), LBP_HEALTH_UP);
	CU_ASSERT_EQUAL(lbp_app_choose(app, NULL, &got), LBP_OK);
	CU_ASSERT_EQUAL(got, 1);
	lbp_app_free(app);
}

static void a_draining_upstream_is_not_chosen(void)
{
	struct lbp_app *app = make();
	uint32_t got;

	CU_ASSERT_EQUAL(choose(app), 0);
	CU_ASSERT_EQUAL(lbp_app_set_draining(app, 0, true), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_set_draining(app, 0, true), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_open(app, 0), 1);
	for (int i = 0; i < 4; i++)
		CU_ASSERT_NOT_EQUAL(choose(app), 0);
	/* Health goes on, and does not bring it back. */
	CU_ASSERT_EQUAL(lbp_app_set_address(app, 0, false), LBP_HEALTH_DOWN);
	CU_ASSERT_EQUAL(lbp_app_set_address(app, 0, true), LBP_HEALTH_UP);
	expect_check(app, START, 0);
	CU_ASSERT_NOT_EQUAL(choose(app), 0);
	CU_ASSERT_EQUAL(lbp_app_release(app, 0), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_set_draining(app, 0, false), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_choose(app, NULL, &got), LBP_OK);
	CU_ASSERT_EQUAL(got, 0);
	CU_ASSERT_EQUAL(
		lbp_app_set_draining(app, UPSTREAMS, true), LBP_ERR_RANGE);
	CU_ASSERT_EQUAL(lbp_app_set_draining(NULL, 0, true), LBP_ERR_NULL);
	lbp_app_free(app);
}

static void one_that_is_down_may_drain(void)
{
	struct lbp_app *app = make();

	take_down(app, 0);
	CU_ASSERT_EQUAL(lbp_app_set_draining(app, 0, true), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_set_draining(app, 0, false), LBP_OK);
	for (int i = 0; i < 4; i++)
		CU_ASSERT_NOT_EQUAL(choose(app), 0);
	lbp_app_free(app);
}

static void it_is_not_ready_while_all_drain(void)
{
	struct lbp_app *app = make();

	for (uint32_t i = 0; i < UPSTREAMS; i++) {
		CU_ASSERT_TRUE(lbp_app_is_ready(app));
		CU_ASSERT_EQUAL(lbp_app_set_draining(app, i, true), LBP_OK);
	}
	CU_ASSERT_FALSE(lbp_app_is_ready(app));
	CU_ASSERT_EQUAL(lbp_app_set_draining(app, 1, false), LBP_OK);
	CU_ASSERT_TRUE(lbp_app_is_ready(app));
	lbp_app_free(app);
}

static void it_is_ready_while_an_upstream_is_eligible(void)
{
	struct lbp_app *app = make();

	take_down(app, 0);
	take_down(app, 2);
	CU_ASSERT_TRUE(lbp_app_is_ready(app));
	take_down(app, 1);
	CU_ASSERT_FALSE(lbp_app_is_ready(app));
	expect_check(app, START, 0);
	lbp_app_checked(app, 0, true);
	expect_check(app, START + 10 * MS, 1);
	expect_check(app, START + 20 * MS, 2);
	CU_ASSERT_FALSE(lbp_app_is_ready(app));
	expect_check(app, START + 30 * MS, 0);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, true), LBP_HEALTH_UP);
	CU_ASSERT_TRUE(lbp_app_is_ready(app));
	lbp_app_free(app);
}

void suite_app(void)
{
	CU_pSuite suite = CU_add_suite("app", set_up, tear_down);

	CU_add_test(suite, "[APP-1] it is what it was made from",
		it_is_what_it_was_made_from);
	CU_add_test(suite, "[APP-20] upstreams out of range are refused",
		upstreams_out_of_range_are_refused);
	CU_add_test(suite, "[APP-20] health options out of range are refused",
		health_options_out_of_range_are_refused);
	CU_add_test(suite, "[APP-1][APP-20] an application may be nobody's",
		an_application_may_be_nobodys);
	CU_add_test(suite, "[APP-20] a name given twice is refused",
		a_name_given_twice_is_refused);
	CU_add_test(suite, "[ERR-4] what is missing is refused",
		what_is_missing_is_refused);
	CU_add_test(suite, "[ERR-4] a call without an argument is refused",
		a_call_without_an_argument_is_refused);
	CU_add_test(suite, "[ERR-5] options start with defaults",
		options_start_with_defaults);
	CU_add_test(suite, "[ERR-5] options of other versions do",
		options_of_other_versions_do);
	CU_add_test(suite, "[APP-13] an upstream has what its user gave",
		an_upstream_has_what_its_user_gave);
	CU_add_test(suite, "[APP-1] without memory there is no application",
		without_memory_there_is_no_application);
	CU_add_test(suite, "[APP-2] only its clients may use it",
		only_its_clients_may_use_it);
	CU_add_test(suite,
		"[APP-2][APP-3][APP-26] all serials of a client share a "
		"limiter",
		all_serials_of_a_client_share_one_limiter);
	CU_add_test(suite, "[APP-3] two clients have a ring each",
		two_clients_have_a_ring_each);
	CU_add_test(suite, "[APP-4] a failed dial gives its connection back",
		a_failed_dial_gives_its_connection_back);
	CU_add_test(suite, "[APP-4] a good dial ends the run of failures",
		a_good_dial_ends_the_run_of_failures);
	CU_add_test(suite,
		"[APP-4][APP-5] an ineligible upstream is not chosen",
		an_ineligible_upstream_is_not_chosen);
	CU_add_test(suite, "[APP-5] a tried upstream is not chosen",
		a_tried_upstream_is_not_chosen);
	CU_add_test(suite, "[APP-6] checks are spread and keep their places",
		checks_are_spread_and_keep_their_places);
	CU_add_test(
		suite, "[APP-6] a dial moves no check", a_dial_moves_no_check);
	CU_add_test(suite,
		"[APP-6][HLT-10] a check given up counts for nothing",
		a_check_given_up_counts_for_nothing);
	CU_add_test(suite,
		"[APP-5][APP-6] without checks nothing is due and all are "
		"eligible",
		without_checks_nothing_is_due_and_all_are_eligible);
	CU_add_test(suite,
		"[HLT-12][APP-5] an upstream without an address is not chosen",
		an_upstream_without_an_address_is_not_chosen);
	CU_add_test(suite, "[APP-30] a draining upstream is not chosen",
		a_draining_upstream_is_not_chosen);
	CU_add_test(suite, "[APP-30] one that is down may drain",
		one_that_is_down_may_drain);
	CU_add_test(suite, "[APP-7] it is not ready while all drain",
		it_is_not_ready_while_all_drain);
	CU_add_test(suite, "[APP-7] it is ready while an upstream is up",
		it_is_ready_while_an_upstream_is_eligible);
}
