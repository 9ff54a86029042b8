/* What a session makes of its upstream's conduct. */
#include "session_world.h"
#include "suites.h"

/* A byte of the upstream's arrives, and may be delivered at once. */
static void upstream_sends(bool delivered)
{
	static uint8_t ring[4];
	struct lbp_pipe *down = &session.flow.pipes[LBP_DOWN];

	CU_ASSERT_EQUAL(lbp_pipe_lend(down, ring, sizeof(ring)), LBP_OK);
	CU_ASSERT_EQUAL(lbp_pipe_filled(down, 1), LBP_OK);
	if (!delivered)
		return;
	CU_ASSERT_EQUAL(lbp_pipe_drained(down, 1), LBP_OK);
	CU_ASSERT_PTR_EQUAL(lbp_pipe_return(down), ring);
}

static void upstream_ends(void)
{
	CU_ASSERT_EQUAL(lbp_pipe_end(&session.flow.pipes[LBP_DOWN]), LBP_OK);
}

static void a_local_failure_leads_to_the_next(void)
{
	reach(LBP_SESSION_DIALING);
	after(1);
	when(LBP_EVENT_DIAL_LOCAL);
	then_dial(0, 1);
	CU_ASSERT_EQUAL(duties.health, LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(duties.health_upstream, LBP_NONE);
	deadline_is(now_ns + CONNECT);
	a_place_is_held();
	when(LBP_EVENT_DIAL_DONE);
	then(RELAY, LBP_SESSION_RELAY);
	when(LBP_EVENT_STOP);
	reason_is(LBP_REASON_SHUTDOWN);
	finish();
}

static void a_local_failure_is_no_answer(void)
{
	reach(LBP_SESSION_DIALING);
	when(LBP_EVENT_DIAL_LOCAL);
	open_are(0, 1);
	when(LBP_EVENT_STOP);
	/* Neither a failure nor a success: one failure is missing still. */
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_DOWN);
	finish();
}

static void local_failures_end_it_as_internal(void)
{
	static const enum lbp_event_kind ways[][2] = {
		{LBP_EVENT_DIAL_LOCAL, LBP_EVENT_DIAL_LOCAL},
		{LBP_EVENT_DIAL_LOCAL, LBP_EVENT_DIAL_FAILED},
		{LBP_EVENT_DIAL_FAILED, LBP_EVENT_DIAL_LOCAL}};

	for (int i = 0; i < 3; i++) {
		reach(LBP_SESSION_DIALING);
		when(ways[i][0]);
		then_dial(0, 1);
		when(ways[i][1]);
		then(RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
		reason_is(LBP_REASON_INTERNAL);
		CU_ASSERT_EQUAL(session.upstream, LBP_NONE);
		CU_ASSERT_TRUE(session.admitted);
		finish();
	}
}

static void a_dial_is_a_success_with_the_first_byte(void)
{
	for (int how = 0; how < 3; how++) {
		reach(LBP_SESSION_DIALING);
		lbp_app_dialed(app, 1, false);
		when(LBP_EVENT_DIAL_FAILED);
		when(LBP_EVENT_DIAL_DONE);
		then(RELAY, LBP_SESSION_RELAY);
		CU_ASSERT_EQUAL(duties.health_upstream, LBP_NONE);
		CU_ASSERT_FALSE(lbp_session_answer_is_due(&session));
		when(LBP_EVENT_ANSWERED);
		then_illegal();
		if (how == 2)
			upstream_ends();
		else
			upstream_sends(how == 1);
		CU_ASSERT_TRUE(lbp_session_answer_is_due(&session));
		when(LBP_EVENT_ANSWERED);
		then(0, LBP_SESSION_RELAY);
		CU_ASSERT_EQUAL(duties.health_upstream, 1);
		CU_ASSERT_EQUAL(duties.health, LBP_HEALTH_SAME);
		CU_ASSERT_FALSE(lbp_session_answer_is_due(&session));
		when(LBP_EVENT_ANSWERED);
		then_illegal();
		open_are(0, 1);
		when(LBP_EVENT_STOP);
		/* The run of failures ended: it takes two again. */
		CU_ASSERT_EQUAL(lbp_app_dialed(app, 1, false), LBP_HEALTH_SAME);
		CU_ASSERT_EQUAL(lbp_app_dialed(app, 1, false), LBP_HEALTH_DOWN);
		finish();
	}
}

static void a_reset_before_the_first_byte_is_a_failure(void)
{
	for (int i = 0; i < 4; i++) {
		bool reset = i >= 2;

		reach(LBP_SESSION_RELAY);
		if (i % 2 == 1)
			lbp_app_dialed(app, 1, false);
		when(reset ? LBP_EVENT_UPSTREAM_RESET
			   : LBP_EVENT_UPSTREAM_TRUNCATED);
		then(RELAY, LBP_SESSION_RESETTING);
		CU_ASSERT_EQUAL(duties.health_upstream, LBP_NONE);
		(void)lbp_pipe_cut(&session.flow.pipes[LBP_DOWN]);
		CU_ASSERT_FALSE(lbp_session_answer_is_due(&session));
		when(LBP_EVENT_DELIVERED);
		then(RESET_CLIENT | RESET_UPSTREAM | ENDS, LBP_SESSION_ENDED);
		reason_is(reset ? LBP_REASON_UPSTREAM_RESET
				: LBP_REASON_UPSTREAM_TRUNCATED);
		CU_ASSERT_EQUAL(duties.health_upstream, 0);
		CU_ASSERT_EQUAL(duties.health, LBP_HEALTH_SAME);
		nothing_is_held();
		CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_DOWN);
		finish();
	}
}

static void a_reset_after_it_is_none(void)
{
	for (int told = 0; told < 2; told++) {
		reach(LBP_SESSION_RELAY);
		upstream_sends(true);
		if (told)
			when(LBP_EVENT_ANSWERED);
		when(LBP_EVENT_UPSTREAM_RESET);
		CU_ASSERT_EQUAL(duties.health_upstream, LBP_NONE);
		when(LBP_EVENT_DELIVERED);
		reason_is(LBP_REASON_UPSTREAM_RESET);
		CU_ASSERT_EQUAL(duties.health_upstream, LBP_NONE);
		nothing_is_held();
		CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_SAME);
		finish();
	}
}

/* An end may have been read and passed on in one go. */
static void an_end_that_was_passed_on_is_an_answer(void)
{
	reach(LBP_SESSION_RELAY);
	CU_ASSERT_FALSE(lbp_session_answer_is_due(&session));
	pass_both_ends();
	CU_ASSERT_EQUAL(session.flow.pipes[LBP_DOWN].state, LBP_PIPE_ENDED);
	CU_ASSERT_TRUE(lbp_session_answer_is_due(&session));
	when(LBP_EVENT_ANSWERED);
	then(0, LBP_SESSION_RELAY);
	when(LBP_EVENT_FLOW_FINISHED);
	finish();
}

/* The first byte may come to light after the reset: it is read before. */
static void an_answer_may_be_read_after_the_reset(void)
{
	reach(LBP_SESSION_RELAY);
	when(LBP_EVENT_UPSTREAM_RESET);
	upstream_sends(true);
	CU_ASSERT_TRUE(lbp_session_answer_is_due(&session));
	when(LBP_EVENT_ANSWERED);
	then(0, LBP_SESSION_RESETTING);
	CU_ASSERT_EQUAL(duties.health_upstream, 0);
	when(LBP_EVENT_ANSWERED);
	then_illegal();
	when(LBP_EVENT_DELIVERED);
	CU_ASSERT_EQUAL(duties.health_upstream, LBP_NONE);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_SAME);
	finish();
}

static void other_ends_say_nothing(void)
{
	static const enum lbp_event_kind ends[] = {LBP_EVENT_CLIENT_RESET,
		LBP_EVENT_CLIENT_TRUNCATED, LBP_EVENT_STOP, LBP_EVENT_TICK};

	for (int i = 0; i < 4; i++) {
		reach(LBP_SESSION_RELAY);
		now_ns = lbp_session_deadline(&session);
		when(ends[i]);
		if (session.state == LBP_SESSION_RESETTING)
			when(LBP_EVENT_DELIVERED);
		CU_ASSERT_EQUAL(session.state, LBP_SESSION_ENDED);
		CU_ASSERT_EQUAL(duties.health_upstream, LBP_NONE);
		CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_SAME);
		finish();
	}
}

static void an_answer_is_due_after_the_dial_only(void)
{
	for (int state = 0; state <= LBP_SESSION_ENDED; state++) {
		reach((enum lbp_state)state);
		upstream_ends();
		CU_ASSERT_EQUAL(lbp_session_answer_is_due(&session),
			state == LBP_SESSION_RELAY ||
				state == LBP_SESSION_RESETTING);
		when(LBP_EVENT_STOP);
		finish();
	}
}

void suite_session_upstream(void)
{
	CU_pSuite suite = CU_add_suite("session and upstream", NULL, NULL);

	CU_add_test(suite, "[SES-28] a local failure leads to the next",
		a_local_failure_leads_to_the_next);
	CU_add_test(suite, "[SES-28] a local failure is no answer",
		a_local_failure_is_no_answer);
	CU_add_test(suite, "[SES-46] local failures end it as internal",
		local_failures_end_it_as_internal);
	CU_add_test(suite, "[SES-29] a dial is a success with the first byte",
		a_dial_is_a_success_with_the_first_byte);
	CU_add_test(suite,
		"[SES-47][SES-48] a reset before the first byte is a failure",
		a_reset_before_the_first_byte_is_a_failure);
	CU_add_test(suite, "[SES-47] a reset after it is none",
		a_reset_after_it_is_none);
	CU_add_test(suite, "[SES-29] an end that was passed on is an answer",
		an_end_that_was_passed_on_is_an_answer);
	CU_add_test(suite,
		"[SES-29][SES-25] an answer may be read after the reset",
		an_answer_may_be_read_after_the_reset);
	CU_add_test(suite, "[SES-49] other ends say nothing",
		other_ends_say_nothing);
	CU_add_test(suite, "[SES-29] an answer is due after the dial only",
		an_answer_is_due_after_the_dial_only);
}
