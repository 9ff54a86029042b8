/* Sessions whose certificate a reload may have made worthless. */
#include "core/session_rules.h"
#include "session_world.h"

static const enum lbp_state after_the_certificate[] = {LBP_SESSION_AUTHORIZED,
	LBP_SESSION_DIALING, LBP_SESSION_RELAY, LBP_SESSION_RESETTING};

static unsigned duties_of(enum lbp_state state)
{
	switch (state) {
	case LBP_SESSION_AUTHORIZED:
		return RESET_CLIENT | ENDS;
	case LBP_SESSION_DIALING:
		return DROP | RESET_CLIENT | ENDS;
	default:
		return RESET_CLIENT | RESET_UPSTREAM | ENDS;
	}
}

static void one_that_is_no_longer_trusted_ends(void)
{
	static const enum lbp_reason reasons[] = {LBP_REASON_REVOKED,
		LBP_REASON_EXPIRED, LBP_REASON_UNTRUSTED,
		LBP_REASON_BAD_CERTIFICATE};

	for (int r = 0; r < 4; r++) {
		for (int i = 0; i < 4; i++) {
			enum lbp_state state = after_the_certificate[i];

			reach(state);
			when_reloaded(reasons[r]);
			then(duties_of(state), LBP_SESSION_ENDED);
			reason_is(reasons[r]);
			open_are(0, 0);
			finish();
		}
	}
}

static void one_that_is_fine_stays(void)
{
	for (int i = 0; i < 4; i++) {
		reach(after_the_certificate[i]);
		when_reloaded(LBP_REASON_NONE);
		then(0, after_the_certificate[i]);
		when(LBP_EVENT_STOP);
		finish();
	}
}

/* It says nothing about this certificate. */
static void an_old_list_ends_no_session(void)
{
	static const enum lbp_reason reasons[] = {
		LBP_REASON_CRL_EXPIRED, LBP_REASON_NOT_YET_VALID};

	for (int r = 0; r < 2; r++) {
		for (int i = 1; i < 4; i++) {
			reach(after_the_certificate[i]);
			when_reloaded(reasons[r]);
			then(0, after_the_certificate[i]);
			when(LBP_EVENT_STOP);
			finish();
		}
		reach(LBP_SESSION_AUTHORIZED);
		when_reloaded(reasons[r]);
		then(RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
		reason_is(reasons[r]);
		finish();
	}
}

/* Nothing has been judged yet, or nothing is left to take away. */
static void before_and_after_it_is_of_no_account(void)
{
	reach(LBP_SESSION_HANDSHAKE);
	when_reloaded(LBP_REASON_REVOKED);
	then(0, LBP_SESSION_HANDSHAKE);
	when(LBP_EVENT_STOP);
	finish();
	reach(LBP_SESSION_CLOSING);
	when_reloaded(LBP_REASON_REVOKED);
	then(0, LBP_SESSION_CLOSING);
	when(LBP_EVENT_CLIENT_ENDED);
	CU_ASSERT_EQUAL(session.state, LBP_SESSION_ENDED);
	CU_ASSERT_FALSE(
		lbp_session_is_distrusted(&session, LBP_REASON_REVOKED));
	finish();
}

void suite_session_trust(void)
{
	CU_pSuite suite = CU_add_suite("session_trust", NULL, NULL);

	CU_add_test(suite, "[RLD-6] one that is no longer trusted ends",
		one_that_is_no_longer_trusted_ends);
	CU_add_test(suite, "[RLD-6] one that is fine stays",
		one_that_is_fine_stays);
	CU_add_test(suite, "[RLD-7] an old list ends no session",
		an_old_list_ends_no_session);
	CU_add_test(suite, "[RLD-7] before and after it is of no account",
		before_and_after_it_is_of_no_account);
}
