#include <string.h>

#include "core/session_rules.h"
#include "session_world.h"

/* What an event does in a state; all zero: it is not legal there. */
struct outcome {
	bool legal;
	enum lbp_state state;
	unsigned duties;
	enum lbp_reason reason;
};

#define BREAKS(why)                                                            \
	{                                                                      \
		true, LBP_SESSION_ENDED, RESET_CLIENT | ENDS, why              \
	}
#define DROPS(why)                                                             \
	{                                                                      \
		true, LBP_SESSION_ENDED, DROP | RESET_CLIENT | ENDS, why       \
	}
#define RESETS                                                                 \
	{                                                                      \
		true, LBP_SESSION_RESETTING, RELAY, LBP_REASON_NONE            \
	}
#define CUTS(why)                                                              \
	{                                                                      \
		true, LBP_SESSION_ENDED, RESET_CLIENT | RESET_UPSTREAM | ENDS, \
			why                                                    \
	}
#define LETS_GO                                                                \
	{                                                                      \
		true, LBP_SESSION_ENDED, END, LBP_REASON_UNKNOWN_CLIENT        \
	}
#define STAYS(state)                                                           \
	{                                                                      \
		true, state, 0, LBP_REASON_NONE                                \
	}

static const struct outcome outcomes[LBP_SESSION_ENDED + 1][KINDS + 1] = {
	[LBP_SESSION_HANDSHAKE] =
		{
			[LBP_EVENT_IDENTIFIED] = STAYS(LBP_SESSION_AUTHORIZED),
			[LBP_EVENT_HANDSHAKE_DONE] =
				BREAKS(LBP_REASON_NO_CERTIFICATE),
			[LBP_EVENT_HANDSHAKE_FAILED] = {true,
				LBP_SESSION_CLOSING, LINGERS | REPORT,
				LBP_REASON_EXPIRED},
			[LBP_EVENT_CLIENT_RESET] =
				BREAKS(LBP_REASON_HANDSHAKE_FAILED),
			[LBP_EVENT_TICK] = STAYS(LBP_SESSION_HANDSHAKE),
			[LBP_EVENT_RELOADED] = STAYS(LBP_SESSION_HANDSHAKE),
			[LBP_EVENT_EVICTED] =
				BREAKS(LBP_REASON_HANDSHAKE_EVICTED),
			[LBP_EVENT_STOP] = BREAKS(LBP_REASON_SHUTDOWN),
			[DUE] = BREAKS(LBP_REASON_HANDSHAKE_TIMEOUT),
		},
	[LBP_SESSION_AUTHORIZED] =
		{
			[LBP_EVENT_IDENTIFIED] = STAYS(LBP_SESSION_AUTHORIZED),
			[LBP_EVENT_HANDSHAKE_DONE] = {true, LBP_SESSION_DIALING,
				DIAL, LBP_REASON_NONE},
			[LBP_EVENT_HANDSHAKE_FAILED] = {true,
				LBP_SESSION_CLOSING, LINGERS | REPORT,
				LBP_REASON_EXPIRED},
			[LBP_EVENT_CLIENT_RESET] =
				BREAKS(LBP_REASON_HANDSHAKE_FAILED),
			[LBP_EVENT_TICK] = STAYS(LBP_SESSION_AUTHORIZED),
			[LBP_EVENT_RELOADED] = STAYS(LBP_SESSION_AUTHORIZED),
			[LBP_EVENT_EVICTED] =
				BREAKS(LBP_REASON_HANDSHAKE_EVICTED),
			[LBP_EVENT_STOP] = BREAKS(LBP_REASON_SHUTDOWN),
			[DUE] = BREAKS(LBP_REASON_HANDSHAKE_TIMEOUT),
		},
	[LBP_SESSION_DIALING] =
		{
			[LBP_EVENT_DIAL_DONE] = {true, LBP_SESSION_RELAY, RELAY,
				LBP_REASON_NONE},
			[LBP_EVENT_DIAL_FAILED] = {true, LBP_SESSION_DIALING,
				DIAL, LBP_REASON_NONE},
			[LBP_EVENT_DIAL_LOCAL] = {true, LBP_SESSION_DIALING,
				DIAL, LBP_REASON_NONE},
			[LBP_EVENT_CLIENT_RESET] =
				DROPS(LBP_REASON_CLIENT_RESET),
			[LBP_EVENT_CLIENT_TRUNCATED] =
				DROPS(LBP_REASON_CLIENT_TRUNCATED),
			[LBP_EVENT_TICK] = STAYS(LBP_SESSION_DIALING),
			[LBP_EVENT_RELOADED] = STAYS(LBP_SESSION_DIALING),
			[LBP_EVENT_STOP] = DROPS(LBP_REASON_SHUTDOWN),
			[DUE] = {true, LBP_SESSION_DIALING, DROP | DIAL,
				LBP_REASON_NONE},
		},
	[LBP_SESSION_RELAY] =
		{
			[LBP_EVENT_CLIENT_RESET] = RESETS,
			[LBP_EVENT_UPSTREAM_RESET] = RESETS,
			[LBP_EVENT_CLIENT_TRUNCATED] = RESETS,
			[LBP_EVENT_UPSTREAM_TRUNCATED] = RESETS,
			[LBP_EVENT_TICK] = STAYS(LBP_SESSION_RELAY),
			[LBP_EVENT_RELOADED] = STAYS(LBP_SESSION_RELAY),
			[LBP_EVENT_STOP] = CUTS(LBP_REASON_SHUTDOWN),
			[DUE] = CUTS(LBP_REASON_IDLE_TIMEOUT),
		},
	[LBP_SESSION_RESETTING] =
		{
			[LBP_EVENT_DELIVERED] = CUTS(LBP_REASON_UPSTREAM_RESET),
			[LBP_EVENT_TICK] = STAYS(LBP_SESSION_RESETTING),
			[LBP_EVENT_RELOADED] = STAYS(LBP_SESSION_RESETTING),
			[LBP_EVENT_STOP] = CUTS(LBP_REASON_SHUTDOWN),
			[DUE] = CUTS(LBP_REASON_UPSTREAM_RESET),
		},
	[LBP_SESSION_CLOSING] =
		{
			[LBP_EVENT_HANDSHAKE_FAILED] =
				{true, LBP_SESSION_CLOSING, LINGERS,
					LBP_REASON_UNKNOWN_CLIENT},
			[LBP_EVENT_CLIENT_RESET] = LETS_GO,
			[LBP_EVENT_CLIENT_ENDED] = LETS_GO,
			[LBP_EVENT_TICK] =
				{true, LBP_SESSION_CLOSING, 0,
					LBP_REASON_UNKNOWN_CLIENT},
			[LBP_EVENT_RELOADED] =
				{true, LBP_SESSION_CLOSING, 0,
					LBP_REASON_UNKNOWN_CLIENT},
			[LBP_EVENT_EVICTED] = LETS_GO,
			[LBP_EVENT_STOP] = LETS_GO,
			[DUE] = LETS_GO,
		},
};

static void expect_outcome(enum lbp_state state, int kind)
{
	const struct outcome *want = &outcomes[state][kind];
	struct lbp_session before;

	reach(state);
	before = session;
	if (kind == DUE && state != LBP_SESSION_ENDED)
		now_ns = lbp_session_deadline(&session);
	when(kind == DUE ? LBP_EVENT_TICK : (enum lbp_event_kind)kind);
	if (want->legal) {
		then(want->duties, want->state);
		reason_is(want->reason);
	} else {
		then_illegal();
		CU_ASSERT_EQUAL(memcmp(&session, &before, sizeof(session)), 0);
		open_are(state == LBP_SESSION_DIALING ||
				 state == LBP_SESSION_RELAY ||
				 state == LBP_SESSION_RESETTING,
			0);
	}
	/* Whatever happened, all is given back in the end, and once. */
	when(LBP_EVENT_STOP);
	CU_ASSERT_EQUAL(session.state, LBP_SESSION_ENDED);
	when(LBP_EVENT_STOP);
	then_illegal();
	finish();
}

static void a_tick_before_the_deadline_changes_nothing(void)
{
	for (int state = 0; state < LBP_SESSION_ENDED; state++) {
		struct lbp_session before;

		reach((enum lbp_state)state);
		before = session;
		now_ns = lbp_session_deadline(&session) - 1;
		when(LBP_EVENT_TICK);
		then(0, (enum lbp_state)state);
		CU_ASSERT_EQUAL(memcmp(&session, &before, sizeof(session)), 0);
		when(LBP_EVENT_STOP);
		finish();
	}
}

static void every_event_in_every_state(void)
{
	for (int state = 0; state <= LBP_SESSION_ENDED; state++) {
		for (int kind = 0; kind <= KINDS; kind++)
			expect_outcome((enum lbp_state)state, kind);
	}
}

/* Bob has a session already, and each upstream a connection. */
static void begin_among_others(void)
{
	uint32_t upstream;

	begin();
	who = BOBS;
	CU_ASSERT_EQUAL(lbp_app_admit(app, BOB, now_ns), LBP_OK);
	for (int i = 0; i < UPSTREAMS; i++)
		CU_ASSERT_EQUAL(lbp_app_choose(app, NULL, &upstream), LBP_OK);
}

static void what_others_hold_stays_theirs(void)
{
	for (int state = 0; state < LBP_SESSION_ENDED; state++) {
		for (int kind = 0; kind <= KINDS; kind++) {
			begin_among_others();
			go_to((enum lbp_state)state);
			if (kind == DUE)
				now_ns = lbp_session_deadline(&session);
			if (kind == LBP_EVENT_FLOW_FINISHED)
				pass_both_ends();
			when(kind == DUE ? LBP_EVENT_TICK
					 : (enum lbp_event_kind)kind);
			when(LBP_EVENT_STOP);
			open_are(1, 1);
			CU_ASSERT_EQUAL(lbp_app_leave(app, BOB), LBP_OK);
			lbp_app_release(app, 0);
			lbp_app_release(app, 1);
			finish();
		}
	}
}

static void every_state_has_a_deadline(void)
{
	static const uint64_t spans[] = {[LBP_SESSION_HANDSHAKE] = HANDSHAKE,
		[LBP_SESSION_AUTHORIZED] = HANDSHAKE,
		[LBP_SESSION_DIALING] = CONNECT,
		[LBP_SESSION_RELAY] = IDLE,
		[LBP_SESSION_RESETTING] = LINGER,
		[LBP_SESSION_CLOSING] = LINGER};

	for (int state = 0; state < LBP_SESSION_ENDED; state++) {
		reach((enum lbp_state)state);
		deadline_is(START + spans[state]);
		/* From whatever state, deadlines alone lead to the end. */
		for (int i = 0; i < 4 && session.state != LBP_SESSION_ENDED;
			i++) {
			now_ns = lbp_session_deadline(&session);
			when(LBP_EVENT_TICK);
			CU_ASSERT_TRUE(lbp_session_deadline(&session) > now_ns);
		}
		CU_ASSERT_EQUAL(session.state, LBP_SESSION_ENDED);
		finish();
	}
}

static struct lbp_session_timeouts all_are(uint64_t timeout_ns)
{
	return (struct lbp_session_timeouts){
		timeout_ns, timeout_ns, timeout_ns, timeout_ns};
}

/* Not even at the end of time does it end there. */
static void a_timeout_may_be_off(void)
{
	static const uint64_t offs[] = {
		0, LBP_NEVER, LBP_NEVER - 1, LBP_NEVER - START};

	for (size_t i = 0; i < sizeof(offs) / sizeof(offs[0]); i++) {
		const struct lbp_session_timeouts off = all_are(offs[i]);

		for (int state = 0; state < LBP_SESSION_ENDED; state++) {
			reach((enum lbp_state)state);
			session.timeouts = &off;
			deadline_is(LBP_NEVER);
			when(LBP_EVENT_TICK);
			then(0, (enum lbp_state)state);
			now_ns = LBP_NEVER;
			when(LBP_EVENT_TICK);
			then(0, (enum lbp_state)state);
			lbp_session_moved(&session, now_ns);
			deadline_is(LBP_NEVER);
			when(LBP_EVENT_STOP);
			finish();
		}
	}
}

/* What completes at the end of time is not too late where nothing is. */
static void progress_without_a_deadline(void)
{
	const struct lbp_session_timeouts off = all_are(0);

	reach(LBP_SESSION_AUTHORIZED);
	session.timeouts = &off;
	now_ns = LBP_NEVER;
	when(LBP_EVENT_HANDSHAKE_DONE);
	then_dial(0, 0);
	when(LBP_EVENT_DIAL_DONE);
	then(RELAY, LBP_SESSION_RELAY);
	when(LBP_EVENT_STOP);
	finish();
}

/* An ended session has no deadline that a step could run into. */
static void the_end_at_the_end_of_time(void)
{
	reach(LBP_SESSION_CLOSING);
	now_ns = LBP_NEVER;
	when(LBP_EVENT_CLIENT_ENDED);
	then(END, LBP_SESSION_ENDED);
	finish();
}

/* The last deadline that there is, and it comes. */
static void the_longest_timeout_ends(void)
{
	const struct lbp_session_timeouts longest =
		all_are(LBP_NEVER - START - 1);

	for (int state = 0; state < LBP_SESSION_ENDED; state++) {
		if (state == LBP_SESSION_DIALING)
			continue; /* which dials another one */
		reach((enum lbp_state)state);
		session.timeouts = &longest;
		deadline_is(LBP_NEVER - 1);
		now_ns = LBP_NEVER - 2;
		when(LBP_EVENT_TICK);
		then(0, (enum lbp_state)state);
		now_ns = LBP_NEVER - 1;
		when(LBP_EVENT_TICK);
		CU_ASSERT_EQUAL(session.state, LBP_SESSION_ENDED);
		finish();
	}
}

static bool is_among(enum lbp_state from, enum lbp_state to)
{
	static const enum lbp_state pairs[][2] = {
		{LBP_SESSION_HANDSHAKE, LBP_SESSION_AUTHORIZED},
		{LBP_SESSION_HANDSHAKE, LBP_SESSION_CLOSING},
		{LBP_SESSION_HANDSHAKE, LBP_SESSION_ENDED},
		{LBP_SESSION_AUTHORIZED, LBP_SESSION_AUTHORIZED},
		{LBP_SESSION_AUTHORIZED, LBP_SESSION_DIALING},
		{LBP_SESSION_AUTHORIZED, LBP_SESSION_CLOSING},
		{LBP_SESSION_AUTHORIZED, LBP_SESSION_ENDED},
		{LBP_SESSION_DIALING, LBP_SESSION_RELAY},
		{LBP_SESSION_DIALING, LBP_SESSION_CLOSING},
		{LBP_SESSION_DIALING, LBP_SESSION_ENDED},
		{LBP_SESSION_RELAY, LBP_SESSION_RESETTING},
		{LBP_SESSION_RELAY, LBP_SESSION_ENDED},
		{LBP_SESSION_RESETTING, LBP_SESSION_ENDED},
		{LBP_SESSION_CLOSING, LBP_SESSION_ENDED},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (pairs[i][0] == from && pairs[i][1] == to)
			return true;
	}
	return false;
}

static void what_may_follow_a_state(void)
{
	for (int from = LBP_SESSION_HANDSHAKE; from <= LBP_SESSION_ENDED;
		from++)
		for (int to = LBP_SESSION_HANDSHAKE; to <= LBP_SESSION_ENDED;
			to++)
			CU_ASSERT_EQUAL(
				lbp_session_may_follow((enum lbp_state)from,
					(enum lbp_state)to),
				is_among((enum lbp_state)from,
					(enum lbp_state)to));
}

void add_session_events(CU_pSuite suite)
{
	CU_add_test(suite, "[SES-1] what may follow a state",
		what_may_follow_a_state);
	CU_add_test(suite, "[SES-6][SES-15] every event in every state",
		every_event_in_every_state);
	CU_add_test(suite,
		"[SES-40] a tick before the deadline changes nothing",
		a_tick_before_the_deadline_changes_nothing);
	CU_add_test(suite, "[SES-6] what others hold stays theirs",
		what_others_hold_stays_theirs);
	CU_add_test(suite, "[SES-14] every state has a deadline",
		every_state_has_a_deadline);
	CU_add_test(
		suite, "[SES-20] a timeout may be off", a_timeout_may_be_off);
	CU_add_test(suite, "[SES-20] without a deadline nothing is too late",
		progress_without_a_deadline);
	CU_add_test(suite, "[SES-16][SES-20] the end at the end of time",
		the_end_at_the_end_of_time);
	CU_add_test(suite, "[SES-20] the longest timeout ends",
		the_longest_timeout_ends);
}
