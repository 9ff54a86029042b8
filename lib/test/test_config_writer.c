#include "server/config_writer.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "suites.h"

struct written {
	char text[128];
	size_t len;
};

static void append(void *user, const char *text, size_t len)
{
	struct written *written = user;

	CU_ASSERT_FATAL(len < sizeof(written->text) - written->len);
	memcpy(written->text + written->len, text, len);
	written->len += len;
	written->text[written->len] = '\0';
}

static void expect_string(const char *text, const char *want)
{
	struct written written = {.len = 0};
	struct lbp_config_writer writer = {.put = append, .user = &written};

	lbp_config_put_string(&writer, text, strlen(text));
	CU_ASSERT_STRING_EQUAL(written.text, want);
	CU_ASSERT_EQUAL(writer.column, strlen(want));
}

static void characters(void)
{
	expect_string("\x1f \x7e\x7f", "\"\\u001F ~\\u007F\"");
	expect_string("\"\\'", "\"\\\"\\\\'\"");
	expect_string("\xef\xbf\xbf\xf0\x90\x80\x80", "\"\\uFFFF\\U00010000\"");
	expect_string("a\xff", "\"a\\uFFFD\"");
}

static void expect_key(const char *id, const char *want)
{
	struct written written = {.len = 0};
	struct lbp_config_writer writer = {.put = append, .user = &written};

	lbp_config_put_key(&writer, id);
	CU_ASSERT_STRING_EQUAL(written.text, want);
}

static void keys(void)
{
	static const char bare[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-_";

	expect_key(bare, bare);
	expect_key("a.b", "\"a.b\"");
	expect_key("a b", "\"a b\"");
}

static void numbers(void)
{
	struct written written = {.len = 0};
	struct lbp_config_writer writer = {.put = append, .user = &written};

	lbp_config_put_number(&writer, UINT64_MAX);
	CU_ASSERT_STRING_EQUAL(written.text, "18446744073709551615");
}

void suite_config_writer(void)
{
	CU_pSuite suite = CU_add_suite("config_writer", NULL, NULL);

	CU_add_test(
		suite, "[CFG-114] characters that need an escape", characters);
	CU_add_test(suite, "[CFG-111] keys that need no quotes", keys);
	CU_add_test(suite, "[CFG-111] the largest number", numbers);
}
