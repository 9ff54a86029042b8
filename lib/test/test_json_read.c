#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/json_read.h"
#include "suites.h"

#define CAP 16

/* Finds key "k" in a text that ends where its memory does. */
static enum lbp_err find(const char *text, size_t len, char out[CAP])
{
	char *exact = malloc(len + 1);
	enum lbp_err err;

	CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
	memcpy(exact + 1, text, len);
	memset(out, 'z', CAP);
	err = lbp_json_find(exact + 1, len, "k", out, CAP);
	free(exact);
	return err;
}

static void expect(const char *text, enum lbp_err wanted, const char *value)
{
	char out[CAP];
	enum lbp_err err = find(text, strlen(text), out);

	CU_ASSERT_EQUAL(err, wanted);
	CU_ASSERT_STRING_EQUAL(out, value);
	if (err != wanted || strcmp(out, value) != 0)
		(void)printf("\n%s: %s, %s\n", text, lbp_err_text(err), out);
}

static void a_member_is_found(void)
{
	expect("{\"k\":\"v\"}", LBP_OK, "v");
	expect(" { \"a\" : 1 ,\t\"k\" : \"v\" , \"b\" : null }\r\n", LBP_OK,
		"v");
	expect("{\"a\":\"k\",\"k\":\"v\",\"k\":\"w\"}", LBP_OK, "v");
	expect("{\"kk\":\"x\",\"\":\"y\"}", LBP_OK, "");
	expect("{}", LBP_OK, "");
	expect("{\"k\":12}", LBP_OK, "");
	expect("{\"k\":true,\"a\":-1.5e+3}", LBP_OK, "");
	expect("{\"l\":[],\"m\":[\"k\", 1, \"v\"],\"k\":\"v\"}", LBP_OK, "v");
	expect("{\"k\":[\"v\"]}", LBP_OK, "");
	/* A key that is longer than any of the log's. */
	expect("{\"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
	       "kkkkkkkkkkkkkkkkkkkk\":\"x\",\"k\":\"v\"}",
		LBP_OK, "v");
}

static void escapes_stand_for_characters(void)
{
	expect("{\"\\u006b\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", LBP_OK,
		"\"\\/\b\f\n\r\t");
	expect("{\"k\":\"\\u00e9\\u4E2D\"}", LBP_OK, "\xc3\xa9\xe4\xb8\xad");
	expect("{\"k\":\"\\ud83d\\ude00\\ud7ff\\ue000\"}", LBP_OK,
		"\xf0\x9f\x98\x80\xed\x9f\xbf\xee\x80\x80");
	expect("{\"k\":\"\xc3\xa9\x7f\"}", LBP_OK, "\xc3\xa9\x7f");
}

static void what_is_no_object(void)
{
	static const char *const texts[] = {"", "x", "[]", "\"k\"", "{", "{\"",
		"{\"k\"", "{\"k\":", "{\"k\":}", "{\"k\":\"v\"", "{\"k\":\"v",
		"{\"k\":\"v\",", "{\"k\":\"v\",}", "{\"k\":\"v\"}x",
		"{\"k\":\"v\"}{}", "{\"k\" \"v\"}", "{k:\"v\"}",
		"{\"k\":\"v\" \"l\":1}", "{\"a\":[", "{\"a\":[1",
		"{\"a\":[1,]}", "{\"a\":[1 2]}", "{\"a\":[[]]}", "{\"a\":{}}",
		"{\"a\":[\"x]}", "{\"k\":\"\\", "{\"k\":\"\\x\"}",
		"{\"k\":\"\\u12\"}", "{\"k\":\"\\u12g4\"}", "{\"k\":\"\\u123",
		"{\"k\":\"\\ud83d\"}", "{\"k\":\"\\ud83dx\"}",
		"{\"k\":\"\\ud83d\\n\"}", "{\"k\":\"\\ud83d\\u12\"}",
		"{\"k\":\"\\ud83d\\ud83d\"}", "{\"k\":\"\\ud83d\\ue000\"}",
		"{\"k\":\"\\ude00\"}", "{\"k\":\"\\ud83d", "{\"k\":\"\\ud83d\\",
		"{\"k\":\"\n\"}", "{\"k\":\"\xff\"}", "{\"k\":\"\xc3\"}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect(texts[i], LBP_ERR_SYNTAX, "");
}

static void a_nul_is_no_character(void)
{
	static const char *const texts[] = {
		"{\"k\":\"\\u@12\"}", "{\"k\":\"\\@\"}", "{\"k\":1@}"};
	char out[CAP];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char text[32];
		size_t len = strlen(texts[i]);

		strcpy(text, texts[i]);
		*strchr(text, '@') = '\0';
		CU_ASSERT_EQUAL(find(text, len, out), LBP_ERR_SYNTAX);
	}
}

static void a_string_may_not_fit(void)
{
	expect("{\"k\":\"123456789012345\"}", LBP_OK, "123456789012345");
	expect("{\"k\":\"1234567890123456\"}", LBP_ERR_RANGE, "");
	expect("{\"k\":\"12345678901234\xc3\xa9\"}", LBP_ERR_RANGE, "");
	expect("{\"k\":\"1\\u0000\"}", LBP_ERR_RANGE, "");
	expect("{\"k\":\"1234567890123456\",\"k\":\"v\"}", LBP_ERR_RANGE, "");
	expect("{\"k\":\"1234567890123456\"", LBP_ERR_SYNTAX, "");
}

void suite_json_read(void)
{
	CU_pSuite suite = CU_add_suite("json_read", NULL, NULL);

	CU_add_test(suite, "[JSN-20] a member is found", a_member_is_found);
	CU_add_test(suite, "[JSN-21] escapes stand for characters",
		escapes_stand_for_characters);
	CU_add_test(suite, "[JSN-21] what is no object", what_is_no_object);
	CU_add_test(
		suite, "[JSN-21] a NUL is no character", a_nul_is_no_character);
	CU_add_test(
		suite, "[JSN-22] a string may not fit", a_string_may_not_fit);
}
