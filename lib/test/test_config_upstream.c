#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "server/config.h"
#include "server/config_value.h"
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

/* A path of so many bytes. */
static void make_url(char *url, size_t len)
{
	size_t at = (size_t)sprintf(url, "unix:/");

	memset(url + at, 'p', len - 1);
	url[at + len - 1] = '\0';
}

static void expect_path(size_t len, const char *want)
{
	struct lbp_config_parts parts;
	char url[128];
	const char *wrong;

	make_url(url, len);
	memset(&parts, 0x5a, sizeof(parts));
	wrong = lbp_config_split_url(url, strlen(url), &parts);
	CU_ASSERT_EQUAL(wrong == NULL, want == NULL);
	if (want != NULL) {
		CU_ASSERT_STRING_EQUAL(wrong, want);
		return;
	}
	CU_ASSERT_TRUE(parts.is_unix);
	CU_ASSERT_FALSE(parts.tls);
	CU_ASSERT_EQUAL(parts.port, 0);
	CU_ASSERT_PTR_EQUAL(parts.host, url + 5);
	CU_ASSERT_EQUAL(parts.host_len, len);
}

static void a_path_fits_a_socket(void)
{
	expect_path(1, "it is not unix: and an absolute path");
	expect_path(2, NULL);
	expect_path(107, NULL);
	expect_path(108, "the path has more than 107 bytes");
}

static void wrong_paths_are_errors(void)
{
	static const struct {
		const char *url;
		const char *want;
	} rows[] = {
		{"unix:", "it is not unix: and an absolute path"},
		{"unix:p", "it is not unix: and an absolute path"},
		{"unix:p/q", "it is not unix: and an absolute path"},
		{"unix:/p\n", "it has a control character"},
		{"unix:/\x7f", "it has a control character"},
		{"unix", "it does not start with tcp://, tls:// or unix:"},
		{"UNIX:/p", "it does not start with tcp://, tls:// or unix:"},
	};
	struct lbp_config_parts parts;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *wrong = lbp_config_split_url(
			rows[i].url, strlen(rows[i].url), &parts);

		CU_ASSERT_PTR_NOT_NULL_FATAL(wrong);
		CU_ASSERT_STRING_EQUAL(wrong, rows[i].want);
	}
}

static void a_path_is_taken_as_it_stands(void)
{
	struct lbp_config *config = parse(START UPSTREAM("unix:/Run/a b", "")
			UPSTREAM("unix:/run/a b", "weight=2\n")
				UPSTREAM("unix://::1", ""));
	const struct lbp_config_upstream *upstreams = config->apps[0].upstreams;

	CU_ASSERT_TRUE(upstreams[0].is_unix);
	CU_ASSERT_FALSE(upstreams[0].tls);
	CU_ASSERT_STRING_EQUAL(upstreams[0].url.ptr, "unix:/Run/a b");
	CU_ASSERT_STRING_EQUAL(upstreams[0].address.host, "/Run/a b");
	CU_ASSERT_EQUAL(upstreams[0].address.port, 0);
	CU_ASSERT_EQUAL(upstreams[0].address.pos.line, 9);
	CU_ASSERT_STRING_EQUAL(upstreams[2].address.host, "//::1");
	lbp_config_free(config);
	expect_error(START UPSTREAM("unix:/a", "") UPSTREAM("unix:/a", ""),
		"11:5: app.upstream.url 'unix:/a' is already on line 9 "
		"(app.upstream.url) and must be unique");
}

static void a_path_has_no_tls(void)
{
	struct lbp_config *config = parse(START UPSTREAM("tcp://a:1", ""));

	CU_ASSERT_FALSE(config->apps[0].upstreams[0].is_unix);
	lbp_config_free(config);
	expect_error(START UPSTREAM("unix:/a", "ca='x'\n"),
		"10:1: app.upstream.ca is accepted only with a tls:// url, and "
		"this one is unix:");
	expect_error(START UPSTREAM("unix:/a", "server_name='x'\n"),
		"10:1: app.upstream.server_name is accepted only with a tls:// "
		"url, and this one is unix:");
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
	CU_add_test(
		suite, "[CFG-67] a path fits a socket", a_path_fits_a_socket);
	CU_add_test(suite, "[CFG-67] wrong paths are errors",
		wrong_paths_are_errors);
	CU_add_test(suite, "[CFG-67] a path is taken as it stands",
		a_path_is_taken_as_it_stands);
	CU_add_test(suite, "[CFG-28] a path has no TLS", a_path_has_no_tls);
	CU_add_test(suite, "[POL-1] the policy has bounds and backups",
		the_policy_has_bounds_and_backups);
}
