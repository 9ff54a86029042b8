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
	CU_add_test(suite, "[ERR-1] an unknown code has a text too",
		unknown_codes_have_a_text);
	CU_add_test(suite, "[ERR-3] the library knows its version",
		the_version_is_that_of_the_headers);
}
