/* Listening sockets that a service manager passes. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "server/passed.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct lbp_endpoint v4(uint8_t last, uint16_t port)
{
	const uint8_t octets[4] = {127, 0, 0, last};

	return (struct lbp_endpoint){lbp_ip_v4(octets), port};
}

static struct lbp_endpoint v6(uint8_t last, uint16_t port)
{
	const uint8_t octets[16] = {[15] = last};

	return (struct lbp_endpoint){lbp_ip_v6(octets), port};
}

static struct lbp_passed listener(struct lbp_endpoint at)
{
	return (struct lbp_passed){.is_tcp = true, .listens = true, .at = at};
}

static struct lbp_passed listener_v6(struct lbp_endpoint at, bool only)
{
	struct lbp_passed passed = listener(at);

	passed.is_v6 = true;
	passed.is_v6_only = only;
	return passed;
}

static void how_many(void)
{
	static const struct {
		const char *pid, *fds;
		size_t count;
	} rows[] = {
		{"77", "2", 2},
		{"77", "0", 0},
		{"77", "4096", 4096},
		{"77", "4097", 0},
		{"77", "18446744073709551618", 0},
		{"77", "-1", 0},
		{"77", "", 0},
		{"77", NULL, 0},
		{NULL, "2", 0},
		{"78", "2", 0},
		{"77x", "2", 0},
		{"", "2", 0},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		CU_ASSERT_EQUAL(lbp_passed_count(rows[i].pid, rows[i].fds, 77),
			rows[i].count);
}

static void expect_name(const char *names, size_t index, const char *name)
{
	char got[LBP_PASSED_NAME_MAX];

	lbp_passed_name(names, index, got);
	CU_ASSERT_STRING_EQUAL(got, name);
}

static void names(void)
{
	char longest[257];

	/* As systemd has it, SD_LISTEN_FDS_START and FDNAME_MAX. */
	CU_ASSERT_EQUAL(LBP_PASSED_FIRST, 3);
	CU_ASSERT_EQUAL(LBP_PASSED_NAME_MAX, 255 + 1);
	expect_name("a:bc::d", 0, "a");
	expect_name("a:bc::d", 1, "bc");
	expect_name("a:bc::d", 2, "");
	expect_name("a:bc::d", 3, "d");
	expect_name("a:bc::d", 4, "");
	expect_name("a:bc::d", 9, "");
	expect_name("", 0, "");
	expect_name(NULL, 0, "");
	expect_name(NULL, 1, "");
	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	expect_name(longest, 0, longest + 1);
	longest[255] = '\0';
	expect_name(longest, 0, longest);
}

static void names_in_the_store(void)
{
	char name[LBP_PASSED_NAME_MAX];

	lbp_passed_store_name("127.0.0.1:9001", name);
	CU_ASSERT_STRING_EQUAL(name, "127.0.0.1_9001");
	lbp_passed_store_name("[::1]:9001", name);
	CU_ASSERT_STRING_EQUAL(name, "[__1]_9001");
}

static void expect(const struct lbp_passed *passed, size_t index,
	enum lbp_passed_verdict verdict)
{
	const struct lbp_endpoint wanted[] = {
		v4(1, 9001), v6(1, 9001), v6(0, 9002), v4(0, 9002)};

	CU_ASSERT_EQUAL(lbp_passed_judge(passed, index, wanted, COUNT(wanted)),
		verdict);
}

static void what_is_wanted_is_taken(void)
{
	const struct lbp_passed passed[] = {
		listener(v4(1, 9001)),
		listener_v6(v6(1, 9001), true),
		listener_v6(v6(0, 9002), true),
		listener(v4(2, 9001)),
		listener(v4(1, 9002)),
	};

	for (size_t i = 0; i < 3; i++)
		expect(passed, i, LBP_PASSED_TAKEN);
	for (size_t i = 3; i < COUNT(passed); i++)
		expect(passed, i, LBP_PASSED_UNWANTED);
	CU_ASSERT_EQUAL(
		lbp_passed_judge(passed, 0, NULL, 0), LBP_PASSED_UNWANTED);
}

static void wrong_kinds_are_not(void)
{
	const struct lbp_passed none = {0};
	struct lbp_passed passed = listener(v4(1, 9001));

	expect(&none, 0, LBP_PASSED_NO_TCP);
	passed.listens = false;
	expect(&passed, 0, LBP_PASSED_NOT_LISTENING);
}

/* At one address of IPv6 there is nothing to take of IPv4. */
static void both_families_are_not(void)
{
	struct lbp_passed passed = listener_v6(v6(0, 9002), false);

	expect(&passed, 0, LBP_PASSED_BOTH_FAMILIES);
	passed = listener_v6(v6(1, 9001), false);
	expect(&passed, 0, LBP_PASSED_TAKEN);
	passed = listener_v6(v4(1, 9001), false);
	expect(&passed, 0, LBP_PASSED_BOTH_FAMILIES);
	passed = listener_v6(v4(1, 9001), true);
	expect(&passed, 0, LBP_PASSED_BOTH_FAMILIES);
	passed = listener(v4(0, 9002));
	expect(&passed, 0, LBP_PASSED_TAKEN);
}

static void the_first_one_is_taken(void)
{
	struct lbp_passed passed[] = {
		listener(v4(1, 9001)),
		listener(v4(2, 9001)),
		listener(v4(1, 9001)),
		listener(v4(2, 9001)),
		listener(v4(1, 9001)),
	};

	expect(passed, 0, LBP_PASSED_TAKEN);
	expect(passed, 2, LBP_PASSED_TWICE);
	passed[0].listens = false;
	expect(passed, 0, LBP_PASSED_NOT_LISTENING);
	expect(passed, 1, LBP_PASSED_UNWANTED);
	expect(passed, 2, LBP_PASSED_TAKEN);
	expect(passed, 3, LBP_PASSED_UNWANTED);
	expect(passed, 4, LBP_PASSED_TWICE);
}

static void each_verdict_has_words(void)
{
	static const struct {
		enum lbp_passed_verdict verdict;
		const char *text;
	} rows[] = {
		{LBP_PASSED_TAKEN, "it is used"},
		{LBP_PASSED_NO_TCP, "it is no TCP socket"},
		{LBP_PASSED_NOT_LISTENING, "it does not listen"},
		{LBP_PASSED_BOTH_FAMILIES,
			"it is for both families, not for IPv6 alone"},
		{LBP_PASSED_UNWANTED, "no app listens at its address"},
		{LBP_PASSED_TWICE, "there is another one for its address"},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		CU_ASSERT_STRING_EQUAL(
			lbp_passed_text(rows[i].verdict), rows[i].text);
}

void suite_passed(void)
{
	CU_pSuite suite = CU_add_suite("passed", NULL, NULL);

	CU_add_test(suite, "[ACT-3] how many are for this process", how_many);
	CU_add_test(suite, "[ACT-2] the names of those that are passed", names);
	CU_add_test(
		suite, "[ACT-4] the names in the store", names_in_the_store);
	CU_add_test(suite, "[ACT-1] what is wanted is taken",
		what_is_wanted_is_taken);
	CU_add_test(suite, "[ACT-2] wrong kinds are not", wrong_kinds_are_not);
	CU_add_test(suite, "[ACT-2] sockets of both families are not",
		both_families_are_not);
	CU_add_test(suite, "[ACT-2] of two the first one is taken",
		the_first_one_is_taken);
	CU_add_test(suite, "[ACT-2] each verdict has words",
		each_verdict_has_words);
}
