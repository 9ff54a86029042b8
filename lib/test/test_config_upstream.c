#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "server/config.h"
#include "server/policy.h"
#include "suites.h"

#define START                                                                  \
	"[tls]\ncertificate='c'\nprivate_key='k'\nclient_ca='a'\n"             \
	"[[app]]\nid='e'\nlisten=['h:1']\n"
#define UPSTREAM(url, more) "[[app.upstream]]\nurl='" url "'\n" more

static struct lbp_config *parse(const char *text)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;

	CU_ASSERT_EQUAL_FATAL(
		lbp_config_parse(text, strlen(text), &config, &errors), LBP_OK);
	return config;
}

/* The text has this one error, after START and the line with the table. */
static void expect_error(const char *text, const char *want)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;
	char got[512];

	CU_ASSERT_NOT_EQUAL_FATAL(
		lbp_config_parse(text, strlen(text), &config, &errors), LBP_OK);
	CU_ASSERT_EQUAL_FATAL(errors.len, 1);
	snprintf(got, sizeof(got), "%u:%u: %s", errors.items[0].pos.line,
		errors.items[0].pos.column, errors.items[0].message);
	CU_ASSERT_STRING_EQUAL(got, want);
	lbp_config_errors_release(&errors);
}

static void a_bound_is_none_or_a_number(void)
{
	struct lbp_config *config = parse(START UPSTREAM("tcp://a:1", "")
			UPSTREAM("tcp://b:1", "max_connections=0\n") UPSTREAM(
				"tcp://c:1", "max_connections=1000000\n"));
	const struct lbp_config_upstream *upstreams = config->apps[0].upstreams;

	CU_ASSERT_EQUAL(upstreams[0].max_connections, 0);
	CU_ASSERT_EQUAL(upstreams[1].max_connections, 0);
	CU_ASSERT_EQUAL(upstreams[2].max_connections, 1000000);
	lbp_config_free(config);
	expect_error(START UPSTREAM("tcp://a:1", "max_connections=1000001\n"),
		"10:17: app.upstream.max_connections must be an integer from 0 "
		"to 1000000, not 1000001");
	expect_error(START UPSTREAM("tcp://a:1", "max_connections=-1\n"),
		"10:17: app.upstream.max_connections must be an integer from 0 "
		"to 1000000, not -1");
}

static void a_backup_is_true_or_false(void)
{
	struct lbp_config *config = parse(START UPSTREAM("tcp://a:1", "")
			UPSTREAM("tcp://b:1", "backup=true\n")
				UPSTREAM("tcp://c:1", "backup=false\n"));
	const struct lbp_config_upstream *upstreams = config->apps[0].upstreams;

	CU_ASSERT_FALSE(upstreams[0].backup);
	CU_ASSERT_TRUE(upstreams[1].backup);
	CU_ASSERT_FALSE(upstreams[2].backup);
	lbp_config_free(config);
	expect_error(START UPSTREAM("tcp://a:1", "backup=1\n"),
		"10:8: app.upstream.backup must be true or false, not an "
		"integer");
}

static void choose(struct lbp_policy *policy, uint32_t want)
{
	uint32_t upstream = LBP_NONE;

	CU_ASSERT_EQUAL(
		lbp_app_choose(policy->apps[0], NULL, &upstream), LBP_OK);
	CU_ASSERT_EQUAL(upstream, want);
}

static void the_policy_has_bounds_and_backups(void)
{
	struct lbp_config *config = parse(START UPSTREAM("tcp://a:1",
		"backup=true\n") UPSTREAM("tcp://b:1", "max_connections=2\n"));
	struct lbp_policy policy;

	CU_ASSERT_EQUAL_FATAL(lbp_policy_init(&policy, config, 0), LBP_OK);
	choose(&policy, 1);
	choose(&policy, 1);
	choose(&policy, 0);
	lbp_policy_release(&policy);
	lbp_config_free(config);
}

void suite_config_upstream(void)
{
	CU_pSuite suite = CU_add_suite("config_upstream", NULL, NULL);

	CU_add_test(suite, "[CFG-66] a bound is none or a number",
		a_bound_is_none_or_a_number);
	CU_add_test(suite, "[CFG-66] a backup is true or false",
		a_backup_is_true_or_false);
	CU_add_test(suite, "[POL-1] the policy has bounds and backups",
		the_policy_has_bounds_and_backups);
}
