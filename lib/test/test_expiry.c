#include <CUnit/CUnit.h>

#include "base.h"
#include "server/expiry.h"
#include "suites.h"

#define DAY    86400
#define DAY_NS (UINT64_C(86400) * 1000000000)

static enum lbp_expiry_state judge(
	enum lbp_expiry_kind kind, int64_t from, int64_t until, int64_t now)
{
	const struct lbp_expiry expiry = {kind, from, until};

	return lbp_expiry_judge(&expiry, now);
}

static enum lbp_expiry_state judge_cert(
	int64_t from, int64_t until, int64_t now)
{
	return judge(LBP_EXPIRY_CERTIFICATE, from, until, now);
}

static enum lbp_expiry_state judge_crl(int64_t from, int64_t until, int64_t now)
{
	return judge(LBP_EXPIRY_CRL, from, until, now);
}

static void certificates(void)
{
	const int64_t from = 1000, until = from + 100 * (int64_t)DAY;

	CU_ASSERT_EQUAL(judge_cert(from, until, 999), LBP_EXPIRY_EARLY);
	CU_ASSERT_EQUAL(judge_cert(from, until, 1000), LBP_EXPIRY_FINE);
	CU_ASSERT_EQUAL(
		judge_cert(from, until, until - 14 * DAY - 1), LBP_EXPIRY_FINE);
	CU_ASSERT_EQUAL(
		judge_cert(from, until, until - 14 * DAY), LBP_EXPIRY_SOON);
	CU_ASSERT_EQUAL(judge_cert(from, until, until - 1), LBP_EXPIRY_SOON);
	CU_ASSERT_EQUAL(judge_cert(from, until, until), LBP_EXPIRY_OVER);
	CU_ASSERT_EQUAL(judge_cert(from, until, INT64_MAX), LBP_EXPIRY_OVER);
	/* One whose whole life is short. */
	CU_ASSERT_EQUAL(judge_cert(0, DAY, 0), LBP_EXPIRY_SOON);
	CU_ASSERT_EQUAL(judge_cert(0, DAY, -1), LBP_EXPIRY_EARLY);
}

static void revocation_lists(void)
{
	CU_ASSERT_EQUAL(judge_crl(100, 200, 99), LBP_EXPIRY_EARLY);
	CU_ASSERT_EQUAL(judge_crl(100, 200, 100), LBP_EXPIRY_FINE);
	CU_ASSERT_EQUAL(judge_crl(100, 200, 179), LBP_EXPIRY_FINE);
	CU_ASSERT_EQUAL(judge_crl(100, 200, 180), LBP_EXPIRY_SOON);
	CU_ASSERT_EQUAL(judge_crl(100, 200, 199), LBP_EXPIRY_SOON);
	CU_ASSERT_EQUAL(judge_crl(100, 200, 200), LBP_EXPIRY_OVER);
	CU_ASSERT_EQUAL(judge_crl(0, 1000 * (int64_t)DAY, 790 * (int64_t)DAY),
		LBP_EXPIRY_FINE);
	CU_ASSERT_EQUAL(judge_crl(0, 1000 * (int64_t)DAY, 800 * (int64_t)DAY),
		LBP_EXPIRY_SOON);
}

static void odd_times(void)
{
	CU_ASSERT_EQUAL(
		judge_crl(0, LBP_EXPIRY_NEVER, INT64_MAX - 1), LBP_EXPIRY_FINE);
	CU_ASSERT_EQUAL(judge_cert(0, LBP_EXPIRY_NEVER, INT64_MAX - 1),
		LBP_EXPIRY_FINE);
	CU_ASSERT_EQUAL(judge_crl(5, LBP_EXPIRY_NEVER, 4), LBP_EXPIRY_EARLY);
	/* It ends before it begins. */
	CU_ASSERT_EQUAL(judge_cert(200, 100, 150), LBP_EXPIRY_OVER);
	CU_ASSERT_EQUAL(judge_cert(200, 100, 50), LBP_EXPIRY_EARLY);
	CU_ASSERT_EQUAL(judge_crl(INT64_MIN, INT64_MAX - 1, INT64_MIN),
		LBP_EXPIRY_FINE);
	CU_ASSERT_EQUAL(judge_crl(INT64_MIN, INT64_MAX - 1, INT64_MAX - 2),
		LBP_EXPIRY_SOON);
	CU_ASSERT_EQUAL(
		judge_cert(INT64_MIN, INT64_MAX - 1, -1000), LBP_EXPIRY_FINE);
}

static void the_next_look(void)
{
	CU_ASSERT_EQUAL(lbp_expiry_next_ns(0), DAY_NS);
	CU_ASSERT_EQUAL(lbp_expiry_next_ns(7), DAY_NS + 7);
	CU_ASSERT_EQUAL(
		lbp_expiry_next_ns(UINT64_MAX - DAY_NS - 1), UINT64_MAX - 1);
	CU_ASSERT_EQUAL(lbp_expiry_next_ns(UINT64_MAX - DAY_NS), LBP_NEVER);
	CU_ASSERT_EQUAL(lbp_expiry_next_ns(UINT64_MAX - DAY_NS + 1), LBP_NEVER);
	CU_ASSERT_EQUAL(lbp_expiry_next_ns(LBP_NEVER), LBP_NEVER);
}

#define S    UINT64_C(1000000000)
#define TICK (S / 100)

static void when_a_session_is_judged(void)
{
	/* 18446744073 s are the last whole ones before the clock's end. */
	const int64_t most = 18446744073;

	CU_ASSERT_EQUAL(
		lbp_expiry_due_ns(LBP_EXPIRY_NEVER, 0, 0, 7), LBP_NEVER);
	CU_ASSERT_EQUAL(
		lbp_expiry_due_ns(LBP_EXPIRY_NEVER, INT64_MAX - 1, 0, 7),
		LBP_NEVER);
	CU_ASSERT_EQUAL(lbp_expiry_due_ns(100, 99, 0, 7), 7 + S + TICK);
	CU_ASSERT_EQUAL(lbp_expiry_due_ns(100, 99, S - 1, 7), 7 + 1 + TICK);
	CU_ASSERT_EQUAL(lbp_expiry_due_ns(100, 100, 5, 7), 7 + TICK);
	CU_ASSERT_EQUAL(lbp_expiry_due_ns(100, 101, 5, 7), 7 + TICK);
	CU_ASSERT_EQUAL(lbp_expiry_due_ns(0, INT64_MAX, 0, 7), 7 + TICK);
	CU_ASSERT_EQUAL(
		lbp_expiry_due_ns(100, 101, 5, LBP_NEVER - 1), LBP_NEVER);
	/* The year 9999. */
	CU_ASSERT_EQUAL(
		lbp_expiry_due_ns(253402300799, 1800000000, 0, 7), LBP_NEVER);
	CU_ASSERT_EQUAL(lbp_expiry_due_ns(most - 1, 0, 0, 7),
		7 + (uint64_t)(most - 1) * S + TICK);
	CU_ASSERT_EQUAL(lbp_expiry_due_ns(most, 0, 0, 7), LBP_NEVER);
	CU_ASSERT_EQUAL(
		lbp_expiry_due_ns(most - 1, 0, 0, LBP_NEVER - S), LBP_NEVER);
	CU_ASSERT_EQUAL(
		lbp_expiry_due_ns(INT64_MAX - 1, INT64_MIN, 0, 7), LBP_NEVER);
}

static void sessions_are_spared(void)
{
	CU_ASSERT_EQUAL(
		lbp_expiry_spare(LBP_REASON_EXPIRED, true), LBP_REASON_NONE);
	CU_ASSERT_EQUAL(lbp_expiry_spare(LBP_REASON_EXPIRED, false),
		LBP_REASON_EXPIRED);
	CU_ASSERT_EQUAL(
		lbp_expiry_spare(LBP_REASON_REVOKED, true), LBP_REASON_REVOKED);
	CU_ASSERT_EQUAL(
		lbp_expiry_spare(LBP_REASON_NONE, false), LBP_REASON_NONE);
}

void suite_expiry(void)
{
	CU_pSuite suite = CU_add_suite("expiry", NULL, NULL);

	CU_add_test(suite, "[RLD-20] sessions are spared", sessions_are_spared);
	CU_add_test(suite, "[RLD-19] when a session is judged",
		when_a_session_is_judged);
	CU_add_test(
		suite, "[SRV-79] certificates: within 14 days", certificates);
	CU_add_test(suite, "[SRV-132] lists: past four fifths of their life",
		revocation_lists);
	CU_add_test(suite, "[SRV-79] no end, and ends before the beginning",
		odd_times);
	CU_add_test(
		suite, "[SRV-80] they are looked at each day", the_next_look);
}
