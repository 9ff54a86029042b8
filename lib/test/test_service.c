/* What is said to a service manager. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "base.h"
#include "server/service.h"
#include "server/watchdog.h"
#include "suites.h"

#define MAX_US (UINT64_MAX / 1000)

static void sockets(void)
{
	char path[LBP_SERVICE_PATH_MAX];
	char text[LBP_SERVICE_PATH_MAX + 1];

	CU_ASSERT_EQUAL(lbp_service_socket("/run/notify", path), 11);
	CU_ASSERT_STRING_EQUAL(path, "/run/notify");
	CU_ASSERT_EQUAL(lbp_service_socket("@a", path), 2);
	CU_ASSERT_EQUAL(memcmp(path, "\0a", 3), 0);
	CU_ASSERT_EQUAL(lbp_service_socket("", path), 0);
	CU_ASSERT_EQUAL(lbp_service_socket("/", path), 0);
	CU_ASSERT_EQUAL(lbp_service_socket("@", path), 0);
	CU_ASSERT_EQUAL(lbp_service_socket("run/notify", path), 0);
	CU_ASSERT_EQUAL(lbp_service_socket("vsock:2:1", path), 0);
	memset(text, 'x', sizeof(text));
	text[0] = '/';
	text[107] = '\0';
	CU_ASSERT_EQUAL(lbp_service_socket(text, path), 107);
	CU_ASSERT_STRING_EQUAL(path, text);
	text[107] = 'x';
	text[108] = '\0';
	CU_ASSERT_EQUAL(lbp_service_socket(text, path), 0);
}

static void expect_number(const char *text, bool is_one, uint64_t want)
{
	uint64_t got = 7;

	CU_ASSERT_EQUAL(lbp_service_number(text, &got), is_one);
	if (is_one)
		CU_ASSERT_EQUAL(got, want);
}

static void numbers(void)
{
	expect_number("0", true, 0);
	expect_number("007", true, 7);
	expect_number("18446744073709551609", true, UINT64_MAX - 6);
	expect_number("18446744073709551610", true, UINT64_MAX - 5);
	expect_number("18446744073709551615", true, UINT64_MAX);
	expect_number("18446744073709551616", false, 0);
	expect_number("18446744073709551620", false, 0);
	expect_number("184467440737095516150", false, 0);
	expect_number("", false, 0);
	expect_number("-1", false, 0);
	expect_number("1 ", false, 0);
}

static void watchdog_times(void)
{
	static const struct {
		const char *usec, *pid;
		uint64_t ns;
	} rows[] = {
		{"30000000", NULL, 15 * LBP_NS_PER_S},
		{"30000000", "77", 15 * LBP_NS_PER_S},
		{"1", NULL, 500},
		{"18446744073709551", NULL, 9223372036854775500u},
		{"0", NULL, 0},
		{NULL, NULL, 0},
		{NULL, "77", 0},
		{"30000000", "78", 0},
		{"30000000", "", 0},
		{"30000000", "77 ", 0},
		{"18446744073709552", NULL, 0},
		{"18446744073709551615", NULL, 0},
		{"18446744073709551616", NULL, 0},
		{"99999999999999999999", NULL, 0},
		{"", NULL, 0},
		{"-1", NULL, 0},
		{"5s", NULL, 0},
		{":", NULL, 0},
		{"/", NULL, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(
			lbp_service_watchdog_ns(rows[i].usec, rows[i].pid, 77),
			rows[i].ns);
}

static void expect_status(const struct lbp_service *service, const char *text)
{
	char got[LBP_SERVICE_STATUS_MAX];

	lbp_service_status(service, got);
	CU_ASSERT_STRING_EQUAL(got, text);
}

static void statuses(void)
{
	struct lbp_service service = {.apps = 2,
		.sessions = 17,
		.max_sessions = 400,
		.generation = 1};

	expect_status(&service, "apps: 2, sessions: 17 of 400, generation: 1");
	service.reload = LBP_SERVICE_RELOAD_DONE;
	service.generation = 2;
	expect_status(&service, "apps: 2, sessions: 17 of 400, generation: 2, "
				"last reload: done");
	service.reload = LBP_SERVICE_RELOAD_REFUSED;
	expect_status(&service, "apps: 2, sessions: 17 of 400, generation: 2, "
				"last reload: refused, as the log says");
	service.is_draining = true;
	expect_status(&service, "draining; sessions: 17, for at most 0 s");
	service.left_ns = 1;
	expect_status(&service, "draining; sessions: 17, for at most 1 s");
	service.left_ns = 30 * LBP_NS_PER_S;
	expect_status(&service, "draining; sessions: 17, for at most 30 s");
}

static void the_longest_status_fits(void)
{
	struct lbp_service service = {.apps = SIZE_MAX,
		.sessions = UINT32_MAX,
		.max_sessions = UINT32_MAX,
		.generation = UINT64_MAX,
		.reload = LBP_SERVICE_RELOAD_REFUSED};

	expect_status(&service,
		"apps: 18446744073709551615, sessions: 4294967295 of "
		"4294967295, generation: 18446744073709551615, last reload: "
		"refused, as the log says");
}

static void times_of_a_stop(void)
{
	CU_ASSERT_EQUAL(lbp_service_stop_usec(0, 0), 5000000);
	CU_ASSERT_EQUAL(
		lbp_service_stop_usec(2 * LBP_NS_PER_S, 30 * LBP_NS_PER_S),
		37000000);
	CU_ASSERT_EQUAL(lbp_service_stop_usec(UINT64_MAX, 0), MAX_US);
	CU_ASSERT_EQUAL(lbp_service_stop_usec(0, UINT64_MAX), MAX_US);
	CU_ASSERT_EQUAL(
		lbp_service_stop_usec(UINT64_MAX / 2, UINT64_MAX / 2), MAX_US);
	CU_ASSERT_EQUAL(lbp_service_stop_usec(1, UINT64_MAX - 5 * LBP_NS_PER_S),
		MAX_US);
	CU_ASSERT_EQUAL(
		lbp_service_stop_usec(1, 899 * LBP_NS_PER_S), 904000000);
}

static void one_sign_when_all_have_answered(void)
{
	struct lbp_watchdog watchdog = {0};

	for (int period = 0; period < 3; period++) {
		CU_ASSERT_EQUAL(
			lbp_watchdog_tick(&watchdog, 3), LBP_WATCHDOG_ASK);
		CU_ASSERT_FALSE(lbp_watchdog_answered(&watchdog));
		CU_ASSERT_FALSE(lbp_watchdog_answered(&watchdog));
		CU_ASSERT_TRUE(lbp_watchdog_answered(&watchdog));
	}
}

static void none_while_one_is_late(void)
{
	struct lbp_watchdog watchdog = {0};

	for (int time = 0; time < 2; time++) {
		CU_ASSERT_EQUAL(
			lbp_watchdog_tick(&watchdog, 2), LBP_WATCHDOG_ASK);
		CU_ASSERT_FALSE(lbp_watchdog_answered(&watchdog));
		CU_ASSERT_EQUAL(
			lbp_watchdog_tick(&watchdog, 2), LBP_WATCHDOG_LATE);
		CU_ASSERT_EQUAL(
			lbp_watchdog_tick(&watchdog, 2), LBP_WATCHDOG_WAIT);
		CU_ASSERT_EQUAL(
			lbp_watchdog_tick(&watchdog, 2), LBP_WATCHDOG_WAIT);
		CU_ASSERT_TRUE(lbp_watchdog_answered(&watchdog));
	}
}

void suite_service(void)
{
	CU_pSuite suite = CU_add_suite("service", NULL, NULL);

	CU_add_test(suite, "[SVC-1] where a service manager listens", sockets);
	CU_add_test(suite, "[SVC-5] what is a number", numbers);
	CU_add_test(suite, "[SVC-5] how often signs of life are due",
		watchdog_times);
	CU_add_test(suite, "[SVC-4] the status", statuses);
	CU_add_test(suite, "[SVC-4] the longest status fits",
		the_longest_status_fits);
	CU_add_test(suite, "[SVC-3] how long a stop may take", times_of_a_stop);
	CU_add_test(suite, "[SVC-5] one sign of life when all have answered",
		one_sign_when_all_have_answered);
	CU_add_test(suite, "[SVC-6] none while one is late, which is said once",
		none_while_one_is_late);
}
