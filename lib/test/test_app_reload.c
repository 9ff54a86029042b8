#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "checks.h"
#include "core/app_state.h"
#include "core/balancer.h"
#include "lists.h"
#include "reload.h"
#include "suites.h"

enum {
	ALICE,
	BOB,
	CAROL,
	CLIENTS = 16
};

#define MS    UINT64_C(1000000)
#define START (100 * MS)
/* When reloads happen: no check of START's is due just then. */
#define LATER (START + 6 * MS)

static const struct lbp_upstream abc[] = {
	UPSTREAM("a", 1), UPSTREAM("b", 1), UPSTREAM("c", 1)};
static const struct lbp_upstream ac[] = {UPSTREAM("a", 1), UPSTREAM("c", 1)};
static const struct lbp_upstream acd[] = {
	UPSTREAM("a", 1), UPSTREAM("c", 1), UPSTREAM("d", 1)};
static const struct lbp_upstream cdba[] = {
	UPSTREAM("c", 1), UPSTREAM("d", 1), UPSTREAM("b", 1), UPSTREAM("a", 1)};
static const struct member alice_and_bob[] = {
	{BOB, {.concurrent = 1, .connections = 0, .window_ns = 1}},
	{ALICE, {.concurrent = 2, .connections = 3, .window_ns = 50 * MS}},
};
static struct lbp_acl *acl;
/* Those of reloads, which outlive the applications: until tear_down. */
static struct lbp_acl *later[64];
static size_t later_len;

static struct lbp_acl *list(const struct member *members, size_t len)
{
	const struct lbp_acl_name names[] = {
		{name_of(1), ALICE}, {name_of(2), BOB}};

	return acl_of(names, 2, members, len, CLIENTS);
}

static int set_up(void)
{
	acl = list(alice_and_bob, 2);
	return acl == NULL;
}

static int tear_down(void)
{
	while (later_len > 0)
		lbp_acl_free(later[--later_len]);
	lbp_acl_free(acl);
	return 0;
}

static struct lbp_app_options options(
	const struct lbp_upstream *upstreams, size_t len)
{
	struct lbp_app_options from;

	lbp_app_options_init(&from);
	from.id = "echo";
	from.acl = acl;
	from.upstreams = upstreams;
	from.upstream_len = len;
	from.health.enabled = true;
	from.health.interval_ns = 30 * MS;
	from.health.rise = 2;
	from.health.fall = 2;
	return from;
}

static struct lbp_app *make_from(const struct lbp_app_options *from)
{
	struct lbp_app *app;

	CU_ASSERT_EQUAL_FATAL(lbp_app_new(&app, from, START), LBP_OK);
	return app;
}

/* With the upstreams a, b and c. */
static struct lbp_app *make(void)
{
	struct lbp_app_options from = options(abc, 3);

	return make_from(&from);
}

static void reload_with(
	struct lbp_app *app, const struct lbp_app_options *to, uint64_t now_ns)
{
	struct lbp_app *next;

	CU_ASSERT_EQUAL_FATAL(lbp_app_prepare(&next, app, to, now_ns), LBP_OK);
	alloc_fail_at(0);
	lbp_app_commit(app, next);
	CU_ASSERT_EQUAL(alloc_count(), 0);
	lbp_app_free(next);
}

/* With other upstreams and nothing else. */
static void reload(
	struct lbp_app *app, const struct lbp_upstream *upstreams, size_t len)
{
	struct lbp_app_options to = options(upstreams, len);

	reload_with(app, &to, LATER);
}

static void reload_clients(
	struct lbp_app *app, const struct member *clients, size_t len)
{
	struct lbp_app_options to = options(abc, 3);

	CU_ASSERT_FATAL(later_len < sizeof(later) / sizeof(later[0]));
	later[later_len] = list(clients, len);
	to.acl = later[later_len++];
	reload_with(app, &to, LATER);
}

/* One letter for each number: the name that has it, '-' for none. */
static void expect_names(const struct lbp_app *app, const char *want)
{
	char got[16] = "";
	uint32_t n = lbp_app_upstreams(app);

	CU_ASSERT_EQUAL_FATAL(n, strlen(want));
	for (uint32_t i = 0; i < n; i++) {
		const char *name = lbp_app_upstream_name(app, i);

		got[i] = name == NULL ? '-' : name[0];
	}
	CU_ASSERT_STRING_EQUAL(got, want);
	CU_ASSERT_TRUE(lbp_pool_validate(&app->pool));
	CU_ASSERT_PTR_NULL(lbp_app_upstream_name(app, n));
	CU_ASSERT_PTR_NULL(lbp_app_upstream_name(app, LBP_NONE));
}

/* One digit for each number: what is open on it. */
static void expect_open(const struct lbp_app *app, const char *want)
{
	char got[16] = "";
	uint32_t n = lbp_app_upstreams(app);

	CU_ASSERT_EQUAL_FATAL(n, strlen(want));
	for (uint32_t i = 0; i < n; i++)
		got[i] = (char)('0' + lbp_app_open(app, i));
	CU_ASSERT_STRING_EQUAL(got, want);
}

/* The names of the next choices, one after the other. */
static void expect_choices(struct lbp_app *app, const char *want)
{
	char got[16] = "";

	for (size_t i = 0; i < strlen(want); i++) {
		uint32_t upstream = LBP_NONE;

		CU_ASSERT_EQUAL_FATAL(
			lbp_app_choose(app, NULL, &upstream), LBP_OK);
		got[i] = lbp_app_upstream_name(app, upstream)[0];
	}
	CU_ASSERT_STRING_EQUAL(got, want);
}

static void expect_no_choice(struct lbp_app *app)
{
	uint32_t upstream = LBP_NONE;

	CU_ASSERT_EQUAL(
		lbp_app_choose(app, NULL, &upstream), LBP_ERR_NO_UPSTREAM);
	CU_ASSERT_EQUAL(upstream, LBP_NONE);
	CU_ASSERT_FALSE(lbp_app_is_ready(app));
}

static void expect_check(struct lbp_app *app, uint64_t due_ns, uint32_t want)
{
	uint32_t upstream = LBP_NONE;

	CU_ASSERT_EQUAL(lbp_app_check_due(app), due_ns);
	CU_ASSERT_TRUE(lbp_app_take_check(app, due_ns, &upstream));
	CU_ASSERT_EQUAL(upstream, want);
}

/* One that succeeds and changes nothing. */
static void pass_check(struct lbp_app *app, uint64_t due_ns, uint32_t want)
{
	expect_check(app, due_ns, want);
	CU_ASSERT_EQUAL(lbp_app_checked(app, want, true), LBP_HEALTH_SAME);
}

static void take_down(struct lbp_app *app, uint32_t upstream)
{
	CU_ASSERT_EQUAL(lbp_app_dialed(app, upstream, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, upstream, false), LBP_HEALTH_DOWN);
}

static void expect_admit(struct lbp_app *app, uint32_t client, uint64_t now_ns,
	enum lbp_err want)
{
	CU_ASSERT_EQUAL(lbp_app_admit(app, client, now_ns), want);
}

/* --- prepare and commit --------------------------------------------------- */

static void a_reload_replaces_all_at_once(void)
{
	static const struct lbp_upstream heavy[] = {
		UPSTREAM("d", 1), UPSTREAM("e", 3)};
	const struct lbp_acl_name names[] = {{name_of(9), CAROL}};
	static const struct lbp_acl_grant grants[] = {
		{.client = CAROL, .app = 4, .limits = {.concurrent = 1}}};
	struct lbp_app_options to = options(heavy, 2);
	struct lbp_name known = name_of(9);
	struct lbp_name former = name_of(1);
	struct lbp_app *app = make();
	uint32_t client = LBP_NONE;
	struct lbp_acl *other;

	CU_ASSERT_EQUAL_FATAL(
		acl_from(&other, names, 1, grants, 1, CLIENTS, 5), LBP_OK);
	to.acl = other;
	to.number = 4;
	to.health.fall = 1;
	reload_with(app, &to, LATER);
	CU_ASSERT_STRING_EQUAL(lbp_app_id(app), "echo");
	expect_names(app, "---de");
	CU_ASSERT_EQUAL(lbp_app_identify(app, &known, 1, &client), LBP_OK);
	CU_ASSERT_EQUAL(client, CAROL);
	CU_ASSERT_EQUAL(lbp_app_identify(app, &former, 1, &client),
		LBP_ERR_UNKNOWN_CLIENT);
	expect_admit(app, ALICE, LATER, LBP_ERR_NOT_ALLOWED);
	expect_admit(app, BOB, LATER, LBP_ERR_NOT_ALLOWED);
	expect_admit(app, CAROL, LATER, LBP_OK);
	expect_admit(app, CAROL, LATER, LBP_ERR_CONCURRENT);
	expect_choices(app, "deeed");
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 3, false), LBP_HEALTH_DOWN);
	lbp_app_free(app);
	lbp_acl_free(other);
}

/* An application in the middle of everything, and what comes of it. */
static struct lbp_app *make_busy(void)
{
	struct lbp_app *app = make();

	expect_choices(app, "abca");
	expect_admit(app, ALICE, START, LBP_OK);
	expect_admit(app, ALICE, START + MS, LBP_OK);
	expect_admit(app, BOB, START, LBP_OK);
	expect_check(app, START, 0);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 2, false), LBP_HEALTH_SAME);
	return app;
}

static void expect_busy(const struct lbp_app *app)
{
	CU_ASSERT_STRING_EQUAL(lbp_app_id(app), "echo");
	expect_names(app, "abc");
	expect_open(app, "210");
	CU_ASSERT_TRUE(lbp_app_is_ready(app));
	CU_ASSERT_EQUAL(lbp_app_check_due(app), START + 10 * MS);
}

/* Takes a busy application to its end, where every step depends on all. */
static void end_busy(struct lbp_app *app)
{
	expect_busy(app);
	expect_choices(app, "cbc");
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 2, false), LBP_HEALTH_DOWN);
	expect_open(app, "221");
	expect_admit(app, ALICE, LATER, LBP_ERR_CONCURRENT);
	expect_admit(app, BOB, LATER, LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	expect_admit(app, ALICE, LATER, LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	expect_admit(app, ALICE, START + 50 * MS - 1, LBP_ERR_RATE);
	expect_admit(app, ALICE, START + 50 * MS, LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_DOWN);
	pass_check(app, START + 10 * MS, 1);
	pass_check(app, START + 20 * MS, 2);
	pass_check(app, START + 30 * MS, 0);
	lbp_app_free(app);
}

static void a_reload_of_the_same_changes_nothing(void)
{
	struct lbp_app *app = make_busy();

	reload(app, abc, 3);
	end_busy(app);
}

static void many_reloads_of_the_same_change_nothing(void)
{
	struct lbp_app *app = make_busy();

	for (int i = 0; i < 20; i++)
		reload(app, abc, 3);
	end_busy(app);
}

static void what_happens_before_the_commit_counts(void)
{
	struct lbp_app_options to = options(abc, 3);
	struct lbp_app *app = make();
	struct lbp_app *next;

	expect_choices(app, "a");
	expect_check(app, START, 0);
	expect_admit(app, BOB, START, LBP_OK);
	CU_ASSERT_EQUAL_FATAL(lbp_app_prepare(&next, app, &to, LATER), LBP_OK);
	expect_open(next, "000");
	CU_ASSERT_EQUAL(lbp_app_leave(app, BOB), LBP_OK);
	expect_admit(app, ALICE, START, LBP_OK);
	expect_admit(app, ALICE, START, LBP_OK);
	expect_choices(app, "bc");
	CU_ASSERT_EQUAL(lbp_app_release(app, 0), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, false), LBP_HEALTH_SAME);
	lbp_app_commit(app, next);
	lbp_app_free(next);
	expect_open(app, "011");
	expect_admit(app, BOB, LATER, LBP_OK);
	expect_admit(app, ALICE, LATER, LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_DOWN);
	pass_check(app, START + 10 * MS, 1);
	pass_check(app, START + 20 * MS, 2);
	pass_check(app, START + 30 * MS, 0);
	lbp_app_free(app);
}

static void without_a_commit_nothing_changes(void)
{
	struct lbp_app_options to = options(cdba, 4);
	struct lbp_app *app = make_busy();
	struct lbp_app *next;

	to.health.enabled = false;
	CU_ASSERT_EQUAL_FATAL(lbp_app_prepare(&next, app, &to, LATER), LBP_OK);
	expect_names(next, "abcd");
	lbp_app_free(next);
	end_busy(app);
}

/* --- refusals ------------------------------------------------------------- */

static void expect_refused(const struct lbp_app *app,
	const struct lbp_app_options *to, enum lbp_err want)
{
	struct lbp_app *next = (struct lbp_app *)&acl;

	CU_ASSERT_EQUAL(lbp_app_prepare(&next, app, to, LATER), want);
	CU_ASSERT_PTR_NULL(next);
	expect_busy(app);
}

static void refuse_upstreams(const struct lbp_app *app)
{
	static const struct lbp_upstream light[] = {
		UPSTREAM("a", 1), UPSTREAM("d", 0)};
	static const struct lbp_upstream heavy[] = {
		UPSTREAM("a", 1), UPSTREAM("d", LBP_WEIGHT_MAX + 1)};
	static const struct lbp_upstream same[] = {
		UPSTREAM("d", 1), UPSTREAM("a", 1), UPSTREAM("d", 1)};
	static const struct lbp_upstream known[] = {
		UPSTREAM("a", 1), UPSTREAM("a", 1)};
	struct lbp_app_options to;

	to = options(abc, 0);
	expect_refused(app, &to, LBP_ERR_FEW_UPSTREAMS);
	to = options(abc, LBP_UPSTREAMS_MAX + 1);
	expect_refused(app, &to, LBP_ERR_MANY_UPSTREAMS);
	to = options(light, 2);
	expect_refused(app, &to, LBP_ERR_WEIGHT);
	to = options(heavy, 2);
	expect_refused(app, &to, LBP_ERR_WEIGHT);
	to = options(same, 3);
	expect_refused(app, &to, LBP_ERR_NAME_TWICE);
	to = options(known, 2);
	expect_refused(app, &to, LBP_ERR_NAME_TWICE);
}

static void refuse_the_rest(const struct lbp_app *app)
{
	struct lbp_app_options to;

	to = options(cdba, 4);
	to.health.rise = 0;
	expect_refused(app, &to, LBP_ERR_RISE);
	to = options(cdba, 4);
	to.health.fall = 0;
	expect_refused(app, &to, LBP_ERR_FALL);
	to = options(cdba, 4);
	to.health.interval_ns = 0;
	expect_refused(app, &to, LBP_ERR_INTERVAL);
	to.health.interval_ns = (UINT64_C(1) << 56) + 1;
	expect_refused(app, &to, LBP_ERR_INTERVAL);
	to = options(cdba, 4);
	to.number = 1;
	expect_refused(app, &to, LBP_ERR_APP_NUMBER);
	to.number = 0;
	to.id = NULL;
	expect_refused(app, &to, LBP_ERR_NULL);
}

static void a_refused_reload_changes_nothing(void)
{
	struct lbp_app *app = make_busy();

	refuse_upstreams(app);
	refuse_the_rest(app);
	end_busy(app);
}

static void without_memory_a_reload_changes_nothing(void)
{
	struct lbp_app_options to = options(cdba, 4);
	struct lbp_app *app = make_busy();
	struct lbp_app *next;
	long allocations;

	alloc_fail_at(0);
	CU_ASSERT_EQUAL_FATAL(lbp_app_prepare(&next, app, &to, LATER), LBP_OK);
	lbp_app_free(next);
	allocations = alloc_count();
	/* It, its id, two lists, five arrays, four names, four of clients. */
	CU_ASSERT_EQUAL(allocations, 17);
	for (long n = 1; n <= allocations; n++) {
		enum lbp_err err;

		next = (struct lbp_app *)&acl;
		alloc_fail_at(n);
		err = lbp_app_prepare(&next, app, &to, LATER);
		alloc_fail_at(0);
		CU_ASSERT_EQUAL(err, LBP_ERR_NOMEM);
		CU_ASSERT_PTR_NULL(next);
		expect_busy(app);
	}
	end_busy(app);
}

/* As many upstreams as there may be, with names of four digits. */
static const struct lbp_upstream *full_list(void)
{
	static struct lbp_upstream list[LBP_UPSTREAMS_MAX];
	static char names[LBP_UPSTREAMS_MAX][8];

	for (uint32_t i = 0; i < LBP_UPSTREAMS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "%04u", i);
		list[i].name = names[i];
		list[i].weight = 1;
	}
	return list;
}

static enum lbp_err try_reload(
	struct lbp_app *app, const struct lbp_upstream *list, size_t len)
{
	struct lbp_app_options to = options(list, len);
	struct lbp_app *next;
	enum lbp_err err = lbp_app_prepare(&next, app, &to, LATER);

	if (err == LBP_OK)
		lbp_app_commit(app, next);
	lbp_app_free(next);
	return err;
}

static void numbers_that_are_kept_count(void)
{
	static struct lbp_upstream others[LBP_UPSTREAMS_MAX];
	const struct lbp_upstream *full = full_list();
	struct lbp_app_options from = options(full, LBP_UPSTREAMS_MAX);
	struct lbp_app *app = make_from(&from);

	memcpy(others, full, sizeof(others));
	others[0].name = "new";
	/* 0000 may be held until then. */
	CU_ASSERT_EQUAL(try_reload(app, others, LBP_UPSTREAMS_MAX),
		LBP_ERR_MANY_UPSTREAMS);
	CU_ASSERT_STRING_EQUAL(lbp_app_upstream_name(app, 0), "0000");
	/* Removed while it is held. */
	expect_choices(app, "0");
	CU_ASSERT_EQUAL(
		try_reload(app, full + 1, LBP_UPSTREAMS_MAX - 1), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_upstreams(app), LBP_UPSTREAMS_MAX);
	CU_ASSERT_STRING_EQUAL(lbp_app_upstream_name(app, 0), "0000");
	CU_ASSERT_EQUAL(try_reload(app, others, LBP_UPSTREAMS_MAX),
		LBP_ERR_MANY_UPSTREAMS);
	CU_ASSERT_EQUAL(lbp_app_open(app, 0), 1);
	CU_ASSERT_STRING_EQUAL(lbp_app_upstream_name(app, 0), "0000");
	/* Given back, and forgotten at the next reload. */
	CU_ASSERT_EQUAL(lbp_app_release(app, 0), LBP_OK);
	CU_ASSERT_EQUAL(
		try_reload(app, full + 1, LBP_UPSTREAMS_MAX - 1), LBP_OK);
	CU_ASSERT_PTR_NULL(lbp_app_upstream_name(app, 0));
	CU_ASSERT_EQUAL(try_reload(app, others, LBP_UPSTREAMS_MAX), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_upstreams(app), LBP_UPSTREAMS_MAX);
	CU_ASSERT_STRING_EQUAL(lbp_app_upstream_name(app, 0), "new");
	lbp_app_free(app);
}

/* --- clients -------------------------------------------------------------- */

static void a_lowered_cap_ends_nothing(void)
{
	static const struct member lower[] = {
		{ALICE, {.concurrent = 1}}, {BOB, {.concurrent = 1}}};
	struct lbp_app *app = make();

	expect_admit(app, ALICE, START, LBP_OK);
	expect_admit(app, ALICE, START, LBP_OK);
	reload_clients(app, lower, 2);
	expect_admit(app, ALICE, LATER, LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	expect_admit(app, ALICE, LATER, LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	expect_admit(app, ALICE, LATER, LBP_OK);
	expect_admit(app, ALICE, LATER, LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_ERR_STATE);
	lbp_app_free(app);
}

static void a_raised_cap_counts_what_is_open(void)
{
	static const struct member higher[] = {{ALICE, {.concurrent = 3}}};
	struct lbp_app *app = make();

	expect_admit(app, ALICE, START, LBP_OK);
	expect_admit(app, ALICE, START, LBP_OK);
	expect_admit(app, ALICE, START, LBP_ERR_CONCURRENT);
	reload_clients(app, higher, 1);
	expect_admit(app, ALICE, START, LBP_OK);
	expect_admit(app, ALICE, START, LBP_ERR_CONCURRENT);
	lbp_app_free(app);
}

/* Three admissions of Alice, a millisecond apart, none open any more. */
static struct lbp_app *make_spent(void)
{
	struct lbp_app *app = make();

	for (uint64_t i = 0; i < 3; i++) {
		expect_admit(app, ALICE, START + i * MS, LBP_OK);
		CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	}
	return app;
}

static void a_raised_rate_counts_the_last_admissions(void)
{
	static const struct member higher[] = {
		{ALICE, {.connections = 4, .window_ns = 60 * MS}}};
	struct lbp_app *app = make_spent();

	reload_clients(app, higher, 1);
	expect_admit(app, ALICE, LATER, LBP_OK);
	expect_admit(app, ALICE, START + 60 * MS - 1, LBP_ERR_RATE);
	expect_admit(app, ALICE, START + 60 * MS, LBP_OK);
	expect_admit(app, ALICE, START + 61 * MS - 1, LBP_ERR_RATE);
	expect_admit(app, ALICE, START + 61 * MS, LBP_OK);
	lbp_app_free(app);
}

static void a_lowered_rate_counts_the_last_admissions(void)
{
	static const struct member lower[] = {
		{ALICE, {.connections = 2, .window_ns = 10 * MS}}};
	struct lbp_app *app = make_spent();

	reload_clients(app, lower, 1);
	/* Those at 1 and 2 ms. */
	expect_admit(app, ALICE, START + 11 * MS - 1, LBP_ERR_RATE);
	expect_admit(app, ALICE, START + 11 * MS, LBP_OK);
	expect_admit(app, ALICE, START + 12 * MS - 1, LBP_ERR_RATE);
	expect_admit(app, ALICE, START + 12 * MS, LBP_OK);
	lbp_app_free(app);
}

/* Reloads with other limits of Alice alone. */
static void reload_rate(
	struct lbp_app *app, uint32_t connections, uint64_t window_ns)
{
	struct member alice = {
		ALICE, {.connections = connections, .window_ns = window_ns}};

	reload_clients(app, &alice, 1);
}

static void a_rate_lowered_and_raised_again_forgets_none(void)
{
	struct lbp_app *app = make_spent();

	reload_rate(app, 1, 50 * MS);
	expect_admit(app, ALICE, START + 52 * MS - 1, LBP_ERR_RATE);
	reload_rate(app, 3, 60 * MS);
	expect_admit(app, ALICE, START + 60 * MS - 1, LBP_ERR_RATE);
	expect_admit(app, ALICE, START + 60 * MS, LBP_OK);
	expect_admit(app, ALICE, START + 61 * MS - 1, LBP_ERR_RATE);
	reload_rate(app, 0, 0);
	expect_admit(app, ALICE, START + 61 * MS - 1, LBP_OK);
	reload_rate(app, 3, 59 * MS);
	expect_admit(app, ALICE, START + 61 * MS - 1, LBP_ERR_RATE);
	expect_admit(app, ALICE, START + 61 * MS, LBP_OK);
	lbp_app_free(app);
}

/* Reloads that follow each other without an admission in between. */
static void a_rate_raised_step_by_step_forgets_none(void)
{
	struct lbp_app *app = make_spent();

	reload_rate(app, 5, 50 * MS);
	reload_rate(app, 2, 1);
	reload_rate(app, 4, 50 * MS);
	reload_rate(app, 5, 50 * MS);
	reload_rate(app, 6, 50 * MS);
	for (uint32_t i = 0; i < 3; i++)
		expect_admit(app, ALICE, START + 3 * MS, LBP_OK);
	expect_admit(app, ALICE, START + 50 * MS - 1, LBP_ERR_RATE);
	expect_admit(app, ALICE, START + 50 * MS, LBP_OK);
	reload_rate(app, 8, 50 * MS);
	expect_admit(app, ALICE, START + 50 * MS, LBP_OK);
	reload_rate(app, 9, 50 * MS);
	reload_rate(app, 8, 50 * MS);
	/* Two of make_spent, three, and these two. */
	expect_admit(app, ALICE, START + 50 * MS, LBP_OK);
	expect_admit(app, ALICE, START + 51 * MS - 1, LBP_ERR_RATE);
	expect_admit(app, ALICE, START + 51 * MS, LBP_OK);
	lbp_app_free(app);
}

/* A new ring is there before it is needed, and admitting allocates nothing. */
static void admitting_after_a_raised_rate_needs_no_memory(void)
{
	struct lbp_app *app = make_spent();

	reload_rate(app, 5, 50 * MS);
	alloc_fail_at(0);
	expect_admit(app, ALICE, START + 3 * MS, LBP_OK);
	CU_ASSERT_EQUAL(alloc_count(), 0);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	lbp_app_free(app);
}

/* A ring that is large enough is never made again, whatever came between. */
static void a_ring_is_made_once(void)
{
	struct member alice = {ALICE, {.connections = 5, .window_ns = 50 * MS}};
	struct lbp_app_options to = options(abc, 3);
	struct lbp_app *app = make_spent();
	struct lbp_app *next;

	reload_rate(app, 5, 50 * MS);
	reload_rate(app, 2, 50 * MS);
	reload_rate(app, 3, 50 * MS);
	later[later_len] = list(&alice, 1);
	to.acl = later[later_len++];
	alloc_fail_at(0);
	CU_ASSERT_EQUAL_FATAL(lbp_app_prepare(&next, app, &to, LATER), LBP_OK);
	/* As with four names, and one less. */
	CU_ASSERT_EQUAL(alloc_count(), 16);
	lbp_app_commit(app, next);
	lbp_app_free(next);
	expect_admit(app, ALICE, START + 50 * MS - 1, LBP_OK);
	expect_admit(app, ALICE, START + 50 * MS - 1, LBP_OK);
	expect_admit(app, ALICE, START + 50 * MS - 1, LBP_ERR_RATE);
	lbp_app_free(app);
}

static void a_client_that_comes_back_has_its_latest_time(void)
{
	struct lbp_app *app = make();

	expect_admit(app, ALICE, START + 60 * MS, LBP_OK);
	reload_clients(app, alice_and_bob, 1);
	reload_rate(app, 1, 10 * MS);
	/* This counts as START + 60 ms, and so do the next ones. */
	expect_admit(app, ALICE, START, LBP_OK);
	expect_admit(app, ALICE, START + 70 * MS - 1, LBP_ERR_RATE);
	expect_admit(app, ALICE, START + 70 * MS, LBP_OK);
	lbp_app_free(app);
}

/* Alice's rate is raised, Bob comes back while he has a session, and Carol is
 * new: each with a ring of its own. */
static void without_memory_clients_stay_as_they_are(void)
{
	static const struct member before[] = {
		{ALICE, {.connections = 3, .window_ns = 50 * MS}},
		{BOB, {.concurrent = 1}}};
	static const struct member after[] = {
		{ALICE, {.connections = 4, .window_ns = 50 * MS}},
		{BOB, {.connections = 2, .window_ns = 50 * MS}},
		{CAROL, {.connections = 1, .window_ns = 50 * MS}}};
	struct lbp_app_options to = options(abc, 3);
	struct lbp_app *app = make_spent();
	struct lbp_app *next;
	enum lbp_err err = LBP_ERR_NOMEM;
	long n = 0;

	reload_clients(app, before, 2);
	expect_admit(app, BOB, LATER, LBP_OK);
	reload_clients(app, before, 1);
	later[later_len] = list(after, 3);
	to.acl = later[later_len++];
	while (err == LBP_ERR_NOMEM) {
		CU_ASSERT_EQUAL(lbp_app_sessions(app, BOB), 1);
		expect_admit(app, ALICE, LATER, LBP_ERR_RATE);
		alloc_fail_at(++n);
		err = lbp_app_prepare(&next, app, &to, LATER);
		alloc_fail_at(0);
	}
	CU_ASSERT_EQUAL_FATAL(err, LBP_OK);
	/* As above with three names, and a budget and a ring for each. */
	CU_ASSERT_EQUAL(n - 1, 16 + 6);
	lbp_app_free(next);
	CU_ASSERT_EQUAL(lbp_app_leave(app, BOB), LBP_OK);
	expect_admit(app, ALICE, LATER, LBP_ERR_RATE);
	lbp_app_free(app);
}

/* What a retired application counted open is counted when it comes back. */
static void a_retired_application_may_come_back(void)
{
	struct lbp_app *app = make_spent();

	expect_admit(app, ALICE, START + 50 * MS, LBP_OK);
	expect_admit(app, BOB, START, LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, BOB), LBP_OK);
	lbp_app_retire(app);
	expect_admit(app, ALICE, START + 60 * MS, LBP_ERR_NOT_ALLOWED);
	CU_ASSERT_EQUAL(lbp_app_sessions(app, ALICE), 1);
	reload_clients(app, alice_and_bob, 2);
	CU_ASSERT_EQUAL(lbp_app_sessions(app, ALICE), 1);
	expect_admit(app, ALICE, START, LBP_OK);
	expect_admit(app, ALICE, START, LBP_ERR_CONCURRENT);
	expect_admit(app, BOB, START, LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_ERR_STATE);
	lbp_app_free(app);
}

static void the_latest_time_seen_goes_on(void)
{
	static const struct member clients[] = {
		{ALICE, {.connections = 1, .window_ns = 10 * MS}}};
	struct lbp_app *app = make();

	expect_admit(app, ALICE, START + 20 * MS, LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	reload_clients(app, clients, 1);
	/* Before it, so it counts as now. */
	expect_admit(app, ALICE, START, LBP_ERR_RATE);
	expect_admit(app, ALICE, START + 30 * MS - 1, LBP_ERR_RATE);
	expect_admit(app, ALICE, START + 30 * MS, LBP_OK);
	lbp_app_free(app);
}

static void a_removed_client_only_leaves(void)
{
	struct lbp_app *app = make();

	expect_admit(app, ALICE, START, LBP_OK);
	expect_admit(app, ALICE, START, LBP_OK);
	reload_clients(app, alice_and_bob, 1);
	expect_admit(app, ALICE, LATER, LBP_ERR_NOT_ALLOWED);
	CU_ASSERT_EQUAL(lbp_app_sessions(app, ALICE), 2);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_sessions(app, ALICE), 1);
	reload_clients(app, alice_and_bob, 1);
	expect_admit(app, ALICE, LATER, LBP_ERR_NOT_ALLOWED);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_ERR_STATE);
	reload_clients(app, alice_and_bob, 1);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_ERR_STATE);
	expect_admit(app, BOB, LATER, LBP_OK);
	lbp_app_free(app);
}

static void a_client_that_comes_back_has_its_open_sessions(void)
{
	struct lbp_app *app = make();

	expect_admit(app, ALICE, START, LBP_OK);
	reload_clients(app, alice_and_bob, 1);
	reload_clients(app, alice_and_bob, 2);
	expect_admit(app, ALICE, LATER, LBP_OK);
	expect_admit(app, ALICE, LATER, LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_ERR_STATE);
	/* It was away: of the three only those since then are known. */
	expect_admit(app, ALICE, LATER, LBP_OK);
	expect_admit(app, ALICE, LATER, LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	expect_admit(app, ALICE, LATER, LBP_ERR_RATE);
	lbp_app_free(app);
}

static void a_client_that_comes_back_later_is_a_new_one(void)
{
	struct lbp_app *app = make_spent();

	expect_admit(app, ALICE, LATER, LBP_ERR_RATE);
	reload_clients(app, alice_and_bob, 1);
	reload_clients(app, alice_and_bob, 2);
	/* Nothing is known of it, not even the time. */
	expect_admit(app, ALICE, 0, LBP_OK);
	expect_admit(app, ALICE, 50 * MS - 1, LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	expect_admit(app, ALICE, 50 * MS - 1, LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	expect_admit(app, ALICE, 50 * MS - 1, LBP_ERR_RATE);
	expect_admit(app, ALICE, 50 * MS, LBP_OK);
	lbp_app_free(app);
}

/* As one that was left just before it comes back, by all. */
static void a_client_that_left_while_away_is_a_new_one(void)
{
	static const struct member one[] = {
		{ALICE, {.connections = 1, .window_ns = 10 * MS}}};
	struct lbp_app *app = make();

	reload_clients(app, one, 1);
	expect_admit(app, ALICE, START, LBP_OK);
	reload_clients(app, one, 0);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	reload_clients(app, one, 1);
	expect_admit(app, ALICE, 0, LBP_OK);
	expect_admit(app, ALICE, 10 * MS - 1, LBP_ERR_RATE);
	expect_admit(app, ALICE, 10 * MS, LBP_OK);
	lbp_app_free(app);
}

static void clients_of_all_kinds_are_found(void)
{
	struct member even[8], odd[8];
	struct lbp_app *app = make();

	for (uint32_t i = 0; i < 8; i++) {
		even[i] = (struct member){2 * i, {.concurrent = i + 1}};
		odd[7 - i] = (struct member){2 * i + 1, {.concurrent = 1}};
	}
	reload_clients(app, even, 8);
	for (uint32_t i = 0; i < 8; i++) {
		for (uint32_t n = 0; n <= i; n++)
			expect_admit(app, 2 * i, LATER, LBP_OK);
	}
	reload_clients(app, odd, 8);
	for (uint32_t i = 0; i < 8; i++) {
		expect_admit(app, 2 * i, LATER, LBP_ERR_NOT_ALLOWED);
		expect_admit(app, 2 * i + 1, LATER, LBP_OK);
		expect_admit(app, 2 * i + 1, LATER, LBP_ERR_CONCURRENT);
	}
	reload_clients(app, even + 4, 4);
	for (uint32_t i = 0; i < 8; i++) {
		expect_admit(app, 2 * i, LATER,
			i < 4 ? LBP_ERR_NOT_ALLOWED : LBP_ERR_CONCURRENT);
		for (uint32_t n = 0; n <= i; n++)
			CU_ASSERT_EQUAL(lbp_app_leave(app, 2 * i), LBP_OK);
		CU_ASSERT_EQUAL(lbp_app_leave(app, 2 * i), LBP_ERR_STATE);
		CU_ASSERT_EQUAL(lbp_app_leave(app, 2 * i + 1), LBP_OK);
		CU_ASSERT_EQUAL(lbp_app_leave(app, 2 * i + 1), LBP_ERR_STATE);
	}
	lbp_app_free(app);
}

/* --- upstreams that stay -------------------------------------------------- */

static void an_upstream_keeps_its_number_and_counts(void)
{
	struct lbp_app *app = make();

	expect_choices(app, "abca");
	CU_ASSERT_EQUAL(lbp_app_release(app, 1), LBP_OK);
	reload(app, cdba, 4);
	expect_names(app, "abcd");
	expect_open(app, "2010");
	/* d was never chosen; b longest ago of those with nothing open. */
	expect_choices(app, "dbcdb");
	expect_open(app, "2222");
	lbp_app_free(app);
}

static void when_an_upstream_was_chosen_stays(void)
{
	struct lbp_app *app = make();

	expect_choices(app, "abcab");
	for (uint32_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(lbp_app_release(app, i), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_release(app, 0), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_release(app, 1), LBP_OK);
	expect_open(app, "000");
	reload(app, abc, 3);
	expect_choices(app, "cabcab");
	lbp_app_free(app);
}

static void a_new_bound_counts_at_once(void)
{
	static const struct lbp_upstream bounded[] = {
		{.name = "a", .weight = 1, .max_connections = 2},
		{.name = "b", .weight = 1, .is_backup = true},
		{.name = "c", .weight = 1, .max_connections = 3}};
	struct lbp_app *app = make();

	expect_choices(app, "abcabc");
	reload(app, bounded, 3);
	expect_open(app, "222");
	/* Then only the backup is left. */
	expect_choices(app, "cbb");
	CU_ASSERT_TRUE(lbp_app_is_ready(app));
	CU_ASSERT_EQUAL(lbp_app_release(app, 0), LBP_OK);
	expect_choices(app, "ab");
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_SAME);
	expect_choices(app, "ab");
	reload(app, abc, 3);
	expect_open(app, "263");
	expect_choices(app, "aca");
	lbp_app_free(app);
}

static void an_application_at_its_bounds_is_ready(void)
{
	static const struct lbp_upstream bounded[] = {
		{.name = "a", .weight = 1, .max_connections = 1},
		{.name = "b",
			.weight = 1,
			.max_connections = 1,
			.is_backup = true}};
	struct lbp_app_options from = options(bounded, 2);
	struct lbp_app *app = make_from(&from);
	uint32_t upstream;

	expect_choices(app, "ab");
	CU_ASSERT_EQUAL(
		lbp_app_choose(app, NULL, &upstream), LBP_ERR_NO_UPSTREAM);
	CU_ASSERT_TRUE(lbp_app_is_ready(app));
	for (int i = 0; i < 2; i++)
		(void)lbp_app_dialed(app, 0, false);
	CU_ASSERT_TRUE(lbp_app_is_ready(app));
	for (int i = 0; i < 2; i++)
		(void)lbp_app_dialed(app, 1, false);
	CU_ASSERT_FALSE(lbp_app_is_ready(app));
	lbp_app_free(app);
}

static void those_never_chosen_go_by_their_numbers(void)
{
	struct lbp_app *app = make();

	reload(app, cdba, 4);
	expect_choices(app, "abcdab");
	lbp_app_free(app);
}

static void a_new_weight_counts_at_once(void)
{
	static const struct lbp_upstream heavy[] = {
		UPSTREAM("a", 1), UPSTREAM("b", 1), UPSTREAM("c", 4)};
	struct lbp_app *app = make();

	expect_choices(app, "abc");
	reload(app, heavy, 3);
	expect_choices(app, "cccab");
	lbp_app_free(app);
}

static void health_stays_with_its_runs(void)
{
	struct lbp_app *app = make();

	take_down(app, 0);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 1, false), LBP_HEALTH_SAME);
	reload(app, cdba, 4);
	expect_choices(app, "bcd");
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 1, false), LBP_HEALTH_DOWN);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 2, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 3, false), LBP_HEALTH_SAME);
	/* One of two checks that a needs, and the other after a reload. */
	expect_check(app, START, 0);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, true), LBP_HEALTH_SAME);
	reload(app, abc, 3);
	expect_names(app, "abc-");
	pass_check(app, START + 10 * MS, 1);
	pass_check(app, START + 20 * MS, 2);
	expect_check(app, START + 30 * MS, 0);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, true), LBP_HEALTH_UP);
	lbp_app_free(app);
}

static void a_check_that_runs_is_answered_after_the_reload(void)
{
	struct lbp_app *app = make();

	expect_check(app, START, 0);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_SAME);
	reload(app, abc, 3);
	expect_check(app, START + 10 * MS, 1);
	expect_check(app, START + 20 * MS, 2);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), LBP_NEVER);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, false), LBP_HEALTH_DOWN);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), START + 30 * MS);
	/* The one that b waits for is given up after another reload. */
	reload(app, abc, 3);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), START + 30 * MS);
	lbp_app_check_dropped(app, 1);
	pass_check(app, START + 30 * MS, 0);
	pass_check(app, START + 40 * MS, 1);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), START + 60 * MS);
	lbp_app_free(app);
}

static void times_of_checks_stay(void)
{
	struct lbp_app *app = make();

	pass_check(app, START, 0);
	/* c, d, b, a: d is the second of four. */
	reload(app, cdba, 4);
	pass_check(app, START + 10 * MS, 1);
	pass_check(app, LATER + 30 * MS / 4, 3);
	pass_check(app, START + 20 * MS, 2);
	pass_check(app, START + 30 * MS, 0);
	pass_check(app, START + 40 * MS, 1);
	pass_check(app, LATER + 30 * MS / 4 + 30 * MS, 3);
	pass_check(app, START + 50 * MS, 2);
	lbp_app_free(app);
}

static void another_interval_spreads_the_checks_anew(void)
{
	struct lbp_app_options to = options(cdba, 4);
	struct lbp_app *app = make();

	pass_check(app, START, 0);
	to.health.interval_ns = 40 * MS;
	reload_with(app, &to, LATER);
	pass_check(app, LATER, 2);
	pass_check(app, LATER + 10 * MS, 3);
	pass_check(app, LATER + 20 * MS, 1);
	pass_check(app, LATER + 30 * MS, 0);
	pass_check(app, LATER + 40 * MS, 2);
	lbp_app_free(app);
}

static void other_options_leave_the_times(void)
{
	struct lbp_app_options to = options(abc, 3);
	struct lbp_app *app = make();

	pass_check(app, START, 0);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_SAME);
	to.health.rise = 1;
	to.health.fall = 3;
	to.health.timeout_ns = 1;
	reload_with(app, &to, LATER);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_DOWN);
	pass_check(app, START + 10 * MS, 1);
	pass_check(app, START + 20 * MS, 2);
	expect_check(app, START + 30 * MS, 0);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, true), LBP_HEALTH_UP);
	lbp_app_free(app);
}

static void checks_turned_off_make_all_eligible(void)
{
	struct lbp_app_options off = options(abc, 3);
	struct lbp_app_options on = options(abc, 3);
	struct lbp_app *app = make();

	off.health.enabled = false;
	for (uint32_t i = 0; i < 3; i++)
		take_down(app, i);
	expect_check(app, START, 0);
	expect_no_choice(app);
	reload_with(app, &off, LATER);
	CU_ASSERT_TRUE(lbp_app_is_ready(app));
	CU_ASSERT_EQUAL(lbp_app_check_due(app), LBP_NEVER);
	/* The answer to the check that ran counts for nothing. */
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), LBP_NEVER);
	expect_choices(app, "abc");
	/* On again: as at the start, and from now. */
	reload_with(app, &on, LATER + 7 * MS);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 1, false), LBP_HEALTH_SAME);
	pass_check(app, LATER + 7 * MS, 0);
	pass_check(app, LATER + 17 * MS, 1);
	pass_check(app, LATER + 27 * MS, 2);
	lbp_app_free(app);
}

/* --- upstreams that were removed ------------------------------------------ */

static void a_removed_upstream_is_left_alone(void)
{
	struct lbp_app *app = make();

	reload(app, ac, 2);
	expect_names(app, "a-c");
	expect_open(app, "000");
	expect_choices(app, "acac");
	CU_ASSERT_EQUAL(lbp_app_release(app, 1), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 1, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 1, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 1, true), LBP_HEALTH_SAME);
	lbp_app_check_dropped(app, 1);
	pass_check(app, START, 0);
	pass_check(app, START + 20 * MS, 2);
	pass_check(app, START + 30 * MS, 0);
	lbp_app_free(app);
}

static void a_draining_upstream_drains_over_reloads(void)
{
	struct lbp_app *app = make();

	CU_ASSERT_EQUAL(lbp_app_set_draining(app, 0, true), LBP_OK);
	reload(app, cdba, 4);
	expect_choices(app, "bcdb");
	CU_ASSERT_EQUAL(lbp_app_set_draining(app, 0, false), LBP_OK);
	expect_choices(app, "a");
	lbp_app_free(app);
}

static void a_removed_upstream_drains_no_more(void)
{
	struct lbp_app *app = make();

	/* It is held, so it comes back with its number. */
	expect_choices(app, "ab");
	CU_ASSERT_EQUAL(lbp_app_set_draining(app, 1, true), LBP_OK);
	reload(app, ac, 2);
	CU_ASSERT_EQUAL(lbp_app_set_draining(app, 1, true), LBP_ERR_RANGE);
	reload(app, abc, 3);
	expect_choices(app, "cabc");
	lbp_app_free(app);
}

/* The application was removed with all its upstreams. */
static void a_retired_application_comes_back_undrained(void)
{
	struct lbp_app *app = make();

	expect_choices(app, "ab");
	CU_ASSERT_EQUAL(lbp_app_set_draining(app, 1, true), LBP_OK);
	lbp_app_retire(app);
	reload(app, abc, 3);
	expect_choices(app, "cabc");
	lbp_app_free(app);
}

static void its_number_is_given_away_once_it_is_free(void)
{
	static const struct lbp_upstream acde[] = {UPSTREAM("a", 1),
		UPSTREAM("e", 1), UPSTREAM("c", 1), UPSTREAM("d", 1)};
	struct lbp_app *app = make();

	/* Not by the reload that removes it: it may be held until then. */
	reload(app, acd, 3);
	expect_names(app, "a-cd");
	reload(app, acde, 4);
	expect_names(app, "aecd");
	reload(app, ac, 2);
	expect_names(app, "a-c-");
	/* The last numbers are not given up, but used again. */
	reload(app, acd, 3);
	expect_names(app, "adc-");
	lbp_app_free(app);
}

static void a_connection_keeps_the_number_of_a_removed_upstream(void)
{
	struct lbp_app *app = make();

	expect_choices(app, "abcab");
	reload(app, ac, 2);
	expect_names(app, "abc");
	expect_open(app, "221");
	expect_choices(app, "cacac");
	reload(app, acd, 3);
	expect_names(app, "abcd");
	expect_open(app, "4240");
	/* One dial of it fails late, one succeeds and ends. */
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 1, false), LBP_HEALTH_SAME);
	expect_open(app, "4140");
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 1, true), LBP_HEALTH_SAME);
	reload(app, acd, 3);
	expect_names(app, "abcd");
	expect_open(app, "4140");
	CU_ASSERT_EQUAL(lbp_app_release(app, 1), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_release(app, 1), LBP_ERR_STATE);
	expect_names(app, "abcd");
	reload(app, acd, 3);
	expect_names(app, "a-cd");
	expect_open(app, "4040");
	lbp_app_free(app);
}

static void a_check_keeps_the_number_of_a_removed_upstream(void)
{
	struct lbp_app *app = make();

	pass_check(app, START, 0);
	expect_check(app, START + 10 * MS, 1);
	reload(app, ac, 2);
	reload(app, acd, 3);
	expect_names(app, "abcd");
	expect_choices(app, "acd");
	/* Late, and it is not checked again. */
	CU_ASSERT_EQUAL(lbp_app_checked(app, 1, false), LBP_HEALTH_SAME);
	pass_check(app, START + 20 * MS, 2);
	pass_check(app, LATER + 20 * MS, 3);
	pass_check(app, START + 30 * MS, 0);
	pass_check(app, START + 50 * MS, 2);
	CU_ASSERT_EQUAL(lbp_app_release(app, 3), LBP_OK);
	reload(app, ac, 2);
	expect_names(app, "a-c-");
	lbp_app_free(app);
}

static void a_check_given_up_frees_a_removed_upstream(void)
{
	struct lbp_app *app = make();

	pass_check(app, START, 0);
	expect_check(app, START + 10 * MS, 1);
	reload(app, ac, 2);
	lbp_app_check_dropped(app, 1);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), START + 20 * MS);
	reload(app, ac, 2);
	expect_names(app, "a-c");
	lbp_app_free(app);
}

/* What is told of a removed one is not told, but known when it is back. */
static void its_health_goes_on_unseen(void)
{
	struct lbp_app *app = make();

	expect_choices(app, "abc");
	reload(app, ac, 2);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 1, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 1, false), LBP_HEALTH_SAME);
	expect_choices(app, "acac");
	reload(app, abc, 3);
	expect_names(app, "abc");
	expect_open(app, "303");
	expect_choices(app, "acac");
	lbp_app_free(app);
}

static void one_that_comes_back_before_goes_on(void)
{
	static const struct lbp_upstream acb[] = {
		UPSTREAM("a", 1), UPSTREAM("c", 1), UPSTREAM("b", 1)};
	struct lbp_app *app = make();

	expect_choices(app, "abcab");
	take_down(app, 1);
	expect_open(app, "201");
	expect_choices(app, "c");
	expect_check(app, START, 0);
	expect_check(app, START + 10 * MS, 1);
	reload(app, ac, 2);
	reload(app, acb, 3);
	expect_names(app, "abc");
	expect_open(app, "202");
	/* Down as before; its check still runs, then comes its new time. */
	expect_choices(app, "ac");
	CU_ASSERT_EQUAL(lbp_app_check_due(app), START + 20 * MS);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 1, true), LBP_HEALTH_SAME);
	pass_check(app, START + 20 * MS, 2);
	expect_check(app, LATER + 20 * MS, 1);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 1, true), LBP_HEALTH_UP);
	expect_choices(app, "bbb");
	lbp_app_free(app);
}

static void one_that_comes_back_later_is_a_new_one(void)
{
	struct lbp_app *app = make();

	take_down(app, 1);
	expect_choices(app, "ac");
	reload(app, ac, 2);
	expect_names(app, "a-c");
	reload(app, cdba, 4);
	/* d and b are new, in this order. */
	expect_names(app, "adcb");
	expect_open(app, "1010");
	expect_choices(app, "db");
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 3, false), LBP_HEALTH_SAME);
	pass_check(app, START, 0);
	pass_check(app, LATER + 30 * MS / 4, 1);
	pass_check(app, START + 20 * MS, 2);
	pass_check(app, LATER + 15 * MS, 3);
	lbp_app_free(app);
}

static void what_a_reload_adds_is_eligible(void)
{
	struct lbp_app *app = make();

	take_down(app, 1);
	expect_choices(app, "acac");
	reload(app, cdba, 4);
	expect_names(app, "abcd");
	expect_open(app, "2020");
	expect_choices(app, "dd");
	lbp_app_free(app);
}

/* --- the end -------------------------------------------------------------- */

static void a_retired_application_only_takes_back(void)
{
	struct lbp_app *app = make();
	struct lbp_name alice = name_of(1);
	uint32_t client = LBP_NONE;
	uint32_t upstream = LBP_NONE;

	expect_choices(app, "abc");
	expect_admit(app, ALICE, START, LBP_OK);
	expect_check(app, START, 0);
	lbp_app_retire(app);
	expect_names(app, "abc");
	expect_open(app, "111");
	CU_ASSERT_EQUAL(
		lbp_app_identify(app, &alice, 1, &client), LBP_ERR_NOT_ALLOWED);
	CU_ASSERT_EQUAL(client, LBP_NONE);
	expect_admit(app, ALICE, LATER, LBP_ERR_NOT_ALLOWED);
	expect_admit(app, BOB, LATER, LBP_ERR_NOT_ALLOWED);
	expect_no_choice(app);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), LBP_NEVER);
	CU_ASSERT_FALSE(lbp_app_take_check(app, LBP_NEVER, &upstream));

	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, true), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), LBP_NEVER);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 1, true), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_release(app, 1), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_release(app, 2), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_release(app, 2), LBP_ERR_STATE);
	expect_open(app, "000");
	expect_no_choice(app);
	lbp_app_free(app);
}

/* Nothing of one that is down comes up again. */
static void a_retired_application_stays_down(void)
{
	struct lbp_app *app = make();

	take_down(app, 0);
	expect_check(app, START, 0);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, true), LBP_HEALTH_SAME);
	expect_check(app, START + 10 * MS, 1);
	expect_check(app, START + 20 * MS, 2);
	expect_check(app, START + 30 * MS, 0);
	lbp_app_retire(app);
	CU_ASSERT_EQUAL(lbp_app_checked(app, 0, true), LBP_HEALTH_SAME);
	lbp_app_check_dropped(app, 1);
	CU_ASSERT_EQUAL(lbp_app_check_due(app), LBP_NEVER);
	expect_no_choice(app);
	lbp_app_free(app);
}

static void add_upstream_tests(CU_pSuite suite)
{
	CU_add_test(suite, "[APP-10] an upstream keeps its number and counts",
		an_upstream_keeps_its_number_and_counts);
	CU_add_test(suite, "[APP-10] when an upstream was chosen stays",
		when_an_upstream_was_chosen_stays);
	CU_add_test(suite,
		"[APP-10][BAL-2] those never chosen go by their numbers",
		those_never_chosen_go_by_their_numbers);
	CU_add_test(suite, "[APP-8][APP-10] a new weight counts at once",
		a_new_weight_counts_at_once);
	CU_add_test(suite, "[APP-10] health stays with its runs",
		health_stays_with_its_runs);
	CU_add_test(suite,
		"[APP-10] a check that runs is answered after the reload",
		a_check_that_runs_is_answered_after_the_reload);
	CU_add_test(
		suite, "[APP-22] times of checks stay", times_of_checks_stay);
	CU_add_test(suite, "[APP-22] another interval spreads the checks anew",
		another_interval_spreads_the_checks_anew);
	CU_add_test(suite, "[APP-22] other options leave the times",
		other_options_leave_the_times);
	CU_add_test(suite, "[APP-10] checks turned off make all eligible",
		checks_turned_off_make_all_eligible);
	CU_add_test(suite, "[APP-11] a removed upstream is left alone",
		a_removed_upstream_is_left_alone);
	CU_add_test(suite, "[APP-11] its number is given away once it is free",
		its_number_is_given_away_once_it_is_free);
	CU_add_test(suite,
		"[APP-11] a connection keeps the number of a removed upstream",
		a_connection_keeps_the_number_of_a_removed_upstream);
	CU_add_test(suite,
		"[APP-11] a check keeps the number of a removed upstream",
		a_check_keeps_the_number_of_a_removed_upstream);
	CU_add_test(suite, "[APP-11] a check given up frees a removed upstream",
		a_check_given_up_frees_a_removed_upstream);
	CU_add_test(suite, "[APP-10][APP-11] its health goes on unseen",
		its_health_goes_on_unseen);
	CU_add_test(suite,
		"[APP-10][APP-11] one that comes back before goes on",
		one_that_comes_back_before_goes_on);
	CU_add_test(suite,
		"[APP-11][APP-23] one that comes back later is a new one",
		one_that_comes_back_later_is_a_new_one);
	CU_add_test(suite, "[APP-23] what a reload adds is eligible",
		what_a_reload_adds_is_eligible);
}

static void add_client_tests(CU_pSuite suite)
{
	CU_add_test(suite, "[APP-9] a lowered cap ends nothing",
		a_lowered_cap_ends_nothing);
	CU_add_test(suite, "[APP-9] a raised cap counts what is open",
		a_raised_cap_counts_what_is_open);
	CU_add_test(suite, "[APP-9] a raised rate counts the last admissions",
		a_raised_rate_counts_the_last_admissions);
	CU_add_test(suite, "[APP-9] a lowered rate counts the last admissions",
		a_lowered_rate_counts_the_last_admissions);
	CU_add_test(suite,
		"[APP-9] a rate lowered and raised again forgets none",
		a_rate_lowered_and_raised_again_forgets_none);
	CU_add_test(suite, "[APP-9] a rate raised step by step forgets none",
		a_rate_raised_step_by_step_forgets_none);
	CU_add_test(suite, "[APP-9] a ring is made once", a_ring_is_made_once);
	CU_add_test(suite,
		"[APP-24] a client that comes back has its latest time",
		a_client_that_comes_back_has_its_latest_time);
	CU_add_test(suite,
		"[APP-9] admitting after a raised rate needs no memory",
		admitting_after_a_raised_rate_needs_no_memory);
	CU_add_test(suite,
		"[APP-21][ERR-2] without memory clients stay as they are",
		without_memory_clients_stay_as_they_are);
	CU_add_test(suite, "[APP-12][APP-24] a retired application comes back",
		a_retired_application_may_come_back);
	CU_add_test(suite, "[APP-9] the latest time seen goes on",
		the_latest_time_seen_goes_on);
	CU_add_test(suite, "[APP-24] a removed client only leaves",
		a_removed_client_only_leaves);
	CU_add_test(suite,
		"[APP-24] a client that comes back has its open sessions",
		a_client_that_comes_back_has_its_open_sessions);
	CU_add_test(suite,
		"[APP-24] a client that comes back later is a new one",
		a_client_that_comes_back_later_is_a_new_one);
	CU_add_test(suite,
		"[APP-24] a client that left while away is a new one",
		a_client_that_left_while_away_is_a_new_one);
	CU_add_test(suite, "[APP-9][APP-24] clients of all kinds are found",
		clients_of_all_kinds_are_found);
}

/* What the next one has afterwards, by numbers; '-' for none. */
static void expect_free(const struct lbp_app *next, const char *want)
{
	for (uint32_t i = 0; i < strlen(want); i++) {
		const char *user = lbp_app_upstream_user(next, i);

		CU_ASSERT_EQUAL(user == NULL ? '-' : *user, want[i]);
		CU_ASSERT_EQUAL(
			user == NULL, lbp_app_upstream_name(next, i) == NULL);
	}
}

static void expect_users(const struct lbp_app *app, const char *want)
{
	CU_ASSERT_EQUAL(lbp_app_upstreams(app), strlen(want));
	expect_free(app, want);
}

static void reload_users(struct lbp_app *app,
	const struct lbp_upstream *upstreams, size_t len, const char *then_free)
{
	struct lbp_app_options to = options(upstreams, len);
	struct lbp_app *next;

	CU_ASSERT_EQUAL_FATAL(lbp_app_prepare(&next, app, &to, LATER), LBP_OK);
	lbp_app_commit(app, next);
	expect_free(next, then_free);
	lbp_app_free(next);
}

static void what_is_gone_is_told_after_a_commit(void)
{
	struct lbp_upstream list[] = {UPSTREAM("a", 1), UPSTREAM("b", 1)};
	struct lbp_app_options from = options(list, 2);
	struct lbp_app *app;

	list[0].user = "1";
	list[1].user = "2";
	app = make_from(&from);
	list[1].user = "3";
	reload_users(app, list + 1, 1, "12");
	reload_users(app, list + 1, 1, "-3");
	lbp_app_free(app);
}

/* The new users at once, but a held one's stays until its number is free. */
static void users_stay_with_their_numbers(void)
{
	struct lbp_upstream list[] = {UPSTREAM("a", 1), UPSTREAM("b", 1)};
	struct lbp_app_options from = options(list, 2);
	struct lbp_app *app;

	list[0].user = "1";
	list[1].user = "2";
	app = make_from(&from);
	expect_users(app, "12");
	expect_choices(app, "ab");
	CU_ASSERT_EQUAL(lbp_app_release(app, 0), LBP_OK);
	/* a goes at once, b is held, and there is a c, with b's new user. */
	list[0] = (struct lbp_upstream)UPSTREAM("c", 1);
	list[0].user = "3";
	reload_users(app, list, 1, "1-");
	expect_users(app, "-23");
	/* b is back, with another user, and the one that it had is free. */
	list[1].user = "4";
	reload_users(app, list, 2, "-23");
	expect_users(app, "-43");
	CU_ASSERT_EQUAL(lbp_app_release(app, 1), LBP_OK);
	reload_users(app, list, 1, "-43");
	expect_users(app, "--3");
	lbp_app_free(app);
}

/* A line of the log may be written with it while a reload goes on. */
static void the_id_stays_where_it_is(void)
{
	struct lbp_app *app = make();
	const char *id = lbp_app_id(app);

	reload(app, ac, 2);
	CU_ASSERT_PTR_EQUAL(lbp_app_id(app), id);
	CU_ASSERT_STRING_EQUAL(id, "echo");
	lbp_app_free(app);
}

void suite_app_reload(void)
{
	CU_pSuite suite = CU_add_suite("app_reload", set_up, tear_down);

	CU_add_test(suite, "[APP-8] a reload replaces all at once",
		a_reload_replaces_all_at_once);
	CU_add_test(suite, "[APP-13] users stay with their numbers",
		users_stay_with_their_numbers);
	CU_add_test(suite, "[APP-25] what is gone is told after a commit",
		what_is_gone_is_told_after_a_commit);
	CU_add_test(suite, "[APP-8] the id stays where it is",
		the_id_stays_where_it_is);
	CU_add_test(suite,
		"[APP-8][APP-9][APP-10] a reload of the same changes nothing",
		a_reload_of_the_same_changes_nothing);
	CU_add_test(suite, "[APP-8] many reloads of the same change nothing",
		many_reloads_of_the_same_change_nothing);
	CU_add_test(suite,
		"[APP-9][APP-10] what happens before the commit counts",
		what_happens_before_the_commit_counts);
	CU_add_test(suite, "[APP-8] without a commit nothing changes",
		without_a_commit_nothing_changes);
	CU_add_test(suite, "[APP-21] a refused reload changes nothing",
		a_refused_reload_changes_nothing);
	CU_add_test(suite,
		"[APP-21][ERR-2] without memory a reload changes nothing",
		without_memory_a_reload_changes_nothing);
	CU_add_test(suite, "[APP-11][APP-21] numbers that are kept count",
		numbers_that_are_kept_count);
	add_client_tests(suite);
	add_upstream_tests(suite);
	CU_add_test(suite, "[BAL-12][APP-8] a new bound counts at once",
		a_new_bound_counts_at_once);
	CU_add_test(suite, "[APP-7] an application at its bounds is ready",
		an_application_at_its_bounds_is_ready);
	CU_add_test(suite, "[APP-31] a draining upstream drains over reloads",
		a_draining_upstream_drains_over_reloads);
	CU_add_test(suite, "[APP-31] a removed upstream drains no more",
		a_removed_upstream_drains_no_more);
	CU_add_test(suite,
		"[APP-31] a retired application comes back undrained",
		a_retired_application_comes_back_undrained);
	CU_add_test(suite, "[APP-12] a retired application only takes back",
		a_retired_application_only_takes_back);
	CU_add_test(suite, "[APP-12] a retired application stays down",
		a_retired_application_stays_down);
}
