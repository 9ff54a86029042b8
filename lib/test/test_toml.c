#include "server/toml.h"

#include <CUnit/CUnit.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "server/json.h"
#include "server/toml_tree.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DUMP_MAX     4096

struct valid {
	const char *text;
	const char *tree; /* as dump_table writes it */
};

struct invalid {
	const char *text;
	uint32_t line, column;
	const char *message; /* a part of it */
};

static void put(struct lbp_json *json, const char *text)
{
	lbp_json_raw(json, text, strlen(text));
}

static void dump_string(struct lbp_json *json, struct lbp_toml_string string)
{
	struct lbp_json one;
	char buf[512];

	CU_ASSERT_EQUAL(string.ptr[string.len], '\0');
	lbp_json_init(&one, buf, sizeof(buf));
	lbp_json_string(&one, string.ptr, string.len);
	lbp_json_raw(json, buf, one.len);
}

static void dump_datetime(
	struct lbp_json *json, const struct lbp_toml_value *value)
{
	const struct lbp_toml_datetime *datetime = &value->as.datetime;
	char text[96] = "";

	if (value->type != LBP_TOML_LOCAL_TIME) {
		(void)snprintf(text, sizeof(text), "%u-%u-%u", datetime->year,
			datetime->month, datetime->day);
		put(json, text);
	}
	if (value->type != LBP_TOML_LOCAL_DATE) {
		(void)snprintf(text, sizeof(text), "T%u:%u:%u.%" PRIu32,
			datetime->hour, datetime->minute, datetime->second,
			datetime->nanosecond);
		put(json, text);
	}
	if (value->type == LBP_TOML_OFFSET_DATETIME) {
		(void)snprintf(text, sizeof(text), "%+d", datetime->offset_min);
		put(json, text);
	}
}

static void dump_table(
	struct lbp_json *json, const struct lbp_toml_table *table);

/* Integers as digits, floats as hexadecimal ones, with f before them. */
static void dump_value(
	struct lbp_json *json, const struct lbp_toml_value *value)
{
	char text[96] = "";

	if (value->type == LBP_TOML_STRING) {
		dump_string(json, value->as.string);
	} else if (value->type == LBP_TOML_INTEGER) {
		(void)snprintf(
			text, sizeof(text), "%" PRId64, value->as.integer);
	} else if (value->type == LBP_TOML_FLOAT) {
		(void)snprintf(text, sizeof(text), "f%a", value->as.real);
	} else if (value->type == LBP_TOML_BOOLEAN) {
		put(json, value->as.boolean ? "true" : "false");
	} else if (value->type == LBP_TOML_ARRAY) {
		put(json, "[");
		for (size_t i = 0; i < value->as.array->len; i++) {
			dump_value(json, &value->as.array->items[i]);
			put(json, " ");
		}
		put(json, "]");
	} else if (value->type == LBP_TOML_TABLE) {
		dump_table(json, value->as.table);
	} else {
		dump_datetime(json, value);
	}
	put(json, text);
}

static void dump_table(
	struct lbp_json *json, const struct lbp_toml_table *table)
{
	put(json, "{");
	for (size_t i = 0; i < table->len; i++) {
		dump_string(json, table->entries[i].key);
		put(json, ":");
		dump_value(json, &table->entries[i].value);
		put(json, " ");
	}
	put(json, "}");
}

static struct lbp_toml *parse_len(const char *text, size_t len)
{
	struct lbp_toml_error error;
	struct lbp_toml *doc;
	enum lbp_err err = lbp_toml_parse(text, len, &doc, &error);

	CU_ASSERT_EQUAL(err, LBP_OK);
	if (err)
		(void)printf("\n%.60s\n%u:%u: %s\n", text, error.pos.line,
			error.pos.column, error.message);
	return doc;
}

static struct lbp_toml *parse(const char *text)
{
	return parse_len(text, strlen(text));
}

static void expect_tree(const char *text, size_t len, const char *tree)
{
	struct lbp_toml *doc = parse_len(text, len);
	char buf[DUMP_MAX];
	struct lbp_json json;

	if (!doc)
		return;
	lbp_json_init(&json, buf, sizeof(buf) - 1);
	dump_table(&json, lbp_toml_root(doc));
	buf[json.len] = '\0';
	CU_ASSERT_STRING_EQUAL(buf, tree);
	if (strcmp(buf, tree) != 0)
		(void)printf("\n%s\nwanted %s\n   got %s\n", text, tree, buf);
	lbp_toml_free(doc);
}

static void expect_fault(const struct invalid *wanted, size_t len)
{
	struct lbp_toml *doc = (struct lbp_toml *)1;
	struct lbp_toml_error error;
	enum lbp_err err = lbp_toml_parse(wanted->text, len, &doc, &error);

	CU_ASSERT_EQUAL_FATAL(err, LBP_ERR_SYNTAX);
	CU_ASSERT_PTR_NULL(doc);
	CU_ASSERT_EQUAL(error.pos.line, wanted->line);
	CU_ASSERT_EQUAL(error.pos.column, wanted->column);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.message, wanted->message));
	if (error.pos.line != wanted->line ||
		error.pos.column != wanted->column ||
		!strstr(error.message, wanted->message))
		(void)printf("\n%s\nwanted %u:%u: ...%s\n   got %u:%u: %s\n",
			wanted->text, wanted->line, wanted->column,
			wanted->message, error.pos.line, error.pos.column,
			error.message);
}

static void expect_trees(const struct valid *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect_tree(rows[i].text, strlen(rows[i].text), rows[i].tree);
}

static void expect_faults(const struct invalid *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect_fault(&rows[i], strlen(rows[i].text));
}

static void test_keys(void)
{
	static const struct valid good[] = {
		{"", "{}"},
		{"a=1\nB-_9\t=\t2\n--=3\n42=4",
			"{\"a\":1 \"B-_9\":2 \"--\":3 \"42\":4 }"},
		{"\"a b\"=1\n'c.d'=2\n\"\\u00e9\"=3\n''=4",
			"{\"a b\":1 \"c.d\":2 \"é\":3 \"\":4 }"},
		{"azAZ09_-=1", "{\"azAZ09_-\":1 }"},
		{"3.14=1", "{\"3\":{\"14\":1 } }"},
	};
	static const struct invalid bad[] = {
		{"=1", 1, 1, "expected a key"},
		{"a.=1", 1, 3, "expected a key"},
		{"a..b=1", 1, 3, "expected a key"},
		{".a=1", 1, 1, "expected a key"},
		{"a=1\na..b=1", 2, 1, "'a' is an integer (line 1)"},
		{"é=1", 1, 1, "found 'é'"},
		{"a b=1", 1, 3, "expected '=' after the key, found 'b'"},
		{"a", 1, 2, "expected '=' after the key, found the end of"},
		{"a=", 1, 3, "expected a value, found the end of the text"},
		{"a=1 b=2", 1, 5, "expected the line to end"},
		{"[a] b=2", 1, 5, "expected the line to end"},
		{"a=word", 1, 3, "'word' is not a value"},
		{"a=!", 1, 3, "expected a value, found '!'"},
		{"a=\x01", 1, 3, "found U+0001"},
	};

	expect_trees(good, COUNT(good));
	expect_faults(bad, COUNT(bad));
}

static void test_blanks_in_keys(void)
{
	static const struct valid good[] = {
		{"a . 'b'\t.c=1\na.d=2",
			"{\"a\":{\"b\":{\"c\":1 } \"d\":2 } }"},
	};

	expect_trees(good, COUNT(good));
}

static void test_keys_that_are_none(void)
{
	static const struct invalid bad[] = {
		{"a\n=1", 1, 2, "expected '=' after the key, found the end of"},
		{"a=\n1", 1, 3, "expected a value, found the end of the line"},
		{"\"\"\"a\"\"\"=1", 1, 1, "multi-line"},
		{"'''a'''=1", 1, 1, "multi-line"},
	};

	expect_faults(bad, COUNT(bad));
}

static void test_strings(void)
{
	static const struct valid good[] = {
		{"a=\"\\b\\t\\n\\f\\r\\\"\\\\\"",
			"{\"a\":"
			"\"\\u0008\\u0009\\u000a\\u000c\\u000d\\\"\\\\\" "
			"}"},
		{"a=\"\\u00e9\\U0001F600\\uD7FF\\uE000\\U0010FFFF\"",
			"{\"a\":\"é😀\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF\" "
			"}"},
		{"a=\"\\u007e\\u00a0\\u07ff\\u0800\\uffff\\U00010000\"",
			"{\"a\":\"~\xC2\xA0\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF"
			"\xF0\x90\x80\x80\" }"},
		{"a=\"\\u007f\\u0080\"", "{\"a\":\"\\u007f\\u0080\" }"},
		{"a=\"\\u0123\\u4567\\u89ab\\ucdef\\uABCD\\uEF01\"",
			"{\"a\":\"\xC4\xA3\xE4\x95\xA7\xE8\xA6\xAB"
			"\xEC\xB7\xAF\xEA\xAF\x8D\xEE\xBC\x81\" }"},
	};
	static const struct invalid bad[] = {
		{"a=\"xy\\q\"", 1, 6, "unknown escape; accepted: \\b \\t"},
		{"a=\"\\x41\"", 1, 4, "unknown escape"},
		{"a=\"\\B\"", 1, 4, "unknown escape"},
		{"a=\"\\u00e\"", 1, 4, "\\u needs 4 hexadecimal digits"},
		{"a=\"\\u00g0\"", 1, 4, "\\u needs 4 hexadecimal digits"},
		{"a=\"\\U0000041\"", 1, 4, "\\U needs 8 hexadecimal digits"},
		{"a=\"\\uD800\"", 1, 4, "U+D800 is not a character"},
		{"a=\"\\uDFFF\"", 1, 4, "U+DFFF is not a character"},
		{"a=\"\\U00110000\"", 1, 4, "U+110000 is not a character"},
		{"a=\"\\", 1, 4, "unknown escape"},
	};

	expect_trees(good, COUNT(good));
	expect_faults(bad, COUNT(bad));
}

static void test_literal_strings(void)
{
	static const struct valid good[] = {
		{"a=\"\"\nb=''", "{\"a\":\"\" \"b\":\"\" }"},
		{"a='\\b\"'\nb=\"\t'\"",
			"{\"a\":\"\\\\b\\\"\" \"b\":\"\\u0009'\" }"},
	};
	static const struct invalid bad[] = {
		{"a=\"b", 1, 5, "expected a closing \""},
		{"a=\"b\n", 1, 5,
			"expected a closing \", found the end of the l"},
		{"a='b\r\n'", 1, 5, "expected a closing '"},
	};

	expect_trees(good, COUNT(good));
	expect_faults(bad, COUNT(bad));
}

/* What may follow a backslash, and \\u000; a NUL too, which is no end. */
static void test_every_escape(void)
{
	static const char escapes[] = "btnfr\"\\";
	static const char digits[] = "0123456789abcdefABCDEF";
	struct invalid wanted = {NULL, 1, 4, ""};
	char text[16];

	wanted.text = text;
	for (int byte = 0; byte < 0x80; byte++) {
		int len = snprintf(text, sizeof(text), "a=\"\\%c\"", byte);

		if (byte != 0 && strchr(escapes, byte))
			lbp_toml_free(parse_len(text, (size_t)len));
		else
			expect_fault(&wanted, (size_t)len);
		len = snprintf(text, sizeof(text), "a=\"\\u000%c\"", byte);
		if (byte != 0 && strchr(digits, byte))
			lbp_toml_free(parse_len(text, (size_t)len));
		else
			expect_fault(&wanted, (size_t)len);
	}
}

static void test_multi_line(void)
{
	static const struct valid good[] = {
		{"a=\"\"\"\"\"\"\nb=''''''", "{\"a\":\"\" \"b\":\"\" }"},
		{"a=\"\"\"\n\nb\"\"\"", "{\"a\":\"\\u000ab\" }"},
		{"a=\"\"\"\r\nb\r\nc\"\"\"", "{\"a\":\"b\\u000ac\" }"},
		{"a='''\r\nb\r\nc\\n'''", "{\"a\":\"b\\u000ac\\\\n\" }"},
	};
	static const struct invalid bad[] = {
		{"a=\"\"\"b\rc\"\"\"", 1, 7, "control character U+000D"},
	};

	expect_trees(good, COUNT(good));
	expect_faults(bad, COUNT(bad));
}

static void test_quotes_in_many_lines(void)
{
	static const struct valid good[] = {
		{"a=\"\"\"\"b\"\"\"", "{\"a\":\"\\\"b\" }"},
		{"a=\"\"\"\"\"b\"\" \"\"\"\"\"",
			"{\"a\":\"\\\"\\\"b\\\"\\\" \\\"\\\"\" }"},
		{"a=\"\"\"\"\"\"\"\"", "{\"a\":\"\\\"\\\"\" }"},
		{"a='''''b'''''", "{\"a\":\"''b''\" }"},
		{"a=\"\"\"\\\"\"\"\"", "{\"a\":\"\\\"\" }"},
	};
	static const struct invalid bad[] = {
		{"a=\"\"\"b\"\"\"\"\"\"", 1, 12, "expected the line to end"},
		{"a='''b''''''", 1, 12, "expected the line to end"},
		{"\n a=\"\"\"b\n\"\"", 2, 4, "not closed; expected \"\"\""},
		{"a='''b\n\\'''c''", 2, 5, "expected the line to end"},
	};

	expect_trees(good, COUNT(good));
	expect_faults(bad, COUNT(bad));
}

static void test_backslash_at_the_end(void)
{
	static const struct valid good[] = {
		{"a=\"\"\"b \\  \n \t\r\n c\\\n\"\"\"", "{\"a\":\"b c\" }"},
		{"a=\"\"\"b\\\\\n\"\"\"", "{\"a\":\"b\\\\\\u000a\" }"},
	};
	static const struct invalid bad[] = {
		{"a=\"\"\"b\\ c\"\"\"", 1, 7, "unknown escape"},
	};

	expect_trees(good, COUNT(good));
	expect_faults(bad, COUNT(bad));
}

static void test_control_characters(void)
{
	static const char *const frames[] = {"a=\"%c\"", "a='%c'",
		"a=\"\"\"%c\"\"\"", "a='''%c'''", "   # %c"};

	for (size_t i = 0; i < COUNT(frames); i++) {
		for (int byte = 0; byte < 0x80; byte++) {
			bool control = byte < 0x20 || byte == 0x7F;
			char text[32];
			struct invalid wanted = {text, 1, i < 2 ? 4 : 6,
				"control character U+00"};
			int len = snprintf(text, sizeof(text), frames[i], byte);

			if (i == 4)
				wanted.column = 6;
			if (control && byte != '\t' && byte != '\n')
				expect_fault(&wanted, (size_t)len);
		}
	}
	expect_tree("a='\t'#\t", 7, "{\"a\":\"\\u0009\" }");
}

static void test_utf8(void)
{
	static const char *const good[] = {"\xC2\x80", "\xDF\xBF",
		"\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF",
		"\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"};
	static const char *const bad[] = {"\x80", "\xBF", "\xC0\x80",
		"\xC1\xBF", "\xC3", "\xC3(", "\xC3\xC3", "\xE0\x9F\xBF",
		"\xED\xA0\x80", "\xE2\x82", "\xE2\x82(", "\xE2(\x82",
		"\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
		"\xF0\x9F\x98", "\xF0\x9F\x98(", "\xF8\x88\x80\x80\x80",
		"\xFF"};
	char text[32];

	for (size_t i = 0; i < COUNT(good); i++) {
		(void)snprintf(
			text, sizeof(text), "a='%s'#%s", good[i], good[i]);
		lbp_toml_free(parse(text));
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct invalid string = {text, 1, 5, "text in UTF-8"};
		struct invalid comment = {text, 2, 3, "text in UTF-8"};
		struct invalid outside = {text, 1, 5, "not UTF-8"};

		(void)snprintf(text, sizeof(text), "a='é%s'", bad[i]);
		expect_fault(&string, strlen(text));
		(void)snprintf(text, sizeof(text), "\n#é%s", bad[i]);
		expect_fault(&comment, strlen(text));
		(void)snprintf(text, sizeof(text), "a=1 %s", bad[i]);
		expect_fault(&outside, strlen(text));
	}
}

static void test_lines(void)
{
	static const struct valid good[] = {
		{"\r\n# c\r\n a=1 # c\r\n\n[b]# c\n#", "{\"a\":1 \"b\":{} }"},
	};
	static const struct invalid bad[] = {
		{"a=1\rb=2", 1, 4, "found U+000D"},
		{"a=1\r", 1, 4, "found U+000D"},
		{"\ra=1", 1, 1, "found U+000D"},
		{"a=1 # b\rc", 1, 8, "control character U+000D in a comment"},
	};

	expect_trees(good, COUNT(good));
	expect_faults(bad, COUNT(bad));
}

static void test_byte_order_mark(void)
{
	static const struct valid good[] = {
		{"\xEF\xBB\xBF", "{}"},
		{"\xEF\xBB\xBF"
		 "a=1",
			"{\"a\":1 }"},
	};
	static const struct invalid bad[] = {
		{"\xEF\xBB\xBF!", 1, 1, "found '!'"},
		{"\xEF\xBB\xBF\xEF\xBB\xBF", 1, 1, "expected a key"},
		{"a=1\n\xEF\xBB\xBF", 2, 1, "expected a key"},
		{"\xEF\xBB", 1, 1, "found byte 0xEF, not UTF-8"},
		{"\xEF\xBB\xBE"
		 "a=1",
			1, 1, "expected a key"},
	};

	expect_trees(good, COUNT(good));
	expect_faults(bad, COUNT(bad));
}

static void test_integers(void)
{
	static const struct valid good[] = {
		{"a=-1", "{\"a\":-1 }"},
		{"a=[0,+0,-0,42,+1,-17,1_2_3]",
			"{\"a\":[0 0 0 42 1 -17 123 ] }"},
		{"a=[9223372036854775807,-9223372036854775808]",
			"{\"a\":[9223372036854775807 -9223372036854775808 ] }"},
		{"a=[0xdead_BEEF,0x00,0o0755,0b1_0,0x7fffffffffffffff]",
			"{\"a\":[3735928559 0 493 2 9223372036854775807 ] }"},
		{"a=[0o777777777777777777777,0b" /* 63 ones */
		 "111111111111111111111111111111111111111111111111111111111111"
		 "111]",
			"{\"a\":[9223372036854775807 9223372036854775807 ] }"},
	};
	static const char *const bad[] = {"_1", "1_", "1__0", "+0x1", "-0b1",
		"0x", "0x_1", "0x1_", "0o8", "0b2", "0xg", "+-1", "+", "-",
		"1a", "01", "-01", "+00", "0_0", "00", "0X1", "0B1", "0o",
		"1-2", "1:2"};
	static const char *const large[] = {"9223372036854775808",
		"-9223372036854775809", "0x8000000000000000",
		"0xffffffffffffffffffff", "99999999999999999999",
		"18446744073709551616", "-18446744073709551616",
		"0o1000000000000000000000"};
	char text[64];

	expect_trees(good, COUNT(good));
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct invalid wanted = {text, 1, 4, ""};

		(void)snprintf(text, sizeof(text), "a= %s", bad[i]);
		expect_fault(&wanted, strlen(text));
	}
	for (size_t i = 0; i < COUNT(large); i++) {
		struct invalid wanted = {text, 1, 4,
			"integer does not fit 64 bits; accepted: "
			"-9223372036854775808 to 9223372036854775807"};

		(void)snprintf(text, sizeof(text), "a= %s", large[i]);
		expect_fault(&wanted, strlen(text));
	}
}

/* The value of a in a text. */
static double parse_real(const char *text)
{
	struct lbp_toml *doc = parse(text);
	const struct lbp_toml_entry *entry = NULL;
	double real = -1;

	if (doc)
		entry = lbp_toml_get(lbp_toml_root(doc), "a", 1);
	CU_ASSERT_PTR_NOT_NULL(entry);
	if (entry) {
		CU_ASSERT_EQUAL(entry->value.type, LBP_TOML_FLOAT);
		real = entry->value.as.real;
	}
	lbp_toml_free(doc);
	return real;
}

static void test_floats(void)
{
	static const char *const bad[] = {".5", "5.", "5.e1", "1e", "1e+",
		"1e1.5", "00.5", "1_.5", "1._5", "1e_5", "1.5_", "1.2.3",
		"1e5_", "Inf", "+INF", "nane", "NaN", "1.e", "-.5", "1e1e1",
		"in"};
	char text[64];

	CU_ASSERT_EQUAL(parse_real("a=1.0"), 1.0);
	CU_ASSERT_EQUAL(parse_real("a=-0.01"), -0.01);
	CU_ASSERT_EQUAL(parse_real("a=5e+22"), 5e22);
	CU_ASSERT_EQUAL(parse_real("a=-2E-02"), -2e-2);
	CU_ASSERT_EQUAL(parse_real("a=9_2.3_4e1_0"), 92.34e10);
	CU_ASSERT_EQUAL(parse_real("a=+6.626e-34"), 6.626e-34);
	CU_ASSERT_EQUAL(parse_real("a=inf"), HUGE_VAL);
	CU_ASSERT_EQUAL(parse_real("a=+inf"), HUGE_VAL);
	CU_ASSERT_EQUAL(parse_real("a=-inf"), -HUGE_VAL);
	CU_ASSERT_TRUE(isnan(parse_real("a=nan")));
	CU_ASSERT_TRUE(isnan(parse_real("a=-nan")));
	CU_ASSERT_TRUE(isnan(parse_real("a=+nan")));
	CU_ASSERT_TRUE(signbit(parse_real("a=-0.0")));
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct invalid wanted = {text, 1, 3, ""};

		(void)snprintf(text, sizeof(text), "a=%s", bad[i]);
		expect_fault(&wanted, strlen(text));
	}
}

static void test_float_rounding(void)
{
	char text[2100] = "a=0.";

	CU_ASSERT_EQUAL(parse_real("a=9007199254740993.0"), 0x1p53);
	CU_ASSERT_EQUAL(
		parse_real("a=9007199254740993.00000000000000000000000001"),
		0x1.0000000000001p53);
	CU_ASSERT_EQUAL(
		parse_real("a=9007199254740995.0"), 0x1.0000000000002p53);
	CU_ASSERT_EQUAL(parse_real("a=2.2250738585072011e-308"),
		0x0.fffffffffffffp-1022);
	CU_ASSERT_EQUAL(parse_real("a=4.9e-324"), 0x1p-1074);
	CU_ASSERT_EQUAL(parse_real("a=1e-400"), 0.0);
	CU_ASSERT_EQUAL(
		parse_real("a=1.7976931348623157e308"), 0x1.fffffffffffffp1023);
	CU_ASSERT_EQUAL(parse_real("a=-1e400"), -HUGE_VAL);
	CU_ASSERT_EQUAL(parse_real("a=1e99999999999999999999"), HUGE_VAL);
	CU_ASSERT_EQUAL(parse_real("a=1e-99999999999999999999"), 0.0);
	CU_ASSERT_EQUAL(parse_real("a=0e99999999999999999999"), 0.0);
	memset(text + 4, '0', 1000);
	memset(text + 1004, '7', 1000);
	memcpy(text + 2004, "e+1001", 7);
	CU_ASSERT_EQUAL(parse_real(text), 70.0 / 9);
}

static void test_booleans(void)
{
	static const struct valid good[] = {
		{"a=true\nb=false", "{\"a\":true \"b\":false }"},
	};
	static const struct invalid bad[] = {
		{"a=True", 1, 3, "'True' is not a value"},
		{"a=FALSE", 1, 3, "accepted"},
		{"a=truer", 1, 3, "accepted"},
		{"a=tru", 1, 3, "accepted"},
	};

	expect_trees(good, COUNT(good));
	expect_faults(bad, COUNT(bad));
}

static void test_datetimes(void)
{
	static const struct valid good[] = {
		{"a=1979-05-27T07:32:01Z", "{\"a\":1979-5-27T7:32:1.0+0 }"},
		{"a=1979-05-27t07:32:00z", "{\"a\":1979-5-27T7:32:0.0+0 }"},
		{"a=1979-05-27 07:32:00-07:30",
			"{\"a\":1979-5-27T7:32:0.0-450 }"},
		{"a=1979-05-27T07:32:00+23:59",
			"{\"a\":1979-5-27T7:32:0.0+1439 }"},
		{"a=1979-05-27T07:32:00-00:00",
			"{\"a\":1979-5-27T7:32:0.0+0 }"},
		{"a=1979-05-27 23:59:60", "{\"a\":1979-5-27T23:59:60.0 }"},
		{"a=1979-05-27 # c", "{\"a\":1979-5-27 }"},
		{"a=[1979-05-27 ,00:00:00]", "{\"a\":[1979-5-27 T0:0:0.0 ] }"},
		{"a=[1979-05-27,1]", "{\"a\":[1979-5-27 1 ] }"},
		{"a=0000-02-29", "{\"a\":0-2-29 }"},
		{"a=2000-02-29", "{\"a\":2000-2-29 }"},
		{"a=2024-02-29", "{\"a\":2024-2-29 }"},
		{"a=2000-01-01", "{\"a\":2000-1-1 }"},
		{"a=2000-01-31", "{\"a\":2000-1-31 }"},
		{"a=9999-12-31", "{\"a\":9999-12-31 }"},
		{"a=07:32:09.5", "{\"a\":T7:32:9.500000000 }"},
		{"a=07:32:09.000000001", "{\"a\":T7:32:9.1 }"},
		{"a=07:32:09.1234567899", "{\"a\":T7:32:9.123456789 }"},
		{"a=1979-05-27T07:32:09.9999999999Z",
			"{\"a\":1979-5-27T7:32:9.999999999+0 }"},
	};
	static const char *const bad[] = {"2000-00-01", "2000-13-01",
		"2000-01-00", "2000-01-32", "2001-02-29", "1900-02-29",
		"2000-02-30", "2000-04-31", "2000-06-31", "2000-09-31",
		"2000-11-31", "24:00:00", "00:60:00", "00:00:61", "07:32",
		"07:32:", "07:32:0", "7:32:00", "07:32:00.", "07:32:00.5.5",
		"07:32:00Z", "2000-01-01T", "2000-01-01T00", "200-01-01",
		"20000-01-01", "2000-1-01", "2000-01-1", "2000-01-011",
		"2000_01-01", "2000-01_01", "2000-01-01Z",
		"2000-01-01X00:00:00", "2000-01-01T00:00:00+24:00",
		"2000-01-01T00:00:00+00:60", "2000-01-01T00:00:00+01",
		"2000-01-01T00:00:00+0100", "2000-01-01T00:00:00X",
		"2000-01-01T00:00:00Z0", "2000-01-01T00:00:00 Z",
		"2000-01-01  00:00:00", "2000-01", "2000-01-01T00:00:00*",
		"+2000-01-01", "2000-01-01 0", "07:32:0.5",
		"2000-01-01T24:00:00Z", "2000-01-01T00:60:00+01:00"};
	static const struct invalid faults[] = {
		{"a=2000-01-0x", 1, 3, "not a date"},
		{"a=1234567890 1", 1, 14, "expected the line to end"},
		{"a=2000-13-01T00:00:00", 1, 3, "no month 13"},
		{"a=24:00:00.5x", 1, 3, "no time 24:00:00"},
	};
	char text[64];

	expect_trees(good, COUNT(good));
	expect_faults(faults, COUNT(faults));
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct lbp_toml_error error;
		struct lbp_toml *doc;

		(void)snprintf(text, sizeof(text), "a=%s", bad[i]);
		CU_ASSERT_EQUAL(
			lbp_toml_parse(text, strlen(text), &doc, &error),
			LBP_ERR_SYNTAX);
		CU_ASSERT_PTR_NULL(doc);
		lbp_toml_free(doc);
	}
}

/* From memory of exactly its length, where a sanitizer sees more read. */
static bool is_accepted(const char *text)
{
	size_t len = strlen(text);
	char *exact = malloc(len);
	struct lbp_toml_error error;
	struct lbp_toml *doc;
	enum lbp_err err;

	CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
	memcpy(exact, text, len);
	err = lbp_toml_parse(exact, len, &doc, &error);
	lbp_toml_free(doc);
	free(exact);
	return err == LBP_OK;
}

static void test_every_day(void)
{
	static const char *const last_days[][2] = {
		{"2023", "31 28 31 30 31 30 31 31 30 31 30 31"},
		{"2024", "31 29 31 30 31 30 31 31 30 31 30 31"},
		{"1900", "31 28 31 30 31 30 31 31 30 31 30 31"},
		{"2000", "31 29 31 30 31 30 31 31 30 31 30 31"},
	};
	char text[64];

	for (size_t i = 0; i < COUNT(last_days) * 12 * 33; i++) {
		size_t day = i % 33;
		size_t month = i / 33 % 12;
		const char *const *row = last_days[i / 33 / 12];
		size_t last = (size_t)atoi(row[1] + 3 * month);

		(void)snprintf(text, sizeof(text), "a=%s-%02zu-%02zu", row[0],
			month + 1, day);
		CU_ASSERT_EQUAL(is_accepted(text), day >= 1 && day <= last);
	}
}

/* What may be a bare key, and what may follow in one. */
static void test_every_bare_byte(void)
{
	for (char c = '!'; c <= '~'; c++) {
		bool bare = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			    (c >= 'a' && c <= 'z') || c == '-' || c == '_';
		char text[8];

		(void)snprintf(text, sizeof(text), "%c=1", c);
		/* A whole line may be a comment. */
		CU_ASSERT_EQUAL(is_accepted(text), bare || c == '#');
		(void)snprintf(text, sizeof(text), "a%c=1", c);
		CU_ASSERT_EQUAL(is_accepted(text), bare);
	}
}

/* Digits aside, what may stand at each place of a date and time. */
static void test_every_byte_of_a_datetime(void)
{
	static const char good[] = "a=1979-05-27T07:32:00.5+01:30";
	static const char *const others[sizeof(good)] = {
		[12] = "Tt", [23] = "+-"};

	for (size_t at = 2; good[at] != '\0'; at++) {
		for (char c = '!'; c <= '~'; c++) {
			const char *other = others[at] ? others[at] : "";
			char text[sizeof(good)];

			/* A comment may begin after a whole part. */
			if ((c >= '0' && c <= '9') || c == '#')
				continue;
			memcpy(text, good, sizeof(good));
			text[at] = c;
			CU_ASSERT_EQUAL(is_accepted(text),
				c == good[at] || strchr(other, c) != NULL);
		}
	}
}

static void test_parts_that_are_not_there(void)
{
	struct lbp_toml *doc =
		parse("a=07:32:01.5\nb=1979-05-27\nc=1979-05-27T07:32:01.5");
	const struct lbp_toml_entry *entries = lbp_toml_root(doc)->entries;
	struct lbp_toml_datetime time = entries[0].value.as.datetime;
	struct lbp_toml_datetime date = entries[1].value.as.datetime;

	CU_ASSERT(time.year == 0 && time.month == 0 && time.day == 0);
	CU_ASSERT_EQUAL(time.offset_min, 0);
	CU_ASSERT(date.hour == 0 && date.minute == 0 && date.second == 0);
	CU_ASSERT(date.nanosecond == 0 && date.offset_min == 0);
	CU_ASSERT_EQUAL(entries[2].value.as.datetime.offset_min, 0);
	lbp_toml_free(doc);
}

/* What may follow the first digit of an integer of any base. */
static void test_every_digit(void)
{
	static const char *const bases[][2] = {{"0x", "0123456789abcdefABCDEF"},
		{"0o", "01234567"}, {"0b", "01"}, {"1", "0123456789"}};
	char text[16];

	for (size_t i = 0; i < COUNT(bases); i++) {
		for (char c = '!'; c <= '~'; c++) {
			(void)snprintf(
				text, sizeof(text), "a=%s%c", bases[i][0], c);
			if (c != '#')
				CU_ASSERT_EQUAL(is_accepted(text),
					strchr(bases[i][1], c) != NULL);
		}
	}
}

static void test_ends_of_numbers(void)
{
	static const char *const good[] = {"a=1", "a=1e5", "a=-1e-5", "a=inf",
		"a=-nan", "a=inf\nb=nan\n", "a=1.5E2", "a=0x1"};
	static const char *const bad[] = {"a=", "a=+", "a=-", "a=1e", "a=1e-",
		"a=1.", "a=inx", "a=nax", "a=in", "a=infi", "a=0x", "a=0x1g",
		"a=1.a", "a=1.5a", "a=1ea", "a=1e5a", "a=0b12", "a=0o18"};
	static const struct invalid faults[] = {
		{"a=1{", 1, 4, ""}, {"a=1[", 1, 4, ""}};

	for (size_t i = 0; i < COUNT(good); i++)
		CU_ASSERT_TRUE(is_accepted(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		CU_ASSERT_FALSE(is_accepted(bad[i]));
	expect_faults(faults, COUNT(faults));
	expect_tree("a=1.5E2", 7, "{\"a\":f0x1.2cp+7 }");
}

static void test_arrays(void)
{
	static const struct valid good[] = {
		{"a=[]\nb=[ \n # c\n]", "{\"a\":[] \"b\":[] }"},
		{"a=[1,'x',[true],{b=2},07:32:00]",
			"{\"a\":[1 \"x\" [true ] {\"b\":2 } T7:32:0.0 ] }"},
		{"a=[ # c\r\n 1 # ,\n , # ]\n2,\n]\nb=3",
			"{\"a\":[1 2 ] \"b\":3 }"},
	};
	static const struct invalid bad[] = {
		{"a=[", 1, 4, "expected a value"},
		{"a=[1", 1, 5, "expected ',' or ']' after the item"},
		{"a=[1 2]", 1, 6, "expected ',' or ']' after the item"},
		{"a=[1,\n,2]", 2, 1, "expected a value, found ','"},
		{"a=[,]", 1, 4, "expected a value, found ','"},
		{"a=[1]]", 1, 6, "expected the line to end"},
		{"a=[1}", 1, 5, "expected ',' or ']'"},
	};

	expect_trees(good, COUNT(good));
	expect_faults(bad, COUNT(bad));
}

static void test_inline_tables(void)
{
	static const struct valid good[] = {
		{"a={}\nb={ }", "{\"a\":{} \"b\":{} }"},
		{"a={ b=1 , c.d=2,c.e = {f=[1,\n2]}, g='''\n'''}",
			"{\"a\":{\"b\":1 \"c\":{\"d\":2 \"e\":{\"f\":[1 2 ] } "
			"} "
			"\"g\":\"\" } }"},
	};
	static const struct invalid bad[] = {
		{"a={b=1,}", 1, 8, "expected a key"},
		{"a={,}", 1, 4, "expected a key"},
		{"a={b=1\n}", 1, 7, "expected ',' or '}' on the same line"},
		{"a={\n}", 1, 4, "expected a key"},
		{"a={b=1,\nc=2}", 1, 8, "expected a key"},
		{"a={b=1 # c\n}", 1, 8, "expected ',' or '}'"},
		{"a={b=1 c=2}", 1, 8, "expected ',' or '}'"},
		{"a={b=1", 1, 7, "expected ',' or '}'"},
		{"a={b}", 1, 5, "expected '=' after the key"},
	};

	expect_trees(good, COUNT(good));
	expect_faults(bad, COUNT(bad));
}

static void test_defined_twice(void)
{
	static const struct invalid bad[] = {
		{"b=1\na=1\n\n a=2", 4, 2,
			"key 'a' is defined twice, first at line 2"},
		{"'a ~'=1\n'a ~'=2", 2, 1, "'a ~' is defined twice"},
		{"a=1\n\"\\u0061\"=2", 2, 1, "'a' is defined twice"},
		{"a={b=1,b=2}", 1, 8, "'b' is defined twice"},
		{"a={b.c=1,b.c=2}", 1, 12, "'c' is defined twice"},
		{"[a]\nb=1\nb=2", 3, 1, "first at line 2"},
		{"a.b=1\na=2", 2, 1, "'a' is defined twice"},
	};

	expect_faults(bad, COUNT(bad));
}

static void test_headers_twice(void)
{
	static const struct invalid bad[] = {
		{"[a]\n[b]\n[ a ]", 3, 3,
			"'a' is defined twice, first at line 1"},
		{"[a.b]\n[a]\n[a]", 3, 2,
			"'a' is defined twice, first at line 1"},
		{"[a.b]\n[c]\n[a.b]", 3, 4, "'b' is defined twice"},
		{"a=1\n[a]", 2, 2, "'a' is defined twice"},
	};

	expect_faults(bad, COUNT(bad));
}

static void test_headers(void)
{
	static const struct valid good[] = {
		{"[a]\n[ b . 'c' ]\nx=1\n[b]\ny=2",
			"{\"a\":{} \"b\":{\"c\":{\"x\":1 } \"y\":2 } }"},
		{"[a.b.c]\n[a.b]\n[a]", "{\"a\":{\"b\":{\"c\":{} } } }"},
		{"a=1\n[b]\na=2\n[b.a_]\na=3",
			"{\"a\":1 \"b\":{\"a\":2 \"a_\":{\"a\":3 } } }"},
	};
	static const struct invalid bad[] = {
		{"[]", 1, 2, "expected a key"},
		{"[a.]", 1, 4, "expected a key"},
		{"[.a]", 1, 2, "expected a key"},
		{"[a..b]", 1, 4, "expected a key"},
		{"a=1\n[a..b]", 2, 2, "'a' is an integer (line 1)"},
		{"[a", 1, 3, "expected ']' after the key"},
		{"[a\n]", 1, 3, "expected ']' after the key"},
		{"[ [a]]", 1, 3, "expected a key"},
		{"[[a]", 1, 5, "expected ']]' after the key"},
		{"[[a] ]", 1, 5, "expected ']]' after the key"},
		{"[a]]", 1, 4, "expected the line to end after the header"},
		{"a=1\n[a.b]", 2, 2,
			"'a' is an integer (line 1), and nothing can be added "
			"to it here"},
		{"[x]\na=''\n[x.a.b]", 3, 4, "'a' is a string (line 2)"},
	};

	expect_trees(good, COUNT(good));
	expect_faults(bad, COUNT(bad));
}

static void test_dotted(void)
{
	static const struct valid good[] = {
		{"a.b=1\nc=2\na.d.e=3",
			"{\"a\":{\"b\":1 \"d\":{\"e\":3 } } \"c\":2 }"},
		{"[a]\nb.c=1\n[a.b.d]\n[a.b.e.f]",
			"{\"a\":{\"b\":{\"c\":1 \"d\":{} \"e\":{\"f\":{} } } } "
			"}"},
		{"[a.b.c]\n[a]\nb.d=1",
			"{\"a\":{\"b\":{\"c\":{} \"d\":1 } } }"},
		{"[a.b.c]\n[a]\nb.d=1\nb.e=2\n[a.b.f]",
			"{\"a\":{\"b\":{\"c\":{} \"d\":1 \"e\":2 \"f\":{} } } "
			"}"},
	};
	static const struct invalid bad[] = {
		{"[a]\nb.c=1\n[a.b]", 3, 4, "'b' is defined twice"},
		{"a.b.c=1\n[a.b]", 2, 4, "'b' is defined twice"},
		{"a.b.c=1\n[a]", 2, 2, "'a' is defined twice"},
		{"[a.b.c]\n[a]\nb.d=1\n[a.b]", 4, 4, "'b' is defined twice"},
	};

	expect_trees(good, COUNT(good));
	expect_faults(bad, COUNT(bad));
}

static void test_dotted_extends_nothing_else(void)
{
	static const struct invalid bad[] = {
		{"[a.b]\n[a]\nb.c=1", 3, 1, "'b' is a table with a header"},
		{"[a.b.c]\n[a]\nb.c.d=1", 3, 3, "'c' is a table with a header"},
		{"a=1\na.b=2", 2, 1, "'a' is an integer (line 1)"},
		{"a=[]\na.b=2", 2, 1, "'a' is an array"},
		{"[[a.b]]\n[a]\nb.c=1", 3, 1, "'b' is an array"},
	};

	expect_faults(bad, COUNT(bad));
}

static void test_arrays_of_tables(void)
{
	static const struct valid good[] = {
		{"[[a]]\nb=1\n[[a]]\n[a.c]\nd=2\n[[a.e]]\n[[a.e]]\n[a.e.f]\n[["
		 "a]]"
		 "\n[a.c]",
			"{\"a\":[{\"b\":1 } {\"c\":{\"d\":2 } \"e\":[{} "
			"{\"f\":{} "
			"} ] } {\"c\":{} } ] }"},
		{"[[a.b]]\n[a]\nc=1", "{\"a\":{\"b\":[{} ] \"c\":1 } }"},
		{"a.b=1\n[[a.c]]", "{\"a\":{\"b\":1 \"c\":[{} ] } }"},
	};
	static const struct invalid bad[] = {
		{"[[a]]\n[a]", 2, 2, "'a' is defined twice, first at line 1"},
		{"[a]\n[[a]]", 2, 3, "'a' is defined twice, first at line 1"},
		{"[a.b]\n[[a]]", 2, 3, "'a' is defined twice"},
		{"a.b=1\n[[a]]", 2, 3, "'a' is defined twice"},
		{"[[a]]\n[a.b]\n[a.b]", 3, 4, "'b' is defined twice"},
		{"a=1\n[[a]]", 2, 3, "'a' is defined twice"},
		{"a=1\n[[a.b]]", 2, 3, "'a' is an integer"},
	};

	expect_trees(good, COUNT(good));
	expect_faults(bad, COUNT(bad));
}

static void test_complete_values(void)
{
	static const struct invalid bad[] = {
		{"a={b=1}\na.c=2", 2, 1, "'a' is an inline table (line 1)"},
		{"a={b={}}\n[a.b.c]", 2, 2, "'a' is an inline table"},
		{"a={b=1}\n[a]", 2, 2, "'a' is defined twice"},
		{"a={}\n[[a.c]]", 2, 3, "'a' is an inline table"},
		{"a={b.c=1}\n[a.b]", 2, 2, "'a' is an inline table"},
		{"a={b={c=1},b.d=2}", 1, 12, "'b' is an inline table"},
		{"a=[]\n[[a]]", 2, 3, "'a' is an array of values"},
		{"a=[{}]\n[[a]]", 2, 3, "'a' is an array of values"},
		{"a=[{}]\n[a.b]", 2, 2, "'a' is an array of values"},
		{"a=[{}]\n[[a.b]]", 2, 3, "'a' is an array of values"},
		{"[x]\na=[{}]\n[x.a.b]", 3, 4, "'a' is an array of values"},
	};

	expect_faults(bad, COUNT(bad));
}

static char *repeat(char *out, const char *part, size_t count)
{
	for (; count > 0; count--) {
		memcpy(out, part, strlen(part) + 1);
		out += strlen(part);
	}
	return out;
}

/* front, so many parts and back, which make that many levels. */
static void expect_depth(const char *front, const char *part, size_t parts,
	const char *back, size_t levels)
{
	char text[4096];
	struct lbp_toml_error error;
	struct lbp_toml *doc;
	enum lbp_err err;

	(void)repeat(repeat(repeat(text, front, 1), part, parts), back, 1);
	err = lbp_toml_parse(text, strlen(text), &doc, &error);
	CU_ASSERT_EQUAL(
		err, levels <= LBP_TOML_DEPTH_MAX ? LBP_OK : LBP_ERR_SYNTAX);
	if (err)
		CU_ASSERT_PTR_NOT_NULL(strstr(
			error.message, "accepted: 128 levels of tables"));
	lbp_toml_free(doc);
}

static void test_depth(void)
{
	char close[130];

	for (size_t levels = 127; levels <= 129; levels++) {
		*repeat(close, "]", levels) = '\0';
		expect_depth("a=", "[", levels, close, levels);
		*repeat(close, "}", levels) = '\0';
		expect_depth("a={", "b={", levels - 1, close, levels);
		expect_depth("", "a.", levels, "b=1", levels);
		expect_depth("[a", ".a", levels - 1, "]", levels);
		expect_depth("[[a", ".a", levels - 2, "]]", levels);
	}
}

static void test_depth_mixed(void)
{
	char text[1024], *end = text;
	struct invalid wanted = {text, 2, 160, "nested too deeply"};

	end = repeat(end, "[b", 1);
	end = repeat(end, ".a", 63);
	end = repeat(end, "]\n", 1);
	end = repeat(end, "a.", 32);
	end = repeat(end, "b=", 1);
	end = repeat(end, "[{a=", 23);
	end = repeat(end, "[", 9);
	*end = '\0';
	/* 64 + 32 + 2 * 23 are more than 128; the 33rd bracket is too deep. */
	wanted.column = 64 + 2 + 4 * 16 + 1;
	expect_fault(&wanted, strlen(text));
}

static const struct lbp_toml_entry *get(
	const struct lbp_toml_table *table, const char *key)
{
	const struct lbp_toml_entry *entry =
		lbp_toml_get(table, key, strlen(key));

	CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
	return entry;
}

static void expect_pos(struct lbp_toml_pos pos, uint32_t line, uint32_t column)
{
	CU_ASSERT_EQUAL(pos.line, line);
	CU_ASSERT_EQUAL(pos.column, column);
}

static void test_places(void)
{
	struct lbp_toml *doc = parse("\xEF\xBB\xBF"
				     " a = 'é😀'  # \r\n"
				     "'é' = [ 1,\n  {x.y=2}]\n"
				     "[p.q]\n"
				     " [ p ]\n"
				     "[[i]]\n"
				     "[[ i ]]\n");
	const struct lbp_toml_table *root = lbp_toml_root(doc);
	const struct lbp_toml_entry *entry = get(root, "a");
	const struct lbp_toml_value *item;

	expect_pos(entry->pos, 1, 2);
	expect_pos(entry->value.pos, 1, 6);
	entry = get(root, "é");
	expect_pos(entry->pos, 2, 1);
	expect_pos(entry->value.pos, 2, 7);
	item = entry->value.as.array->items;
	expect_pos(item[0].pos, 2, 9);
	expect_pos(item[1].pos, 3, 3);
	entry = get(item[1].as.table, "x");
	expect_pos(entry->pos, 3, 4);
	expect_pos(entry->value.pos, 3, 4);
	expect_pos(get(entry->value.as.table, "y")->pos, 3, 6);
	entry = get(root, "p");
	expect_pos(entry->pos, 4, 2);
	expect_pos(entry->value.pos, 5, 2);
	expect_pos(get(entry->value.as.table, "q")->value.pos, 4, 1);
	entry = get(root, "i");
	expect_pos(entry->pos, 6, 3);
	expect_pos(entry->value.pos, 6, 1);
	expect_pos(entry->value.as.array->items[1].pos, 7, 1);
	lbp_toml_free(doc);
}

static void test_places_of_keys(void)
{
	struct lbp_toml *doc = parse("a=1\n b.c=2\nb.d=3\n[e.f]\n[ e]\ng=4");
	const struct lbp_toml_table *root = lbp_toml_root(doc);
	const struct lbp_toml_table *table;

	expect_pos(get(root, "a")->pos, 1, 1);
	expect_pos(get(root, "b")->pos, 2, 2);
	table = get(root, "b")->value.as.table;
	expect_pos(get(table, "c")->pos, 2, 4);
	expect_pos(get(table, "d")->pos, 3, 3);
	expect_pos(get(root, "e")->pos, 4, 2);
	table = get(root, "e")->value.as.table;
	expect_pos(get(table, "f")->pos, 4, 4);
	expect_pos(get(table, "g")->pos, 6, 1);
	lbp_toml_free(doc);
}

static void test_columns(void)
{
	struct lbp_toml *doc = parse("'ü😀' . k = 2");
	const struct lbp_toml_entry *entry =
		get(get(lbp_toml_root(doc), "ü😀")->value.as.table, "k");

	expect_pos(entry->pos, 1, 8);
	expect_pos(entry->value.pos, 1, 12);
	lbp_toml_free(doc);
}

static void test_messages(void)
{
	char text[1024], *end;
	struct lbp_toml_error error;
	struct lbp_toml *doc;
	static const struct invalid bad[] = {
		{"\"\\n\\u0000\\u007f\\u0085\\u2028é\"=1\n"
		 "\"\\n\\u0000\\u007f\\u0085\\u2028é\"=2",
			2, 1, "key '?????é' is defined twice, first at line 1"},
		{"\"\\u001f\\u009f\\u00a0\"=1\n"
		 "\"\\u001f\\u009f\\u00a0\"=2",
			2, 1, "key '??\xC2\xA0' is defined twice"},
		{"a=1 \xE2\x80\xA8", 1, 5, "found '?'"},
		{"a=1 \xE2\x80\xA9", 1, 5, "found '?'"},
	};

	expect_faults(bad, COUNT(bad));
	end = repeat(text, "\"", 1);
	end = repeat(end, "é😀", 30);
	end = repeat(end, "\"=1\n", 1);
	*end = '\0';
	memmove(end, text, (size_t)(end - text) + 1);
	CU_ASSERT_EQUAL(
		lbp_toml_parse(text, 2 * (size_t)(end - text), &doc, &error),
		LBP_ERR_SYNTAX);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "é😀é😀..."));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "first at line 1"));
	CU_ASSERT_PTR_NULL(doc);
}

/* As expect_faults, but the message is the whole of it. */
static void expect_messages(const struct invalid *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(rows[i].text);
		struct lbp_toml_error error;
		struct lbp_toml *doc;

		expect_fault(&rows[i], len);
		CU_ASSERT_EQUAL(lbp_toml_parse(rows[i].text, len, &doc, &error),
			LBP_ERR_SYNTAX);
		CU_ASSERT_STRING_EQUAL(error.message, rows[i].message);
		if (strcmp(error.message, rows[i].message) != 0)
			(void)printf("\n%s\nwanted %s\n   got %s\n",
				rows[i].text, rows[i].message, error.message);
	}
}

static void test_found(void)
{
	static const struct invalid bad[] = {
		{"[[a] ]", 1, 5, "expected ']]' after the key, found U+0020"},
		{"a=1 b=2", 1, 5,
			"expected the line to end after the value, found 'b'"},
		{"[a] b=2", 1, 5,
			"expected the line to end after the header, "
			"found 'b'"},
		{"a=\x1F", 1, 3, "expected a value, found U+001F"},
		{"a=~", 1, 3, "expected a value, found '~'"},
		{"a=\x7F", 1, 3, "expected a value, found U+007F"},
		{"a=\xC2\x80", 1, 3, "expected a value, found '?'"},
		{"a=\xC2\x9F", 1, 3, "expected a value, found '?'"},
		{"a=\xC2\xA0", 1, 3, "expected a value, found '\xC2\xA0'"},
		{"a=\xE2\x80\xA7", 1, 3,
			"expected a value, found '\xE2\x80\xA7'"},
		{"a=\xE2\x80\xA8", 1, 3, "expected a value, found '?'"},
		{"a=\xE2\x80\xA9", 1, 3, "expected a value, found '?'"},
		{"a=\xE2\x80\xAA", 1, 3,
			"expected a value, found '\xE2\x80\xAA'"},
		{"a=\xF0\x9F\x98", 1, 3,
			"expected a value, found byte 0xF0, not UTF-8"},
		{"a=\r1", 1, 3, "expected a value, found U+000D"},
		{"a='\xC3('", 1, 4,
			"byte 0xC3 in a string; accepted: text in UTF-8"},
		{"#\xE2\x82(", 1, 2,
			"byte 0xE2 in a comment; accepted: text in UTF-8"},
		{"a=x979-05-27", 1, 3,
			"'x979-05-27' is not a value; accepted: a string in "
			"quotes, a number, a boolean, a date or time, [...] "
			"or {...}"},
		{"a=x7:30:00", 1, 3,
			"'x7:30:00' is not a value; accepted: a string in "
			"quotes, a number, a boolean, a date or time, [...] "
			"or {...}"},
	};

	expect_messages(bad, COUNT(bad));
}

#define KEY_40     "abcdefghijklmnopqrstuvwxyz-0123456789_AZ"
#define TWICE(key) key "=1\n" key "=2"

/* A key in a message is cut after the character that passes 40 bytes. */
static void test_long_keys(void)
{
	static const struct invalid bad[] = {
		{TWICE(KEY_40), 2, 1,
			"key '" KEY_40 "' is defined twice, first at line 1"},
		{TWICE(KEY_40 "x"), 2, 1,
			"key '" KEY_40 "x' is defined twice, first at line 1"},
		{TWICE(KEY_40 "xy"), 2, 1,
			"key '" KEY_40
			"x...' is defined twice, first at line 1"},
		{TWICE("'" KEY_40 "\xF0\x9F\x98\x80'"), 2, 1,
			"key '" KEY_40
			"\xF0\x9F\x98\x80' is defined twice, first at line 1"},
		{TWICE("'" KEY_40 "\xF0\x9F\x98\x80+'"), 2, 1,
			"key '" KEY_40 "\xF0\x9F\x98\x80...' is defined twice, "
			"first at line 1"},
	};

	expect_messages(bad, COUNT(bad));
}

static void test_lookup(void)
{
	static const char text[] =
		"'' = 0\n\"\\u0000\" = 1\n\"\\u0000\\u0000\" = 2\n"
		"\"a\\u0000b\" = 3\n\"a\\u0000c\" = 4\na = 5\n";
	static const struct lbp_toml_string keys[] = {{"", 0}, {"\0", 1},
		{"\0\0", 2}, {"a\0b", 3}, {"a\0c", 3}, {"a", 1}};
	struct lbp_toml *doc = parse_len(text, sizeof(text) - 1);
	const struct lbp_toml_table *root = lbp_toml_root(doc);

	CU_ASSERT_EQUAL_FATAL(root->len, COUNT(keys));
	for (size_t i = 0; i < COUNT(keys); i++) {
		const struct lbp_toml_entry *entry =
			lbp_toml_get(root, keys[i].ptr, keys[i].len);

		CU_ASSERT_PTR_EQUAL(entry, &root->entries[i]);
		CU_ASSERT_EQUAL(entry->value.as.integer, (int64_t)i);
	}
	CU_ASSERT_PTR_EQUAL(lbp_toml_get(root, NULL, 0), &root->entries[0]);
	CU_ASSERT_PTR_NULL(lbp_toml_get(root, "a\0a", 3));
	CU_ASSERT_PTR_NULL(lbp_toml_get(root, "b", 1));
	CU_ASSERT_PTR_NULL(lbp_toml_get(root, "\0\0\0", 3));
	lbp_toml_free(doc);
	doc = parse("");
	CU_ASSERT_PTR_NULL(lbp_toml_get(lbp_toml_root(doc), "", 0));
	CU_ASSERT_PTR_NULL(lbp_toml_get(lbp_toml_root(doc), NULL, 0));
	lbp_toml_free(doc);
}

enum order {
	UP,
	DOWN,
	MIXED
};

/* count keys of eight digits, each with its number as its value. */
static char *many_keys(unsigned count, enum order order, size_t *len)
{
	char *text = malloc(count * 20UL + 1);

	*len = 0;
	if (!text)
		abort();
	for (unsigned i = 0; i < count; i++) {
		unsigned key = order == UP     ? i
			       : order == DOWN ? count - 1 - i
					       : i * 7919 % count;

		*len += (size_t)snprintf(text + *len, 21, "%08u=%u\n", key, i);
	}
	return text;
}

static uint32_t level(const struct lbp_toml_index *index, uint32_t at)
{
	return at == 0 ? 0 : index->nodes[at - 1].level;
}

/* How many nodes are at and below one, all as in an AA tree; else 0. */
static size_t balanced(const struct lbp_toml_index *index, uint32_t at)
{
	const struct lbp_tree_node *node;
	size_t below;

	if (at == 0)
		return 0;
	node = &index->nodes[at - 1];
	if (level(index, node->child[0]) != node->level - 1 ||
		level(index, node->child[1]) > node->level ||
		level(index, node->child[1]) < node->level - 1)
		return 0;
	if (node->child[1] != 0 &&
		level(index, index->nodes[node->child[1] - 1].child[1]) >=
			node->level)
		return 0;
	below = balanced(index, node->child[0]);
	return below + balanced(index, node->child[1]) + 1;
}

/* In such a tree no path is longer than 2 * log2(n + 1). */
static void test_balance(void)
{
	for (unsigned i = 1; i <= 3 * 70; i++) {
		size_t len;
		char *text = many_keys(i / 3 + 1, i % 3, &len);
		struct lbp_toml *doc = parse_len(text, len);
		const struct lbp_toml_table *root = lbp_toml_root(doc);

		CU_ASSERT_EQUAL(
			balanced(root->index, root->index->top), i / 3 + 1);
		lbp_toml_free(doc);
		free(text);
	}
}

static void test_many_items(void)
{
	char text[256] = "a=[";
	struct lbp_toml *doc;
	const struct lbp_toml_array *array;

	(void)repeat(repeat(text + 3, "1,", 100), "]", 1);
	doc = parse(text);
	array = lbp_toml_root(doc)->entries[0].value.as.array;
	CU_ASSERT_EQUAL_FATAL(array->len, 100);
	for (uint32_t i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(array->items[i].pos.column, 4 + 2 * i);
	lbp_toml_free(doc);
}

static void test_many_keys(void)
{
	const unsigned count = 100000;

	for (enum order order = UP; order <= MIXED; order++) {
		size_t len;
		char *text = many_keys(count, order, &len);
		struct lbp_toml *doc = parse_len(text, len);
		const struct lbp_toml_table *root = lbp_toml_root(doc);
		unsigned found = 0;

		CU_ASSERT_EQUAL_FATAL(root->len, count);
		for (unsigned i = 0; i < count; i++) {
			const struct lbp_toml_entry *entry = &root->entries[i];

			found += lbp_toml_get(root, entry->key.ptr, 8) ==
					 entry &&
				 entry->value.as.integer == (int64_t)i;
		}
		CU_ASSERT_EQUAL(found, count);
		CU_ASSERT_PTR_NULL(lbp_toml_get(root, "00100000", 8));
		lbp_toml_free(doc);
		free(text);
	}
}

/* Fails each allocation of a parse in turn. */
static void expect_no_memory(const char *text)
{
	long allocations;

	alloc_fail_at(0);
	lbp_toml_free(parse(text));
	allocations = alloc_count();
	CU_ASSERT_TRUE(allocations >= 3);
	for (long n = 1; n <= allocations; n++) {
		struct lbp_toml_error error = {.message = ""};
		struct lbp_toml *doc = (struct lbp_toml *)1;
		enum lbp_err err;

		alloc_fail_at(n);
		err = lbp_toml_parse(text, strlen(text), &doc, &error);
		CU_ASSERT_EQUAL(err, LBP_ERR_NOMEM);
		CU_ASSERT_PTR_NULL(doc);
		CU_ASSERT_STRING_EQUAL(error.message, "out of memory");
		if (err == LBP_OK)
			lbp_toml_free(doc);
	}
	alloc_fail_at(0);
}

static void test_no_memory(void)
{
	expect_no_memory("");
	expect_no_memory("a=1\nb=2\nc=3\nd=4\ne=5\n'g'.\"h\".i=6\ng.h.k=7");
	expect_no_memory("a=[1,2,3,4,5,[],[[6]],{b=7,c.d=8}]");
	expect_no_memory("a={b={c={}},d=[{},{e=[1.5]}]}");
	expect_no_memory(
		"[a.b.c]\nd=1\n[a]\n[[e.f]]\n[[e.f]]\n[[e.f]]\n[e.f.g]");
}

static void test_too_long(void)
{
	struct invalid wanted = {"", 1, 1, "accepted: less than 4 GiB"};

	if (sizeof(size_t) > 4) {
		expect_fault(&wanted, UINT32_MAX - 40);
		expect_fault(&wanted, SIZE_MAX);
	}
}

static void test_no_text(void)
{
	expect_tree(NULL, 0, "{}");
	lbp_toml_free(NULL);
}

static void test_type_texts(void)
{
	static const struct {
		enum lbp_toml_type type;
		const char *text;
	} rows[] = {
		{LBP_TOML_STRING, "a string"},
		{LBP_TOML_INTEGER, "an integer"},
		{LBP_TOML_FLOAT, "a float"},
		{LBP_TOML_BOOLEAN, "a boolean"},
		{LBP_TOML_OFFSET_DATETIME, "an offset date-time"},
		{LBP_TOML_LOCAL_DATETIME, "a local date-time"},
		{LBP_TOML_LOCAL_DATE, "a local date"},
		{LBP_TOML_LOCAL_TIME, "a local time"},
		{LBP_TOML_ARRAY, "an array"},
		{LBP_TOML_TABLE, "a table"},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		CU_ASSERT_STRING_EQUAL(
			lbp_toml_type_text(rows[i].type), rows[i].text);
}

/* What was wrong, and what would be accepted. */
static void test_whole_messages(void)
{
	static const struct invalid bad[] = {
		{"a=2000-01-0x", 1, 3,
			"not a date; accepted: for example 1979-05-27"},
		{"a=2000-13-01", 1, 3,
			"there is no month 13; accepted: 01 to 12"},
		{"a=2001-02-29", 1, 3,
			"there is no day 29 in 2001-02; accepted: 01 to 28"},
		{"a=07:32:0x", 1, 3,
			"not a time; accepted: for example 07:32:00 or "
			"07:32:00.999"},
		{"a=24:00:00", 1, 3,
			"there is no time 24:00:00; accepted: 00:00:00 to "
			"23:59:60"},
		{"a=2000-01-01T00:00:00+24:00", 1, 3,
			"not an offset from UTC; accepted: Z, or -23:59 to "
			"+23:59"},
		{"a=2000-01-01T00:00:00Zx", 1, 3,
			"not a date or time; accepted: for example "
			"1979-05-27, 07:32:00, 1979-05-27T07:32:00 and with Z "
			"or +01:00"},
		{"a='\x01'", 1, 4,
			"control character U+0001 in a string; accepted: no "
			"control characters except tab"},
		{"a='\xff'", 1, 4,
			"byte 0xFF in a string; accepted: text in UTF-8"},
		{"a=\"\\u12\"", 1, 4, "\\u needs 4 hexadecimal digits"},
		{"a=\"\\ud800\"", 1, 4,
			"U+D800 is not a character; accepted: up to D7FF, and "
			"E000 to 10FFFF"},
		{"a=\"\\q\"", 1, 4,
			"unknown escape; accepted: \\b \\t \\n \\f \\r \\\" "
			"\\\\ \\uXXXX \\UXXXXXXXX"},
		{"a='''b", 1, 3,
			"this multi-line string is not closed; expected ''' at "
			"its end"},
		{"'''a'''=1", 1, 1, "a key cannot be a multi-line string"},
		{"=1", 1, 1,
			"expected a key (letters, digits, '_', '-', or in "
			"quotes), found '='"},
		{"a", 1, 2,
			"expected '=' after the key, found the end of the "
			"text"},
		{"a\n", 1, 2,
			"expected '=' after the key, found the end of the "
			"line"},
		{"a\xff", 1, 2,
			"expected '=' after the key, found byte 0xFF, not "
			"UTF-8"},
		{"a\x7f", 1, 2, "expected '=' after the key, found U+007F"},
		{"a=b", 1, 3,
			"'b' is not a value; accepted: a string in quotes, a "
			"number, a boolean, a date or time, [...] or {...}"},
		{"a=1x", 1, 3,
			"not a number; accepted: for example 42, 1_000, 0x2A, "
			"0o52, 0b10, -1.5, 6e23, inf, nan"},
		{"a=9223372036854775808", 1, 3,
			"integer does not fit 64 bits; accepted: "
			"-9223372036854775808 to 9223372036854775807"},
		{"a=01", 1, 3, "a number cannot begin with a zero"},
	};

	expect_faults(bad, COUNT(bad));
}

void suite_toml(void)
{
	CU_pSuite suite = CU_add_suite("toml", NULL, NULL);

	CU_add_test(suite, "[TOM-2][TOM-27] keys", test_keys);
	CU_add_test(suite, "[TOM-35] blanks in keys", test_blanks_in_keys);
	CU_add_test(suite, "[TOM-36] keys of more than a line",
		test_keys_that_are_none);
	CU_add_test(suite, "[TOM-2] every byte of a bare key",
		test_every_bare_byte);
	CU_add_test(suite, "[TOM-3] escapes", test_strings);
	CU_add_test(suite,
		"[TOM-4] literal strings, and strings that are not closed",
		test_literal_strings);
	CU_add_test(suite, "[TOM-3] every escape", test_every_escape);
	CU_add_test(suite, "[TOM-5] line ends in multi-line strings",
		test_multi_line);
	CU_add_test(suite, "[TOM-37] quotes in multi-line strings",
		test_quotes_in_many_lines);
	CU_add_test(suite, "[TOM-38] a backslash at the end of a line",
		test_backslash_at_the_end);
	CU_add_test(suite, "[TOM-6] control characters are rejected",
		test_control_characters);
	CU_add_test(suite, "[TOM-7] what is not UTF-8 is rejected", test_utf8);
	CU_add_test(suite, "[TOM-8] line ends and comments", test_lines);
	CU_add_test(suite, "[TOM-9] a byte order mark", test_byte_order_mark);
	CU_add_test(suite, "[TOM-10][TOM-11] integers", test_integers);
	CU_add_test(suite, "[TOM-12] floats", test_floats);
	CU_add_test(suite, "[TOM-12] floats are the nearest double",
		test_float_rounding);
	CU_add_test(suite, "[TOM-13] booleans", test_booleans);
	CU_add_test(suite, "[TOM-14][TOM-15][TOM-16] dates and times",
		test_datetimes);
	CU_add_test(
		suite, "[TOM-15] the last day of each month", test_every_day);
	CU_add_test(suite, "[TOM-14] every byte of a date and time",
		test_every_byte_of_a_datetime);
	CU_add_test(suite, "[TOM-14] parts that a date or time has not",
		test_parts_that_are_not_there);
	CU_add_test(
		suite, "[TOM-10] every digit of every base", test_every_digit);
	CU_add_test(suite, "[TOM-10][TOM-12] where a number ends",
		test_ends_of_numbers);
	CU_add_test(suite, "[TOM-17] arrays", test_arrays);
	CU_add_test(suite, "[TOM-18] inline tables", test_inline_tables);
	CU_add_test(suite, "[TOM-19] keys that come twice", test_defined_twice);
	CU_add_test(
		suite, "[TOM-20] headers that come twice", test_headers_twice);
	CU_add_test(suite, "[TOM-20] headers", test_headers);
	CU_add_test(suite, "[TOM-21] tables made by dotted keys", test_dotted);
	CU_add_test(suite, "[TOM-39] what dotted keys may not extend",
		test_dotted_extends_nothing_else);
	CU_add_test(suite, "[TOM-22] arrays of tables", test_arrays_of_tables);
	CU_add_test(suite, "[TOM-23] inline values are complete",
		test_complete_values);
	CU_add_test(suite, "[TOM-24] 128 levels of each kind", test_depth);
	CU_add_test(suite, "[TOM-24] 128 levels of all kinds together",
		test_depth_mixed);
	CU_add_test(suite, "[TOM-25] positions of values", test_places);
	CU_add_test(suite, "[TOM-40] positions of keys", test_places_of_keys);
	CU_add_test(suite, "[TOM-41] columns count characters", test_columns);
	CU_add_test(suite, "[TOM-26][TOM-27] messages with hostile keys",
		test_messages);
	CU_add_test(suite, "[TOM-26][TOM-27] what a message says was found",
		test_found);
	CU_add_test(suite, "[TOM-26] where a message cuts a long key",
		test_long_keys);
	CU_add_test(suite, "[TOM-28][TOM-29] lookup by key", test_lookup);
	CU_add_test(
		suite, "[TOM-31] a table's index is balanced", test_balance);
	CU_add_test(suite, "[TOM-29] a hundred items", test_many_items);
	CU_add_test(suite, "[TOM-28][TOM-29][TOM-31] a hundred thousand keys",
		test_many_keys);
	CU_add_test(suite, "[TOM-30] each allocation may fail", test_no_memory);
	CU_add_test(suite, "[TOM-32] a text that is too long", test_too_long);
	CU_add_test(
		suite, "[TOM-1] no text is an empty document", test_no_text);
	CU_add_test(suite, "[TOM-27] what types are called", test_type_texts);
	CU_add_test(
		suite, "[TOM-27] messages, word by word", test_whole_messages);
}
