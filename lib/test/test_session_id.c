#include <CUnit/CUnit.h>

#include "server/session_id.h"
#include "suites.h"

static void ids_are_read_as_they_are_written(void)
{
	static const struct {
		const char *text;
		struct lbp_session_id id;
	} cases[] = {{"0-0", {0, 0}}, {"0-1", {0, 1}}, {"3-1729", {3, 1729}},
		{"10-90", {10, 90}},
		{"4294967295-18446744073709551615", {UINT32_MAX, UINT64_MAX}}};
	struct lbp_session_id id;
	char buf[LBP_SESSION_ID_MAX];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CU_ASSERT_STRING_EQUAL(lbp_session_id_format(&cases[i].id, buf),
			cases[i].text);
		CU_ASSERT_TRUE(lbp_session_id_parse(cases[i].text, &id));
		CU_ASSERT_EQUAL(id.worker, cases[i].id.worker);
		CU_ASSERT_EQUAL(id.number, cases[i].id.number);
	}
}

static void others_are_no_ids(void)
{
	static const char *const others[] = {"", "-", "1", "1-", "-1", "1-2-",
		"1-2 ", " 1-2", "1 -2", "+1-2", "1-+2", "01-2", "1-02", "00-1",
		"1-00", "4294967296-1", "4294967300-1",
		"99999999999999999999-1", "1-18446744073709551616",
		"1-18446744073709551620", "1-99999999999999999999", "1:2",
		"1-2x", "x-1", "1/-2", "1-/", "1-:"};
	struct lbp_session_id id = {7, 8};
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(*others); i++)
		CU_ASSERT_FALSE(lbp_session_id_parse(others[i], &id));
	CU_ASSERT_EQUAL(id.worker, 7);
	CU_ASSERT_EQUAL(id.number, 8);
}

void suite_session_id(void)
{
	CU_pSuite suite = CU_add_suite("session_id", NULL, NULL);

	CU_add_test(suite, "[CTL-11] ids are read as they are written",
		ids_are_read_as_they_are_written);
	CU_add_test(suite, "[CTL-11] others are no ids", others_are_no_ids);
}
