/*
 * Configurations of the largest size, of too many errors, and for which there
 * is too little memory: what takes longer than the rest of the suites.
 */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config_texts.h"
#include "server/config.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_most_apps(void)
{
	struct text text = {0};
	struct lbp_config *config;

	text_add(&text, TLS);
	for (int i = 1; i <= 1024; i++) {
		text_add(&text, "[[app]]\nid = \"a%d\"\nlisten = [\"h:%d\"]\n",
			i, i);
		text_add(&text, "upstream = [{ url = \"tcp://h:1\" }]\n");
	}
	config = config_of_text(text.ptr, text.len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_EQUAL(config->app_len, 1024);
	lbp_config_free(config);
	text_add(&text, "[[app]]\n");
	config_has_error(text.ptr, text.len, 4 + 1024 * 4 + 1, 1,
		"app must be 1 to 1024 tables, [[app]], not more");
	free(text.ptr);
}

static void test_most_upstreams(void)
{
	struct text text = {0};
	struct lbp_config *config;

	text_add(&text, TLS APP);
	for (int i = 2; i <= 1024; i++)
		text_add(&text, "[[app.upstream]]\nurl = \"tcp://h:%d\"\n", i);
	config = config_of_text(text.ptr, text.len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_EQUAL(config->apps[0].upstream_len, 1024);
	lbp_config_free(config);
	text_add(&text, "[[app.upstream]]\n");
	config_has_error(text.ptr, text.len, 9 + 1023 * 2 + 1, 1,
		"app.upstream must be 1 to 1024 tables, [[app.upstream]], "
		"not more");
	free(text.ptr);
}

static void test_most_clients(void)
{
	struct text text = {0};
	struct lbp_config *config;
	const struct lbp_config_client *last;

	text_add(&text, TLS APP);
	for (int i = 1; i <= 100000; i++)
		text_add(&text,
			"[[client]]\nid=\"%d\"\nserials=[\"%x\"]\n"
			"apps=[\"e\"]\n",
			i, (unsigned)i);
	config = config_of_text(text.ptr, text.len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_EQUAL_FATAL(config->client_len, 100000);
	last = &config->clients[99999];
	CU_ASSERT_STRING_EQUAL(last->id.ptr, "100000");
	CU_ASSERT_EQUAL(last->serials[0].serial.len, 3);
	lbp_config_free(config);
	text_add(&text, "[[client]]\n");
	config_has_error(text.ptr, text.len, 9 + 400000 + 1, 1,
		"client must be at most 100000 tables, [[client]], not more");
	free(text.ptr);
}

/* One text without errors and one with many kinds of them. */
static void exhaust(const char *text, size_t len, enum lbp_err want)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;
	long allocations;

	alloc_fail_at(0);
	CU_ASSERT_EQUAL(lbp_config_parse(text, len, &config, &errors), want);
	allocations = alloc_count();
	lbp_config_free(config);
	lbp_config_errors_release(&errors);
	CU_ASSERT(allocations > 3);
	for (long n = 1; n <= allocations; n++) {
		alloc_fail_at(n);
		CU_ASSERT_EQUAL(lbp_config_parse(text, len, &config, &errors),
			LBP_ERR_NOMEM);
		CU_ASSERT_PTR_NULL(config);
		CU_ASSERT_EQUAL(errors.len, 0);
		CU_ASSERT_PTR_NULL(errors.items);
		CU_ASSERT_PTR_NULL(errors.arena);
	}
	alloc_fail_at(0);
}

/* A text in which memory runs out elsewhere as pad grows. */
static void exhaust_with(int pad, bool is_one_ca, int many)
{
	struct text text = {0};

	text_add(&text, "include = [");
	for (int i = 0; i < many; i++)
		text_add(&text, "\"%d\", ", i);
	text_add(&text, "\"b/*.toml\"]\n[tls]\ncertificate = \"c\"\n"
			"private_key = \"k");
	for (int i = 0; i < pad; i += 8)
		text_add(&text, "eeeeeeee");
	text_add(&text, is_one_ca ? "\"\nclient_ca = \"a\"\ncrl = \"l\"\n"
				  : "\"\n[[tls.client_ca]]\nid = \"x\"\n"
				    "file = \"f\"\ncrl = \"l\"\n");
	text_add(&text, APP "[[client]]\nid = \"c\"\n");
	text_add(&text, "uris = [\"u:1\", \"u:2\"]\napps = [\"e\"]\ndns = [");
	for (int i = 0; i < pad / 32; i++)
		text_add(&text, "\"D%d.EXAMPLE\", ", i);
	text_add(&text, "\"d\"]\nserials = [");
	for (int i = 0; i < many; i++)
		text_add(&text, "\"%x\", ", i + 2);
	text_add(&text, "\"1\"]\n");
	exhaust(text.ptr, text.len, LBP_OK);
	free(text.ptr);
}

/* The same of what is needed only while it is read. */
static void exhaust_scratch(int upstreams, int len)
{
	struct text text = {0};

	text_add(&text, TLS "[[app]]\nid = \"e\"\nlisten = [\"%.*s:1\"]\n", len,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"a");
	for (int i = 0; i <= upstreams; i++)
		text_add(&text, "[[app.upstream]]\nurl = \"tcp://h:%d\"\n",
			i + 1);
	text_add(&text, "[[client]]\nid = \"c\"\nserials = [\"1\"]\n");
	text_add(&text, "apps = [\"e\"]\n");
	exhaust(text.ptr, text.len, LBP_OK);
	free(text.ptr);
}

/* Where memory runs out depends on how much was needed before. */
static void test_nomem_anywhere(void)
{
	for (int pad = 0; pad < 4400; pad += 64) {
		exhaust_with(pad, false, 0);
		exhaust_with(pad + 32, true, 0);
	}
	exhaust_with(0, false, 300);
	for (int upstreams = 0; upstreams < 60; upstreams++) {
		for (int len = 1; len < 20; len += 8)
			exhaust_scratch(upstreams, len);
	}
}

static void test_nomem(void)
{
	struct text text = {0};

	exhaust(config_contract, strlen(config_contract), LBP_OK);
	text_add(&text, TLS APP);
	for (int i = 0; i < 64; i++) {
		text_add(&text,
			"[[client]]\nid = \"c%d\"\nserials = [\"%x\"]\n", i,
			(unsigned)i + 1);
		text_add(&text, "apps = [\"e\"]\nlimits.e.concurrent = 3\n");
	}
	exhaust(text.ptr, text.len, LBP_OK);
	for (int i = 0; i < 64; i++) {
		text_add(&text,
			"[[client]]\nid = \"c%d\"\nserials = [\"%x\", 1]\n", i,
			(unsigned)i);
		text_add(&text, "apps = [\"f\"]\nlimits.f = 3\nx = 1\n");
	}
	exhaust(text.ptr, text.len, LBP_ERR_SYNTAX);
	exhaust("[[app]]\nlisten = [1]\n[[app.upstream]]\nurl = \"x\"\n", 44,
		LBP_ERR_SYNTAX);
	free(text.ptr);
}

/* Not one error is lost, and guesses end: all keys are compared for each. */
static void test_many_errors(void)
{
	const uint32_t keys = 7;
	struct lbp_config_errors errors;
	struct lbp_config *config;
	struct text text = {0};

	text_add(&text, TLS APP "[server]\n");
	for (int i = 0; i < 20000; i++)
		text_add(&text, "max_connec%05d = 1\n", i);
	CU_ASSERT_EQUAL(lbp_config_parse(text.ptr, text.len, &config, &errors),
		LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL_FATAL(errors.len, 20000);
	for (uint32_t i = 0; i < 20000; i++) {
		CU_ASSERT_EQUAL(errors.items[i].pos.line, 11 + i);
		CU_ASSERT_EQUAL(strstr(errors.items[i].message, "mean") != NULL,
			i < (65536 + keys - 1) / keys);
	}
	lbp_config_errors_release(&errors);
	free(text.ptr);
}

/* Each error takes as many comparisons as there are apps. */
static void apps_are_missed(int apps, int errors_len)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;
	struct text text = {0};

	text_add(&text, TLS);
	for (int i = 0; i < apps; i++)
		text_add(&text,
			"[[app]]\nid = \"application-%04d\"\n"
			"listen = [\"[::1]:%d\"]\n[[app.upstream]]\n"
			"url = \"tcp://[::1]:1\"\n",
			i, i + 1);
	text_add(
		&text, "[[client]]\nid = \"c\"\nserials = [\"1\"]\napps = [\n");
	for (int i = 0; i < errors_len; i++)
		text_add(&text, "\"aplication-%04d\",\n", i);
	text_add(&text, "]\n");
	CU_ASSERT_EQUAL(lbp_config_parse(text.ptr, text.len, &config, &errors),
		LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL_FATAL(errors.len, (size_t)errors_len);
	/* The last one to begin below 65536 is the last with a guess. */
	for (int i = 0; i < errors_len; i++)
		CU_ASSERT_EQUAL(strstr(errors.items[i].message, "mean") != NULL,
			i * apps < 65536);
	lbp_config_errors_release(&errors);
	free(text.ptr);
}

static void test_many_apps_missed(void)
{
	apps_are_missed(1000, 100);
	apps_are_missed(512, 130);
}

void suite_config_size(void)
{
	static const struct {
		const char *name;
		CU_TestFunc run;
	} tests[] = {
		{"[CFG-24] 1024 apps and no more", test_most_apps},
		{"[CFG-27] 1024 upstreams and no more", test_most_upstreams},
		{"[CFG-15][CFG-29] 100000 clients and no more",
			test_most_clients},
		{"[CFG-16] every allocation may fail", test_nomem},
		{"[CFG-16] memory may run out anywhere", test_nomem_anywhere},
		{"[CFG-2][CFG-15] 20000 errors are reported", test_many_errors},
		{"[CFG-50] guesses end sooner among many apps",
			test_many_apps_missed},
	};
	CU_pSuite suite = CU_add_suite("config_size", NULL, NULL);

	for (size_t i = 0; i < COUNT(tests); i++)
		CU_add_test(suite, tests[i].name, tests[i].run);
}
