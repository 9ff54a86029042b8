/* When a peer that says nothing is gone. */
#include <CUnit/CUnit.h>

#include "base.h"
#include "server/keepalive.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HOUR_NS (3600 * LBP_NS_PER_S)

static void its_parts_make_the_time(void)
{
	static const struct {
		uint64_t ns;
		int idle_s, interval_s, probes, timeout_ms;
	} rows[] = {
		{60 * LBP_NS_PER_S, 30, 10, 3, 60000},
		{1, 1, 1, 1, 1000},
		{LBP_NS_PER_S, 1, 1, 1, 1000},
		{LBP_NS_PER_S + 1, 1, 1, 1, 2000},
		{3 * LBP_NS_PER_S, 1, 1, 2, 3000},
		{11 * LBP_NS_PER_S, 5, 1, 6, 11000},
		{12 * LBP_NS_PER_S, 6, 2, 3, 12000},
		{13 * LBP_NS_PER_S, 6, 2, 4, 13000},
		{100 * LBP_NS_PER_S, 50, 16, 4, 100000},
		{UINT64_C(65534) * LBP_NS_PER_S, 32767, 10922, 4, 65534000},
		{UINT64_C(65536) * LBP_NS_PER_S, 32767, 10922, 4, 65536000},
		{UINT64_C(196608) * LBP_NS_PER_S, 32767, 32767, 6, 196608000},
		{UINT64_C(2147483) * LBP_NS_PER_S, 32767, 32767, 65,
			2147483000},
		{UINT64_C(2147483) * LBP_NS_PER_S + 1, 32767, 32767, 65,
			2147483000},
		{8760 * HOUR_NS, 32767, 32767, 65, 2147483000},
		{UINT64_MAX, 32767, 32767, 65, 2147483000},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lbp_keepalive got = lbp_keepalive_of(rows[i].ns);

		CU_ASSERT_EQUAL(got.idle_s, rows[i].idle_s);
		CU_ASSERT_EQUAL(got.interval_s, rows[i].interval_s);
		CU_ASSERT_EQUAL(got.probes, rows[i].probes);
		CU_ASSERT_EQUAL(got.timeout_ms, rows[i].timeout_ms);
		CU_ASSERT_EQUAL(got.look_ns,
			(uint64_t)rows[i].timeout_ms * LBP_NS_PER_MS / 3);
	}
}

/* The first probe at which the kernel gives up comes soon after the time. */
static void none_waits_much_longer(void)
{
	for (int s = 1; s <= 300000; s = s < 200 ? s + 1 : s + 97) {
		struct lbp_keepalive got =
			lbp_keepalive_of((uint64_t)s * LBP_NS_PER_S);
		int ends_s = got.idle_s + got.interval_s;

		CU_ASSERT(got.idle_s <= s);
		while (ends_s < s)
			ends_s += got.interval_s;
		CU_ASSERT(ends_s <= s + (s / 3 > 2 ? s / 3 : 2));
		CU_ASSERT(got.idle_s + got.probes * got.interval_s >= s);
	}
}

static void who_answers_is_there(void)
{
	const struct lbp_keepalive minute = lbp_keepalive_of(60 * LBP_NS_PER_S);

	CU_ASSERT_TRUE(lbp_keepalive_is_answered(&minute, 1, 0));
	CU_ASSERT_TRUE(lbp_keepalive_is_answered(&minute, 1, 19999));
	CU_ASSERT_FALSE(lbp_keepalive_is_answered(&minute, 1, 20000));
	CU_ASSERT_FALSE(lbp_keepalive_is_answered(&minute, 9, UINT32_MAX));
	CU_ASSERT_TRUE(lbp_keepalive_is_answered(&minute, 0, 20000));
	CU_ASSERT_TRUE(lbp_keepalive_is_answered(&minute, 0, 259999));
	CU_ASSERT_FALSE(lbp_keepalive_is_answered(&minute, 0, 260000));
}

void suite_keepalive(void)
{
	CU_pSuite suite = CU_add_suite("keepalive", NULL, NULL);

	CU_add_test(suite, "[SRV-171] the parts of keepalive make its time",
		its_parts_make_the_time);
	CU_add_test(suite, "[SRV-171] no peer is waited for much longer",
		none_waits_much_longer);
	CU_add_test(
		suite, "[SRV-172] who answers is there", who_answers_is_there);
}
