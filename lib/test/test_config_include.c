/* Configurations of several files. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "server/config.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define MAIN                                                                   \
	"include = [\"a\", \"c*\"]\n"                                          \
	"[tls]\ncertificate = \"c\"\nprivate_key = \"k\"\nclient_ca = \"a\"\n" \
	"[[app]]\nid = \"e\"\nlisten = [\"h:1\"]\n"                            \
	"upstream = [{ url = \"tcp://h:1\" }]\n"
#define CLIENT(id, serial)                                                     \
	"[[client]]\nid = \"" id "\"\nserials = [\"" serial "\"]\n"            \
	"apps = [\"e\"]\n"
#define ACCEPTED "; accepted: a TOML file with [[client]] tables only\n"

/* A file; without text one that cannot be read. */
struct part {
	const char *name;
	const char *text;
	size_t include;
};

static enum lbp_err read_parts(const struct part *parts, size_t len,
	struct lbp_config **config, struct lbp_config_errors *errors)
{
	struct lbp_config_reader *reader = lbp_config_begin(
		parts[0].name, parts[0].text, strlen(parts[0].text));
	size_t include_len;

	*config = NULL;
	*errors = (struct lbp_config_errors){0};
	if (reader == NULL)
		return LBP_ERR_NOMEM;
	*config = (struct lbp_config *)parts;
	memset(errors, 0xff, sizeof(*errors));
	(void)lbp_config_includes(reader, &include_len);
	for (size_t i = 1; i < len && include_len > 0; i++) {
		if (parts[i].text != NULL)
			lbp_config_add(reader, parts[i].include, parts[i].name,
				parts[i].text, strlen(parts[i].text));
		else
			lbp_config_reject_include(reader, parts[i].include,
				parts[i].name, "cannot be read: no");
	}
	return lbp_config_end(reader, config, errors);
}

/* The files must give these errors, each "FILE LINE:COLUMN MESSAGE\n". */
static void expect(const struct part *parts, size_t len, const char *wanted)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;
	char text[4096] = "";
	size_t n = 0;

	CU_ASSERT_EQUAL(
		read_parts(parts, len, &config, &errors), LBP_ERR_SYNTAX);
	CU_ASSERT_PTR_NULL(config);
	for (size_t i = 0; i < errors.len; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
			"%u %u:%u %s\n", errors.items[i].pos.file,
			errors.items[i].pos.line, errors.items[i].pos.column,
			errors.items[i].message);
	CU_ASSERT_STRING_EQUAL(text, wanted);
	if (strcmp(text, wanted) != 0)
		(void)printf("\n%s", text);
	lbp_config_errors_release(&errors);
}

static struct lbp_config *read_good(const struct part *parts, size_t len)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;

	CU_ASSERT_EQUAL_FATAL(read_parts(parts, len, &config, &errors), LBP_OK);
	CU_ASSERT_EQUAL(errors.len, 0);
	return config;
}

static void files_and_places(void)
{
	const struct part parts[] = {{"main", MAIN CLIENT("m", "1"), 0},
		{"a", CLIENT("x", "2") CLIENT("b", "3"), 0}, {"c1", "", 1},
		{"c2", "\n" CLIENT("a", "4"), 1}};
	static const char *const ids[] = {"m", "x", "b", "a"};
	static const struct lbp_config_pos places[] = {
		{11, 6, 0}, {2, 6, 1}, {6, 6, 1}, {3, 6, 3}};
	struct lbp_config *config = read_good(parts, COUNT(parts));

	CU_ASSERT_EQUAL_FATAL(config->client_len, COUNT(ids));
	for (size_t i = 0; i < COUNT(ids); i++) {
		const struct lbp_config_text *id = &config->clients[i].id;
		struct lbp_config_pos serial =
			config->clients[i].serials[0].pos;

		CU_ASSERT_STRING_EQUAL(id->ptr, ids[i]);
		CU_ASSERT_EQUAL(lbp_config_pos_compare(id->pos, places[i]), 0);
		CU_ASSERT_EQUAL(serial.line, places[i].line + 1);
		CU_ASSERT_EQUAL(serial.column, 12);
		CU_ASSERT_EQUAL(serial.file, places[i].file);
		CU_ASSERT_EQUAL(
			config->clients[i].serials[0].serial.octets[0], i + 1);
	}
	lbp_config_free(config);
}

static void places_by_file(void)
{
	static const struct lbp_config_pos sorted[] = {
		{1, 9, 0}, {2, 1, 0}, {1, 1, 1}, {1, 2, 1}, {1, 1, 2}};

	for (size_t i = 0; i < COUNT(sorted); i++) {
		for (size_t j = 0; j < COUNT(sorted); j++)
			CU_ASSERT_EQUAL(
				lbp_config_pos_compare(sorted[i], sorted[j]),
				(i > j) - (i < j));
	}
}

static void what_is_to_be_included(void)
{
	static const char text[] = "include = [\"a\", 1, \"\", \"d/*.toml\"]\n";
	struct lbp_config_reader *reader =
		lbp_config_begin("m", text, sizeof(text) - 1);
	struct lbp_config_errors errors;
	struct lbp_config *config;
	const struct lbp_config_text *includes;
	size_t len;

	CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
	includes = lbp_config_includes(reader, &len);
	CU_ASSERT_EQUAL_FATAL(len, 4);
	CU_ASSERT_STRING_EQUAL(includes[0].ptr, "a");
	CU_ASSERT_EQUAL(includes[0].pos.column, 12);
	CU_ASSERT_PTR_NULL(includes[1].ptr);
	CU_ASSERT_PTR_NULL(includes[2].ptr);
	CU_ASSERT_STRING_EQUAL(includes[3].ptr, "d/*.toml");
	CU_ASSERT_EQUAL(includes[3].pos.column, 24);
	CU_ASSERT_EQUAL(
		lbp_config_end(reader, &config, &errors), LBP_ERR_SYNTAX);
	lbp_config_errors_release(&errors);
}

static void nothing_to_include(void)
{
	static const char *const texts[] = {"include = [", "", "include = []"};

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct lbp_config_reader *reader =
			lbp_config_begin("m", texts[i], strlen(texts[i]));
		struct lbp_config_errors errors;
		struct lbp_config *config;
		size_t len = 1;

		CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
		(void)lbp_config_includes(reader, &len);
		CU_ASSERT_EQUAL(len, 0);
		CU_ASSERT_EQUAL(lbp_config_end(reader, &config, &errors),
			LBP_ERR_SYNTAX);
		lbp_config_errors_release(&errors);
	}
}

#define INCLUDE                                                                \
	"include must be an array of paths of files with [[client]] tables "   \
	"only, or of patterns, like \"clients.d/*.toml\", not "

static void values_of_include(void)
{
	static const char rest[] = MAIN;
	const char *tables = strchr(rest, '\n');
	static const struct {
		const char *value;
		const char *wanted;
	} cases[] = {
		{"\"a\"", "0 1:11 " INCLUDE "a string\n"},
		{"[1]", "0 1:12 " INCLUDE "an integer\n"},
		{"[\"\"]", "0 1:12 " INCLUDE "'': it is empty\n"},
		{"[\"\\n\"]", "0 1:12 " INCLUDE
			      "'\\u000A': it has a control character\n"},
	};
	char text[1024];

	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof(text), "include = %s%s", cases[i].value,
			tables);
		expect(&(struct part){"m", text, 0}, 1, cases[i].wanted);
	}
}

static void include_items(size_t n, bool fits)
{
	static const char rest[] = MAIN;
	struct lbp_config_errors errors;
	struct lbp_config *config;
	char *text = malloc(n * 4 + 1024);
	char *end = text;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	end += sprintf(end, "include = [");
	for (size_t i = 0; i < n; i++)
		end += sprintf(end, "\"a\",");
	sprintf(end, "]%s", strchr(rest, '\n'));
	CU_ASSERT_EQUAL(lbp_config_parse(text, strlen(text), &config, &errors),
		fits ? LBP_OK : LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL(fits ? config->include_len : 0, fits ? n : 0);
	CU_ASSERT_EQUAL(fits ? 0 : errors.items[0].pos.column,
		fits ? 0 : 12 + 4 * 1024);
	lbp_config_free(config);
	lbp_config_errors_release(&errors);
	free(text);
}

static void most_items(void)
{
	include_items(1024, true);
	include_items(1025, false);
}

static void clients_only(void)
{
	const struct part parts[] = {{"m", MAIN, 0},
		{"a", "cleint = 1\n[server]\n[[app]]\nid = \"f\"\n", 0},
		{"c", "include = []\n", 1}, {"d", "client = 1\n", 1},
		{"e", "client = [{}, 1, 2]\n", 1}};

	expect(parts, COUNT(parts),
		"1 1:1 unknown key 'cleint'; did you mean 'client'? accepted: "
		"client\n"
		"1 2:2 unknown key 'server'; accepted: client\n"
		"1 3:3 unknown key 'app'; accepted: client\n"
		"2 1:1 unknown key 'include'; accepted: client\n"
		"3 1:10 client must be at most 100000 tables, [[client]], not "
		"an integer\n"
		"4 1:11 client.apps is required: an array of one or more app "
		"ids\n"
		"4 1:11 client.id is required: a unique name of 1 to 64 "
		"printable ASCII characters, no space, '\"' or '\\'\n"
		"4 1:11 client.serials is required: an array of one or more "
		"serial numbers, each hex like \"1A:2B:3C\", positive and at "
		"most 20 octets; or client.uris or client.dns\n"
		"4 1:15 client must be at most 100000 tables, [[client]], not "
		"an integer\n"
		"4 1:18 client must be at most 100000 tables, [[client]], not "
		"an integer\n");
}

static void errors_of_all_files(void)
{
	const struct part parts[] = {{"m", MAIN CLIENT("m", "x") "y = 1\n", 0},
		{"a", "\n[[client]]\nid = 1\n", 0}, {"b", "x = \n", 0},
		{"b2",
			"[[client]]\nid = \"c\"\nserials = [\"1\"]\n"
			"apps = [\"gone\"]\n",
			0},
		{"nowhere", NULL, 0}, {"c", "\n\nid", 1}};

	expect(parts, COUNT(parts),
		"0 1:12 include: 'nowhere' cannot be read: no" ACCEPTED
		"0 12:12 client.serials must be an array of one or more serial "
		"numbers, each hex like \"1A:2B:3C\", positive and at most 20 "
		"octets, not 'x': it is not pairs of hex digits\n"
		"0 14:1 unknown key 'client.y'; accepted: id, serials, uris, "
		"dns, apps, limits\n"
		"1 2:1 client.apps is required: an array of one or more app "
		"ids\n"
		"1 2:1 client.serials is required: an array of one or more "
		"serial numbers, each hex like \"1A:2B:3C\", positive and at "
		"most 20 octets; or client.uris or client.dns\n"
		"1 3:6 client.id must be a unique name of 1 to 64 printable "
		"ASCII characters, no space, '\"' or '\\', not an integer\n"
		"2 1:5 expected a value, found the end of the line\n"
		"3 4:9 client.apps: no app has the id 'gone'; accepted: e\n"
		"4 3:3 expected '=' after the key, found the end of the "
		"text\n");
}

static void files_that_are_no_toml(void)
{
	const struct part parts[] = {{"m", MAIN, 0}, {"a", "x = \n= 1\n", 0},
		{"b", "y = 1", 1}, {"c", "[[client", 1}};

	expect(parts, COUNT(parts),
		"1 1:5 expected a value, found the end of the line\n"
		"2 1:1 unknown key 'y'; accepted: client\n"
		"3 1:9 expected ']]' after the key, found the end of the "
		"text\n");
}

static void unique_over_all(void)
{
	const struct part parts[] = {
		{"m's", MAIN CLIENT("x", "1") CLIENT("x", "9"), 0},
		{"a", "\n" CLIENT("a", "2") "uris = [\"u:1\"]\n", 0},
		{"b\xff",
			"\n\n" CLIENT("x", "2") "uris = [\"u:1\"]\n" CLIENT(
				"b", "2") "dns = [\"A.b\"]\n",
			0},
		{"c", CLIENT("a", "01") "dns = [\"a.B\"]\n" CLIENT("a", "3"),
			1}};
	const struct part shown[] = {
		parts[0], parts[1], {"b", parts[2].text, 0}, parts[3]};

	expect(shown, COUNT(shown),
		"0 15:6 client.id 'x' is already on line 11 (client.id) and "
		"must be unique\n"
		"2 4:6 client.id 'x' is already on line 11 of 'm\\'s' "
		"(client.id) and must be unique\n"
		"2 5:12 client.serials '2' is already on line 4 of 'a' "
		"(client.serials) and must be unique\n"
		"2 7:9 client.uris 'u:1' is already on line 6 of 'a' "
		"(client.uris) and must be unique\n"
		"2 10:12 client.serials '2' is already on line 4 of 'a' "
		"(client.serials) and must be unique\n"
		"3 2:6 client.id 'a' is already on line 3 of 'a' (client.id) "
		"and must be unique\n"
		"3 3:12 client.serials '01' is already on line 12 of 'm\\'s' "
		"(client.serials) and must be unique\n"
		"3 5:8 client.dns 'a.B' is already on line 12 of 'b' "
		"(client.dns) and must be unique\n"
		"3 7:6 client.id 'a' is already on line 3 of 'a' (client.id) "
		"and must be unique\n");
}

/* A long path is shown as a whole. */
static void long_names(void)
{
	char name[201];
	char wanted[512];
	const struct part parts[] = {
		{name, MAIN CLIENT("x", "1"), 0}, {"a", CLIENT("x", "2"), 0}};

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(wanted, sizeof(wanted),
		"1 2:6 client.id 'x' is already on line 11 of '%s' "
		"(client.id) and must be unique\n",
		name);
	expect(parts, COUNT(parts), wanted);
}

static void names_that_garble(void)
{
	const struct part parts[] = {{"m", MAIN, 0}, {"a\n", "x", 0},
		{"a\x1f", "", 0}, {"a\x7f", "", 1}, {"\xc2\x80", "", 1},
		{"\xc2\x9f", "", 1}, {"b\xff\xfe", "", 1},
		{"good \xc2\xa0~'\\", "y = 1", 1}, {"\xff\n", NULL, 1}};

	expect(parts, COUNT(parts),
		"0 1:12 include: 'a\\u000A' has a control character in its "
		"name" ACCEPTED
		"0 1:12 include: 'a\\u001F' has a control character in its "
		"name" ACCEPTED
		"0 1:17 include: '\\u0080' has a control character in its "
		"name" ACCEPTED
		"0 1:17 include: '\\u009F' has a control character in its "
		"name" ACCEPTED
		"0 1:17 include: '\\uFFFD\\u000A' cannot be read: no" ACCEPTED
		"0 1:17 include: 'a\\u007F' has a control character in its "
		"name" ACCEPTED
		"0 1:17 include: 'b\\uFFFD\\uFFFD' has a name that is not "
		"UTF-8" ACCEPTED "7 1:1 unknown key 'y'; accepted: client\n");
}

static void shown_in_clashes(void)
{
	const struct part parts[] = {{"m", MAIN, 0},
		{"\xc2\xa0~'\\", CLIENT("x", "1"), 0},
		{"b", CLIENT("x", "2"), 1}};

	expect(parts, COUNT(parts),
		"2 2:6 client.id 'x' is already on line 2 of "
		"'\\u00A0~\\'\\\\' (client.id) and must be unique\n");
}

/* As many as asked for, in files of 30000. */
static void many_clients(size_t n, const char *wanted)
{
	struct part parts[8] = {{"m", MAIN, 0}};
	size_t len = 1;
	size_t i = 0;

	while (i < n) {
		char *text = malloc(30000 * 64);
		char *end = text;
		size_t until = i + 30000 < n ? i + 30000 : n;

		CU_ASSERT_PTR_NOT_NULL_FATAL(text);
		for (; i < until; i++)
			end += sprintf(end,
				"[[client]]\nid=\"%zu\"\n"
				"serials=[\"%zX\"]\napps=[\"e\"]\n",
				i, i + 1);
		parts[len++] = (struct part){"f", text, 1};
	}
	if (wanted == NULL) {
		struct lbp_config *config = read_good(parts, len);

		CU_ASSERT_EQUAL(config->client_len, n);
		CU_ASSERT_STRING_EQUAL(config->clients[n - 1].id.ptr, "99999");
		lbp_config_free(config);
	} else {
		expect(parts, len, wanted);
	}
	while (len > 1)
		free((char *)parts[--len].text);
}

static void most_clients(void)
{
	many_clients(100000, NULL);
	/* Those of later files are as superfluous, and not mentioned. */
	many_clients(150000,
		"4 40001:1 client must be at most 100000 tables, [[client]], "
		"not more\n");
}

static void nomem(const struct part *parts, size_t len, enum lbp_err want)
{
	enum lbp_err err = LBP_ERR_NOMEM;
	long n;

	for (n = 1; err == LBP_ERR_NOMEM && n < 4000; n++) {
		struct lbp_config_errors errors;
		struct lbp_config *config;

		alloc_fail_at(n);
		err = read_parts(parts, len, &config, &errors);
		CU_ASSERT_EQUAL(config != NULL, err == LBP_OK);
		CU_ASSERT_EQUAL(errors.len == 0, err != LBP_ERR_SYNTAX);
		lbp_config_free(config);
		lbp_config_errors_release(&errors);
	}
	alloc_fail_at(0);
	CU_ASSERT_EQUAL(err, want);
	CU_ASSERT(n > 10);
}

static void no_memory(void)
{
	struct part parts[40] = {{"m", MAIN CLIENT("m", "1"), 0}};
	char texts[COUNT(parts)][128];

	for (size_t i = 1; i < COUNT(parts); i++) {
		snprintf(texts[i], sizeof(texts[i]), CLIENT("c%zu", "%zX"), i,
			i + 1);
		parts[i] = (struct part){"f", texts[i], i % 2};
	}
	nomem(parts, COUNT(parts), LBP_OK);
	/* Errors in all files, some of which need to know others. */
	for (size_t i = 1; i < COUNT(parts); i++)
		parts[i].text = CLIENT("c", "1") "x = 1\n";
	parts[COUNT(parts) - 1].name = "\n";
	parts[COUNT(parts) - 2].text = NULL;
	nomem(parts, COUNT(parts), LBP_ERR_SYNTAX);
}

/* So much that any of the allocations needs room of its own. */
static void no_memory_for_many(void)
{
	struct part parts[220];
	char text[2048];
	char *end = text;

	end += sprintf(end, "include = [");
	for (int i = 0; i < 300; i++)
		end += sprintf(end, "\"a\",");
	sprintf(end, "]%s", strchr(MAIN, '\n'));
	parts[0] = (struct part){"m", text, 0};
	for (size_t i = 1; i < COUNT(parts); i++)
		parts[i] = (struct part){"f", "client = []", i};
	nomem(parts, COUNT(parts), LBP_OK);
}

void suite_config_include(void)
{
	static const struct {
		const char *name;
		CU_TestFunc run;
	} tests[] = {
		{"[CFG-72][CFG-74] clients in the order of their files",
			files_and_places},
		{"[CFG-74] places go by file first", places_by_file},
		{"[CFG-70] what is to be included", what_is_to_be_included},
		{"[CFG-70][CFG-1] nothing is to be included",
			nothing_to_include},
		{"[CFG-70][CFG-12] values of include", values_of_include},
		{"[CFG-70] 1024 items and no more", most_items},
		{"[CFG-71] an included file has clients only", clients_only},
		{"[CFG-74][CFG-76] the errors of all files",
			errors_of_all_files},
		{"[CFG-77] files that are not TOML", files_that_are_no_toml},
		{"[CFG-75] what must be unique is so over all files",
			unique_over_all},
		{"[CFG-75] a long path is shown as a whole", long_names},
		{"[CFG-76] names that would garble a message",
			names_that_garble},
		{"[CFG-13][CFG-75] a path in a message", shown_in_clashes},
		{"[CFG-72] 100000 clients in all files and no more",
			most_clients},
		{"[CFG-16] no memory for several files", no_memory},
		{"[CFG-16] no memory for many files", no_memory_for_many},
	};
	CU_pSuite suite = CU_add_suite("config_include", NULL, NULL);

	for (size_t i = 0; i < COUNT(tests); i++)
		CU_add_test(suite, tests[i].name, tests[i].run);
}
