#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "checks.h"
#include "core/balancer.h"
#include "server/policy.h"
#include "suites.h"

#define TLS "[tls]\ncertificate = 'c'\nprivate_key = 'k'\nclient_ca = 'ca'\n"

static const char two_apps[] = //
	"[server]\nmax_connections = 100\n" TLS
	"[[app]]\nid = 'web'\nlisten = ['127.0.0.1:1']\n"
	"limits = { concurrent = 2 }\n"
	"[[app.upstream]]\nurl = 'tcp://a:1'\nweight = 2\n"
	"[[app.upstream]]\nurl = 'tcp://b:1'\n"
	"[[app]]\nid = 'db'\nlisten = ['127.0.0.1:2']\n"
	"[app.health]\nenabled = false\n"
	"[[app.upstream]]\nurl = 'tcp://c:1'\n"
	"[[client]]\nid = 'alice'\nserials = ['0A', '0B']\n"
	"apps = ['web', 'db']\n"
	"[client.limits.web]\nconcurrent = 1\n"
	"[[client]]\nid = 'bob'\nserials = ['0C']\napps = ['web']\n";

static struct lbp_config *parse(const char *text)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;

	CU_ASSERT_EQUAL_FATAL(
		lbp_config_parse(text, strlen(text), &config, &errors), LBP_OK);
	return config;
}

static struct lbp_name name_of(const char *hex)
{
	struct lbp_serial out;

	CU_ASSERT_EQUAL_FATAL(
		lbp_serial_from_hex(&out, hex, strlen(hex)), LBP_OK);
	return lbp_name_of_serial(&out);
}

/* Who a serial is to an application; the error if nobody. */
static enum lbp_err identify(struct lbp_policy *policy, size_t app,
	const char *hex, uint32_t *client)
{
	struct lbp_name name = name_of(hex);

	return lbp_app_identify(policy->apps[app], &name, 1, client);
}

static void a_policy_has_what_the_configuration_says(void)
{
	struct lbp_config *config = parse(two_apps);
	struct lbp_policy policy;
	uint32_t client, upstream;

	CU_ASSERT_EQUAL_FATAL(lbp_policy_init(&policy, config, 0), LBP_OK);
	lbp_config_free(config);
	CU_ASSERT_EQUAL(policy.app_len, 2);
	CU_ASSERT_STRING_EQUAL(lbp_app_id(policy.apps[0]), "web");
	CU_ASSERT_STRING_EQUAL(lbp_app_id(policy.apps[1]), "db");
	CU_ASSERT_EQUAL(lbp_app_upstreams(policy.apps[0]), 2);
	CU_ASSERT_EQUAL(lbp_app_upstreams(policy.apps[1]), 1);

	CU_ASSERT_EQUAL(identify(&policy, 0, "0A", &client), LBP_OK);
	CU_ASSERT_EQUAL(client, 0);
	CU_ASSERT_EQUAL(identify(&policy, 1, "0B", &client), LBP_OK);
	CU_ASSERT_EQUAL(client, 0);
	CU_ASSERT_EQUAL(identify(&policy, 0, "0C", &client), LBP_OK);
	CU_ASSERT_EQUAL(client, 1);
	CU_ASSERT_EQUAL(
		identify(&policy, 1, "0C", &client), LBP_ERR_NOT_ALLOWED);
	CU_ASSERT_EQUAL(
		identify(&policy, 0, "0D", &client), LBP_ERR_UNKNOWN_CLIENT);

	/* alice's own cap, bob's from the application, none for db */
	CU_ASSERT_EQUAL(lbp_app_admit(policy.apps[0], 0, 0), LBP_OK);
	CU_ASSERT_EQUAL(
		lbp_app_admit(policy.apps[0], 0, 0), LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(lbp_app_admit(policy.apps[0], 1, 0), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_admit(policy.apps[0], 1, 0), LBP_OK);
	CU_ASSERT_EQUAL(
		lbp_app_admit(policy.apps[0], 1, 0), LBP_ERR_CONCURRENT);
	CU_ASSERT_EQUAL(
		lbp_app_admit(policy.apps[1], 1, 0), LBP_ERR_NOT_ALLOWED);
	CU_ASSERT_EQUAL(lbp_app_admit(policy.apps[1], 0, 0), LBP_OK);

	/* weights 2 and 1: the first two of three go to the heavier one */
	CU_ASSERT_EQUAL(
		lbp_app_choose(policy.apps[0], NULL, &upstream), LBP_OK);
	CU_ASSERT_EQUAL(upstream, 0);
	CU_ASSERT_EQUAL(
		lbp_app_choose(policy.apps[0], NULL, &upstream), LBP_OK);
	CU_ASSERT_EQUAL(upstream, 1);
	CU_ASSERT_EQUAL(
		lbp_app_choose(policy.apps[0], NULL, &upstream), LBP_OK);
	CU_ASSERT_EQUAL(upstream, 0);

	/* checks are on for web, off for db */
	CU_ASSERT_EQUAL(lbp_app_check_due(policy.apps[0]), 0);
	CU_ASSERT_EQUAL(lbp_app_check_due(policy.apps[1]), LBP_NEVER);
	lbp_policy_release(&policy);
	CU_ASSERT_PTR_NULL(policy.apps);
}

/* What lies behind an array is no part of the policy. */
static void nothing_beyond_the_configuration_counts(void)
{
	struct lbp_config *config = parse(two_apps);
	struct lbp_policy policy;
	uint32_t client;

	config->client_len = 0;
	CU_ASSERT_EQUAL_FATAL(lbp_policy_init(&policy, config, 0), LBP_OK);
	CU_ASSERT_EQUAL(
		identify(&policy, 0, "0A", &client), LBP_ERR_UNKNOWN_CLIENT);
	CU_ASSERT_EQUAL(
		lbp_app_admit(policy.apps[0], 0, 0), LBP_ERR_NOT_ALLOWED);
	lbp_policy_release(&policy);
	lbp_config_free(config);
}

static void bounds_of_upstreams_hold(void)
{
	static struct lbp_config_upstream many[LBP_UPSTREAMS_MAX + 1];
	struct lbp_config *config = parse(two_apps);
	struct lbp_policy policy;

	for (size_t i = 0; i <= LBP_UPSTREAMS_MAX; i++) {
		static char urls[LBP_UPSTREAMS_MAX + 1][8];

		snprintf(urls[i], sizeof(urls[i]), "%zu", i);
		many[i].url.ptr = urls[i];
		many[i].weight = 1;
	}
	config->apps[0].upstreams = many;
	config->apps[0].upstream_len = LBP_UPSTREAMS_MAX;
	CU_ASSERT_EQUAL_FATAL(lbp_policy_init(&policy, config, 0), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_upstreams(policy.apps[0]), LBP_UPSTREAMS_MAX);
	lbp_policy_release(&policy);
	config->apps[0].upstream_len++;
	CU_ASSERT_EQUAL(
		lbp_policy_init(&policy, config, 0), LBP_ERR_MANY_UPSTREAMS);
	CU_ASSERT_PTR_NULL(policy.apps);
	lbp_config_free(config);
}

/* A client by each of its names, and a serial by the number of its CA. */
static void names_of_all_kinds_are_clients(void)
{
	struct lbp_config *config = parse(
		"[tls]\ncertificate = 'c'\nprivate_key = 'k'\n"
		"[[tls.client_ca]]\nid = 'a'\nfile = 'f'\n"
		"[[tls.client_ca]]\nid = 'b'\nfile = 'f'\n"
		"[[app]]\nid = 'web'\nlisten = ['127.0.0.1:1']\n"
		"[[app.upstream]]\nurl = 'tcp://a:1'\n"
		"[[client]]\nid = 'alice'\nserials = ['0A', 'b/0B']\n"
		"uris = ['a:1', 'a:2']\ndns = ['a', 'b']\napps = ['web']\n"
		"[[client]]\nid = 'bob'\ndns = ['c']\napps = ['web']\n"
		"[[client]]\nid = 'carol'\nserials = ['b/0A']\n"
		"uris = ['a:3']\napps = ['web']\n");
	const struct lbp_name a = name_of("0A");
	const struct lbp_name b = name_of("0B");
	const struct lbp_name names[] = {lbp_name_of_issued(&a.serial, 70),
		lbp_name_of_issued(&b.serial, 80), lbp_name_of_uri("a:1"),
		lbp_name_of_uri("a:2"), lbp_name_of_dns("a"),
		lbp_name_of_dns("b"), lbp_name_of_dns("c"),
		lbp_name_of_issued(&a.serial, 80), lbp_name_of_uri("a:3")};
	static const uint32_t whose[] = {0, 0, 0, 0, 0, 0, 1, 2, 2};
	struct lbp_policy policy;
	uint32_t client;

	config->cas[0].number = 70;
	config->cas[1].number = 80;
	CU_ASSERT_EQUAL_FATAL(lbp_policy_init(&policy, config, 0), LBP_OK);
	for (size_t i = 0; i < 9; i++) {
		CU_ASSERT_EQUAL(
			lbp_app_identify(policy.apps[0], &names[i], 1, &client),
			LBP_OK);
		CU_ASSERT_EQUAL(client, whose[i]);
	}
	CU_ASSERT_EQUAL(lbp_app_identify(policy.apps[0], &b, 1, &client),
		LBP_ERR_UNKNOWN_CLIENT);
	lbp_policy_release(&policy);
	lbp_config_free(config);
}

static void the_reason_of_a_failure_is_kept(void)
{
	struct lbp_config *config = parse(two_apps);
	struct lbp_policy policy;

	config->clients[1].serials[0] = config->clients[0].serials[0];
	CU_ASSERT_EQUAL(
		lbp_policy_init(&policy, config, 0), LBP_ERR_NAME_TWICE);
	CU_ASSERT_PTR_NULL(policy.apps);
	CU_ASSERT_PTR_NULL(policy.acl);
	/* Nor are there two clients of one id, or two apps. */
	config->clients[1].serials[0].serial.octets[0] ^= 0x40;
	config->clients[1].id = config->clients[0].id;
	CU_ASSERT_EQUAL(
		lbp_policy_init(&policy, config, 0), LBP_ERR_NAME_TWICE);
	config->clients[1].id.ptr = "another";
	config->apps[1].id = config->apps[0].id;
	CU_ASSERT_EQUAL(
		lbp_policy_init(&policy, config, 0), LBP_ERR_NAME_TWICE);
	config->apps[1].id.ptr = "another";
	CU_ASSERT_EQUAL_FATAL(lbp_policy_init(&policy, config, 0), LBP_OK);
	lbp_policy_release(&policy);
	lbp_config_free(config);
}

static void a_policy_survives_every_failed_allocation(void)
{
	struct lbp_config *config = parse(two_apps);
	struct lbp_policy policy;
	enum lbp_err err = LBP_ERR_NOMEM;
	long n;

	for (n = 1; err != LBP_OK && n < 1000; n++) {
		alloc_fail_at(n);
		err = lbp_policy_init(&policy, config, 0);
		alloc_fail_at(0);
		if (err == LBP_OK)
			break;
		CU_ASSERT_EQUAL(err, LBP_ERR_NOMEM);
		CU_ASSERT_PTR_NULL(policy.apps);
		CU_ASSERT_PTR_NULL(policy.acl);
	}
	CU_ASSERT(n > 10);
	CU_ASSERT_EQUAL_FATAL(err, LBP_OK);
	lbp_policy_release(&policy);
	lbp_config_free(config);
}

/* Nobody has an id, and what replaces it is all new. */
static void an_empty_policy_may_be_replaced(void)
{
	struct lbp_config *config = parse(two_apps);
	struct lbp_policy policy = {0};
	struct lbp_policy next;
	uint32_t client = LBP_NONE;

	CU_ASSERT_PTR_NULL(lbp_policy_client_id(&policy, 0));
	CU_ASSERT_EQUAL_FATAL(
		lbp_policy_prepare(&next, &policy, config, 0), LBP_OK);
	lbp_policy_commit(&policy, &next);
	CU_ASSERT_EQUAL(next.app_len, 0);
	lbp_policy_release(&next);
	CU_ASSERT_EQUAL(policy.app_len, 2);
	CU_ASSERT_EQUAL(identify(&policy, 0, "0C", &client), LBP_OK);
	CU_ASSERT_STRING_EQUAL(lbp_policy_client_id(&policy, client), "bob");
	CU_ASSERT_PTR_NULL(lbp_policy_client_id(&policy, 2));
	CU_ASSERT_PTR_NULL(lbp_policy_client_id(&policy, UINT32_MAX));
	lbp_policy_release(&policy);
	lbp_config_free(config);
}

/* In a configuration whose texts have no byte more than they need. */
static void ids_are_read_to_their_end(void)
{
	struct lbp_config *config = parse(two_apps);
	struct lbp_policy policy;
	char *ids[2];

	for (int i = 0; i < 2; i++) {
		ids[i] = malloc(8);
		CU_ASSERT_PTR_NOT_NULL_FATAL(ids[i]);
		memcpy(ids[i], i == 0 ? "sixteen" : "letters", 8);
		config->clients[i].id.ptr = ids[i];
	}
	CU_ASSERT_EQUAL_FATAL(lbp_policy_init(&policy, config, 0), LBP_OK);
	CU_ASSERT_STRING_EQUAL(lbp_policy_client_id(&policy, 0), "sixteen");
	CU_ASSERT_STRING_EQUAL(lbp_policy_client_id(&policy, 1), "letters");
	lbp_policy_release(&policy);
	lbp_config_free(config);
	free(ids[0]);
	free(ids[1]);
}

/* A configuration that has nobody in it. */
static void a_policy_may_have_no_client(void)
{
	struct lbp_config *config =
		parse(TLS "[[app]]\nid = 'web'\nlisten = ['127.0.0.1:1']\n"
			  "[[app.upstream]]\nurl = 'tcp://a:1'\n");
	struct lbp_policy policy;
	uint32_t client = LBP_NONE;

	CU_ASSERT_EQUAL_FATAL(lbp_policy_init(&policy, config, 0), LBP_OK);
	CU_ASSERT_EQUAL(policy.client_len, 0);
	CU_ASSERT_PTR_NULL(lbp_policy_client_id(&policy, 0));
	CU_ASSERT_EQUAL(
		identify(&policy, 0, "0C", &client), LBP_ERR_UNKNOWN_CLIENT);
	CU_ASSERT_EQUAL(
		lbp_app_admit(policy.apps[0], 0, 0), LBP_ERR_NOT_ALLOWED);
	lbp_policy_release(&policy);
	lbp_config_free(config);
}

/* The bytes that a policy of so many clients with one application each asks. */
static size_t bytes_for(unsigned apps, unsigned clients)
{
	struct lbp_policy policy;
	struct lbp_config *config;
	char *text = NULL;
	size_t bytes, len;
	FILE *out = open_memstream(&text, &len);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	fputs(TLS, out);
	for (unsigned i = 0; i < apps; i++)
		fprintf(out,
			"[[app]]\nid = 'a%u'\nlisten = ['h%u:1']\n"
			"upstream = [{ url = 'tcp://a:1' }]\n",
			i, i);
	for (unsigned i = 0; i < clients; i++)
		fprintf(out,
			"[[client]]\nid = 'c%u'\nserials = ['%x']\n"
			"apps = ['a%u']\n",
			i, i + 1, i % apps);
	fclose(out);
	config = parse(text);
	alloc_fail_at(0);
	CU_ASSERT_EQUAL_FATAL(lbp_policy_init(&policy, config, 0), LBP_OK);
	bytes = alloc_bytes();
	lbp_policy_release(&policy);
	lbp_config_free(config);
	free(text);
	return bytes;
}

/* The time is measured in fuzz/scaling/scaling.c. */
static void memory_grows_with_the_configuration(void)
{
	size_t both = bytes_for(400, 400);

	CU_ASSERT(both < 5 * bytes_for(100, 100));
	CU_ASSERT(both < bytes_for(400, 1) + bytes_for(1, 400));
}

void suite_policy(void)
{
	CU_pSuite suite = CU_add_suite("policy", NULL, NULL);

	CU_add_test(suite, "[POL-1] a policy has what the configuration says",
		a_policy_has_what_the_configuration_says);
	CU_add_test(suite,
		"[POL-1][ERR-2] a policy survives every failed allocation",
		a_policy_survives_every_failed_allocation);
	CU_add_test(suite, "[POL-1] nothing beyond the configuration counts",
		nothing_beyond_the_configuration_counts);
	CU_add_test(suite, "[POL-1] the bounds of upstreams hold",
		bounds_of_upstreams_hold);
	CU_add_test(suite, "[POL-1] names of all kinds are clients",
		names_of_all_kinds_are_clients);
	CU_add_test(suite, "[POL-1] the reason of a failure is kept",
		the_reason_of_a_failure_is_kept);
	CU_add_test(suite, "[POL-4] an empty policy may be replaced",
		an_empty_policy_may_be_replaced);
	CU_add_test(suite, "[POL-1] ids are read to their end",
		ids_are_read_to_their_end);
	CU_add_test(suite, "[POL-1] a policy may have no client",
		a_policy_may_have_no_client);
	CU_add_test(suite, "[POL-7] memory grows with the configuration",
		memory_grows_with_the_configuration);
}
