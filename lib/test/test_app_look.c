#include <CUnit/CUnit.h>
#include <string.h>

#include "checks.h"
#include "core/app_look.h"
#include "lists.h"
#include "reload.h"
#include "suites.h"
#include "tried.h"

#define S     LBP_NS_PER_S
#define START (100 * S)
#define LOOKS 8

static int user;

static const struct lbp_upstream upstreams[] = {
	{.name = "a", .weight = 3, .user = &user, .max_connections = 7},
	{.name = "b", .weight = 1, .is_backup = true}};

static const struct member members[] = {
	{2, {.concurrent = 2, .connections = 3, .window_ns = 10 * S}},
	{5, {.concurrent = 1, .window_ns = S}},
	{9, {.connections = 1, .window_ns = 10 * S}}};

static struct lbp_acl *make_acl(const struct member *list, size_t len)
{
	static struct lbp_name serial;
	const struct lbp_acl_name name = {serial = name_of(1), 2};
	struct lbp_acl *acl = acl_of(&name, 1, list, len, 10);

	CU_ASSERT_PTR_NOT_NULL_FATAL(acl);
	return acl;
}

static struct lbp_app_options options(const struct lbp_acl *acl, size_t len)
{
	struct lbp_app_options from;

	lbp_app_options_init(&from);
	from.id = "echo";
	from.acl = acl;
	from.upstreams = upstreams;
	from.upstream_len = len;
	from.health.enabled = true;
	from.health.interval_ns = S;
	from.health.fall = 1;
	return from;
}

static struct lbp_app *make(const struct lbp_acl *acl)
{
	struct lbp_app_options from = options(acl, 2);
	struct lbp_app *app;

	CU_ASSERT_EQUAL_FATAL(lbp_app_new(&app, &from, START), LBP_OK);
	return app;
}

static void reload(
	struct lbp_app *app, const struct lbp_acl *acl, size_t upstream_len)
{
	struct lbp_app_options from = options(acl, upstream_len);
	struct lbp_app *next;

	CU_ASSERT_EQUAL_FATAL(
		lbp_app_prepare(&next, app, &from, START), LBP_OK);
	lbp_app_commit(app, next);
	lbp_app_free(next);
}

static struct lbp_upstream_look look_at(const struct lbp_app *app, uint32_t at)
{
	struct lbp_upstream_look look = {0};

	CU_ASSERT_TRUE(lbp_app_look_upstream(app, at, &look));
	return look;
}

static void upstreams_are_told(void)
{
	struct lbp_acl *acl = make_acl(members, 3);
	struct lbp_app *app = make(acl);
	struct lbp_upstream_look look;
	uint32_t chosen;

	CU_ASSERT_EQUAL(lbp_app_choose(app, NULL, &chosen), LBP_OK);
	look = look_at(app, 0);
	CU_ASSERT_STRING_EQUAL(look.name, "a");
	CU_ASSERT_PTR_EQUAL(look.user, &user);
	CU_ASSERT_EQUAL(look.weight, 3);
	CU_ASSERT_EQUAL(look.max_connections, 7);
	CU_ASSERT_EQUAL(look.open, 1);
	CU_ASSERT_TRUE(!look.is_backup && look.is_up && look.has_address &&
		       look.serves);
	CU_ASSERT_EQUAL(look.dial_failures + look.check_failures, 0);
	look = look_at(app, 1);
	CU_ASSERT_STRING_EQUAL(look.name, "b");
	CU_ASSERT_TRUE(look.is_backup);
	CU_ASSERT_EQUAL(look.open, 0);
	CU_ASSERT_FALSE(lbp_app_look_upstream(app, 2, &look));
	CU_ASSERT_FALSE(lbp_app_look_upstream(app, LBP_NONE, &look));
	CU_ASSERT_STRING_EQUAL(look.name, "b");
	lbp_app_free(app);
	lbp_acl_free(acl);
}

static void failures_are_told(void)
{
	struct lbp_acl *acl = make_acl(members, 3);
	struct lbp_app *app = make(acl);
	struct lbp_upstream_look look;
	uint32_t upstream;

	CU_ASSERT_EQUAL(lbp_app_choose(app, NULL, &upstream), LBP_OK);
	(void)lbp_app_dialed(app, 0, false);
	(void)lbp_app_dialed(app, 0, true);
	CU_ASSERT_TRUE(lbp_app_take_check(app, START, &upstream));
	(void)lbp_app_checked(app, upstream, false);
	CU_ASSERT_TRUE(lbp_app_take_check(app, START + 2 * S, &upstream));
	(void)lbp_app_checked(app, upstream, true);
	(void)lbp_app_set_address(app, 1, false);
	look = look_at(app, 0);
	CU_ASSERT_EQUAL(look.dial_failures, 1);
	CU_ASSERT_EQUAL(look.check_failures, 1);
	CU_ASSERT_FALSE(look.is_up);
	CU_ASSERT_TRUE(look.has_address);
	look = look_at(app, 1);
	CU_ASSERT_EQUAL(look.dial_failures + look.check_failures, 0);
	CU_ASSERT_TRUE(!look.is_up && !look.has_address);
	reload(app, acl, 2);
	CU_ASSERT_EQUAL(look_at(app, 0).dial_failures, 1);
	CU_ASSERT_EQUAL(look_at(app, 0).check_failures, 1);
	lbp_app_free(app);
	lbp_acl_free(acl);
}

/* At its bound with a backup left, and with nothing left. */
static void choices_are_told(void)
{
	struct lbp_acl *acl = make_acl(members, 3);
	struct lbp_app *app = make(acl);
	uint32_t chosen;
	int i;

	for (i = 0; i < 7; i++) {
		CU_ASSERT_EQUAL(look_at(app, 0).choice, LBP_CHOICE_NEXT);
		CU_ASSERT_EQUAL(look_at(app, 1).choice, LBP_CHOICE_BACKUP);
		CU_ASSERT_EQUAL(lbp_app_choose(app, NULL, &chosen), LBP_OK);
		CU_ASSERT_EQUAL(chosen, 0);
	}
	CU_ASSERT_EQUAL(look_at(app, 0).choice, LBP_CHOICE_FULL);
	CU_ASSERT_EQUAL(look_at(app, 1).choice, LBP_CHOICE_NEXT);
	CU_ASSERT_EQUAL(lbp_app_set_draining(app, 1, true), LBP_OK);
	CU_ASSERT_TRUE(look_at(app, 1).is_draining && look_at(app, 1).is_up);
	CU_ASSERT_EQUAL(look_at(app, 1).choice, LBP_CHOICE_DRAINING);
	CU_ASSERT_EQUAL(look_at(app, 0).choice, LBP_CHOICE_FULL);
	CU_ASSERT_FALSE(look_at(app, 0).is_draining);
	(void)lbp_app_set_address(app, 1, false);
	CU_ASSERT_EQUAL(look_at(app, 1).choice, LBP_CHOICE_NO_ADDRESS);
	(void)lbp_app_dialed(app, 0, false);
	CU_ASSERT_EQUAL(look_at(app, 0).choice, LBP_CHOICE_DOWN);
	lbp_app_free(app);
	lbp_acl_free(acl);
}

/* Nothing may be chosen, and nothing is the next. */
static void the_only_one_may_be_full(void)
{
	static const struct lbp_upstream only[] = {
		{.name = "a", .weight = 1, .max_connections = 1}};
	struct lbp_acl *acl = make_acl(members, 3);
	struct lbp_app_options from = options(acl, 1);
	struct lbp_app *app;
	uint32_t chosen;

	from.upstreams = only;
	CU_ASSERT_EQUAL_FATAL(lbp_app_new(&app, &from, START), LBP_OK);
	CU_ASSERT_EQUAL(look_at(app, 0).choice, LBP_CHOICE_NEXT);
	CU_ASSERT_EQUAL(lbp_app_choose(app, NULL, &chosen), LBP_OK);
	CU_ASSERT_EQUAL(look_at(app, 0).choice, LBP_CHOICE_FULL);
	lbp_app_free(app);
	lbp_acl_free(acl);
}

/* Of two that may be chosen. */
static void compared_choices_are_told(void)
{
	static const struct lbp_upstream both[] = {
		{.name = "a", .weight = 3, .max_connections = 9},
		UPSTREAM("b", 1)};
	struct lbp_acl *acl = make_acl(members, 3);
	struct lbp_app_options from = options(acl, 2);
	struct lbp_app *app;
	uint32_t chosen;

	from.upstreams = both;
	CU_ASSERT_EQUAL_FATAL(lbp_app_new(&app, &from, START), LBP_OK);
	/* None has anything open: the order decides. */
	CU_ASSERT_EQUAL(look_at(app, 0).choice, LBP_CHOICE_NEXT);
	CU_ASSERT_EQUAL(look_at(app, 1).choice, LBP_CHOICE_TURN);
	CU_ASSERT_EQUAL(lbp_app_choose(app, NULL, &chosen), LBP_OK);
	CU_ASSERT_EQUAL(look_at(app, 0).choice, LBP_CHOICE_LOAD);
	CU_ASSERT_EQUAL(look_at(app, 1).choice, LBP_CHOICE_NEXT);
	CU_ASSERT_EQUAL(lbp_app_choose(app, NULL, &chosen), LBP_OK);
	CU_ASSERT_EQUAL(look_at(app, 0).choice, LBP_CHOICE_NEXT);
	CU_ASSERT_EQUAL(look_at(app, 1).choice, LBP_CHOICE_LOAD);
	CU_ASSERT_EQUAL(lbp_app_choose(app, NULL, &chosen), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_choose(app, NULL, &chosen), LBP_OK);
	/* 3 of 3 and 1 of 1: the one chosen longest ago. */
	CU_ASSERT_EQUAL(look_at(app, 0).choice, LBP_CHOICE_TURN);
	CU_ASSERT_EQUAL(look_at(app, 1).choice, LBP_CHOICE_NEXT);
	lbp_app_free(app);
	lbp_acl_free(acl);
}

static void removed_upstreams_are_told(void)
{
	struct lbp_acl *acl = make_acl(members, 3);
	struct lbp_app *app = make(acl);
	struct lbp_upstream_look look;
	uint8_t tried[LBP_TRIED_BYTES(LBP_UPSTREAMS_MAX)] = {1};
	uint32_t upstream;

	CU_ASSERT_EQUAL(lbp_app_choose(app, tried, &upstream), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_choose(app, tried, &upstream), LBP_OK);
	CU_ASSERT_EQUAL(upstream, 1);
	(void)lbp_app_dialed(app, 1, false);
	CU_ASSERT_TRUE(lbp_app_take_check(app, START + S / 2, &upstream));
	(void)lbp_app_checked(app, upstream, false);
	CU_ASSERT_TRUE(lbp_app_take_check(app, START + S / 2, &upstream));
	CU_ASSERT_EQUAL(upstream, 1);
	(void)lbp_app_checked(app, upstream, false);
	reload(app, acl, 1);
	look = look_at(app, 1);
	CU_ASSERT_EQUAL(look.choice, LBP_CHOICE_REMOVED);
	CU_ASSERT_STRING_EQUAL(look.name, "b");
	CU_ASSERT_TRUE(!look.serves && !look.is_up);
	CU_ASSERT_EQUAL(look.open, 1);
	CU_ASSERT_EQUAL(look.dial_failures, 1);
	CU_ASSERT_EQUAL(look.check_failures, 1);
	(void)lbp_app_release(app, 1);
	reload(app, acl, 1);
	CU_ASSERT_FALSE(lbp_app_look_upstream(app, 1, &look));
	lbp_app_free(app);
	lbp_acl_free(acl);
}

/* What is removed is not up, however well it was. */
static void removed_upstreams_are_not_up(void)
{
	struct lbp_acl *acl = make_acl(members, 3);
	struct lbp_app *app = make(acl);
	uint8_t tried[LBP_TRIED_BYTES(LBP_UPSTREAMS_MAX)] = {1};
	struct lbp_upstream_look look;
	uint32_t upstream;

	CU_ASSERT_EQUAL(lbp_app_choose(app, tried, &upstream), LBP_OK);
	CU_ASSERT_EQUAL(upstream, 1);
	(void)lbp_app_dialed(app, 1, true);
	CU_ASSERT_TRUE(look_at(app, 1).is_up);
	reload(app, acl, 1);
	look = look_at(app, 1);
	CU_ASSERT_TRUE(!look.serves && !look.is_up);
	CU_ASSERT_EQUAL(look.open, 1);
	lbp_app_free(app);
	lbp_acl_free(acl);
}

static void clients_are_told(void)
{
	struct lbp_acl *acl = make_acl(members, 3);
	struct lbp_app *app = make(acl);
	struct lbp_client_look looks[LOOKS];

	CU_ASSERT_EQUAL(lbp_app_admit(app, 2, START), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_admit(app, 2, START + 1), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, 2), LBP_OK);
	CU_ASSERT_EQUAL(
		lbp_app_look_clients(app, 0, START + 2, looks, LOOKS), 3);
	CU_ASSERT_EQUAL(looks[0].client, 2);
	CU_ASSERT_EQUAL(looks[0].limits.concurrent, 2);
	CU_ASSERT_EQUAL(looks[0].limits.connections, 3);
	CU_ASSERT_EQUAL(looks[0].limits.window_ns, 10 * S);
	CU_ASSERT_EQUAL(looks[0].open, 1);
	CU_ASSERT_EQUAL(looks[0].admitted, 2);
	CU_ASSERT_EQUAL(looks[0].wait_ns, 0);
	CU_ASSERT_EQUAL(looks[1].client, 5);
	CU_ASSERT_EQUAL(looks[1].open + looks[1].admitted, 0);
	CU_ASSERT_EQUAL(looks[2].client, 9);
	lbp_app_free(app);
	lbp_acl_free(acl);
}

static void clients_are_told_in_parts(void)
{
	struct lbp_acl *acl = make_acl(members, 3);
	struct lbp_app *app = make(acl);
	struct lbp_client_look looks[LOOKS];

	CU_ASSERT_EQUAL(lbp_app_look_clients(app, 0, START, looks, 2), 2);
	CU_ASSERT_EQUAL(looks[1].client, 5);
	CU_ASSERT_EQUAL(lbp_app_look_clients(app, 6, START, looks, 2), 1);
	CU_ASSERT_EQUAL(looks[0].client, 9);
	CU_ASSERT_EQUAL(lbp_app_look_clients(app, 9, START, looks, LOOKS), 1);
	CU_ASSERT_EQUAL(lbp_app_look_clients(app, 10, START, looks, LOOKS), 0);
	CU_ASSERT_EQUAL(lbp_app_look_clients(app, 0, START, looks, 0), 0);
	lbp_app_free(app);
	lbp_acl_free(acl);
}

static void expect_wait(const struct lbp_app *app, uint64_t now_ns,
	uint32_t admitted, uint64_t wait_ns)
{
	struct lbp_client_look look;

	CU_ASSERT_EQUAL(lbp_app_look_clients(app, 2, now_ns, &look, 1), 1);
	CU_ASSERT_EQUAL(look.client, 2);
	CU_ASSERT_EQUAL(look.admitted, admitted);
	CU_ASSERT_EQUAL(look.wait_ns, wait_ns);
}

static void admit(struct lbp_app *app, uint64_t now_ns)
{
	CU_ASSERT_EQUAL(lbp_app_admit(app, 2, now_ns), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_leave(app, 2), LBP_OK);
}

/* The ring is full and has turned, and is looked at from all its places. */
static void the_next_place_is_told(void)
{
	struct lbp_acl *acl = make_acl(members, 3);
	struct lbp_app *app = make(acl);
	uint64_t turn;

	for (turn = START; turn < START + 200 * S; turn += 40 * S) {
		admit(app, turn);
		expect_wait(app, turn, 1, 0);
		admit(app, turn + S);
		admit(app, turn + 3 * S);
		expect_wait(app, turn + 4 * S, 3, 6 * S);
		expect_wait(app, turn + 10 * S - 1, 3, 1);
		expect_wait(app, turn + 10 * S, 2, 0);
		expect_wait(app, turn + 11 * S - 1, 2, 0);
		admit(app, turn + 10 * S);
		expect_wait(app, turn + 10 * S, 3, S);
		/* A clock that goes back. */
		expect_wait(app, turn, 3, S);
	}
	expect_wait(app, turn + 100 * S, 0, 0);
	lbp_app_free(app);
	lbp_acl_free(acl);
}

/* More is known than the rate asks for. */
static void the_next_place_under_a_lower_rate(void)
{
	static const struct member lower[] = {
		{2, {.connections = 2, .window_ns = 10 * S}}};
	struct lbp_acl *acl = make_acl(members, 3);
	struct lbp_acl *other = make_acl(lower, 1);
	struct lbp_app *app = make(acl);

	admit(app, START);
	admit(app, START + S);
	admit(app, START + 2 * S);
	reload(app, other, 2);
	expect_wait(app, START + 5 * S, 3, 6 * S);
	expect_wait(app, START + 11 * S, 1, 0);
	lbp_app_free(app);
	lbp_acl_free(other);
	lbp_acl_free(acl);
}

void suite_app_look(void)
{
	CU_pSuite suite = CU_add_suite("app_look", NULL, NULL);

	CU_add_test(suite, "[APP-28] upstreams are told", upstreams_are_told);
	CU_add_test(suite, "[APP-28] failures are told", failures_are_told);
	CU_add_test(
		suite, "[APP-32][APP-28] choices are told", choices_are_told);
	CU_add_test(suite, "[APP-32] the only one may be full",
		the_only_one_may_be_full);
	CU_add_test(suite, "[APP-32] compared choices are told",
		compared_choices_are_told);
	CU_add_test(suite, "[APP-28] removed upstreams are told",
		removed_upstreams_are_told);
	CU_add_test(suite, "[APP-28] removed upstreams are not up",
		removed_upstreams_are_not_up);
	CU_add_test(suite, "[APP-29] clients are told", clients_are_told);
	CU_add_test(suite, "[APP-29] clients are told in parts",
		clients_are_told_in_parts);
	CU_add_test(suite, "[APP-29] the next place is told",
		the_next_place_is_told);
	CU_add_test(suite, "[APP-29] the next place under a lower rate",
		the_next_place_under_a_lower_rate);
}
