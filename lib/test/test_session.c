#include <stdio.h>
#include <string.h>

#include "lists.h"
#include "reload.h"
#include "session_world.h"
#include "suites.h"

static void a_session_from_accept_to_its_end(void)
{
	begin();
	CU_ASSERT_EQUAL(session.state, LBP_SESSION_HANDSHAKE);
	CU_ASSERT_FALSE(lbp_session_is_authorized(&session));
	when_identified(ALICES);
	then(0, LBP_SESSION_AUTHORIZED);
	CU_ASSERT_TRUE(lbp_session_is_authorized(&session));
	nothing_is_held();
	when(LBP_EVENT_HANDSHAKE_DONE);
	then_dial(0, 0);
	open_are(1, 0);
	a_place_is_held();
	when(LBP_EVENT_DIAL_DONE);
	then(RELAY, LBP_SESSION_RELAY);
	reason_is(LBP_REASON_NONE);
	open_are(1, 0);
	a_place_is_held();
	pass_both_ends();
	when(LBP_EVENT_FLOW_FINISHED);
	then(ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_DONE);
	CU_ASSERT_TRUE(session.admitted);
	CU_ASSERT_EQUAL(session.upstream, 0);
	CU_ASSERT_EQUAL(session.client, ALICE);
	finish();
}

static void strangers_are_refused_within_the_handshake(void)
{
	static const struct {
		uint8_t octet;
		uint32_t client;
		enum lbp_reason reason;
	} strangers[] = {{MALLORYS, LBP_NONE, LBP_REASON_UNKNOWN_CLIENT},
		{EVES, EVE, LBP_REASON_NOT_ALLOWED}};

	for (int i = 0; i < 2; i++) {
		begin();
		when_identified(strangers[i].octet);
		then(REFUSE | REPORT, LBP_SESSION_CLOSING);
		reason_is(strangers[i].reason);
		CU_ASSERT_EQUAL(session.client, strangers[i].client);
		CU_ASSERT_PTR_NOT_NULL(session.names);
		CU_ASSERT_FALSE(session.admitted);
		CU_ASSERT_FALSE(lbp_session_is_authorized(&session));
		when(LBP_EVENT_HANDSHAKE_FAILED);
		then(LINGERS, LBP_SESSION_CLOSING);
		reason_is(strangers[i].reason);
		when(LBP_EVENT_CLIENT_ENDED);
		then(END, LBP_SESSION_ENDED);
		reason_is(strangers[i].reason);
		finish();
	}
}

static void names_of_two_clients_are_nobodys(void)
{
	begin();
	when_identified_by_two(ALICES, BOBS);
	then(REFUSE | REPORT, LBP_SESSION_CLOSING);
	reason_is(LBP_REASON_AMBIGUOUS);
	CU_ASSERT_EQUAL(session.client, LBP_NONE);
	CU_ASSERT_PTR_NULL(lbp_session_matched(&session));
	when_stopped(LBP_REASON_SHUTDOWN);
	finish();

	begin();
	when_identified_by_two(MALLORYS, BOBS);
	then(0, LBP_SESSION_AUTHORIZED);
	CU_ASSERT_EQUAL(session.client, BOB);
	CU_ASSERT_PTR_EQUAL(lbp_session_matched(&session), session.names + 1);
	when_stopped(LBP_REASON_SHUTDOWN);
	finish();
}

static void who_was_welcome_is_judged_anew(void)
{
	begin();
	when_identified(ALICES);
	then(0, LBP_SESSION_AUTHORIZED);
	when_identified(BOBS);
	then(0, LBP_SESSION_AUTHORIZED);
	CU_ASSERT_EQUAL(session.client, BOB);
	CU_ASSERT_EQUAL(session.names->serial.octets[0], BOBS);
	when_identified(MALLORYS);
	then(REFUSE | REPORT, LBP_SESSION_CLOSING);
	CU_ASSERT_EQUAL(session.client, LBP_NONE);
	when_stopped(LBP_REASON_SHUTDOWN);
	then(END, LBP_SESSION_ENDED);
	finish();
}

static void without_an_identity_nobody_is_admitted(void)
{
	begin();
	when(LBP_EVENT_HANDSHAKE_DONE);
	then(RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_NO_CERTIFICATE);
	CU_ASSERT_FALSE(session.admitted);
	CU_ASSERT_PTR_NULL(session.names);
	finish();
}

static void the_cap_closes_without_an_upstream(void)
{
	begin();
	CU_ASSERT_EQUAL(lbp_app_admit(app, ALICE, now_ns), LBP_OK);
	when_identified(ALICES_TOO);
	when(LBP_EVENT_HANDSHAKE_DONE);
	then(NOTIFY | REPORT, LBP_SESSION_CLOSING);
	reason_is(LBP_REASON_CONCURRENT_LIMIT);
	CU_ASSERT_FALSE(session.admitted);
	open_are(0, 0);
	when(LBP_EVENT_CLIENT_ENDED);
	then(END, LBP_SESSION_ENDED);
	/* It was not the refused one's place that was taken. */
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	finish();
}

static void the_rate_closes_without_an_upstream(void)
{
	begin();
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(lbp_app_admit(app, ALICE, now_ns), LBP_OK);
		CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	}
	for (int i = 0; i < 3; i++) {
		when_identified(ALICES);
		when(LBP_EVENT_HANDSHAKE_DONE);
		then(NOTIFY | REPORT, LBP_SESSION_CLOSING);
		reason_is(LBP_REASON_RATE_LIMIT);
		nothing_is_held();
		when(LBP_EVENT_CLIENT_RESET);
		then(END, LBP_SESSION_ENDED);
		accept_one();
	}
	after(60000 * MS);
	accept_one();
	when_identified(ALICES);
	when(LBP_EVENT_HANDSHAKE_DONE);
	then_dial(0, 0);
	when(LBP_EVENT_STOP);
	finish();
}

/* Two a minute are Alice's, and both are left to her. */
static void a_full_server_refuses_and_counts_nothing(void)
{
	begin();
	for (int i = 0; i < 4; i++) {
		when_identified(ALICES);
		when_done_while_full();
		then(NOTIFY | REPORT, LBP_SESSION_CLOSING);
		reason_is(LBP_REASON_MAX_CONNECTIONS);
		CU_ASSERT_FALSE(session.admitted);
		CU_ASSERT_EQUAL(session.client, ALICE);
		nothing_is_held();
		deadline_is(now_ns + LINGER);
		when(LBP_EVENT_CLIENT_ENDED);
		then(END, LBP_SESSION_ENDED);
		accept_one();
	}
	for (int i = 0; i < 2; i++) {
		when_identified(ALICES);
		when(LBP_EVENT_HANDSHAKE_DONE);
		then_dial(0, i % 2 == 0 ? 0 : 1);
		when(LBP_EVENT_STOP);
		accept_one();
	}
	finish();
}

/* Who may not come in hears so, and who is at a limit that there is no room. */
static void a_full_server_judges_the_identity_first(void)
{
	begin();
	when_done_while_full();
	then(RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_NO_CERTIFICATE);
	finish();

	reach(LBP_SESSION_AUTHORIZED);
	reload_for_bob();
	when_done_while_full();
	then(NOTIFY | REPORT, LBP_SESSION_CLOSING);
	reason_is(LBP_REASON_NOT_ALLOWED);
	when(LBP_EVENT_CLIENT_ENDED);
	finish();

	begin();
	CU_ASSERT_EQUAL(lbp_app_admit(app, ALICE, now_ns), LBP_OK);
	when_identified(ALICES);
	when_done_while_full();
	then(NOTIFY | REPORT, LBP_SESSION_CLOSING);
	reason_is(LBP_REASON_MAX_CONNECTIONS);
	when(LBP_EVENT_CLIENT_ENDED);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	finish();

	reach(LBP_SESSION_AUTHORIZED);
	after(HANDSHAKE);
	when_done_while_full();
	then(RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_HANDSHAKE_TIMEOUT);
	finish();
}

static void only_a_handshake_is_evicted(void)
{
	reach(LBP_SESSION_AUTHORIZED);
	when(LBP_EVENT_EVICTED);
	then(RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_HANDSHAKE_EVICTED);
	CU_ASSERT_FALSE(session.admitted);
	finish();

	/* Refused, it has its place until it ends. */
	reach(LBP_SESSION_CLOSING);
	when(LBP_EVENT_EVICTED);
	then(END, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_UNKNOWN_CLIENT);
	finish();

	/* Admitted, it has none, even if it serves nobody any more. */
	reach(LBP_SESSION_DIALING);
	when(LBP_EVENT_EVICTED);
	then_illegal();
	when(LBP_EVENT_DIAL_FAILED);
	when(LBP_EVENT_DIAL_FAILED);
	when(LBP_EVENT_EVICTED);
	then_illegal();
	CU_ASSERT_EQUAL(session.state, LBP_SESSION_CLOSING);
	reason_is(LBP_REASON_NO_UPSTREAM);
	when(LBP_EVENT_CLIENT_ENDED);
	finish();
}

static void a_failed_dial_leads_to_the_next_upstream(void)
{
	reach(LBP_SESSION_DIALING);
	when(LBP_EVENT_DIAL_FAILED);
	then_dial(0, 1);
	CU_ASSERT_EQUAL(duties.health_upstream, 0);
	open_are(0, 1);
	a_place_is_held();
	when(LBP_EVENT_DIAL_DONE);
	then(RELAY, LBP_SESSION_RELAY);
	CU_ASSERT_EQUAL(session.upstream, 1);
	when(LBP_EVENT_STOP);
	finish();
}

static void when_none_is_left_it_closes(void)
{
	reach(LBP_SESSION_DIALING);
	when(LBP_EVENT_DIAL_FAILED);
	when(LBP_EVENT_DIAL_FAILED);
	then(NOTIFY | REPORT, LBP_SESSION_CLOSING);
	CU_ASSERT_EQUAL(duties.health_upstream, 1);
	reason_is(LBP_REASON_NO_UPSTREAM);
	CU_ASSERT_EQUAL(session.upstream, LBP_NONE);
	CU_ASSERT_TRUE(session.admitted);
	nothing_is_held();
	when(LBP_EVENT_CLIENT_ENDED);
	then(END, LBP_SESSION_ENDED);
	finish();
}

static void when_none_is_eligible_it_closes_at_once(void)
{
	begin();
	for (uint32_t i = 0; i < UPSTREAMS; i++) {
		lbp_app_dialed(app, i, false);
		lbp_app_dialed(app, i, false);
	}
	when(LBP_EVENT_IDENTIFIED);
	when(LBP_EVENT_HANDSHAKE_DONE);
	then(NOTIFY | REPORT, LBP_SESSION_CLOSING);
	reason_is(LBP_REASON_NO_UPSTREAM);
	CU_ASSERT_TRUE(session.admitted);
	nothing_is_held();
	when(LBP_EVENT_TICK);
	then(0, LBP_SESSION_CLOSING);
	after(LINGER);
	when(LBP_EVENT_TICK);
	then(END, LBP_SESSION_ENDED);
	finish();
}

static void health_changes_come_with_the_duties(void)
{
	reach(LBP_SESSION_DIALING);
	lbp_app_dialed(app, 1, false);
	when(LBP_EVENT_DIAL_FAILED);
	then_dial(0, 1);
	CU_ASSERT_EQUAL(duties.health, LBP_HEALTH_SAME);
	after(CONNECT);
	when(LBP_EVENT_TICK);
	then(DROP | NOTIFY | REPORT, LBP_SESSION_CLOSING);
	CU_ASSERT_EQUAL(duties.health, LBP_HEALTH_DOWN);
	CU_ASSERT_EQUAL(duties.health_upstream, 1);
	when(LBP_EVENT_STOP);
	CU_ASSERT_EQUAL(duties.health, LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(duties.health_upstream, LBP_NONE);
	finish();
}

static void an_end_in_one_direction_ends_nothing(void)
{
	for (int first = LBP_UP; first <= LBP_DOWN; first++) {
		reach(LBP_SESSION_RELAY);
		lbp_pipe_end(&session.flow.pipes[first]);
		lbp_pipe_end_passed(&session.flow.pipes[first]);
		when(LBP_EVENT_FLOW_FINISHED);
		then_illegal();
		CU_ASSERT_EQUAL(session.state, LBP_SESSION_RELAY);
		a_place_is_held();
		pass_both_ends();
		when(LBP_EVENT_FLOW_FINISHED);
		then(ENDS, LBP_SESSION_ENDED);
		reason_is(LBP_REASON_DONE);
		finish();
	}
}

static void an_unclean_end_resets_the_other_side(void)
{
	static const struct {
		enum lbp_event_kind kind;
		enum lbp_direction way;
		enum lbp_reason reason;
	} ends[] = {
		{LBP_EVENT_CLIENT_RESET, LBP_UP, LBP_REASON_CLIENT_RESET},
		{LBP_EVENT_UPSTREAM_RESET, LBP_DOWN, LBP_REASON_UPSTREAM_RESET},
		{LBP_EVENT_CLIENT_TRUNCATED, LBP_UP,
			LBP_REASON_CLIENT_TRUNCATED},
		{LBP_EVENT_UPSTREAM_TRUNCATED, LBP_DOWN,
			LBP_REASON_UPSTREAM_TRUNCATED},
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		reach(LBP_SESSION_RELAY);
		when(ends[i].kind);
		then(RELAY, LBP_SESSION_RESETTING);
		CU_ASSERT_EQUAL(session.cut, ends[i].way);
		reason_is(LBP_REASON_NONE);
		a_place_is_held();
		open_are(1, 0);
		when(LBP_EVENT_DELIVERED);
		then(RESET_CLIENT | RESET_UPSTREAM | ENDS, LBP_SESSION_ENDED);
		reason_is(ends[i].reason);
		nothing_is_held();
		finish();
	}
}

static void what_was_sent_before_a_reset_has_its_time(void)
{
	reach(LBP_SESSION_RELAY);
	after(IDLE - 1);
	when(LBP_EVENT_UPSTREAM_RESET);
	deadline_is(now_ns + LINGER);
	after(LINGER - 1);
	when(LBP_EVENT_TICK);
	then(0, LBP_SESSION_RESETTING);
	lbp_session_moved(&session, now_ns);
	deadline_is(now_ns + LINGER);
	after(LINGER);
	when(LBP_EVENT_TICK);
	then(RESET_CLIENT | RESET_UPSTREAM | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_UPSTREAM_RESET);
	nothing_is_held();
	finish();
}

static void a_clean_end_before_a_reset_is_not_passed_on(void)
{
	struct lbp_pipe *up = &session.flow.pipes[LBP_UP];
	struct lbp_pipe *down = &session.flow.pipes[LBP_DOWN];

	reach(LBP_SESSION_RELAY);
	CU_ASSERT_EQUAL(lbp_pipe_end(up), LBP_OK);
	CU_ASSERT_EQUAL(lbp_pipe_end(down), LBP_OK);
	when(LBP_EVENT_CLIENT_RESET);
	CU_ASSERT_EQUAL(up->state, LBP_PIPE_CUT);
	CU_ASSERT_EQUAL(down->state, LBP_PIPE_ENDING);
	when(LBP_EVENT_DELIVERED);
	finish();
	/* What may still come is read first. */
	reach(LBP_SESSION_RELAY);
	when(LBP_EVENT_UPSTREAM_RESET);
	CU_ASSERT_EQUAL(down->state, LBP_PIPE_OPEN);
	when(LBP_EVENT_DELIVERED);
	finish();
}

static void no_longer_than_an_idle_session(void)
{
	struct lbp_session_timeouts hasty;

	reach(LBP_SESSION_RELAY);
	hasty = *session.timeouts;
	hasty.idle_ns = LINGER - 1;
	session.timeouts = &hasty;
	when(LBP_EVENT_CLIENT_TRUNCATED);
	deadline_is(now_ns + LINGER - 1);
	when(LBP_EVENT_DELIVERED);
	finish();
}

static void a_client_that_leaves_during_a_dial_is_not_dialed_for(void)
{
	reach(LBP_SESSION_DIALING);
	when(LBP_EVENT_CLIENT_TRUNCATED);
	then(DROP | RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_CLIENT_TRUNCATED);
	nothing_is_held();
	finish();
	reach(LBP_SESSION_DIALING);
	when(LBP_EVENT_CLIENT_RESET);
	then(DROP | RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_CLIENT_RESET);
	nothing_is_held();
	finish();
}

static void a_resetting_session_of_somebody_else_ends(void)
{
	reach(LBP_SESSION_RESETTING);
	reload_for_bob();
	when(LBP_EVENT_RELOADED);
	then(RESET_CLIENT | RESET_UPSTREAM | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_NOT_ALLOWED);
	finish();
}

static void the_handshake_is_timed_from_accept(void)
{
	begin();
	deadline_is(START + HANDSHAKE);
	after(HANDSHAKE - 2);
	when_identified(ALICES);
	deadline_is(START + HANDSHAKE);
	when_identified(ALICES);
	after(1);
	when(LBP_EVENT_TICK);
	then(0, LBP_SESSION_AUTHORIZED);
	after(1);
	when(LBP_EVENT_TICK);
	then(RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_HANDSHAKE_TIMEOUT);
	finish();
}

static void a_handshake_at_the_deadline_comes_too_late(void)
{
	reach(LBP_SESSION_AUTHORIZED);
	after(HANDSHAKE);
	when(LBP_EVENT_HANDSHAKE_DONE);
	then(RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_HANDSHAKE_TIMEOUT);
	CU_ASSERT_FALSE(session.admitted);
	finish();
}

static void a_dial_at_the_deadline_comes_too_late(void)
{
	reach(LBP_SESSION_DIALING);
	after(CONNECT);
	when(LBP_EVENT_DIAL_DONE);
	then_dial(DROP, 1);
	open_are(0, 1);
	after(CONNECT - 1);
	when(LBP_EVENT_DIAL_DONE);
	then(RELAY, LBP_SESSION_RELAY);
	when(LBP_EVENT_STOP);
	finish();
}

static void a_handshake_just_in_time_is_admitted(void)
{
	reach(LBP_SESSION_AUTHORIZED);
	after(HANDSHAKE - 1);
	when(LBP_EVENT_HANDSHAKE_DONE);
	then_dial(0, 0);
	deadline_is(now_ns + CONNECT);
	when(LBP_EVENT_STOP);
	finish();
}

static void each_dial_has_the_whole_time(void)
{
	reach(LBP_SESSION_DIALING);
	deadline_is(START + CONNECT);
	after(CONNECT - 1);
	when(LBP_EVENT_TICK);
	then(0, LBP_SESSION_DIALING);
	after(1);
	when(LBP_EVENT_TICK);
	then_dial(DROP, 1);
	CU_ASSERT_EQUAL(duties.health_upstream, 0);
	open_are(0, 1);
	deadline_is(now_ns + CONNECT);
	after(1000 * MS);
	when(LBP_EVENT_DIAL_FAILED);
	then(NOTIFY | REPORT, LBP_SESSION_CLOSING);
	when(LBP_EVENT_CLIENT_ENDED);
	finish();
	reach(LBP_SESSION_DIALING);
	after(1000 * MS);
	when(LBP_EVENT_DIAL_FAILED);
	then_dial(0, 1);
	deadline_is(now_ns + CONNECT);
	when(LBP_EVENT_CLIENT_RESET);
	then(DROP | RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
	finish();
}

static void only_silence_ends_a_relay(void)
{
	reach(LBP_SESSION_DIALING);
	after(1000 * MS);
	when(LBP_EVENT_DIAL_DONE);
	deadline_is(now_ns + IDLE);
	after(IDLE - 1);
	lbp_session_moved(&session, now_ns);
	deadline_is(now_ns + IDLE);
	after(IDLE - 1);
	when(LBP_EVENT_TICK);
	then(0, LBP_SESSION_RELAY);
	after(1);
	when(LBP_EVENT_TICK);
	then(RESET_CLIENT | RESET_UPSTREAM | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_IDLE_TIMEOUT);
	finish();
}

static void closing_ends_after_two_seconds(void)
{
	reach(LBP_SESSION_AUTHORIZED);
	after(1000 * MS);
	when(LBP_EVENT_HANDSHAKE_FAILED);
	then(LINGERS | REPORT, LBP_SESSION_CLOSING);
	reason_is(LBP_REASON_EXPIRED);
	deadline_is(now_ns + LINGER);
	after(LINGER - 1);
	when(LBP_EVENT_HANDSHAKE_FAILED);
	then(LINGERS, LBP_SESSION_CLOSING);
	when(LBP_EVENT_TICK);
	then(0, LBP_SESSION_CLOSING);
	after(1);
	when(LBP_EVENT_TICK);
	then(END, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_EXPIRED);
	finish();
}

static void stopping_leaves_no_clean_end(void)
{
	reach(LBP_SESSION_RELAY);
	when_stopped(LBP_REASON_DRAIN_TIMEOUT);
	then(RESET_CLIENT | RESET_UPSTREAM | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_DRAIN_TIMEOUT);
	finish();
	reach(LBP_SESSION_DIALING);
	after(CONNECT);
	when_stopped(LBP_REASON_INTERNAL);
	then(DROP | RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_INTERNAL);
	finish();
}

static void a_reload_ends_who_is_not_welcome_any_more(void)
{
	reach(LBP_SESSION_RELAY);
	reload_for_bob();
	when(LBP_EVENT_RELOADED);
	then(RESET_CLIENT | RESET_UPSTREAM | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_NOT_ALLOWED);
	finish();

	reach(LBP_SESSION_DIALING);
	reload_for_bob();
	when(LBP_EVENT_RELOADED);
	then(DROP | RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_NOT_ALLOWED);
	CU_ASSERT_TRUE(session.admitted);
	finish();
}

static void the_first_name_of_the_client_matched(void)
{
	begin();
	when_identified_by_two(MALLORYS, EVES);
	reason_is(LBP_REASON_NOT_ALLOWED);
	CU_ASSERT_PTR_EQUAL(lbp_session_matched(&session), session.names + 1);
	when_stopped(LBP_REASON_SHUTDOWN);
	finish();

	begin();
	when_identified_by_two(ALICES, ALICES_TOO);
	CU_ASSERT_PTR_EQUAL(lbp_session_matched(&session), session.names);
	when_identified_by_two(ALICES, BOBS);
	CU_ASSERT_PTR_NULL(lbp_session_matched(&session));
	when_stopped(LBP_REASON_SHUTDOWN);
	finish();
}

/* Bob would be welcome with this serial, but this session is Alice's. */
static void a_reload_ends_whose_serial_is_anothers(void)
{
	begin();
	who = ALICES_TOO;
	go_to(LBP_SESSION_RELAY);
	reload_for_bob();
	when(LBP_EVENT_RELOADED);
	then(RESET_CLIENT | RESET_UPSTREAM | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_UNKNOWN_CLIENT);
	CU_ASSERT_EQUAL(session.client, ALICE);
	finish();
}

/* All names are asked again: by now they are of two clients. */
static void a_reload_ends_whose_names_come_apart(void)
{
	begin();
	when_identified_by_two(ALICES, ALICES_TOO);
	when(LBP_EVENT_HANDSHAKE_DONE);
	then_dial(0, 0);
	reload_for_bob();
	when(LBP_EVENT_RELOADED);
	then(DROP | RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_AMBIGUOUS);
	finish();
}

static void a_reload_leaves_the_others_alone(void)
{
	begin();
	who = BOBS;
	go_to(LBP_SESSION_DIALING);
	reload_for_bob();
	when(LBP_EVENT_RELOADED);
	then(0, LBP_SESSION_DIALING);
	when(LBP_EVENT_DIAL_DONE);
	then(RELAY, LBP_SESSION_RELAY);
	reload_for_bob();
	when(LBP_EVENT_RELOADED);
	then(0, LBP_SESSION_RELAY);
	open_are(1, 0);
	pass_both_ends();
	when(LBP_EVENT_FLOW_FINISHED);
	then(ENDS, LBP_SESSION_ENDED);
	finish();
}

static void a_reload_ends_a_session_of_a_retired_application(void)
{
	begin();
	who = BOBS;
	go_to(LBP_SESSION_RELAY);
	lbp_app_retire(app);
	when(LBP_EVENT_RELOADED);
	then(RESET_CLIENT | RESET_UPSTREAM | ENDS, LBP_SESSION_ENDED);
	reason_is(LBP_REASON_NOT_ALLOWED);
	open_are(0, 0);
	finish();
}

/* Identified as the application was, admitted as it is. */
static void admission_is_by_the_policy_as_it_is(void)
{
	reach(LBP_SESSION_AUTHORIZED);
	reload_for_bob();
	when(LBP_EVENT_RELOADED);
	then(0, LBP_SESSION_AUTHORIZED);
	when(LBP_EVENT_HANDSHAKE_DONE);
	then(NOTIFY | REPORT, LBP_SESSION_CLOSING);
	reason_is(LBP_REASON_NOT_ALLOWED);
	CU_ASSERT_FALSE(session.admitted);
	open_are(0, 0);
	when(LBP_EVENT_CLIENT_ENDED);
	finish();

	begin();
	who = ALICES_TOO;
	go_to(LBP_SESSION_AUTHORIZED);
	CU_ASSERT_EQUAL(session.client, ALICE);
	reload_for_bob();
	when(LBP_EVENT_HANDSHAKE_DONE);
	then_dial(0, 0);
	CU_ASSERT_EQUAL(session.client, BOB);
	when(LBP_EVENT_STOP);
	finish();

	begin();
	who = CAROLS;
	go_to(LBP_SESSION_AUTHORIZED);
	reload_for_bob();
	when(LBP_EVENT_HANDSHAKE_DONE);
	then(NOTIFY | REPORT, LBP_SESSION_CLOSING);
	reason_is(LBP_REASON_UNKNOWN_CLIENT);
	CU_ASSERT_EQUAL(session.client, LBP_NONE);
	when(LBP_EVENT_CLIENT_ENDED);
	finish();
}

/* Or a line of the log would name whoever gets the client's number next. */
static void a_reload_says_anew_who_is_not_admitted_yet(void)
{
	static const uint8_t whose[] = {ALICES, ALICES_TOO, BOBS, CAROLS};
	static const uint32_t before[] = {ALICE, ALICE, BOB, CAROL};
	static const uint32_t since[] = {ALICE, BOB, BOB, LBP_NONE};

	for (int i = 0; i < 4; i++) {
		begin();
		who = whose[i];
		go_to(LBP_SESSION_AUTHORIZED);
		CU_ASSERT_EQUAL(session.client, before[i]);
		reload_for_bob();
		when(LBP_EVENT_RELOADED);
		then(0, LBP_SESSION_AUTHORIZED);
		deadline_is(START + HANDSHAKE);
		CU_ASSERT_EQUAL(session.client, since[i]);
		CU_ASSERT_PTR_EQUAL(lbp_session_matched(&session),
			since[i] == LBP_NONE ? NULL : session.names);
		when(LBP_EVENT_CLIENT_RESET);
		then(RESET_CLIENT | ENDS, LBP_SESSION_ENDED);
		reason_is(LBP_REASON_HANDSHAKE_FAILED);
		CU_ASSERT_EQUAL(session.client, since[i]);
		finish();
	}
}

/* What was tried is an upstream, not a number. */
static void an_upstream_with_the_number_of_a_tried_one_is_tried(void)
{
	static const struct lbp_upstream bc[] = {
		UPSTREAM("b", 1), UPSTREAM("c", 1)};

	begin();
	who = BOBS;
	go_to(LBP_SESSION_DIALING);
	CU_ASSERT_EQUAL(session.upstream, 0);
	when(LBP_EVENT_DIAL_FAILED);
	then_dial(0, 1);
	reload_upstreams(bc, 1);
	when(LBP_EVENT_RELOADED);
	then(0, LBP_SESSION_DIALING);
	reload_upstreams(bc, 2);
	CU_ASSERT_STRING_EQUAL(lbp_app_upstream_name(app, 0), "c");
	when(LBP_EVENT_RELOADED);
	then(0, LBP_SESSION_DIALING);
	when(LBP_EVENT_DIAL_FAILED);
	then_dial(0, 0);
	when(LBP_EVENT_RELOADED);
	then(0, LBP_SESSION_DIALING);
	when(LBP_EVENT_DIAL_FAILED);
	then(NOTIFY | REPORT, LBP_SESSION_CLOSING);
	reason_is(LBP_REASON_NO_UPSTREAM);
	when(LBP_EVENT_CLIENT_ENDED);
	finish();
}

/* What is tried fits in the session, however many upstreams there are. */
static void a_reload_to_many_upstreams_is_survived(void)
{
	static struct lbp_upstream full[LBP_UPSTREAMS_MAX];
	static char names[LBP_UPSTREAMS_MAX][8];

	for (size_t i = 0; i < LBP_UPSTREAMS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "%zu", i);
		full[i] = (struct lbp_upstream)UPSTREAM(names[i], 1);
	}
	full[0].name = "a";
	full[1].name = "b";
	begin();
	who = BOBS;
	go_to(LBP_SESSION_DIALING);
	reload_upstreams(full, LBP_UPSTREAMS_MAX);
	when(LBP_EVENT_RELOADED);
	then(0, LBP_SESSION_DIALING);
	CU_ASSERT_TRUE(lbp_tried_has(session.tried, 0));
	CU_ASSERT_EQUAL(session.names->serial.octets[0], BOBS);
	when(LBP_EVENT_RELOADED);
	then(0, LBP_SESSION_DIALING);
	when(LBP_EVENT_DIAL_FAILED);
	then_dial(0, 1);
	when(LBP_EVENT_DIAL_FAILED);
	then_dial(0, 2);
	when(LBP_EVENT_STOP);
	finish();
}

static void an_ended_session_stays_so(void)
{
	reach(LBP_SESSION_ENDED);
	deadline_is(LBP_NEVER);
	lbp_session_moved(&session, now_ns);
	deadline_is(LBP_NEVER);
	after(LBP_NEVER / 2);
	for (int kind = 0; kind < KINDS; kind++) {
		when((enum lbp_event_kind)kind);
		then_illegal();
		CU_ASSERT_EQUAL(session.state, LBP_SESSION_ENDED);
		reason_is(LBP_REASON_SHUTDOWN);
		nothing_is_held();
	}
	finish();
}

static void the_reasons_have_their_texts(void)
{
	/* As SPEC.md has them, not as the header has. */
	static const char *const texts[] = {
		[LBP_REASON_NONE] = "none",
		[LBP_REASON_BAD_PROXY_HEADER] = "bad_proxy_header",
		[LBP_REASON_DONE] = "done",
		[LBP_REASON_HANDSHAKE_TIMEOUT] = "handshake_timeout",
		[LBP_REASON_HANDSHAKE_FAILED] = "handshake_failed",
		[LBP_REASON_HANDSHAKE_EVICTED] = "handshake_evicted",
		[LBP_REASON_NO_CERTIFICATE] = "no_certificate",
		[LBP_REASON_UNTRUSTED] = "untrusted",
		[LBP_REASON_EXPIRED] = "expired",
		[LBP_REASON_NOT_YET_VALID] = "not_yet_valid",
		[LBP_REASON_REVOKED] = "revoked",
		[LBP_REASON_CRL_EXPIRED] = "crl_expired",
		[LBP_REASON_WRONG_USAGE] = "wrong_usage",
		[LBP_REASON_BAD_CERTIFICATE] = "bad_certificate",
		[LBP_REASON_UNKNOWN_CLIENT] = "unknown_client",
		[LBP_REASON_AMBIGUOUS] = "ambiguous",
		[LBP_REASON_NOT_ALLOWED] = "not_allowed",
		[LBP_REASON_CONCURRENT_LIMIT] = "concurrent_limit",
		[LBP_REASON_RATE_LIMIT] = "rate_limit",
		[LBP_REASON_MAX_CONNECTIONS] = "max_connections",
		[LBP_REASON_NO_UPSTREAM] = "no_upstream",
		[LBP_REASON_CLIENT_RESET] = "client_reset",
		[LBP_REASON_UPSTREAM_RESET] = "upstream_reset",
		[LBP_REASON_CLIENT_TRUNCATED] = "client_truncated",
		[LBP_REASON_UPSTREAM_TRUNCATED] = "upstream_truncated",
		[LBP_REASON_CLIENT_FLOOD] = "client_flood",
		[LBP_REASON_UPSTREAM_FLOOD] = "upstream_flood",
		[LBP_REASON_IDLE_TIMEOUT] = "idle_timeout",
		[LBP_REASON_DRAIN_TIMEOUT] = "drain_timeout",
		[LBP_REASON_SHUTDOWN] = "shutdown",
		[LBP_REASON_INTERNAL] = "internal",
		[LBP_REASON_LIFETIME] = "lifetime",
		[LBP_REASON_NO_PROTOCOL] = "no_protocol",
		[LBP_REASON_UPSTREAM_UNTRUSTED] = "upstream_untrusted",
		[LBP_REASON_KILLED] = "killed",
	};
	const size_t len = sizeof(texts) / sizeof(texts[0]);

	CU_ASSERT_EQUAL(len, LBP_REASONS);
	for (size_t i = 0; i < len; i++)
		CU_ASSERT_STRING_EQUAL(
			lbp_reason_text((enum lbp_reason)i), texts[i]);
	CU_ASSERT_STRING_EQUAL(
		lbp_reason_text((enum lbp_reason)1000), "unknown");
	CU_ASSERT_STRING_EQUAL(
		lbp_reason_text((enum lbp_reason)LBP_REASONS), "unknown");
}

void suite_session(void)
{
	CU_pSuite suite = CU_add_suite("session", NULL, NULL);

	CU_add_test(suite, "[SES-1][SES-7] a session from accept to its end",
		a_session_from_accept_to_its_end);
	CU_add_test(suite,
		"[SES-2][SES-1] strangers are refused within the handshake",
		strangers_are_refused_within_the_handshake);
	CU_add_test(suite, "[SES-2] names of two clients are nobody's",
		names_of_two_clients_are_nobodys);
	CU_add_test(suite, "[SES-50] the first name of the client matched",
		the_first_name_of_the_client_matched);
	CU_add_test(suite, "[SES-2] who was welcome is judged anew",
		who_was_welcome_is_judged_anew);
	CU_add_test(suite, "[SES-3] without an identity nobody is admitted",
		without_an_identity_nobody_is_admitted);
	CU_add_test(suite, "[SES-4] the cap closes without an upstream",
		the_cap_closes_without_an_upstream);
	CU_add_test(suite, "[SES-4] the rate closes without an upstream",
		the_rate_closes_without_an_upstream);
	CU_add_test(suite, "[SES-22] a full server refuses and counts nothing",
		a_full_server_refuses_and_counts_nothing);
	CU_add_test(suite, "[SES-22] a full server judges the identity first",
		a_full_server_judges_the_identity_first);
	CU_add_test(suite,
		"[SES-23][SES-44][SES-45] only a handshake is evicted",
		only_a_handshake_is_evicted);
	CU_add_test(suite, "[SES-5] a failed dial leads to the next upstream",
		a_failed_dial_leads_to_the_next_upstream);
	CU_add_test(suite, "[SES-5] when none is left it closes",
		when_none_is_left_it_closes);
	CU_add_test(suite, "[SES-5] when none is eligible it closes at once",
		when_none_is_eligible_it_closes_at_once);
	CU_add_test(suite, "[SES-5] health changes come with the duties",
		health_changes_come_with_the_duties);
	CU_add_test(suite, "[SES-7] an end in one direction ends nothing",
		an_end_in_one_direction_ends_nothing);
	CU_add_test(suite, "[SES-8] an unclean end resets the other side",
		an_unclean_end_resets_the_other_side);
	CU_add_test(suite,
		"[SES-25][SES-42] what was sent before a reset has its time",
		what_was_sent_before_a_reset_has_its_time);
	CU_add_test(suite,
		"[SES-43] a clean end before a reset is not passed on",
		a_clean_end_before_a_reset_is_not_passed_on);
	CU_add_test(suite, "[SES-42] no longer than an idle session",
		no_longer_than_an_idle_session);
	CU_add_test(suite,
		"[SES-26] a client that leaves during a dial is not dialed for",
		a_client_that_leaves_during_a_dial_is_not_dialed_for);
	CU_add_test(suite,
		"[SES-18][SES-25] a resetting session of somebody else ends",
		a_resetting_session_of_somebody_else_ends);
	CU_add_test(suite, "[SES-9] the handshake is timed from accept",
		the_handshake_is_timed_from_accept);
	CU_add_test(suite,
		"[SES-9][SES-41] a handshake at the deadline comes too late",
		a_handshake_at_the_deadline_comes_too_late);
	CU_add_test(suite,
		"[SES-10][SES-41] a dial at the deadline comes too late",
		a_dial_at_the_deadline_comes_too_late);
	CU_add_test(suite, "[SES-9] a handshake just in time is admitted",
		a_handshake_just_in_time_is_admitted);
	CU_add_test(suite, "[SES-10] each dial has the whole time",
		each_dial_has_the_whole_time);
	CU_add_test(suite, "[SES-11] only silence ends a relay",
		only_silence_ends_a_relay);
	CU_add_test(suite, "[SES-12] closing ends after two seconds",
		closing_ends_after_two_seconds);
	CU_add_test(suite, "[SES-13] stopping leaves no clean end",
		stopping_leaves_no_clean_end);
	CU_add_test(suite, "[SES-16] an ended session stays so",
		an_ended_session_stays_so);
	CU_add_test(suite, "[SES-18] a reload ends who is not welcome any more",
		a_reload_ends_who_is_not_welcome_any_more);
	CU_add_test(suite, "[SES-18] a reload ends whose serial is another's",
		a_reload_ends_whose_serial_is_anothers);
	CU_add_test(suite, "[SES-18] a reload ends whose names come apart",
		a_reload_ends_whose_names_come_apart);
	CU_add_test(suite, "[SES-18] a reload leaves the others alone",
		a_reload_leaves_the_others_alone);
	CU_add_test(suite, "[SES-18][APP-12] a retired application ends it",
		a_reload_ends_a_session_of_a_retired_application);
	CU_add_test(suite, "[SES-19] admission is by the policy as it is",
		admission_is_by_the_policy_as_it_is);
	CU_add_test(suite,
		"[SES-19] a reload says anew who is not admitted yet",
		a_reload_says_anew_who_is_not_admitted_yet);
	CU_add_test(suite,
		"[SES-5] an upstream with the number of a tried one is tried",
		an_upstream_with_the_number_of_a_tried_one_is_tried);
	CU_add_test(suite,
		"[SES-5][SES-18] a reload to many upstreams is survived",
		a_reload_to_many_upstreams_is_survived);
	CU_add_test(suite, "[SES-17] the reasons have their texts",
		the_reasons_have_their_texts);
	add_session_events(suite);
}
