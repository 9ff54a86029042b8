/* What the configuration's reader makes of mistakes, message by message. */
#include "config_reader.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Four lines, then five. */
#define TLS                                                                    \
	"[tls]\ncertificate = \"c\"\nprivate_key = \"k\"\nclient_ca = \"a\"\n"
#define APP                                                                    \
	"[[app]]\nid = \"e\"\nlisten = [\"h:1\"]\n[[app.upstream]]\n"          \
	"url = \"tcp://h:1\"\n"
/* Three more that can not be told apart by case. */
#define APPS                                                                   \
	"[[app]]\nid = \"ABCDEF\"\nlisten = [\"h:2\"]\n"                       \
	"upstream = [{ url = \"tcp://h:1\" }]\n"                               \
	"[[app]]\nid = \"ABCDEG\"\nlisten = [\"h:3\"]\n"                       \
	"upstream = [{ url = \"tcp://h:1\" }]\n"                               \
	"[[app]]\nid = \"ABCDEY\"\nlisten = [\"h:4\"]\n"                       \
	"upstream = [{ url = \"tcp://h:1\" }]\n"
#define PATH "the path of the PEM file with the server's "

struct want {
	uint32_t line;
	uint32_t column;
	const char *message;
};

/* A text must give these errors and no other. */
static void expect(const char *text, const struct want *wanted, size_t len)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;

	CU_ASSERT_EQUAL(lbp_config_parse(text, strlen(text), &config, &errors),
		LBP_ERR_CONFIG);
	CU_ASSERT_PTR_NULL(config);
	CU_ASSERT_EQUAL(errors.len, len);
	for (size_t i = 0; i < len && i < errors.len; i++) {
		const struct lbp_config_error *error = &errors.items[i];

		CU_ASSERT_EQUAL(error->pos.line, wanted[i].line);
		CU_ASSERT_EQUAL(error->pos.column, wanted[i].column);
		CU_ASSERT_STRING_EQUAL(error->message, wanted[i].message);
		if (strcmp(error->message, wanted[i].message) != 0)
			(void)printf("\n%s\n", error->message);
	}
	lbp_config_errors_release(&errors);
}

static void expect_one(
	const char *text, uint32_t line, uint32_t column, const char *message)
{
	expect(text, &(struct want){line, column, message}, 1);
}

/* A text must be accepted. */
static struct lbp_config *parse(const char *text)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;

	CU_ASSERT_EQUAL_FATAL(
		lbp_config_parse(text, strlen(text), &config, &errors), LBP_OK);
	return config;
}

static void items_are_tables(void)
{
	static const struct want wanted[] = {
		{1, 8, "app must be 1 to 1024 tables, [[app]], not an integer"},
		{1, 54,
			"app.upstream must be 1 to 1024 tables, "
			"[[app.upstream]], not an integer"},
	};

	expect("app = [1, { id = \"e\", listen = [\"h:1\"], "
	       "upstream = [ 2, { url = \"tcp://h:1\" }] }]\n" TLS,
		wanted, COUNT(wanted));
}

static void nobody_gets_in(void)
{
	struct lbp_config *config = parse("client = []\n" TLS APP);

	CU_ASSERT_EQUAL(config->app_len, 1);
	CU_ASSERT_EQUAL(config->client_len, 0);
	lbp_config_free(config);
}

/* The limits for an app that does not exist are read all the same. */
static void limits_of_no_app(void)
{
	static const struct want wanted[] = {
		{12, 9,
			"client.apps: no app has the id 'f'; did you mean 'e'? "
			"accepted: e"},
		{13, 23,
			"client.limits.f.concurrent must be an integer from 1 "
			"to 1000000, not 0"},
	};

	expect(TLS APP "[[client]]\nserials = [\"1\"]\napps = [\"f\"]\n"
		       "limits.f.concurrent = 0\nid = \"c\"\n",
		wanted, COUNT(wanted));
}

static void the_longest_message(void)
{
	static const char smile[] = "\xF0\x9F\x98\x80";
	static const char begin[] = "unknown key '\\U0001F600\\U0001F600";
	char text[4 * 64 + 8] = "\"";
	struct lbp_config_errors errors;
	struct lbp_config *config;
	const char *message;

	for (int i = 0; i < 64; i++)
		memcpy(text + 1 + (size_t)i * 4, smile, 4);
	memcpy(text + 1 + 256, "\" = 1\n", 7);
	CU_ASSERT_EQUAL(lbp_config_parse(text, strlen(text), &config, &errors),
		LBP_ERR_CONFIG);
	/* Beside it, tls and app are missing. */
	CU_ASSERT_EQUAL_FATAL(errors.len, 3);
	message = errors.items[2].message;
	CU_ASSERT_EQUAL(strlen(message), 511);
	CU_ASSERT_NSTRING_EQUAL(message, begin, sizeof(begin) - 1);
	CU_ASSERT_STRING_EQUAL(message + 511 - 10, "00\\U000...");
	lbp_config_errors_release(&errors);
}

static void what_just_fits(void)
{
	struct lbp_config_message message = {0};

	lbp_config_say(&message, "%0511d", 1);
	CU_ASSERT_EQUAL(message.len, 511);
	CU_ASSERT_STRING_EQUAL(message.text + 508, "001");
	message.len = 0;
	lbp_config_say(&message, "%0512d", 1);
	CU_ASSERT_EQUAL(message.len, 511);
	CU_ASSERT_STRING_EQUAL(message.text + 508, "...");
}

/* [server] is read before [[app]], and stands after it. */
static void the_first_place_counts(void)
{
	expect_one(TLS APP "[server]\nadmin = \"H:1\"\n", 11, 9,
		"server.admin 'H:1' is in line 7 already (app.listen), and "
		"must be unique");
}

/* Two letters away, then one, then two again. */
static void the_nearest_is_named(void)
{
	expect_one(TLS APPS "[[client]]\nid = \"c\"\nserials = [\"1\"]\n"
			    "apps = [\"abcdxg\"]\n",
		20, 9,
		"client.apps: no app has the id 'abcdxg'; did you mean "
		"'ABCDEG'? accepted: ABCDEF, ABCDEG, ABCDEY");
}

static void controls_of_two_bytes(void)
{
	static const char keys[] = "private_key = \"k\"\nclient_ca = \"a\"\n";
	char text[300];
	struct lbp_config *config;

	(void)snprintf(text, sizeof(text),
		"[tls]\ncertificate = \"\\u00a0\xC2\xA3\"\n%s" APP, keys);
	config = parse(text);
	CU_ASSERT_STRING_EQUAL(config->certificate.ptr, "\xC2\xA0\xC2\xA3");
	lbp_config_free(config);
	(void)snprintf(text, sizeof(text),
		"[tls]\ncertificate = \"x\\u009fx\"\n%s" APP, keys);
	expect_one(text, 2, 15,
		"tls.certificate must be " PATH "certificate chain, leaf "
		"first, not 'x\\u009Fx': it has a control character");
}

static void delete_in_an_id(void)
{
	expect_one(TLS "[[app]]\nid = \"e\\u007F\"\nlisten = [\"h:1\"]\n"
		       "upstream = [{ url = \"tcp://h:1\" }]\n",
		6, 6,
		"app.id must be a unique name of " LBP_CONFIG_ID
		", not 'e\\u007F': it has a character that is not printable "
		"ASCII");
}

static void hosts(void)
{
	struct lbp_config *config =
		parse("[server]\nadmin = \"0x_1:1\"\n" TLS APP);

	CU_ASSERT_STRING_EQUAL(config->admin.host, "0x_1");
	lbp_config_free(config);
	expect_one("[server]\nadmin = \"a{b:1\"\n" TLS APP, 2, 9,
		"server.admin must be \"host:port\", IPv6 in brackets, not "
		"'a{b:1': the host has a character that is no letter, digit, "
		"'-', '_' or '.'");
	expect_one("[server]\nadmin = \"[::\\u0000]:1\"\n" TLS APP, 2, 9,
		"server.admin must be \"host:port\", IPv6 in brackets, not "
		"'[::\\u0000]:1': the IPv6 address is not valid");
}

/* What no memory holds is refused before a size overflows. */
static void sizes_without_end(void)
{
	struct lbp_config_arena *arena = NULL;

	CU_ASSERT_PTR_NULL(lbp_config_arena_alloc(&arena, SIZE_MAX / 4 + 1, 1));
	CU_ASSERT_PTR_NULL(lbp_config_arena_alloc(&arena, SIZE_MAX / 4 + 1, 4));
	CU_ASSERT_PTR_NULL(lbp_config_arena_alloc(&arena, SIZE_MAX - 3, 1));
	CU_ASSERT_PTR_NULL(lbp_config_arena_alloc(&arena, SIZE_MAX, SIZE_MAX));
	CU_ASSERT_PTR_NULL(lbp_config_arena_alloc(&arena, 1, SIZE_MAX / 4));
	CU_ASSERT_PTR_NULL(arena);
}

/* As many empty messages as a first chunk holds: the list needs a second. */
static void no_memory_for_the_list(void)
{
	static const struct lbp_config_message empty;
	struct lbp_config_reader reader = {0};
	struct lbp_config_errors errors = {0};
	size_t told = 4096 / _Alignof(max_align_t);

	for (size_t i = 0; i < told; i++)
		lbp_config_tell(&reader, (struct lbp_config_pos){1, 1}, &empty);
	alloc_fail_at(1);
	CU_ASSERT_EQUAL(lbp_config_hand_over(&reader, &errors), LBP_ERR_NOMEM);
	CU_ASSERT_EQUAL(alloc_count(), 1);
	alloc_fail_at(0);
	CU_ASSERT_EQUAL(errors.len, 0);
	CU_ASSERT_PTR_NULL(errors.items);
	lbp_config_arena_free(reader.messages);
	lbp_config_arena_free(reader.scratch);
}

static char *repeat(char *text, const char *what, size_t times)
{
	for (size_t i = 0; i < times; i++) {
		memcpy(text, what, strlen(what));
		text += strlen(what);
	}
	return text;
}

/* A path, apps, addresses and upstreams that each need a chunk of their own. */
static void large_parts(void)
{
	char text[16384] = "";
	struct lbp_config_errors errors;
	struct lbp_config *config;
	char *end = text;
	enum lbp_err err = LBP_ERR_NOMEM;
	long n;

	end = repeat(end, "[tls]\ncertificate = \"", 1);
	end = repeat(end, "c", 5000);
	end = repeat(end, "\"\n[[app]]\nlisten = [", 1);
	end = repeat(end, "1,", 400);
	end = repeat(end, "]\nupstream = [", 1);
	end = repeat(end, "1,", 300);
	end = repeat(end, "]\n", 1);
	end = repeat(end, "[[app]]\n", 80);
	for (n = 1; err == LBP_ERR_NOMEM && n < 1000; n++) {
		alloc_fail_at(n);
		err = lbp_config_parse(
			text, (size_t)(end - text), &config, &errors);
		CU_ASSERT_PTR_NULL(config);
		CU_ASSERT_EQUAL(errors.len == 0, err == LBP_ERR_NOMEM);
		lbp_config_errors_release(&errors);
	}
	alloc_fail_at(0);
	CU_ASSERT_EQUAL(err, LBP_ERR_CONFIG);
	CU_ASSERT(n > 100);
}

void suite_config_reader(void)
{
	CU_pSuite suite = CU_add_suite("config_reader", NULL, NULL);

	CU_add_test(suite,
		"[CFG-12] an item that is no table is an error at its place",
		items_are_tables);
	CU_add_test(suite, "[CFG-29] an empty array of clients is accepted",
		nobody_gets_in);
	CU_add_test(suite, "[CFG-30][CFG-31] limits for an app that is not",
		limits_of_no_app);
	CU_add_test(suite, "[CFG-13] a message has 511 characters and no more",
		the_longest_message);
	CU_add_test(suite, "[CFG-13] a message is cut only if it must be",
		what_just_fits);
	CU_add_test(suite, "[CFG-14] the first place is the first in the text",
		the_first_place_counts);
	CU_add_test(suite,
		"[CFG-10][CFG-31] the nearest is named, whatever its case",
		the_nearest_is_named);
	CU_add_test(suite, "[CFG-8] U+009F is a control character, U+00A0 not",
		controls_of_two_bytes);
	CU_add_test(suite, "[CFG-7] an id has no DEL", delete_in_an_id);
	CU_add_test(suite, "[CFG-4][CFG-5] what a host may not have", hosts);
	CU_add_test(suite, "[CFG-16] sizes without end are refused",
		sizes_without_end);
	CU_add_test(suite, "[CFG-16] no memory for the list of errors",
		no_memory_for_the_list);
	CU_add_test(suite, "[CFG-16] no memory for large parts", large_parts);
}
