/* How long a session may last, whatever it does. */
#include "session_world.h"
#include "suites.h"

#define LIFETIME (100000 * MS)
#define MOST     UINT32_MAX

/* Admits one, CONNECT before its lifetime is over. */
static void admit_for(uint64_t lifetime_ns, uint32_t share)
{
	begin();
	CU_ASSERT_EQUAL(
		lbp_session_set_lifetime(&session, lifetime_ns, share), LBP_OK);
	deadline_is(START + HANDSHAKE);
	after(1 * MS);
	when_identified(ALICES);
	after(1 * MS);
	when(LBP_EVENT_HANDSHAKE_DONE);
	then_dial(0, 0);
}

static void it_counts_from_the_admission(void)
{
	admit_for(LIFETIME, 0);
	deadline_is(now_ns + CONNECT);
	when(LBP_EVENT_DIAL_DONE);
	deadline_is(START + 2 * MS + LIFETIME);
	after(LIFETIME - 1);
	lbp_session_moved(&session, now_ns);
	when(LBP_EVENT_TICK);
	then(0, LBP_SESSION_RELAY);
	after(1);
	when(LBP_EVENT_TICK);
	then(RESET_CLIENT | RESET_UPSTREAM | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_LIFETIME);
	deadline_is(LBP_NEVER);
	nothing_is_held();
	finish();
}

static void it_ends_a_dial(void)
{
	admit_for(CONNECT, 0);
	after(1 * MS);
	when(LBP_EVENT_DIAL_FAILED);
	then_dial(0, 1);
	deadline_is(START + 2 * MS + CONNECT);
	after(CONNECT - 1 * MS);
	when(LBP_EVENT_DIAL_DONE);
	then(DROP | RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_LIFETIME);
	nothing_is_held();
	finish();
}

static void it_ends_a_reset_that_is_not_delivered(void)
{
	admit_for(LIFETIME, 0);
	when(LBP_EVENT_DIAL_DONE);
	after(LIFETIME - 1 * MS);
	when(LBP_EVENT_CLIENT_RESET);
	then(RELAY, LBP_SESSION_RESETTING);
	deadline_is(now_ns + 1 * MS);
	after(1 * MS);
	when(LBP_EVENT_TICK);
	then(RESET_CLIENT | RESET_UPSTREAM | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_LIFETIME);
	finish();
}

static void it_comes_before_what_else_is_due(void)
{
	admit_for(IDLE, 0);
	when(LBP_EVENT_DIAL_DONE);
	after(IDLE + 1);
	when(LBP_EVENT_TICK);
	then(RESET_CLIENT | RESET_UPSTREAM | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_LIFETIME);
	finish();
}

static void it_is_nothing_to_who_is_closing(void)
{
	admit_for(1 * MS, 0);
	when(LBP_EVENT_DIAL_FAILED);
	then_dial(0, 1);
	when(LBP_EVENT_DIAL_FAILED);
	then(NOTIFY | REPORT, LBP_SESSION_CLOSING);
	deadline_is(now_ns + LINGER);
	after(LINGER);
	when(LBP_EVENT_TICK);
	then(END, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_NO_UPSTREAM);
	finish();
}

static void it_is_nothing_to_a_handshake(void)
{
	begin();
	CU_ASSERT_EQUAL(lbp_session_set_lifetime(&session, 1, 0), LBP_OK);
	after(HANDSHAKE - 1);
	when(LBP_EVENT_TICK);
	then(0, LBP_SESSION_HANDSHAKE);
	after(1);
	when(LBP_EVENT_TICK);
	reason_is(LBP_REASON_HANDSHAKE_TIMEOUT);
	finish();
}

/* How long it lasts; LBP_NEVER: for ever. */
static uint64_t lasts(uint64_t lifetime_ns, uint32_t share)
{
	uint64_t began_ns;
	uint64_t ends_ns;

	admit_for(lifetime_ns, share);
	began_ns = now_ns;
	ends_ns = session.expires_ns;
	when_stopped(LBP_REASON_SHUTDOWN);
	CU_ASSERT_EQUAL(session.expires_ns, LBP_NEVER);
	finish();
	return ends_ns == LBP_NEVER ? LBP_NEVER : ends_ns - began_ns;
}

static void a_share_takes_less_than_a_tenth(void)
{
	const uint64_t hour = 3600000 * MS;
	const uint64_t longest = 8760 * hour;
	const uint64_t tenth = longest / 10;

	CU_ASSERT_EQUAL(lasts(hour, 0), hour);
	CU_ASSERT_EQUAL(lasts(hour, UINT32_C(1) << 31), hour - hour / 20);
	CU_ASSERT_EQUAL(lasts(hour, UINT32_C(1) << 30), hour - hour / 40);
	CU_ASSERT_EQUAL(lasts(longest, 0), longest);
	CU_ASSERT_EQUAL(lasts(longest, UINT32_C(1) << 31), longest - tenth / 2);
	/* 2^32 - 1 shares of a tenth: all of it, less one share, rounded up. */
	CU_ASSERT_EQUAL(lasts(longest, MOST),
		longest - tenth + (tenth + MOST) / (UINT64_C(1) << 32));
	CU_ASSERT_EQUAL(lasts(20, MOST), 19);
	CU_ASSERT_EQUAL(lasts(9, MOST), 9);
	CU_ASSERT_EQUAL(lasts(1, MOST), 1);
}

static void none_is_none(void)
{
	CU_ASSERT_EQUAL(lasts(0, 0), LBP_NEVER);
	CU_ASSERT_EQUAL(lasts(LBP_NEVER, 0), LBP_NEVER);
	CU_ASSERT_EQUAL(lasts(LBP_NEVER, MOST), LBP_NEVER);
	CU_ASSERT_EQUAL(lasts(LBP_NEVER - 1, 0), LBP_NEVER);
}

static void the_last_one_counts(void)
{
	begin();
	CU_ASSERT_EQUAL(lbp_session_set_lifetime(&session, 5 * MS, 0), LBP_OK);
	CU_ASSERT_EQUAL(lbp_session_set_lifetime(&session, 0, 0), LBP_OK);
	when_identified(ALICES);
	when(LBP_EVENT_HANDSHAKE_DONE);
	deadline_is(now_ns + CONNECT);
	CU_ASSERT_EQUAL(
		lbp_session_set_lifetime(&session, 1, 0), LBP_ERR_STATE);
	deadline_is(now_ns + CONNECT);
	CU_ASSERT_EQUAL(lbp_session_set_lifetime(NULL, 1, 0), LBP_ERR_NULL);
	when_stopped(LBP_REASON_SHUTDOWN);
	finish();
}

void suite_session_lifetime(void)
{
	CU_pSuite suite = CU_add_suite("session_lifetime", NULL, NULL);

	CU_add_test(suite, "[SES-60] a lifetime counts from the admission",
		it_counts_from_the_admission);
	CU_add_test(suite, "[SES-60] a lifetime ends a dial", it_ends_a_dial);
	CU_add_test(suite, "[SES-60] a lifetime ends what is resetting",
		it_ends_a_reset_that_is_not_delivered);
	CU_add_test(suite, "[SES-60] a lifetime comes before all that is due",
		it_comes_before_what_else_is_due);
	CU_add_test(suite, "[SES-60] a lifetime is nothing to who is closing",
		it_is_nothing_to_who_is_closing);
	CU_add_test(suite, "[SES-60] a lifetime is nothing to a handshake",
		it_is_nothing_to_a_handshake);
	CU_add_test(suite, "[SES-61] a share takes less than a tenth",
		a_share_takes_less_than_a_tenth);
	CU_add_test(suite, "[SES-61] no lifetime is none", none_is_none);
	CU_add_test(suite, "[SES-61] the lifetime set last counts",
		the_last_one_counts);
}
