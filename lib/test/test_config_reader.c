/* What the configuration's reader makes of mistakes, message by message. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config_expect.h"
#include "server/config_errors.h"
#include "server/config_field.h"
#include "server/config_names.h"
#include "server/config_state.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Four lines, then five. */
#define TLS                                                                    \
	"[tls]\ncertificate = \"c\"\nprivate_key = \"k\"\nclient_ca = \"a\"\n"
#define APP                                                                    \
	"[[app]]\nid = \"e\"\nlisten = [\"h:1\"]\n[[app.upstream]]\n"          \
	"url = \"tcp://h:1\"\n"
/* Three more that cannot be told apart by case. */
#define APPS                                                                   \
	"[[app]]\nid = \"ABCDEF\"\nlisten = [\"h:2\"]\n"                       \
	"upstream = [{ url = \"tcp://h:1\" }]\n"                               \
	"[[app]]\nid = \"ABCDEG\"\nlisten = [\"h:3\"]\n"                       \
	"upstream = [{ url = \"tcp://h:1\" }]\n"                               \
	"[[app]]\nid = \"ABCDEY\"\nlisten = [\"h:4\"]\n"                       \
	"upstream = [{ url = \"tcp://h:1\" }]\n"
#define PATH "the path of the PEM file with the server's "

static void expect_one(
	const char *text, uint32_t line, uint32_t column, const char *message)
{
	config_expect(text, &(struct want){line, column, message}, 1);
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

	config_expect("app = [1, { id = \"e\", listen = [\"h:1\"], "
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

	config_expect(TLS APP "[[client]]\nserials = [\"1\"]\napps = [\"f\"]\n"
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
		LBP_ERR_SYNTAX);
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

static void say_plain(struct lbp_config_message *message, const char *text)
{
	lbp_config_say_plain(
		message, (struct lbp_toml_string){text, strlen(text)});
}

static void what_just_fits_of_a_text(void)
{
	struct lbp_config_message message = {0};

	memset(message.text, 'x', sizeof(message.text));
	say_plain(&message, "ab");
	CU_ASSERT_EQUAL(message.len, 2);
	CU_ASSERT_STRING_EQUAL(message.text, "ab");
	message.len = 0;
	lbp_config_say(&message, "%0509d", 1);
	say_plain(&message, "ab");
	CU_ASSERT_EQUAL(message.len, 511);
	CU_ASSERT_STRING_EQUAL(message.text + 508, "1ab");
	say_plain(&message, "c");
	CU_ASSERT_EQUAL(message.len, 511);
	CU_ASSERT_STRING_EQUAL(message.text + 507, "0...");
}

/* [server] is read before [[app]], and stands after it. */
static void the_first_place_counts(void)
{
	expect_one(TLS APP "[server]\nadmin = \"H:1\"\n", 11, 9,
		"server.admin 'H:1' is already on line 7 (app.listen) and must "
		"be unique");
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
		"'a{b:1': the host has a character other than letters, digits, "
		"'-', '_' and '.'");
	expect_one("[server]\nadmin = \"[::\\u0000]:1\"\n" TLS APP, 2, 9,
		"server.admin must be \"host:port\", IPv6 in brackets, not "
		"'[::\\u0000]:1': the IPv6 address is not valid");
}

/* A copy that ends where its memory ends; a sanitizer sees what is beyond. */
static void *copy_of(const void *from, size_t size)
{
	void *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, from, size);
	return copy;
}

#define X16 "xxxxxxxxxxxxxxxx"

static void escapes(void)
{
	static const struct {
		const char *text;
		const char *plain;
		const char *escaped;
	} rows[] = {
		{"", "", ""},
		{"\x1f", "\\u001F", "\\u001F"},
		{" !", " !", " !"},
		{"}~", "}~", "}~"},
		{"\x7f", "\\u007F", "\\u007F"},
		{"\xc2\x80", "\\u0080", "\\u0080"},
		{"\xef\xbf\xbf", "\\uFFFF", "\\uFFFF"},
		{"\xf0\x90\x80\x80", "\\U00010000", "\\U00010000"},
		{"&'(", "&'(", "&\\'("},
		{"[\\]", "[\\]", "[\\\\]"},
		{X16 X16 X16 X16, X16 X16 X16 X16, X16 X16 X16 X16},
		{X16 X16 X16 X16 "y", X16 X16 X16 X16 "y",
			X16 X16 X16 X16 "..."},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lbp_config_message message = {0};
		size_t len = strlen(rows[i].text);
		struct lbp_toml_string text = {copy_of(rows[i].text, len), len};
		char wanted[3 * 128];

		lbp_config_say_plain(&message, text);
		lbp_config_say(&message, ";");
		lbp_config_say_escaped(&message, text);
		lbp_config_say(&message, ";");
		lbp_config_say_quoted(&message, text);
		(void)snprintf(wanted, sizeof(wanted), "%s;%s;'%s'",
			rows[i].plain, rows[i].escaped, rows[i].escaped);
		CU_ASSERT_STRING_EQUAL(message.text, wanted);
		CU_ASSERT_EQUAL(message.len, strlen(wanted));
		free((void *)text.ptr);
	}
}

/* A list goes on while the message has at most 240 characters. */
static void where_a_list_ends(void)
{
	static struct lbp_config_name items[] = {
		{.shown = {"kk", 2}}, {.shown = {"l'", 2}}};
	static const struct lbp_config_names known = {items, 2, 2};
	static const struct {
		int before;
		const char *text;
	} rows[] = {
		{224, "0; accepted: kk, l\\'"},
		{225, "0; accepted: kk, ..."},
		{228, "0; accepted: kk, ..."},
		{229, "0; accepted: ..."},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lbp_config_reader reader = {0};
		struct lbp_config_message message = {0};

		lbp_config_say(&message, "%0*d", rows[i].before, 0);
		lbp_config_say_nearest(&reader, &message,
			(struct lbp_toml_string){"zz", 2}, &known);
		CU_ASSERT_STRING_EQUAL(
			message.text + rows[i].before - 1, rows[i].text);
	}
}

/* Told in any order; they are handed over by line, column and text. */
static void errors_in_any_order(void)
{
	static const struct want wanted[] = {
		{1, 2, "sixteen letters!"},
		{1, 2, "sixteen letters?"},
		{1, 10, "a"},
		{2, 1, "b"},
		{2, 2, "a"},
		{10, 1, "a"},
	};
	static const size_t orders[][COUNT(wanted)] = {
		{0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {3, 0, 5, 2, 4, 1}};

	for (size_t i = 0; i < COUNT(orders); i++) {
		struct lbp_config_reader reader = {0};
		struct lbp_config_errors errors;

		for (size_t j = 0; j < COUNT(wanted); j++) {
			const struct want *want = &wanted[orders[i][j]];
			struct lbp_config_message message = {0};

			lbp_config_say(&message, "%s", want->message);
			lbp_config_add_error(&reader,
				(struct lbp_config_pos){
					want->line, want->column, 0},
				&message);
		}
		CU_ASSERT_EQUAL_FATAL(lbp_config_take_errors(&reader, &errors),
			LBP_ERR_SYNTAX);
		lbp_config_arena_free(reader.scratch);
		CU_ASSERT_PTR_NULL(reader.messages);
		CU_ASSERT_EQUAL_FATAL(errors.len, COUNT(wanted));
		for (size_t j = 0; j < COUNT(wanted); j++) {
			const struct lbp_config_error *got = &errors.items[j];

			CU_ASSERT_EQUAL(got->pos.line, wanted[j].line);
			CU_ASSERT_EQUAL(got->pos.column, wanted[j].column);
			CU_ASSERT_STRING_EQUAL(got->message, wanted[j].message);
		}
		lbp_config_errors_release(&errors);
	}
}

static struct lbp_config_name name_at(
	const char *key, uint32_t line, uint32_t column)
{
	return (struct lbp_config_name){
		.key = key,
		.key_len = strlen(key),
		.shown = {key, strlen(key)},
		.label = line == 1 ? "first" : "other",
		.pos = {.line = line, .column = column},
	};
}

/* Added in any order, with places as far as a text of 4 GiB has them. */
static void names_in_any_order(void)
{
	static const struct want wanted[] = {
		{1, 9,
			"other 'a' is already on line 1 (first) and must be "
			"unique"},
		{2, UINT32_MAX,
			"other 'a' is already on line 1 (first) and must be "
			"unique"},
		{3, 1,
			"other 'a' is already on line 1 (first) and must be "
			"unique"},
		{6, 2,
			"other 'ab' is already on line 5 (other) and must be "
			"unique"},
		{UINT32_C(0x80000001), 1,
			"other 'a' is already on line 1 (first) and must be "
			"unique"},
	};
	const struct lbp_config_name names[] = {
		name_at("ab", 6, 2),
		name_at("b", 3, 1),
		name_at("a", UINT32_C(0x80000001), 1),
		name_at("a", 3, 1),
		name_at("a", 2, UINT32_MAX),
		name_at("", 9, 9),
		name_at("a", 1, 9),
		name_at("ab", 5, 7),
		name_at("a", 1, 8),
		name_at("abc", 1, 1),
		name_at("aa", 1, 1),
	};
	struct lbp_config_reader reader = {0};
	struct lbp_config_names list = {0};
	struct lbp_config_errors errors;

	lbp_config_names_unique(&reader, &list);
	for (size_t i = 0; i < COUNT(names); i++)
		lbp_config_names_add(&reader, &list, names[i]);
	CU_ASSERT_EQUAL_FATAL(list.len, COUNT(names));
	lbp_config_names_unique(&reader, &list);
	CU_ASSERT_EQUAL(list.items[0].key_len, 0);
	CU_ASSERT_EQUAL(list.items[1].pos.column, 8);
	CU_ASSERT_STRING_EQUAL(list.items[COUNT(names) - 1].key, "b");
	CU_ASSERT_EQUAL_FATAL(
		lbp_config_take_errors(&reader, &errors), LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL_FATAL(errors.len, COUNT(wanted));
	for (size_t i = 0; i < COUNT(wanted); i++) {
		CU_ASSERT_EQUAL(errors.items[i].pos.line, wanted[i].line);
		CU_ASSERT_EQUAL(errors.items[i].pos.column, wanted[i].column);
	}
	CU_ASSERT_STRING_EQUAL(errors.items[1].message, wanted[1].message);
	CU_ASSERT_STRING_EQUAL(errors.items[3].message, wanted[3].message);
	lbp_config_errors_release(&errors);
	lbp_config_arena_free(reader.scratch);
}

/* Each of 0 to 10 names is found, the first of equal ones, and no other. */
static void names_are_found(void)
{
	static const char *const keys[] = {
		"b", "d", "d", "d", "dd", "h", "j", "l", "lm", "p"};
	static const char *const wanted[] = {"", "a", "b", "c", "d", "dc", "dd",
		"de", "ddd", "h", "i", "j", "l", "ll", "lm", "m", "p", "q"};

	for (size_t len = 0; len <= COUNT(keys); len++) {
		struct lbp_config_name names[COUNT(keys)];
		struct lbp_config_names list = {NULL, len, len};

		for (size_t i = 0; i < len; i++)
			names[i] = (struct lbp_config_name){
				.key = copy_of(keys[i], strlen(keys[i])),
				.key_len = strlen(keys[i])};
		list.items = copy_of(names, len * sizeof(names[0]));
		for (size_t i = 0; i < COUNT(wanted); i++) {
			struct lbp_toml_string key = {
				copy_of(wanted[i], strlen(wanted[i])),
				strlen(wanted[i])};
			size_t at = 0;

			while (at < len && strcmp(keys[at], wanted[i]) != 0)
				at++;
			CU_ASSERT_PTR_EQUAL(lbp_config_names_find(&list, key),
				at == len ? NULL : &list.items[at]);
			free((void *)key.ptr);
		}
		for (size_t i = 0; i < len; i++)
			free((void *)names[i].key);
		free(list.items);
	}
}

/* Zeroed and aligned, one behind the other, in few chunks. */
static void room_in_an_arena(void)
{
	struct lbp_config_arena *arena = NULL;
	const size_t align = _Alignof(max_align_t);
	static const char zeros[5000];
	char *before = NULL;

	alloc_fail_at(0);
	for (size_t i = 0; i < 4096 / align; i++) {
		/* 1 byte to the whole of the alignment. */
		char *room = lbp_config_arena_alloc(&arena, 1 + i % align, 1);

		CU_ASSERT_PTR_NOT_NULL_FATAL(room);
		CU_ASSERT_EQUAL((uintptr_t)room % align, 0);
		CU_ASSERT(before == NULL || room == before + align);
		CU_ASSERT_EQUAL(memcmp(room, zeros, align), 0);
		memset(room, 0xff, align);
		before = room;
	}
	CU_ASSERT_EQUAL(alloc_count(), 1);
	for (size_t i = 0; i < 3; i++) {
		before = lbp_config_arena_alloc(&arena, 5, 1000);
		CU_ASSERT_PTR_NOT_NULL_FATAL(before);
		CU_ASSERT_EQUAL(memcmp(before, zeros, 5000), 0);
		memset(before, 0xff, 5000);
		CU_ASSERT_EQUAL(alloc_count(), 2 + (long)i);
	}
	/* 5000 was rounded up to 5008: 1 byte more needs a chunk. */
	CU_ASSERT_PTR_NOT_NULL(lbp_config_arena_alloc(&arena, 1, 1));
	CU_ASSERT_EQUAL(alloc_count(), 5);
	lbp_config_arena_free(arena);
}

/* A list of names grows by doubling: few allocations, nothing lost. */
static void a_list_that_grows(void)
{
	struct lbp_config_reader reader = {0};
	struct lbp_config_names list = {0};

	for (uint32_t i = 0; i < 1000; i++) {
		lbp_config_names_add(
			&reader, &list, (struct lbp_config_name){.index = i});
		CU_ASSERT_FATAL(list.len == i + 1 && list.len <= list.cap);
	}
	for (uint32_t i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(list.items[i].index, i);
	lbp_config_arena_free(reader.scratch);
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

/* As many messages as a first chunk holds: the list needs another one. */
static void no_memory_for_the_list(void)
{
	struct lbp_config_message message = {0};
	struct lbp_config_reader reader = {0};
	struct lbp_config_errors errors = {0};
	const size_t align = _Alignof(max_align_t);

	/* With the NUL, it just fits the alignment. */
	lbp_config_say(&message, "%0*d", (int)align - 1, 0);
	alloc_fail_at(0);
	for (size_t i = 0; i < 4096 / align; i++)
		lbp_config_add_error(
			&reader, (struct lbp_config_pos){1, 1, 0}, &message);
	/* The errors take two more chunks, of which none leaks. */
	CU_ASSERT_EQUAL(alloc_count(), 3);
	alloc_fail_at(1);
	CU_ASSERT_EQUAL(
		lbp_config_take_errors(&reader, &errors), LBP_ERR_NOMEM);
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

/*
 * A path and arrays of each kind that each need a chunk of their own, and CAs
 * that are the first in one.
 */
static void large_parts_and(const char *cas)
{
	char text[32768] = "";
	struct lbp_config_errors errors;
	struct lbp_config *config;
	char *end = text;
	enum lbp_err err = LBP_ERR_NOMEM;
	long n;

	end = repeat(end, "[tls]\ncertificate = \"", 1);
	end = repeat(end, "c", 5000);
	end = repeat(end, cas, 1);
	end = repeat(end, "[[app]]\nid = \"e\"\nlisten = [", 1);
	end = repeat(end, "\"h:1\",", 300);
	end = repeat(end, "]\nupstream = [", 1);
	end = repeat(end, "{url = \"tcp://h:1\"},", 100);
	end = repeat(end, "]\n[[client]]\nserials = [", 1);
	end = repeat(end, "\"1\",", 300);
	end = repeat(end, "]\nuris = [", 1);
	end = repeat(end, "\"a:b\",", 300);
	end = repeat(end, "]\napps = [", 1);
	end = repeat(end, "\"e\",", 300);
	end = repeat(end, "]\n", 1);
	end = repeat(end, "[[app]]\n", 80);
	for (n = 1; err == LBP_ERR_NOMEM && n < 10000; n++) {
		alloc_fail_at(n);
		err = lbp_config_parse(
			text, (size_t)(end - text), &config, &errors);
		CU_ASSERT_PTR_NULL(config);
		CU_ASSERT_EQUAL(errors.len == 0, err == LBP_ERR_NOMEM);
		lbp_config_errors_release(&errors);
	}
	alloc_fail_at(0);
	CU_ASSERT_EQUAL(err, LBP_ERR_SYNTAX);
	CU_ASSERT(n > 100);
	CU_ASSERT(end < text + sizeof(text));
}

static void large_parts(void)
{
	large_parts_and("\"\nclient_ca = \"a\"\n");
	large_parts_and("\"\nclient_ca = [{}, {}]\n");
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
	CU_add_test(suite, "[CFG-13] a text is cut only if it must be",
		what_just_fits_of_a_text);
	CU_add_test(suite, "[CFG-14] the first place is the first in the text",
		the_first_place_counts);
	CU_add_test(suite,
		"[CFG-10][CFG-31] the nearest is named, whatever its case",
		the_nearest_is_named);
	CU_add_test(suite, "[CFG-8] U+009F is a control character, U+00A0 not",
		controls_of_two_bytes);
	CU_add_test(suite, "[CFG-7] an id has no DEL", delete_in_an_id);
	CU_add_test(suite, "[CFG-4][CFG-5][CFG-41] what a host may not have",
		hosts);
	CU_add_test(suite, "[CFG-13] what is escaped, and how much is shown",
		escapes);
	CU_add_test(suite, "[CFG-13] a list is cut, not the message",
		where_a_list_ends);
	CU_add_test(suite, "[CFG-2] errors are sorted, in whatever order found",
		errors_in_any_order);
	CU_add_test(suite, "[CFG-14] the first is the first, whatever order",
		names_in_any_order);
	CU_add_test(suite, "[CFG-31] a name is found among its kind",
		names_are_found);
	CU_add_test(suite, "[CFG-15] an arena takes few allocations",
		room_in_an_arena);
	CU_add_test(suite, "[CFG-14] a list of names grows", a_list_that_grows);
	CU_add_test(suite, "[CFG-16] sizes without end are refused",
		sizes_without_end);
	CU_add_test(suite, "[CFG-16] no memory for the list of errors",
		no_memory_for_the_list);
	CU_add_test(suite, "[CFG-16] no memory for large parts", large_parts);
}
