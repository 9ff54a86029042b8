#include <CUnit/CUnit.h>
#include <string.h>

#include "lbproxy.h"
#include "suites.h"

static const enum lbp_err codes[] = {
#define CODE(code, text) code,
	LBP_ERR_MAP(CODE)
#undef CODE
};

#define CODE_LEN (sizeof(codes) / sizeof(codes[0]))

static void each_text_is_its_own(void)
{
	CU_ASSERT_EQUAL(LBP_OK, 0);
	CU_ASSERT_STRING_EQUAL(lbp_err_text(LBP_OK), "success");
	CU_ASSERT_STRING_EQUAL(lbp_err_text(LBP_ERR_NOMEM), "out of memory");
	for (size_t i = 0; i < CODE_LEN; i++) {
		const char *text = lbp_err_text(codes[i]);

		CU_ASSERT_TRUE(strlen(text) > 0);
		CU_ASSERT_STRING_NOT_EQUAL(text, "unknown error");
		for (size_t j = 0; j < i; j++)
			CU_ASSERT_STRING_NOT_EQUAL(
				text, lbp_err_text(codes[j]));
	}
}

/* What programs print for years: a change is seen here first. */
static void each_text_is_as_it_was(void)
{
	static const char *const texts[] = {
		[LBP_OK] = "success",
		[LBP_ERR_NOMEM] = "out of memory",
		[LBP_ERR_SYNTAX] = "the text does not follow its grammar",
		[LBP_ERR_RANGE] = "the value is out of range",
		[LBP_ERR_UNKNOWN_CLIENT] = "no client has these names",
		[LBP_ERR_NOT_ALLOWED] =
			"this client may not use this application",
		[LBP_ERR_CONCURRENT] = "too many sessions open at once",
		[LBP_ERR_RATE] = "too many sessions admitted in the window",
		[LBP_ERR_NO_UPSTREAM] = "no upstream is left to try",
		[LBP_ERR_STATE] = "the call is not legal in this state",
		[LBP_ERR_NULL] = "an argument that has to be there is NULL",
		[LBP_ERR_OPTIONS] =
			"the options were not set by their init function",
		[LBP_ERR_CLIENT_NUMBER] =
			"the number of a client is out of range",
		[LBP_ERR_APP_NUMBER] =
			"the number of an application is out of range",
		[LBP_ERR_NAME_KIND] = "a name of this kind cannot be listed",
		[LBP_ERR_NAME_SERIAL] =
			"a serial number is not in canonical form",
		[LBP_ERR_NAME_TWICE] = "a name is given twice",
		[LBP_ERR_GRANT_TWICE] =
			"a client is granted an application twice",
		[LBP_ERR_WINDOW] = "a rate needs a window of time",
		[LBP_ERR_FEW_UPSTREAMS] = "an application needs an upstream",
		[LBP_ERR_MANY_UPSTREAMS] =
			"an application has too many upstreams",
		[LBP_ERR_WEIGHT] = "the weight of an upstream is out of range",
		[LBP_ERR_INTERVAL] =
			"the interval of health checks is out of range",
		[LBP_ERR_RISE] = "rise must be at least 1",
		[LBP_ERR_FALL] = "fall must be at least 1",
		[LBP_ERR_AMBIGUOUS] = "these names are of different clients",
		[LBP_ERR_NAME_WILDCARD] =
			"a wildcard cannot be listed as a DNS name",
	};

	CU_ASSERT_EQUAL(sizeof(texts) / sizeof(texts[0]), CODE_LEN);
	for (size_t i = 0; i < CODE_LEN; i++)
		CU_ASSERT_STRING_EQUAL(lbp_err_text((enum lbp_err)i), texts[i]);
}

static void unknown_codes_have_a_text(void)
{
	CU_ASSERT_STRING_EQUAL(
		lbp_err_text((enum lbp_err)CODE_LEN), "unknown error");
}

/* Both are of one tree here; a program may run with another library. */
static void the_version_is_that_of_the_headers(void)
{
	CU_ASSERT_STRING_EQUAL(lbp_version(), LBP_VERSION);
}

void suite_err(void)
{
	CU_pSuite suite = CU_add_suite("err", NULL, NULL);

	CU_add_test(suite, "[ERR-1] every code has a text of its own",
		each_text_is_its_own);
	CU_add_test(suite, "[ERR-1] every text is as it was",
		each_text_is_as_it_was);
	CU_add_test(suite, "[ERR-1] an unknown code has a text too",
		unknown_codes_have_a_text);
	CU_add_test(suite, "[ERR-3] the library knows its version",
		the_version_is_that_of_the_headers);
}
