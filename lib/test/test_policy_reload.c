#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "checks.h"
#include "core/balancer.h"
#include "server/policy.h"
#include "suites.h"

#define TLS "[tls]\ncertificate = 'c'\nprivate_key = 'k'\nclient_ca = 'ca'\n"
#define APP(id, port, more)                                                    \
	"[[app]]\nid = '" id "'\nlisten = ['127.0.0.1:" port "']\n" more
#define UPSTREAM(host)         "[[app.upstream]]\nurl = 'tcp://" host ":1'\n"
#define WEB(upstreams)         APP("web", "1", upstreams)
#define DB                     APP("db", "2", UPSTREAM("c"))
#define CAPPED_DB              APP("db", "2", "limits.concurrent = 2\n" UPSTREAM("c"))
#define CLIENT(id, serial, in) "[[client]]\nid = '" id "'\n" GIVEN(serial, in)
#define GIVEN(serial, in)      "serials = ['" serial "']\napps = [" in "]\n"
#define ALICE                  CLIENT("alice", "0A", "'web', 'db'")
#define ALICE_WEB              CLIENT("alice", "0A", "'web'")
#define BOB                    CLIENT("bob", "0B", "'web'")
#define CAROL                  CLIENT("carol", "0C", "'web'")
#define DAVE                   CLIENT("dave", "0D", "'web'")
#define WITH(clients)          TLS WEB(UPSTREAM("a")) DB clients
#define BOTH                   "'web', 'db'"
#define MS                     UINT64_C(1000000)
#define LATER                  (3 * MS)

static const char start[] = //
	TLS WEB(UPSTREAM("a") UPSTREAM("b")) DB ALICE BOB;

/* Of start, and of what is made of it by reload. */
static struct lbp_policy policy;

static struct lbp_config *parse(const char *text)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;

	CU_ASSERT_EQUAL_FATAL(
		lbp_config_parse(text, strlen(text), &config, &errors), LBP_OK);
	return config;
}

static void begin(const char *text)
{
	struct lbp_config *config = parse(text);

	CU_ASSERT_EQUAL_FATAL(lbp_policy_init(&policy, config, 0), LBP_OK);
	lbp_config_free(config);
}

/* Reloads; what is left goes to *left. */
static void reload_leaving(const char *text, struct lbp_policy *left)
{
	struct lbp_config *config = parse(text);

	CU_ASSERT_EQUAL_FATAL(
		lbp_policy_prepare(left, &policy, config, LATER), LBP_OK);
	lbp_config_free(config);
	alloc_fail_at(0);
	lbp_policy_commit(&policy, left);
	CU_ASSERT_EQUAL(alloc_count(), 0);
}

static void reload(const char *text)
{
	struct lbp_policy left;

	reload_leaving(text, &left);
	lbp_policy_release(&left);
}

static void finish(void)
{
	lbp_policy_release(&policy);
	CU_ASSERT_PTR_NULL(policy.apps);
	CU_ASSERT_PTR_NULL(policy.clients);
	CU_ASSERT_EQUAL(policy.app_len, 0);
	CU_ASSERT_EQUAL(policy.client_len, 0);
}

/* The application of an id. */
static struct lbp_app *app(const char *id)
{
	for (size_t i = 0; i < policy.app_len; i++) {
		if (strcmp(lbp_app_id(policy.apps[i]), id) == 0)
			return policy.apps[i];
	}
	CU_FAIL_FATAL("no such application");
	return NULL;
}

/* The number of whoever has a serial; LBP_NONE if they may not come in. */
static uint32_t who_is(struct lbp_app *at, const char *hex)
{
	uint32_t client = LBP_NONE;
	struct lbp_serial serial;
	struct lbp_name name;

	CU_ASSERT_EQUAL_FATAL(
		lbp_serial_from_hex(&serial, hex, strlen(hex)), LBP_OK);
	name = lbp_name_of_serial(&serial);
	return lbp_app_identify(at, &name, 1, &client) == LBP_OK ? client
								 : LBP_NONE;
}

static void admit(struct lbp_app *at, uint32_t client, enum lbp_err want)
{
	CU_ASSERT_EQUAL(lbp_app_admit(at, client, 0), want);
}

static void leave(struct lbp_app *at, uint32_t client, enum lbp_err want)
{
	CU_ASSERT_EQUAL(lbp_app_leave(at, client), want);
}

/* The url of the upstream that is chosen next. */
static const char *choose(struct lbp_app *at)
{
	uint32_t upstream = LBP_NONE;

	CU_ASSERT_EQUAL_FATAL(lbp_app_choose(at, NULL, &upstream), LBP_OK);
	return lbp_app_upstream_name(at, upstream);
}

/* The ids by number, with a comma after each; "-" for none. */
static void expect_ids(const struct lbp_policy *of, const char *want)
{
	char got[64] = "";

	for (uint32_t i = 0; i < of->client_len; i++) {
		const char *id = lbp_policy_client_id(of, i);

		strcat(got, id == NULL ? "-" : id);
		strcat(got, ",");
	}
	CU_ASSERT_STRING_EQUAL(got, want);
	CU_ASSERT_PTR_NULL(lbp_policy_client_id(of, (uint32_t)of->client_len));
	CU_ASSERT_PTR_NULL(lbp_policy_client_id(of, LBP_NONE));
}

/* The ids of the applications, with a comma after each. */
static void expect_apps(const char *want)
{
	char got[64] = "";

	for (size_t i = 0; i < policy.app_len; i++) {
		strcat(got, lbp_app_id(policy.apps[i]));
		strcat(got, ",");
	}
	CU_ASSERT_STRING_EQUAL(got, want);
}

/* In another order: what there is has its place, its number, its counts. */
static void all_that_stays_goes_on(void)
{
	struct lbp_app *web, *db;

	begin(start);
	web = app("web");
	db = app("db");
	expect_ids(&policy, "alice,bob,");
	admit(web, 0, LBP_OK);
	admit(web, 1, LBP_OK);
	admit(db, 0, LBP_OK);
	CU_ASSERT_STRING_EQUAL(choose(web), "tcp://a:1");
	CU_ASSERT_STRING_EQUAL(choose(db), "tcp://c:1");
	reload(TLS CAPPED_DB WEB(UPSTREAM("d") UPSTREAM("b") UPSTREAM("a"))
			CLIENT("carol", "0C", BOTH) BOB ALICE);
	expect_apps("db,web,");
	CU_ASSERT_PTR_EQUAL(policy.apps[0], db);
	CU_ASSERT_PTR_EQUAL(policy.apps[1], web);
	expect_ids(&policy, "alice,bob,carol,");
	CU_ASSERT_EQUAL(who_is(web, "0A"), 0);
	CU_ASSERT_EQUAL(who_is(web, "0B"), 1);
	CU_ASSERT_EQUAL(who_is(web, "0C"), 2);
	CU_ASSERT_EQUAL(who_is(db, "0A"), 0);
	CU_ASSERT_EQUAL(who_is(db, "0B"), LBP_NONE);
	CU_ASSERT_EQUAL(who_is(db, "0C"), 2);
	CU_ASSERT_STRING_EQUAL(lbp_app_upstream_name(web, 0), "tcp://a:1");
	CU_ASSERT_STRING_EQUAL(lbp_app_upstream_name(web, 1), "tcp://b:1");
	CU_ASSERT_STRING_EQUAL(lbp_app_upstream_name(web, 2), "tcp://d:1");
	CU_ASSERT_EQUAL(lbp_app_open(web, 0), 1);
	CU_ASSERT_EQUAL(lbp_app_open(db, 0), 1);
	CU_ASSERT_STRING_EQUAL(choose(web), "tcp://b:1");
	CU_ASSERT_STRING_EQUAL(choose(web), "tcp://d:1");
	CU_ASSERT_STRING_EQUAL(choose(web), "tcp://a:1");
	/* One of Alice's two places is taken on db. */
	admit(db, 0, LBP_OK);
	admit(db, 0, LBP_ERR_CONCURRENT);
	admit(db, 2, LBP_OK);
	leave(web, 0, LBP_OK);
	leave(web, 0, LBP_ERR_STATE);
	leave(web, 1, LBP_OK);
	finish();
}

/* The same names elsewhere are others. */
static void names_are_known_by_their_application(void)
{
	begin(start);
	CU_ASSERT_STRING_EQUAL(choose(app("web")), "tcp://a:1");
	admit(app("web"), 0, LBP_OK);
	reload(TLS WEB(UPSTREAM("b") UPSTREAM("c"))
			APP("db", "2", UPSTREAM("a")) ALICE BOB);
	CU_ASSERT_STRING_EQUAL(
		lbp_app_upstream_name(app("web"), 0), "tcp://a:1");
	CU_ASSERT_EQUAL(lbp_app_open(app("web"), 0), 1);
	CU_ASSERT_PTR_NULL(lbp_app_upstream_name(app("db"), 0));
	CU_ASSERT_STRING_EQUAL(
		lbp_app_upstream_name(app("db"), 1), "tcp://a:1");
	CU_ASSERT_EQUAL(lbp_app_open(app("db"), 1), 0);
	leave(app("db"), 0, LBP_ERR_STATE);
	leave(app("web"), 0, LBP_OK);
	finish();
}

static void limits_and_checks_are_those_of_the_new_configuration(void)
{
	begin(start);
	CU_ASSERT_EQUAL(lbp_app_check_due(app("web")), 0);
	admit(app("web"), 0, LBP_OK);
	reload(TLS APP("web", "1",
		"limits.concurrent = 2\nhealth.enabled = false\n" UPSTREAM("a"))
			DB ALICE BOB);
	CU_ASSERT_EQUAL(lbp_app_check_due(app("web")), LBP_NEVER);
	admit(app("web"), 0, LBP_OK);
	admit(app("web"), 0, LBP_ERR_CONCURRENT);
	reload(start);
	/* b is back, and new; checks are spread from now. */
	CU_ASSERT_EQUAL(lbp_app_check_due(app("web")), LATER);
	admit(app("web"), 0, LBP_OK);
	finish();
}

static void a_serial_changes_hands(void)
{
	begin(start);
	reload(TLS WEB(UPSTREAM("a")) CLIENT("alice", "0B", "'web'")
			CLIENT("bob", "0A", "'web'"));
	CU_ASSERT_EQUAL(who_is(app("web"), "0A"), 1);
	CU_ASSERT_EQUAL(who_is(app("web"), "0B"), 0);
	finish();
}

static void applications_come_and_go(void)
{
	struct lbp_policy left;
	struct lbp_app *web, *db;
	uint32_t upstream = LBP_NONE;

	begin(start);
	web = app("web");
	db = app("db");
	admit(db, 0, LBP_OK);
	choose(db);
	reload_leaving(TLS APP("new", "3", UPSTREAM("c")) WEB(UPSTREAM("a"))
			       CLIENT("alice", "0A", "'web', 'new'"),
		&left);
	expect_apps("new,web,");
	CU_ASSERT_PTR_EQUAL(policy.apps[1], web);
	CU_ASSERT_PTR_NOT_EQUAL(policy.apps[0], db);
	CU_ASSERT_EQUAL(lbp_app_open(policy.apps[0], 0), 0);
	leave(policy.apps[0], 0, LBP_ERR_STATE);
	/* db is retired, and where it was. */
	CU_ASSERT_EQUAL(left.app_len, 2);
	CU_ASSERT_PTR_EQUAL(left.apps[1], db);
	CU_ASSERT_STRING_EQUAL(lbp_app_id(db), "db");
	CU_ASSERT_EQUAL(who_is(db, "0A"), LBP_NONE);
	admit(db, 0, LBP_ERR_NOT_ALLOWED);
	CU_ASSERT_EQUAL(
		lbp_app_choose(db, NULL, &upstream), LBP_ERR_NO_UPSTREAM);
	CU_ASSERT_EQUAL(lbp_app_check_due(db), LBP_NEVER);
	CU_ASSERT_EQUAL(lbp_app_open(db, 0), 1);
	CU_ASSERT_EQUAL(lbp_app_release(db, 0), LBP_OK);
	leave(db, 0, LBP_OK);
	leave(db, 0, LBP_ERR_STATE);
	/* One that comes back is a new one. */
	reload(start);
	CU_ASSERT_PTR_NOT_EQUAL(app("db"), db);
	CU_ASSERT_PTR_EQUAL(app("web"), web);
	leave(app("db"), 0, LBP_ERR_STATE);
	lbp_policy_release(&left);
	finish();
}

/* What is left of those that stay is retired too. */
static void nothing_that_is_left_lets_anybody_in(void)
{
	struct lbp_policy left;

	begin(start);
	reload_leaving(start, &left);
	CU_ASSERT_EQUAL(left.app_len, 2);
	for (size_t i = 0; i < left.app_len; i++) {
		CU_ASSERT_EQUAL(who_is(left.apps[i], "0A"), LBP_NONE);
		CU_ASSERT_FALSE(lbp_app_is_ready(left.apps[i]));
		CU_ASSERT_EQUAL(lbp_app_check_due(left.apps[i]), LBP_NEVER);
	}
	lbp_policy_release(&left);
	CU_ASSERT_EQUAL(who_is(app("web"), "0A"), 0);
	finish();
}

static void a_number_is_given_away_once_nobody_has_it(void)
{
	begin(WITH(ALICE BOB));
	expect_ids(&policy, "alice,bob,");
	/* Not by the same reload: sessions of Alice may begin until then. */
	reload(WITH(CAROL BOB));
	expect_ids(&policy, "-,bob,carol,");
	CU_ASSERT_EQUAL(who_is(app("web"), "0B"), 1);
	CU_ASSERT_EQUAL(who_is(app("web"), "0C"), 2);
	CU_ASSERT_EQUAL(who_is(app("web"), "0A"), LBP_NONE);
	reload(WITH(DAVE ALICE CAROL BOB));
	expect_ids(&policy, "dave,bob,carol,alice,");
	CU_ASSERT_EQUAL(who_is(app("web"), "0A"), 3);
	CU_ASSERT_EQUAL(who_is(app("web"), "0D"), 0);
	reload(WITH(BOB));
	expect_ids(&policy, "-,bob,-,-,");
	reload(WITH(CAROL BOB ALICE));
	expect_ids(&policy, "carol,bob,alice,-,");
	finish();
}

static void a_number_stays_with_open_sessions(void)
{
	begin(WITH(ALICE BOB));
	admit(app("web"), 0, LBP_OK);
	admit(app("db"), 0, LBP_OK);
	reload(WITH(BOB));
	expect_ids(&policy, "alice,bob,");
	admit(app("web"), 0, LBP_ERR_NOT_ALLOWED);
	reload(WITH(CAROL BOB));
	expect_ids(&policy, "alice,bob,carol,");
	/* One of the two is enough. */
	leave(app("web"), 0, LBP_OK);
	reload(WITH(CAROL BOB DAVE));
	expect_ids(&policy, "alice,bob,carol,dave,");
	leave(app("db"), 0, LBP_OK);
	leave(app("db"), 0, LBP_ERR_STATE);
	reload(WITH(CAROL BOB DAVE));
	expect_ids(&policy, "-,bob,carol,dave,");
	finish();
}

static void who_comes_back_before_has_the_number(void)
{
	begin(WITH(ALICE BOB));
	admit(app("db"), 0, LBP_OK);
	reload(WITH(CAROL));
	expect_ids(&policy, "alice,-,carol,");
	reload(TLS WEB(UPSTREAM("a")) CAPPED_DB BOB CAROL ALICE);
	expect_ids(&policy, "alice,bob,carol,");
	CU_ASSERT_EQUAL(who_is(app("db"), "0A"), 0);
	admit(app("db"), 0, LBP_OK);
	admit(app("db"), 0, LBP_ERR_CONCURRENT);
	finish();
}

/* Listed, but not for the application on which sessions are open. */
static void who_may_use_less_keeps_the_number(void)
{
	begin(WITH(ALICE BOB));
	admit(app("db"), 0, LBP_OK);
	reload(WITH(ALICE_WEB BOB));
	expect_ids(&policy, "alice,bob,");
	admit(app("db"), 0, LBP_ERR_NOT_ALLOWED);
	CU_ASSERT_EQUAL(who_is(app("db"), "0A"), LBP_NONE);
	CU_ASSERT_EQUAL(who_is(app("web"), "0A"), 0);
	leave(app("db"), 0, LBP_OK);
	leave(app("db"), 0, LBP_ERR_STATE);
	finish();
}

/*
 * A session on a retired application outlives the number of its client, and
 * is named by what was left then, whoever has the number now.
 */
static void what_is_left_has_the_ids_of_its_sessions(void)
{
	struct lbp_policy left;
	struct lbp_app *db;

	begin(WITH(ALICE BOB));
	db = app("db");
	admit(db, 0, LBP_OK);
	admit(app("web"), 0, LBP_OK);
	reload_leaving(TLS WEB(UPSTREAM("a")) BOB, &left);
	CU_ASSERT_PTR_EQUAL(left.apps[1], db);
	expect_ids(&policy, "alice,bob,");
	expect_ids(&left, "alice,bob,");
	leave(app("web"), 0, LBP_OK);
	reload(TLS WEB(UPSTREAM("a")) BOB);
	expect_ids(&policy, "-,bob,");
	reload(TLS WEB(UPSTREAM("a")) BOB DAVE);
	expect_ids(&policy, "dave,bob,");
	expect_ids(&left, "alice,bob,");
	leave(db, 0, LBP_OK);
	lbp_policy_release(&left);
	finish();
}

/* On an application that was removed no number is kept. */
static void a_retired_application_keeps_no_number(void)
{
	struct lbp_policy left;

	begin(WITH(ALICE BOB));
	admit(app("db"), 0, LBP_OK);
	reload_leaving(TLS WEB(UPSTREAM("a")) BOB, &left);
	expect_ids(&policy, "-,bob,");
	expect_ids(&left, "alice,bob,");
	reload(WITH(CAROL BOB));
	expect_ids(&policy, "carol,bob,");
	leave(app("db"), 0, LBP_ERR_STATE);
	lbp_policy_release(&left);
	finish();
}

/* A policy in use, which every part of a reload would change. */
static void begin_busy(void)
{
	begin(start);
	admit(app("web"), 0, LBP_OK);
	admit(app("db"), 0, LBP_OK);
	choose(app("web"));
}

static void expect_busy(void)
{
	expect_apps("web,db,");
	expect_ids(&policy, "alice,bob,");
	CU_ASSERT_EQUAL(who_is(app("web"), "0A"), 0);
	CU_ASSERT_EQUAL(who_is(app("web"), "0B"), 1);
	CU_ASSERT_EQUAL(lbp_app_upstreams(app("web")), 2);
	CU_ASSERT_EQUAL(lbp_app_open(app("web"), 0), 1);
	CU_ASSERT_EQUAL(lbp_app_check_due(app("web")), 0);
	CU_ASSERT_TRUE(lbp_app_is_ready(app("db")));
}

static void end_busy(void)
{
	expect_busy();
	CU_ASSERT_STRING_EQUAL(choose(app("web")), "tcp://b:1");
	leave(app("web"), 0, LBP_OK);
	leave(app("web"), 0, LBP_ERR_STATE);
	leave(app("db"), 0, LBP_OK);
	leave(app("db"), 0, LBP_ERR_STATE);
	finish();
}

/* Of applications and upstreams one stays, one goes and one comes. */
static const char other[] = //
	TLS APP("new", "3", UPSTREAM("e")) WEB(UPSTREAM("a") UPSTREAM("d"))
		CAROL CLIENT("dave", "0D", "'web', 'new'");

static void a_failed_reload_changes_nothing(void)
{
	struct lbp_config *config = parse(other);
	struct lbp_policy next;
	long allocations;

	begin_busy();
	alloc_fail_at(0);
	CU_ASSERT_EQUAL_FATAL(
		lbp_policy_prepare(&next, &policy, config, LATER), LBP_OK);
	allocations = alloc_count();
	CU_ASSERT_TRUE(allocations > 30);
	/* Nor does one that is not committed change anything. */
	lbp_policy_release(&next);
	for (long n = 1; n <= allocations; n++) {
		enum lbp_err err;

		memset(&next, 0xff, sizeof(next));
		alloc_fail_at(n);
		err = lbp_policy_prepare(&next, &policy, config, LATER);
		alloc_fail_at(0);
		CU_ASSERT_EQUAL(err, LBP_ERR_NOMEM);
		CU_ASSERT_PTR_NULL(next.apps);
		CU_ASSERT_PTR_NULL(next.clients);
		CU_ASSERT_PTR_NULL(next.acl);
		expect_busy();
	}
	lbp_config_free(config);
	end_busy();
}

/*
 * Only of those who are listed no more is a second copy needed, and what the
 * three grants have counted is passed on.
 */
static void no_id_is_copied_twice(void)
{
	struct lbp_config *config = parse(start);
	struct lbp_policy next;
	long allocations;

	alloc_fail_at(0);
	CU_ASSERT_EQUAL_FATAL(lbp_policy_init(&policy, config, 0), LBP_OK);
	allocations = alloc_count();
	alloc_fail_at(0);
	CU_ASSERT_EQUAL_FATAL(
		lbp_policy_prepare(&next, &policy, config, LATER), LBP_OK);
	CU_ASSERT_EQUAL(alloc_count(), allocations - 3);
	lbp_policy_release(&next);
	lbp_config_free(config);
	finish();
}

static void expect_refused(const struct lbp_config *config, enum lbp_err want)
{
	struct lbp_policy next;

	CU_ASSERT_EQUAL(
		lbp_policy_prepare(&next, &policy, config, LATER), want);
	CU_ASSERT_PTR_NULL(next.apps);
	CU_ASSERT_EQUAL(next.client_len, 0);
	expect_busy();
}

static void a_refused_reload_changes_nothing(void)
{
	static struct lbp_config_upstream many[LBP_UPSTREAMS_MAX + 1];
	static char urls[LBP_UPSTREAMS_MAX + 1][8];
	struct lbp_config *config = parse(other);

	begin_busy();
	for (size_t i = 0; i <= LBP_UPSTREAMS_MAX; i++) {
		snprintf(urls[i], sizeof(urls[i]), "%zu", i);
		many[i].url.ptr = urls[i];
		many[i].weight = 1;
	}
	/* web has two more upstreams, whose numbers are not free yet. */
	config->apps[1].upstreams = many;
	config->apps[1].upstream_len = LBP_UPSTREAMS_MAX - 1;
	expect_refused(config, LBP_ERR_MANY_UPSTREAMS);
	config->apps[1].upstream_len = LBP_UPSTREAMS_MAX + 1;
	expect_refused(config, LBP_ERR_MANY_UPSTREAMS);
	config->apps[1].upstream_len = 1;
	config->clients[1].serials[0] = config->clients[0].serials[0];
	expect_refused(config, LBP_ERR_NAME_TWICE);
	lbp_config_free(config);
	end_busy();
}

void suite_policy_reload(void)
{
	CU_pSuite suite = CU_add_suite("policy_reload", NULL, NULL);

	CU_add_test(suite, "[POL-4][POL-5] all that stays goes on",
		all_that_stays_goes_on);
	CU_add_test(suite, "[POL-4] names are known by their application",
		names_are_known_by_their_application);
	CU_add_test(suite,
		"[POL-4] limits and checks are those of the new configuration",
		limits_and_checks_are_those_of_the_new_configuration);
	CU_add_test(suite, "[POL-4][POL-5] a serial changes hands",
		a_serial_changes_hands);
	CU_add_test(suite, "[POL-4][APP-12] applications come and go",
		applications_come_and_go);
	CU_add_test(suite, "[POL-4] nothing that is left lets anybody in",
		nothing_that_is_left_lets_anybody_in);
	CU_add_test(suite, "[POL-5] a number is given away once nobody has it",
		a_number_is_given_away_once_nobody_has_it);
	CU_add_test(suite, "[POL-5] a number stays with open sessions",
		a_number_stays_with_open_sessions);
	CU_add_test(suite,
		"[POL-4][POL-5] who comes back before has the number",
		who_comes_back_before_has_the_number);
	CU_add_test(suite, "[POL-4][POL-5] who may use less keeps the number",
		who_may_use_less_keeps_the_number);
	CU_add_test(suite, "[POL-4] what is left has the ids of its sessions",
		what_is_left_has_the_ids_of_its_sessions);
	CU_add_test(suite, "[POL-5] a retired application keeps no number",
		a_retired_application_keeps_no_number);
	CU_add_test(suite, "[POL-4][ERR-2] a failed reload changes nothing",
		a_failed_reload_changes_nothing);
	CU_add_test(
		suite, "[POL-4] no id is copied twice", no_id_is_copied_twice);
	CU_add_test(suite, "[POL-4] a refused reload changes nothing",
		a_refused_reload_changes_nothing);
}
