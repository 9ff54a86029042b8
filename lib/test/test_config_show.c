#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "server/config_reader.h"
#include "server/config_show.h"
#include "server/config_writer.h"
#include "suites.h"

#define TLS                                                                    \
	"[tls]\ncertificate = \"c\"\nprivate_key = \"k\"\nclient_ca = "        \
	"\"a\"\n"

/* What was shown, in pieces. */
struct shown {
	char text[8192];
	size_t len;
};

static void put(void *user, const char *text, size_t len)
{
	struct shown *shown = user;

	CU_ASSERT_TRUE_FATAL(shown->len + len < sizeof(shown->text));
	memcpy(shown->text + shown->len, text, len);
	shown->len += len;
	shown->text[shown->len] = '\0';
}

/* Reads own and, as far as they are not NULL, files that it includes. */
static struct lbp_config *read_all(
	const char *own, const char *included, const char *last)
{
	struct lbp_config_reader *reader =
		lbp_config_begin("own.toml", own, strlen(own));
	struct lbp_config_errors errors;
	struct lbp_config *config;

	CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
	if (included != NULL)
		lbp_config_add(
			reader, 0, "in.toml", included, strlen(included));
	if (last != NULL)
		lbp_config_add(reader, 0, "last.toml", last, strlen(last));
	CU_ASSERT_EQUAL_FATAL(lbp_config_end(reader, &config, &errors), LBP_OK);
	return config;
}

static struct lbp_config *read_both(const char *own, const char *included)
{
	return read_all(own, included, NULL);
}

static void show_both(
	struct shown *shown, const char *own, const char *included)
{
	const struct lbp_config_source sources[] = {
		{"own.toml", own, strlen(own)},
		{"in.toml", included, included != NULL ? strlen(included) : 0}};
	struct lbp_config *config = read_both(own, included);

	shown->len = 0;
	CU_ASSERT_EQUAL(lbp_config_show(config, sources, put, shown), LBP_OK);
	lbp_config_free(config);
}

/* Each line has to stand in what was shown, in this order. */
static void expect_lines(
	const struct shown *shown, const char *const *lines, size_t len)
{
	const char *at = shown->text;

	for (size_t i = 0; i < len; i++) {
		const char *found = strstr(at, lines[i]);

		CU_ASSERT_PTR_NOT_NULL(found);
		if (found == NULL) {
			(void)printf("\nno line %s\n", lines[i]);
			return;
		}
		/* The next one may begin with the end of this line. */
		at = found + strlen(lines[i]) - 1;
	}
}

#define EXPECT(shown, lines)                                                   \
	expect_lines(shown, lines, sizeof(lines) / sizeof((lines)[0]))

static const char plain[] =
	"include = [\"*.toml\"]\n" TLS "[timeouts]\nidle = \"90s\"\n"
	"[[app]]\nid = \"web.1\"\nlisten = [\"h:1\", \"[::1]:2\"]\n"
	"accept_proxy = [\"10.1.2.3/32\", "
	"\"2001:db8:1122:3344:5566:7788:99aa:bbcc/128\"]\n"
	"alpn = [\"h2\", \"\\u00e9\\\"\\\\\\U0001f600\"]\n"
	"limits = { connections = 7 }\ntimeouts = { lifetime = \"2h\" }\n"
	"upstream = [{url = \"tcp://u:1\"}, {url = \"tls://V:2\", ca = "
	"\"x\"}]\n"
	"[[app]]\nid = \"b\"\nlisten = [\"h:3\"]\n"
	"upstream = [{url = \"unix:/s\"}]\n"
	"[[client]]\nid = \"a\"\nserials = [\"0a\", \"B\"]\n"
	"apps = [\"b\", \"web.1\"]\nlimits.b.window = \"1500ms\"\n";

static const char more[] = "[[client]]\nid = \"x\"\ndns = [\"d.e\"]\n"
			   "apps = [\"web.1\"]\n"
			   "[client.limits.\"web.1\"]\nconcurrent = 3\n"
			   "[[client]]\nid = \"y\"\nuris = [\"u:1\", \"u:2\"]\n"
			   "apps = [\"b\"]\n";

static void each_value_has_its_origin(void)
{
	static const char *const lines[] = {
		"# The configuration in effect: own.toml\n",
		"# include = [\"*.toml\"]: these clients stand below\n",
		"\n[server]\n",
		"\n# workers is not set: one for each CPU that the server may "
		"use\n",
		"\nevent_loop = \"auto\"                     # default\n",
		"\n# admin is not set: off\n",
		"\nwatch = \"off\"                           # default\n",
		"\n[tls]\ncertificate = \"c\"                       # "
		"own.toml:3\n",
		"\nclient_ca = \"a\"                         # own.toml:5\n",
		"\n# crl is not set: no certificate is revoked\n",
		"\ngroups = \"X25519:P-256\"                 # default\n",
		"\nidle = \"90s\"                            # own.toml:7\n",
		"\ndrain_delay = \"0s\"                      # default\n",
		"\n[[app]]\nid = \"web.1\" ",
		"\nlisten = [\"h:1\", \"[::1]:2\"]             # own.toml:10\n",
		"\naccept_proxy = [\"10.1.2.3/32\", "
		"\"2001:db8:1122:3344:5566:7788:99aa:bbcc/128\"] "
		"# own.toml:11\n",
		"\nalpn = [\"h2\", \"\\u00E9\\\"\\\\\\U0001F600\"]   # "
		"own.toml:12\n",
		"\n[app.timeouts]\nconnect = \"3s\"                          # "
		"timeouts, default\n",
		"\nidle = \"90s\"                            # timeouts, "
		"own.toml:7\n",
		"\nlifetime = \"2h\"                         # own.toml:14\n",
		"\n[app.limits]\n# concurrent is not set: no cap\n"
		"connections = 7                         # own.toml:13\n"
		"window = \"1m\"                           # default\n"
		"\n[app.health]\n",
		"\nrise = 2                                # default\n",
		"\n[[app.upstream]]\nurl = \"tcp://u:1\" ",
		"\nbackup = false                          # default\n"
		"\n[[app.upstream]]\nurl = \"tls://V:2\" ",
		"\nca = \"x\"                                # own.toml:15\n"
		"server_name = \"V\"                       # default: the "
		"url's "
		"host\n"
		"\n[[app]]\nid = \"b\" ",
		"\nalpn = []                               # default\n",
		"\n[app.limits]\n# concurrent is not set: no cap\n"
		"# connections is not set: no rate\n\n",
		"\n[[client]]\nid = \"a\"                                # "
		"own.toml:21\n"
		"serials = [\"0A\", \"0B\"]                  # own.toml:22\n"
		"uris = []                               # default\n",
		"\napps = [\"b\", \"web.1\"]                   # own.toml:23\n"
		"\n[client.limits.b]\n# concurrent is not set: no cap\n"
		"# connections is not set: no rate\n"
		"window = \"1500ms\"                       # own.toml:24\n"
		"\n[client.limits.\"web.1\"]\n",
		"\nconnections = 7                         # app.limits, "
		"own.toml:13\n"
		"window = \"1m\"                           # app.limits, "
		"default\n"
		"\n[[client]]\nid = \"x\"                                # "
		"in.toml:2\n",
		"\ndns = [\"d.e\"]                           # in.toml:3\n",
		"\nconcurrent = 3                          # in.toml:6\n",
		"\n[[client]]\nid = \"y\"                                # "
		"in.toml:8\n",
		"\nuris = [\"u:1\", \"u:2\"]                   # in.toml:9\n"};
	struct shown shown;

	show_both(&shown, plain, more);
	EXPECT(&shown, lines);
	CU_ASSERT_PTR_NULL(strstr(shown.text, "# server_name"));
	CU_ASSERT_PTR_NULL(strstr(shown.text, "# ca "));
}

static void several_cas_are_tables(void)
{
	static const char text[] =
		"[tls]\ncertificate = \"c\"\nprivate_key = \"k\"\n"
		"[[tls.client_ca]]\nid = \"i\"\nfile = \"f\"\nchain = true\n"
		"[[tls.client_ca]]\nid = \"j\"\nfile = \"g\"\ncrl = \"l\"\n"
		"[[app]]\nid = \"a\"\nlisten = [\"h:3\"]\n"
		"upstream = [{url = \"tcp://s:1\"}]\n"
		"[[client]]\nid = \"a\"\nserials = [\"1\", \"j/2\"]\n"
		"apps = [\"a\"]\n";
	static const char *const lines[] = {"\n[tls]\n",
		"\nprivate_key = \"k\" ",
		"\n[[tls.client_ca]]\nid = \"i\"                               "
		" #"
		" own.toml:5\n",
		"\n# crl is not set: no certificate is revoked\n"
		"chain = true                            # own.toml:7\n"
		"\n[[tls.client_ca]]\nid = \"j\" ",
		"\ncrl = \"l\"                               # own.toml:11\n",
		"\n[log]\n", "\nserials = [\"i/01\", \"j/02\"] "};
	struct shown shown;
	const char *tls;
	const char *cas;
	const char *crl;

	show_both(&shown, text, NULL);
	EXPECT(&shown, lines);
	tls = strstr(shown.text, "\n[tls]");
	cas = strstr(shown.text, "\n[[tls.client_ca]]");
	crl = strstr(tls, "crl");
	CU_ASSERT_TRUE(crl > cas);
	CU_ASSERT_PTR_NULL(strstr(shown.text, "include"));
	CU_ASSERT_PTR_NULL(strstr(shown.text, "\nclient_ca"));
}

static void one_ca_may_be_a_table(void)
{
	static const char text[] =
		"[tls]\ncertificate = \"c\"\nprivate_key = \"k\"\n"
		"[[tls.client_ca]]\nid = \"i\"\nfile = \"f\"\ncrl = \"l\"\n"
		"[[app]]\nid = \"a\"\nlisten = [\"h:3\"]\n"
		"upstream = [{url = \"tcp://s:1\"}]\n";
	struct shown shown;
	const char *crl;

	show_both(&shown, text, NULL);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(shown.text, "\n[[tls.client_ca]]\nid = \"i\" "));
	CU_ASSERT_PTR_NULL(strstr(shown.text, "\nclient_ca"));
	crl = strstr(shown.text, "\ncrl = ");
	CU_ASSERT_PTR_NOT_NULL_FATAL(crl);
	CU_ASSERT_PTR_NULL(strstr(crl + 1, "\ncrl = "));
}

static void health_has_its_origin(void)
{
	static const char text[] =
		TLS "[[app]]\nid = \"a\"\nlisten = [\"h:3\"]\n"
		    "health.rise = 5\nupstream = [{url = \"tcp://s:1\"}]\n";
	struct shown shown;

	show_both(&shown, text, NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown.text,
		"\nrise = 5                                # own.toml:8\n"));
}

/* The configuration's own file has none. */
static void all_clients_may_be_included(void)
{
	static const char own[] = "include = [\"*.toml\"]\n" TLS
				  "[[app]]\nid = \"a\"\nlisten = [\"h:3\"]\n"
				  "upstream = [{url = \"tcp://s:1\"}]\n";
	static const char included[] = "[[client]]\nid = \"c\"\n"
				       "dns = [\"d\"]\napps = [\"a\"]\n";
	struct shown shown;

	show_both(&shown, own, included);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown.text,
		"\nid = \"c\"                                # in.toml:2\n"));
}

/* Is a line "KEY = ..." or "# KEY is ..." there? */
static bool has_key(const struct shown *shown, const char *key)
{
	char given[64];
	char absent[64];

	(void)snprintf(given, sizeof(given), "\n%s = ", key);
	(void)snprintf(absent, sizeof(absent), "\n# %s ", key);
	return strstr(shown->text, given) != NULL ||
	       strstr(shown->text, absent) != NULL;
}

/* Every key of every table, and a sentence about each. */
static void check_section(
	const struct shown *shown, const struct lbp_config_section *section)
{
	for (size_t i = 0; i < section->len; i++) {
		const struct lbp_config_key *key = &section->keys[i];

		CU_ASSERT_TRUE(key->help != NULL && key->help[0] != '\0');
		if (key->section != NULL)
			check_section(shown, key->section);
		if (key->kind->write == NULL)
			continue;
		CU_ASSERT_TRUE(has_key(shown, key->name));
		if (!has_key(shown, key->name))
			(void)printf("\nnot shown: %s\n", key->name);
	}
}

static void every_key_is_shown(void)
{
	struct shown shown;

	show_both(&shown,
		"include = [\"*\"]\n" TLS
		"[[app]]\nid = \"a\"\nlisten = [\"h:3\"]\n"
		"limits.connections = 1\nupstream = [{url = "
		"\"tls://s:1\", ca = \"x\", certificate = \"y\", private_key = "
		"\"z\"}]\n"
		"[[client]]\nid = \"a\"\nserials = [\"1\"]\napps = [\"a\"]\n",
		NULL);
	/* These are of another form of tls.client_ca. */
	put(&shown, "file = \nchain = \n", 17);
	check_section(&shown, &lbp_config_root_section);
}

/* For those who tell of defaults. */
static void write_defaults(const struct lbp_config_section *section)
{
	for (size_t i = 0; i < section->len; i++) {
		const struct lbp_config_key *key = &section->keys[i];
		struct shown shown = {.len = 0};
		struct lbp_config_writer writer = {.put = put, .user = &shown};

		if (key->section != NULL)
			write_defaults(key->section);
		if (key->kind->write == NULL || key->required ||
			section->defaults == NULL)
			continue;
		if (!key->kind->write(&writer, key,
			    (const char *)section->defaults + key->offset))
			CU_ASSERT_EQUAL(shown.len, 0);
	}
}

static void each_default_can_be_written(void)
{
	write_defaults(&lbp_config_root_section);
}

static void an_idle_window_is_not_shown(void)
{
	static const char app[] =
		TLS "[[app]]\nid = \"a\"\nlisten = [\"h:3\"]\n"
		    "upstream = [{url = \"tcp://s:1\"}]\n";
	char text[512];
	struct shown shown;

	show_both(&shown, app, NULL);
	CU_ASSERT_PTR_NULL(strstr(shown.text, "window"));
	(void)snprintf(
		text, sizeof(text), "%slimits = { connections = 1 }\n", app);
	show_both(&shown, text, NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown.text, "\nwindow = \"1m\" "));
	/* One that was given may be that of a client's rate. */
	(void)snprintf(
		text, sizeof(text), "%slimits = { window = \"1m\" }\n", app);
	show_both(&shown, text, NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown.text, "\nwindow = \"1m\" "));
}

static void other_texts_give_no_origin(void)
{
	static const char *const own[] = {"", "x = ", "app = 1\nclient = [1]\n",
		"[app]\n[client]\n", "app = []\nclient = []\ntls = 1\n"};
	struct lbp_config *config = read_both(plain, more);

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		const struct lbp_config_source sources[] = {
			{"own.toml", own[i], strlen(own[i])},
			{"in.toml", own[i], strlen(own[i])}};
		struct shown shown = {.len = 0};

		CU_ASSERT_EQUAL(
			lbp_config_show(config, sources, put, &shown), LBP_OK);
		CU_ASSERT_PTR_NOT_NULL(strstr(shown.text,
			"\nid = \"y\"                                # "
			"default\n"));
	}
	lbp_config_free(config);
}

static void names_of_files_are_escaped(void)
{
	static const struct lbp_config_source sources[] = {
		{"a\nb\x1b\xff", plain, sizeof(plain) - 1},
		{"in", more, sizeof(more) - 1}};
	struct lbp_config *config = read_both(plain, more);
	struct shown shown = {.len = 0};

	CU_ASSERT_EQUAL(lbp_config_show(config, sources, put, &shown), LBP_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown.text,
		"# The configuration in effect: a\\u000Ab\\u001B\\uFFFD\n"));
	lbp_config_free(config);
}

static void memory_may_run_out(void)
{
	static const char last[] = "[[client]]\nid = \"last\"\n"
				   "dns = [\"last\"]\napps = [\"b\"]\n";
	static const struct lbp_config_source sources[] = {
		{"own", plain, sizeof(plain) - 1},
		{"in", more, sizeof(more) - 1},
		{"last", last, sizeof(last) - 1}};
	struct lbp_config *config = read_all(plain, more, last);
	struct shown shown = {.len = 0};
	long allocations;

	alloc_fail_at(0);
	CU_ASSERT_EQUAL(lbp_config_show(config, sources, put, &shown), LBP_OK);
	allocations = alloc_count();
	CU_ASSERT_TRUE(allocations > 1);
	for (long n = 1; n <= allocations; n++) {
		shown.len = 0;
		alloc_fail_at(n);
		CU_ASSERT_EQUAL(lbp_config_show(config, sources, put, &shown),
			LBP_ERR_NOMEM);
	}
	alloc_fail_at(0);
	lbp_config_free(config);
}

void suite_config_show(void)
{
	CU_pSuite suite = CU_add_suite("config_show", NULL, NULL);

	CU_add_test(suite, "[CFG-112][CFG-113] values and origins",
		each_value_has_its_origin);
	CU_add_test(suite, "[CFG-110] several CAs are tables",
		several_cas_are_tables);
	CU_add_test(suite, "[CFG-110] one CA may be a table",
		one_ca_may_be_a_table);
	CU_add_test(suite, "[CFG-112] health has its origin",
		health_has_its_origin);
	CU_add_test(suite, "[CFG-112] all clients may be included",
		all_clients_may_be_included);
	CU_add_test(suite, "[CFG-110] every key is shown", every_key_is_shown);
	CU_add_test(suite, "[CFG-122] each default can be written",
		each_default_can_be_written);
	CU_add_test(suite, "[CFG-115] an idle window is not shown",
		an_idle_window_is_not_shown);
	CU_add_test(suite, "[CFG-112] other texts give no origin",
		other_texts_give_no_origin);
	CU_add_test(suite, "[CFG-114] names of files are escaped",
		names_of_files_are_escaped);
	CU_add_test(suite, "[CFG-110] memory may run out", memory_may_run_out);
}
