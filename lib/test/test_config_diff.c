/* What a reload adds, removes and changes. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "server/config_diff.h"
#include "suites.h"

#define TLS(cas)                                                               \
	"[tls]\ncertificate = \"c\"\nprivate_key = \"k\"\n" cas                \
	"[server]\nmax_connections = 9\n"
#define ONE_CA "client_ca = \"a\"\n"
#define TWO_CAS                                                                \
	"client_ca = [{ id = \"x\", file = \"a\" }, { id = \"y\", file = "     \
	"\"b\" }]\n"
#define UP(port, more) "{ url = \"tcp://h:" port "\"" more " }"
#define APP(id, port, ups, more)                                               \
	"[[app]]\nid = \"" id "\"\nlisten = [\"h:" port "\"]\n"                \
	"upstream = [" ups "]\n" more
#define A APP("a", "1", UP("1", ""), "")
#define B APP("b", "2", UP("1", ""), "")
#define CLIENT(id, serials, apps, more)                                        \
	"[[client]]\nid = \"" id "\"\nserials = [" serials "]\n"               \
	"apps = [" apps "]\n" more
#define C CLIENT("c", "\"1\"", "\"a\"", "")

static struct lbp_config *parse(const char *text)
{
	struct lbp_config_errors errors;
	struct lbp_config *config = NULL;

	CU_ASSERT_EQUAL_FATAL(
		lbp_config_parse(text, strlen(text), &config, &errors), LBP_OK);
	return config;
}

static void put(char *text, const struct lbp_config_count *n)
{
	sprintf(text + strlen(text), "%u+ %u- %u~", n->added, n->removed,
		n->changed);
}

/* As "apps, upstreams, clients", each added, removed and changed. */
static void expect(const char *before, const char *after, const char *wanted)
{
	struct lbp_config *was = parse(before);
	struct lbp_config *is = parse(after);
	struct lbp_config_diff diff;
	char text[200] = "";

	memset(&diff, 0xff, sizeof(diff));
	CU_ASSERT_EQUAL_FATAL(lbp_config_diff(&diff, was, is), LBP_OK);
	put(text, &diff.apps);
	strcat(text, ", ");
	put(text, &diff.upstreams);
	strcat(text, ", ");
	put(text, &diff.clients);
	CU_ASSERT_STRING_EQUAL(text, wanted);
	if (strcmp(text, wanted) != 0)
		printf("\n%s\n%s\n%s\nnot %s\n", before, after, text, wanted);
	lbp_config_free(was);
	lbp_config_free(is);
}

#define NOTHING  "0+ 0- 0~, 0+ 0- 0~, 0+ 0- 0~"
#define AN_APP   "0+ 0- 1~, 0+ 0- 0~, 0+ 0- 0~"
#define UPSTREAM "0+ 0- 0~, 0+ 0- 1~, 0+ 0- 0~"
#define A_CLIENT "0+ 0- 0~, 0+ 0- 0~, 0+ 0- 1~"

static void the_same_is_the_same(void)
{
	expect(TLS(ONE_CA) A C, TLS(ONE_CA) A C, NOTHING);
	expect(TLS(ONE_CA) A B C, TLS(ONE_CA) B A C, NOTHING);
}

static void what_comes_and_goes(void)
{
	expect(TLS(ONE_CA) A C, TLS(ONE_CA) A B C,
		"1+ 0- 0~, 0+ 0- 0~, 0+ 0- 0~");
	expect(TLS(ONE_CA) A B C, TLS(ONE_CA) A C,
		"0+ 1- 0~, 0+ 0- 0~, 0+ 0- 0~");
	expect(TLS(ONE_CA) A, TLS(ONE_CA) A C CLIENT("d", "\"2\"", "\"a\"", ""),
		"0+ 0- 0~, 0+ 0- 0~, 2+ 0- 0~");
	expect(TLS(ONE_CA) A C, TLS(ONE_CA) A, "0+ 0- 0~, 0+ 0- 0~, 0+ 1- 0~");
	expect(TLS(ONE_CA) A, TLS(ONE_CA) APP("a", "1", UP("2", ""), ""),
		"0+ 0- 0~, 1+ 1- 0~, 0+ 0- 0~");
	expect(TLS(ONE_CA) A B, TLS(ONE_CA) APP("d", "1", UP("1", ""), "") B,
		"1+ 1- 0~, 0+ 0- 0~, 0+ 0- 0~");
	expect(TLS(ONE_CA) A C, TLS(ONE_CA) A CLIENT("d", "\"1\"", "\"a\"", ""),
		"0+ 0- 0~, 0+ 0- 0~, 1+ 1- 0~");
}

static void networks(const char *before, const char *after)
{
	char text[2][400];
	const char *const list[2] = {before, after};

	for (int i = 0; i < 2; i++)
		snprintf(text[i], sizeof(text[i]),
			"%saccept_proxy = [\"%s\"]\n", TLS(ONE_CA) A, list[i]);
	expect(text[0], text[1], AN_APP);
}

static void protocols(const char *before, const char *after)
{
	char text[2][400];
	const char *const list[2] = {before, after};

	for (int i = 0; i < 2; i++)
		snprintf(text[i], sizeof(text[i]), "%salpn = [%s]\n",
			TLS(ONE_CA) A, list[i]);
	expect(text[0], text[0], NOTHING);
	expect(text[0], text[1], AN_APP);
}

static void an_application_changes(void)
{
	static const char *const others[] = {
		TLS(ONE_CA) APP("a", "3", UP("1", ""), ""),
		TLS(ONE_CA) APP("a", "1\", \"h:2", UP("1", ""), ""),
		TLS(ONE_CA) APP("a", "1", UP("1", ""), "unclean_end = \"end\""),
		TLS(ONE_CA) APP("a", "1", UP("1", ""), "proxy_protocol = true"),
		TLS(ONE_CA)
			APP("a", "1", UP("1", ""), "accept_proxy = [\"::1\"]"),
		TLS(ONE_CA) APP("a", "1", UP("1", ""), "limits.concurrent = 1"),
		TLS(ONE_CA)
			APP("a", "1", UP("1", ""), "limits.connections = 1"),
		TLS(ONE_CA)
			APP("a", "1", UP("1", ""), "limits.window = \"5s\""),
		TLS(ONE_CA)
			APP("a", "1", UP("1", ""), "timeouts.idle = \"5s\""),
		TLS(ONE_CA)
			APP("a", "1", UP("1", ""), "timeouts.connect = \"5s\""),
		TLS(ONE_CA) APP(
			"a", "1", UP("1", ""), "timeouts.lifetime = \"5s\""),
		TLS(ONE_CA)
			APP("a", "1", UP("1", ""), "health.enabled = false"),
		TLS(ONE_CA)
			APP("a", "1", UP("1", ""), "health.interval = \"9s\""),
		TLS(ONE_CA) APP(
			"a", "1", UP("1", ""), "health.timeout = \"1100ms\""),
		TLS(ONE_CA) APP("a", "1", UP("1", ""), "health.rise = 9"),
		TLS(ONE_CA) APP("a", "1", UP("1", ""), "health.fall = 9"),
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		expect(TLS(ONE_CA) A, others[i], AN_APP);
	expect(TLS(ONE_CA) A,
		TLS(ONE_CA) "[[app]]\nid = \"a\"\nlisten = [\"g:1\"]\n"
			    "upstream = [" UP("1", "") "]\n",
		AN_APP);
	expect(TLS(ONE_CA) APP("a", "1\", \"h:2", UP("1", ""), ""),
		TLS(ONE_CA) APP("a", "1\", \"h:3", UP("1", ""), ""), AN_APP);
	protocols("", "\"h2\"");
	protocols("\"h2\"", "\"h3\"");
	protocols("\"a\", \"b\"", "\"b\", \"a\"");
	networks("::1", "::2");
	networks("::/64", "::/65");
	networks("::1\", \"::2", "::1\", \"::3");
	expect(TLS(ONE_CA)
			APP("a", "1", UP("1", ""), "accept_proxy = [\"::1\"]"),
		TLS(ONE_CA)
			APP("a", "1", UP("1", ""), "accept_proxy = [\"::1\"]"),
		NOTHING);
}

static void an_upstream_changes(void)
{
#define TLS_UP(ca, name, more)                                                 \
	TLS(ONE_CA)                                                            \
	APP("a", "1",                                                          \
		"{ url = \"tls://h:1\", ca = \"" ca                            \
		"\", server_name = \"" name "\"" more " }",                    \
		"")
#define OURS ", certificate = \"c\", private_key = \"k\""

	expect(TLS(ONE_CA) A,
		TLS(ONE_CA) APP("a", "1", UP("1", ", weight = 2"), ""),
		UPSTREAM);
	expect(TLS(ONE_CA) A,
		TLS(ONE_CA) APP("a", "1", UP("1", ", max_connections = 1"), ""),
		UPSTREAM);
	expect(TLS(ONE_CA) A,
		TLS(ONE_CA) APP("a", "1", UP("1", ", backup = true"), ""),
		UPSTREAM);
	expect(TLS_UP("a", "n", ""), TLS_UP("b", "n", ""), UPSTREAM);
	expect(TLS_UP("a", "n", ""), TLS_UP("a", "m", ""), UPSTREAM);
	expect(TLS_UP("a", "n", ""), TLS_UP("a", "n", OURS), UPSTREAM);
	expect(TLS_UP("a", "n", OURS), TLS_UP("a", "n", ""), UPSTREAM);
	expect(TLS_UP("a", "n", OURS),
		TLS_UP("a", "n", ", certificate = \"c\", private_key = \"l\""),
		UPSTREAM);
	expect(TLS_UP("a", "n", OURS),
		TLS_UP("a", "n", ", certificate = \"d\", private_key = \"k\""),
		UPSTREAM);
	expect(TLS_UP("a", "n", OURS), TLS_UP("a", "n", OURS), NOTHING);
}

static void a_client_changes(void)
{
	static const char *const others[] = {
		CLIENT("c", "\"2\"", "\"a\"", ""),
		CLIENT("c", "\"1\", \"2\"", "\"a\"", ""),
		CLIENT("c", "\"1\"", "\"a\", \"b\"", ""),
		CLIENT("c", "\"1\"", "\"b\"", ""),
		CLIENT("c", "\"1\"", "\"a\"", "limits.a.concurrent = 2\n"),
		CLIENT("c", "\"1\"", "\"a\"", "uris = [\"u:1\"]\n"),
		CLIENT("c", "\"1\"", "\"a\"", "dns = [\"d\"]\n"),
	};
	char text[1000];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(
			text, sizeof(text), "%s%s", TLS(ONE_CA) A B, others[i]);
		expect(TLS(ONE_CA) A B C, text, A_CLIENT);
	}
	expect(TLS(ONE_CA) A CLIENT("c", "\"1\"", "\"a\"", "dns = [\"d\"]\n"),
		TLS(ONE_CA) A CLIENT("c", "\"1\"", "\"a\"", "dns = [\"e\"]\n"),
		A_CLIENT);
	/* The same number, but of another application or CA. */
	expect(TLS(ONE_CA) A B C, TLS(ONE_CA) B A C, NOTHING);
	expect(TLS(TWO_CAS) A CLIENT("c", "\"x/1\"", "\"a\"", ""),
		TLS(TWO_CAS) A CLIENT("c", "\"y/1\"", "\"a\"", ""), A_CLIENT);
	expect(TLS(TWO_CAS) A CLIENT("c", "\"1\"", "\"a\"", ""),
		TLS(TWO_CAS) A CLIENT("c", "\"x/1\"", "\"a\"", ""), NOTHING);
}

/* Clients with these lines in the place of one another. */
static void clients(const char *before, const char *after, const char *wanted)
{
	char text[2][400];
	const char *const lines[2] = {before, after};

	for (int i = 0; i < 2; i++)
		snprintf(text[i], sizeof(text[i]),
			"%s[[client]]\nid = \"c\"\n%s\n", TLS(ONE_CA) A B,
			lines[i]);
	expect(text[0], text[1], wanted);
}

/* Of several values the last one is compared as well. */
static void all_values_of_a_client_count(void)
{
#define GRANTS(cap)                                                            \
	"dns = [\"d\"]\napps = [\"a\", \"b\"]\nlimits.b.concurrent = " cap
	static const char *const same[] = {
		"serials = [\"1\", \"2\"]\napps = [\"a\"]",
		"dns = [\"d\", \"e\"]\napps = [\"a\"]",
		"uris = [\"u:1\", \"u:2\"]\napps = [\"a\"]", GRANTS("1")};
	static const char *const other[] = {
		"serials = [\"1\", \"3\"]\napps = [\"a\"]",
		"dns = [\"d\", \"f\"]\napps = [\"a\"]",
		"uris = [\"u:1\", \"u:3\"]\napps = [\"a\"]", GRANTS("2")};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		clients(same[i], same[i], NOTHING);
		clients(same[i], other[i], A_CLIENT);
	}
}

static void memory_runs_out(void)
{
	struct lbp_config *was = parse(TLS(ONE_CA) A B C);
	struct lbp_config *is = parse(TLS(ONE_CA) A B);
	struct lbp_config_diff diff;
	enum lbp_err err = LBP_ERR_NOMEM;
	long n;

	for (n = 1; err != LBP_OK && n < 100; n++) {
		alloc_fail_at(n);
		err = lbp_config_diff(&diff, was, is);
		alloc_fail_at(0);
		CU_ASSERT(err == LBP_OK || err == LBP_ERR_NOMEM);
	}
	/* Two lists each of apps, of two apps' upstreams and of clients. */
	CU_ASSERT_EQUAL(n, 8 + 2);
	lbp_config_free(was);
	lbp_config_free(is);
}

void suite_config_diff(void)
{
	CU_pSuite suite = CU_add_suite("config_diff", NULL, NULL);

	CU_add_test(
		suite, "[RLD-15] the same is the same", the_same_is_the_same);
	CU_add_test(suite, "[RLD-15] what comes and goes", what_comes_and_goes);
	CU_add_test(suite, "[RLD-15] an application changes",
		an_application_changes);
	CU_add_test(suite, "[RLD-15] an upstream changes", an_upstream_changes);
	CU_add_test(suite, "[RLD-15] a client changes", a_client_changes);
	CU_add_test(suite, "[RLD-15] all values of a client count",
		all_values_of_a_client_count);
	CU_add_test(suite, "[RLD-15] memory runs out", memory_runs_out);
}
