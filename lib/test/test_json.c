#include "server/json.h"

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <string.h>

#include "server/utf8.h"
#include "suites.h"

#define BUF_MAX 1024

struct text {
	struct lbp_json json;
	char buf[BUF_MAX];
};

static void start(struct text *text, size_t cap)
{
	memset(text->buf, '!', sizeof(text->buf));
	lbp_json_init(&text->json, text->buf, cap);
}

static void key(struct text *text, const char *name)
{
	lbp_json_key(&text->json, name, strlen(name));
}

static void expect(struct text *text, const char *wanted)
{
	CU_ASSERT_FALSE(text->json.overflow);
	CU_ASSERT_EQUAL_FATAL(text->json.len, strlen(wanted));
	CU_ASSERT_EQUAL(memcmp(text->buf, wanted, text->json.len), 0);
	CU_ASSERT_EQUAL(text->buf[text->json.len], '!');
}

/* {"a":1,"b":[],"c":[[true,"x"],{}],"d":{"e":false,"f":"y"}} */
static void write_nested(struct text *text)
{
	struct lbp_json *json = &text->json;

	lbp_json_begin_object(json);
	key(text, "a");
	lbp_json_uint(json, 1);
	key(text, "b");
	lbp_json_begin_array(json);
	lbp_json_end_array(json);
	key(text, "c");
	lbp_json_begin_array(json);
	lbp_json_begin_array(json);
	lbp_json_bool(json, true);
	lbp_json_string(json, "x", 1);
	lbp_json_end_array(json);
	lbp_json_begin_object(json);
	lbp_json_end_object(json);
	lbp_json_end_array(json);
	key(text, "d");
	lbp_json_begin_object(json);
	key(text, "e");
	lbp_json_bool(json, false);
	key(text, "f");
	lbp_json_string(json, "y", 1);
	lbp_json_end_object(json);
	lbp_json_end_object(json);
}

static const char nested[] = "{\"a\":1,\"b\":[],\"c\":[[true,\"x\"],{}],"
			     "\"d\":{\"e\":false,\"f\":\"y\"}}";

static void test_commas(void)
{
	struct text text;

	start(&text, BUF_MAX);
	expect(&text, "");
	write_nested(&text);
	expect(&text, nested);
}

static void expect_string(const char *string, size_t len, const char *wanted)
{
	struct text text;

	start(&text, BUF_MAX);
	lbp_json_string(&text.json, string, len);
	expect(&text, wanted);
	start(&text, BUF_MAX);
	lbp_json_begin_object(&text.json);
	lbp_json_key(&text.json, string, len);
	CU_ASSERT_EQUAL(text.json.len, strlen(wanted) + 2);
	CU_ASSERT_EQUAL(memcmp(text.buf + 1, wanted, strlen(wanted)), 0);
}

static void test_quotes(void)
{
	expect_string("", 0, "\"\"");
	expect_string(NULL, 0, "\"\"");
	expect_string("a/'b", 4, "\"a/'b\"");
	expect_string("\"\\", 2, "\"\\\"\\\\\"");
	expect_string("\",\"x\":\"", 7, "\"\\\",\\\"x\\\":\\\"\"");
}

static void test_controls(void)
{
	expect_string("\0\t\n\r\x1f ~\x7f", 8,
		"\"\\u0000\\u0009\\u000a\\u000d\\u001f ~\\u007f\"");
	expect_string("\xC2\x80\xC2\x85\xC2\x9F\xC2\xA0", 8,
		"\"\\u0080\\u0085\\u009f\xC2\xA0\"");
	expect_string("\xE2\x80\xA7\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAF", 12,
		"\"\xE2\x80\xA7\\u2028\\u2029\xE2\x80\xAF\"");
}

#define R "\xEF\xBF\xBD"

static void test_invalid_utf8(void)
{
	expect_string("é€😀", 9, "\"é€😀\"");
	expect_string("\xF4\x8F\xBF\xBF" R, 7, "\"\xF4\x8F\xBF\xBF" R "\"");
	expect_string("\xFF", 1, "\"" R "\"");
	expect_string("\xC3", 1, "\"" R "\"");
	expect_string("\xC3\"", 2, "\"" R "\\\"\"");
	expect_string("\xE2\x82", 2, "\"" R "\"");
	expect_string("\xE2\x82\n", 3, "\"" R "\\u000a\"");
	expect_string("\xF0\x9F\x98x", 4, "\"" R "x\"");
	expect_string("\xC0\x80", 2, "\"" R R "\"");
	expect_string("\xED\xA0\x80", 3, "\"" R R R "\"");
	expect_string("\xF4\x90\x80\x80", 4, "\"" R R R R "\"");
	expect_string("\xE2\xE2\x82\xAC", 4, "\"" R "\xE2\x82\xAC\"");
}

static void test_numbers(void)
{
	struct text text;

	start(&text, BUF_MAX);
	lbp_json_begin_array(&text.json);
	lbp_json_uint(&text.json, 0);
	lbp_json_uint(&text.json, UINT64_MAX);
	lbp_json_bool(&text.json, true);
	lbp_json_bool(&text.json, false);
	lbp_json_end_array(&text.json);
	expect(&text, "[0,18446744073709551615,true,false]");
}

static void test_raw(void)
{
	struct text text;

	start(&text, BUF_MAX);
	lbp_json_begin_array(&text.json);
	lbp_json_raw(&text.json, " ", 1);
	lbp_json_uint(&text.json, 1);
	lbp_json_raw(&text.json, "\n\0", 2);
	lbp_json_raw(&text.json, NULL, 0);
	lbp_json_uint(&text.json, 2);
	CU_ASSERT_EQUAL_FATAL(text.json.len, 7);
	CU_ASSERT_EQUAL(memcmp(text.buf, "[ 1\n\0,2", 7), 0);
}

static void test_overflow(void)
{
	size_t whole = strlen(nested);
	struct text text;

	for (size_t cap = 0; cap <= whole; cap++) {
		start(&text, cap);
		write_nested(&text);
		CU_ASSERT_EQUAL(text.json.overflow, cap < whole);
		CU_ASSERT_TRUE(text.json.len <= cap);
		CU_ASSERT_EQUAL(memcmp(text.buf, nested, text.json.len), 0);
		CU_ASSERT_EQUAL(text.buf[cap], '!');
	}
	start(&text, 4);
	lbp_json_raw(&text.json, "ab", 2);
	lbp_json_raw(&text.json, "cde", 3);
	CU_ASSERT_TRUE(text.json.overflow);
	lbp_json_raw(&text.json, "f", 1);
	CU_ASSERT_TRUE(text.json.overflow);
	CU_ASSERT_EQUAL(text.json.len, 2);
	start(&text, 0);
	lbp_json_raw(&text.json, "", 0);
	CU_ASSERT_FALSE(text.json.overflow);
}

/* Do these bytes make one character? */
static bool is_character(const uint8_t *bytes, size_t len, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	static const uint8_t mask[] = {0, 0x80, 0xE0, 0xF0, 0xF8};
	static const uint8_t mark[] = {0, 0x00, 0xC0, 0xE0, 0xF0};

	if ((bytes[0] & mask[len]) != mark[len])
		return false;
	*code = bytes[0] & (uint8_t)~mask[len];
	for (size_t i = 1; i < len; i++) {
		if ((bytes[i] & 0xC0) != 0x80)
			return false;
		*code = *code << 6 | (bytes[i] & 0x3F);
	}
	return *code >= least[len] && *code <= 0x10FFFF &&
	       (*code < 0xD800 || *code > 0xDFFF);
}

/* Does a longer character begin with these bytes? */
static bool is_beginning(const uint8_t *bytes, size_t len)
{
	static const int fills[] = {0x80, 0xBF};
	uint8_t whole[LBP_UTF8_MAX];
	uint32_t code;

	memcpy(whole, bytes, len);
	for (size_t i = 0; i < 2; i++) {
		memset(whole + len, fills[i], LBP_UTF8_MAX - len);
		for (size_t n = len + 1; n <= LBP_UTF8_MAX; n++) {
			if (is_character(whole, n, &code))
				return true;
		}
	}
	return false;
}

static size_t decode_naively(const uint8_t *bytes, size_t len, uint32_t *code)
{
	size_t piece = 1;

	for (size_t n = 1; n <= len; n++) {
		if (is_character(bytes, n, code))
			return n;
		if (is_beginning(bytes, n))
			piece = n;
	}
	*code = LBP_UTF8_INVALID;
	return piece;
}

/* Every order of the bytes at which something begins or ends. */
static void test_all_edges_of_utf8(void)
{
	static const uint8_t edges[] = {0x00, 0x3F, 0x7F, 0x80, 0x8F, 0x90,
		0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xE2,
		0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
	const size_t n = sizeof(edges);
	unsigned long wrong = 0;

	for (size_t i = 0; i < n * n * n * n; i++) {
		const uint8_t bytes[LBP_UTF8_MAX] = {edges[i % n],
			edges[i / n % n], edges[i / n / n % n],
			edges[i / n / n / n]};

		for (size_t len = 1; len <= LBP_UTF8_MAX; len++) {
			uint32_t want = 0;
			uint32_t got = 0;
			size_t taken =
				lbp_utf8_decode((const char *)bytes, len, &got);

			if (taken != decode_naively(bytes, len, &want) ||
				got != want)
				wrong++;
		}
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void test_all_characters(void)
{
	unsigned long wrong = 0;

	for (uint32_t code = 0; code <= 0x10FFFF; code++) {
		char text[LBP_UTF8_MAX];
		uint32_t naive = 0;
		uint32_t got = 0;
		size_t len;

		if (code >= 0xD800 && code <= 0xDFFF)
			continue;
		len = lbp_utf8_encode(code, text);
		if (!is_character((const uint8_t *)text, len, &naive) ||
			naive != code ||
			lbp_utf8_decode(text, len, &got) != len || got != code)
			wrong++;
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

void suite_json(void)
{
	CU_pSuite suite = CU_add_suite("json", NULL, NULL);

	CU_add_test(suite, "[JSN-1] commas at any nesting", test_commas);
	CU_add_test(suite, "[JSN-2] quotes and backslashes", test_quotes);
	CU_add_test(suite, "[JSN-3] control characters", test_controls);
	CU_add_test(suite, "[JSN-4] what is not UTF-8", test_invalid_utf8);
	CU_add_test(suite, "[JSN-4] UTF-8 at all of its edges",
		test_all_edges_of_utf8);
	CU_add_test(suite, "[JSN-4] every character of Unicode",
		test_all_characters);
	CU_add_test(suite, "[JSN-5] numbers and booleans", test_numbers);
	CU_add_test(suite, "[JSN-6] raw text", test_raw);
	CU_add_test(suite, "[JSN-7] every capacity that is too small",
		test_overflow);
}
