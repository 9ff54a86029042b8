/* A relay around its turns: what is watched, and what a broken one does. */
#include <CUnit/CUnit.h>

#include "relay_world.h"
#include "suites.h"

#define READ  LBP_WATCH_READ
#define WRITE LBP_WATCH_WRITE
#define ERROR LBP_WATCH_ERROR
#define CUT   (RESET_CLIENT | RESET_UPSTREAM | ENDS)

static void watched_are(unsigned client, unsigned upstream)
{
	CU_ASSERT_EQUAL(lbp_session_watch(&session, CLIENT), client);
	CU_ASSERT_EQUAL(lbp_session_watch(&session, UPSTREAM), upstream);
}

static void each_state_is_watched(void)
{
	static const unsigned want[][2] = {
		[LBP_SESSION_HANDSHAKE] = {READ | ERROR, 0},
		[LBP_SESSION_AUTHORIZED] = {READ | ERROR, 0},
		[LBP_SESSION_DIALING] = {ERROR, WRITE | ERROR},
		[LBP_SESSION_RELAY] = {READ | ERROR, READ | ERROR},
		[LBP_SESSION_RESETTING] = {ERROR, 0}, /* the upstream has */
		[LBP_SESSION_CLOSING] = {READ | ERROR, 0},
		[LBP_SESSION_ENDED] = {0, 0},
	};

	for (int state = 0; state <= LBP_SESSION_ENDED; state++) {
		relay_reach((enum lbp_state)state);
		watched_are(want[state][CLIENT], want[state][UPSTREAM]);
		relay_finish();
	}
}

static void a_side_is_written_to_when_it_blocks(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].room = 0;
	peers[CLIENT].has = BUFFER;
	lbp_session_ready(&session, CLIENT, READ);
	turn_is("b r8 W0");
	watched_are(ERROR, READ | WRITE | ERROR);
	lbp_session_ready(&session, UPSTREAM, WRITE);
	watched_are(ERROR, READ | ERROR);
	relay_finish();
}

/* The client breaks off while what it has sent cannot be written. */
static void break_off(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].room = 0;
	peers[CLIENT].has = 9;
	peers[UPSTREAM].has = 1;
	lbp_session_ready(&session, CLIENT, READ | ERROR);
	lbp_session_ready(&session, UPSTREAM, WRITE);
	turn_is("b r8 W0");
	CU_ASSERT_EQUAL(session.state, LBP_SESSION_RESETTING);
	CU_ASSERT_EQUAL(duties.set, 0);
}

static void a_broken_side_is_delivered(void)
{
	break_off();
	watched_are(0, WRITE | ERROR);
	deadline_is(now_ns + LINGER);
	peers[UPSTREAM].room = 100;
	after(1 * MS);
	/* What the other side says is not heard any more. */
	lbp_session_ready(&session, UPSTREAM, READ | WRITE);
	watched_are(0, ERROR);
	turn_is("W8 r1 r0 W1 g U");
	ended_with(CUT, LBP_REASON_CLIENT_RESET);
	relay_finish();
}

static void delivery_puts_the_deadline_off(void)
{
	break_off();
	after(1 * MS);
	peers[UPSTREAM].room = 3;
	lbp_session_ready(&session, UPSTREAM, WRITE);
	turn_is("W3 r1 r0 W0");
	deadline_is(now_ns + LINGER);
	after(1 * MS);
	turn_is("");
	deadline_is(now_ns - 1 * MS + LINGER);
	relay_finish();
}

static void delivery_takes_its_turns(void)
{
	break_off();
	peers[UPSTREAM].room = 1000;
	peers[CLIENT].has = 40;
	lbp_session_ready(&session, UPSTREAM, WRITE);
	turn_is("W8 r8 W8 r8 W8 r8 W8 r8 W8 g");
	CU_ASSERT_EQUAL(duties.set, RELAY);
	deadline_is(now_ns + LINGER);
	turn_is("b r8 W8 r0 g U");
	ended_with(CUT, LBP_REASON_CLIENT_RESET);
	relay_finish();
}

static void the_other_side_breaks_off_too(void)
{
	break_off();
	lbp_session_ready(&session, UPSTREAM, ERROR);
	turn_is("g");
	ended_with(CUT, LBP_REASON_CLIENT_RESET);
	relay_finish();
	break_off();
	peers[UPSTREAM].full = LBP_IO_FAILED;
	lbp_session_ready(&session, UPSTREAM, WRITE);
	turn_is("W0 g");
	ended_with(CUT, LBP_REASON_INTERNAL);
	relay_finish();
}

/* Whoever sees a reset before the relay does may step it. */
static void a_break_may_be_stepped(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].has = 3;
	when(LBP_EVENT_UPSTREAM_RESET);
	then(RELAY, LBP_SESSION_RESETTING);
	turn_is("b R3 R0 w3 g u");
	ended_with(CUT, LBP_REASON_UPSTREAM_RESET);
	/* What it had said before was an answer. */
	CU_ASSERT_EQUAL(duties.health_upstream, 0);
	relay_finish();
}

/* The last bytes are on their way to the upstream. */
static void flush(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].unsent = 2;
	peers[CLIENT].has = 2;
	peers[CLIENT].then = LBP_IO_RESET;
	lbp_session_ready(&session, CLIENT, READ);
	turn_is("b r2 r0 W2 g U");
	CU_ASSERT_EQUAL(duties.set, 0);
	CU_ASSERT_EQUAL(session.state, LBP_SESSION_RESETTING);
}

static void the_last_bytes_are_waited_for(void)
{
	flush();
	deadline_is(now_ns + 20 * MS);
	after(20 * MS - 1);
	when(LBP_EVENT_TICK);
	then(0, LBP_SESSION_RESETTING);
	after(1);
	when(LBP_EVENT_TICK);
	then(RELAY, LBP_SESSION_RESETTING);
	turn_is("U");
	deadline_is(now_ns + 20 * MS);
	after(20 * MS);
	peers[UPSTREAM].unsent = 0;
	turn_is("U");
	ended_with(CUT, LBP_REASON_CLIENT_RESET);
	relay_finish();
}

static void the_last_bytes_have_a_deadline(void)
{
	flush();
	after(LINGER - 1 * MS);
	turn_is("U");
	deadline_is(now_ns + 1 * MS);
	/* One has arrived: that is movement, and none again is not. */
	peers[UPSTREAM].unsent = 1;
	turn_is("U");
	after(LINGER - 1);
	turn_is("U");
	deadline_is(now_ns + 1);
	after(1);
	when(LBP_EVENT_TICK);
	then(CUT, LBP_SESSION_ENDED);
	relay_finish();
}

static void who_cannot_tell_does_not_wait(void)
{
	struct lbp_relay_io io = relay_io;

	relay_reach(LBP_SESSION_RELAY);
	io.unsent = NULL;
	CU_ASSERT_EQUAL(lbp_session_set_io(&session, &io, peers), LBP_OK);
	peers[CLIENT].then = LBP_IO_RESET;
	lbp_session_ready(&session, CLIENT, READ);
	turn_is("b r0 g");
	ended_with(CUT, LBP_REASON_CLIENT_RESET);
	relay_finish();
}

static void a_client_that_goes_is_not_dialed_for(void)
{
	relay_reach(LBP_SESSION_DIALING);
	lbp_session_ready(&session, CLIENT, READ);
	turn_is("");
	CU_ASSERT_EQUAL(session.state, LBP_SESSION_DIALING);
	lbp_session_ready(&session, CLIENT, ERROR);
	turn_is("");
	ended_with(DROP | RESET_CLIENT | ENDS, LBP_REASON_CLIENT_RESET);
	relay_finish();
}

/* What is known of the sockets from before the relay is not true any more. */
static void a_relay_begins_anew(void)
{
	relay_reach(LBP_SESSION_DIALING);
	peers[CLIENT].has = peers[UPSTREAM].has = 1;
	lbp_session_ready(&session, CLIENT, READ);
	lbp_session_ready(&session, UPSTREAM, READ | ERROR);
	when(LBP_EVENT_DIAL_DONE);
	then(RELAY, LBP_SESSION_RELAY);
	turn_is("");
	watched_are(READ | ERROR, READ | ERROR);
	relay_finish();
}

static void a_refused_client_is_dropped(void)
{
	relay_reach(LBP_SESSION_CLOSING);
	turn_is("");
	peers[CLIENT].has = 12;
	lbp_session_ready(&session, CLIENT, READ);
	turn_is("b r8 r4 r0 g");
	CU_ASSERT_EQUAL(duties.set, 0);
	turn_is("");
	peers[CLIENT].has = 33;
	lbp_session_ready(&session, CLIENT, READ);
	turn_is("b r8 r8 r8 r8 g");
	CU_ASSERT_EQUAL(duties.set, RELAY);
	peers[CLIENT].most = 5;
	peers[CLIENT].has = 100;
	turn_is("b r5 r5 r5 r5 r5 r5 r2 g");
	CU_ASSERT_EQUAL(duties.set, RELAY);
	peers[CLIENT].most = 0;
	peers[CLIENT].first = 7;
	turn_is("b r7 r8 r8 r8 r1 g");
	CU_ASSERT_EQUAL(duties.set, RELAY);
	peers[CLIENT].has = 1;
	peers[CLIENT].then = LBP_IO_END;
	turn_is("b r1 r0 g");
	ended_with(END, LBP_REASON_UNKNOWN_CLIENT);
	relay_finish();
}

static void a_refused_client_ends_as_it_likes(void)
{
	static const enum lbp_io how[] = {
		LBP_IO_RESET, LBP_IO_TRUNCATED, LBP_IO_FLOOD, LBP_IO_FAILED};

	for (int i = 0; i < 4; i++) {
		relay_reach(LBP_SESSION_CLOSING);
		peers[CLIENT].then = how[i];
		lbp_session_ready(&session, CLIENT, READ);
		turn_is("b r0 g");
		ended_with(END, LBP_REASON_UNKNOWN_CLIENT);
		relay_finish();
	}
	relay_reach(LBP_SESSION_CLOSING);
	lbp_session_ready(&session, CLIENT, ERROR);
	turn_is("b r0 g");
	ended_with(END, LBP_REASON_UNKNOWN_CLIENT);
	relay_finish();
	relay_reach(LBP_SESSION_CLOSING);
	peers[CLIENT].lies = true;
	lbp_session_ready(&session, CLIENT, READ);
	turn_is("b r0 g");
	ended_with(END, LBP_REASON_UNKNOWN_CLIENT);
	relay_finish();
}

static void a_refused_client_may_be_too_much(void)
{
	relay_reach(LBP_SESSION_CLOSING);
	session.dropped = LBP_STRANGER_DROPPED_MAX - 9;
	peers[CLIENT].has = 100;
	lbp_session_ready(&session, CLIENT, READ);
	turn_is("b r8 r8 g");
	ended_with(END, LBP_REASON_UNKNOWN_CLIENT);
	relay_finish();
	relay_reach(LBP_SESSION_CLOSING);
	no_buffer = true;
	lbp_session_ready(&session, CLIENT, READ);
	turn_is("x");
	ended_with(END, LBP_REASON_UNKNOWN_CLIENT);
	relay_finish();
	relay_reach(LBP_SESSION_CLOSING);
	peers[CLIENT].has = 1;
	peers[CLIENT].with = LBP_IO_YIELD;
	lbp_session_ready(&session, CLIENT, READ);
	turn_is("b r1 g");
	CU_ASSERT_EQUAL(duties.set, RELAY);
	relay_finish();
}

static void other_states_have_no_turn(void)
{
	static const enum lbp_state states[] = {LBP_SESSION_HANDSHAKE,
		LBP_SESSION_AUTHORIZED, LBP_SESSION_ENDED};

	for (int i = 0; i < 3; i++) {
		relay_reach(states[i]);
		peers[CLIENT].has = 1;
		lbp_session_ready(&session, CLIENT, READ | WRITE | ERROR);
		turn_is("");
		CU_ASSERT_EQUAL(duties.set, 0);
		CU_ASSERT_EQUAL(session.state, states[i]);
		relay_finish();
	}
}

static unsigned stepped;

static enum lbp_err step_here(void *user, const struct lbp_event *event,
	uint64_t at_ns, struct lbp_duties *out)
{
	CU_ASSERT_PTR_EQUAL(user, peers);
	CU_ASSERT_EQUAL(at_ns, now_ns);
	stepped |= 1u << event->kind;
	/* Nobody may be told by a step that is not legal. */
	*out = (struct lbp_duties){.set = END, .health_upstream = 1};
	return event->kind == LBP_EVENT_ANSWERED
		       ? LBP_ERR_STATE
		       : lbp_session_step(&session, event, at_ns, out);
}

static void steps_may_be_the_callers(void)
{
	struct lbp_relay_io io = relay_io;

	relay_reach(LBP_SESSION_RELAY);
	io.step = step_here;
	stepped = 0;
	CU_ASSERT_EQUAL(lbp_session_set_io(&session, &io, peers), LBP_OK);
	peers[UPSTREAM].has = 1;
	lbp_session_ready(&session, UPSTREAM, READ);
	turn_is("b R1 R0 w1 g");
	CU_ASSERT_EQUAL(stepped, 1u << LBP_EVENT_ANSWERED);
	CU_ASSERT_EQUAL(duties.set, 0);
	CU_ASSERT_EQUAL(duties.health_upstream, LBP_NONE);
	peers[CLIENT].then = LBP_IO_FLOOD;
	lbp_session_ready(&session, CLIENT, READ);
	turn_is("b r0 g");
	CU_ASSERT_TRUE((stepped >> LBP_EVENT_STOP & 1) != 0);
	ended_with(CUT, LBP_REASON_CLIENT_FLOOD);
	relay_finish();
}

static void what_has_to_be_there_is_asked_for(void)
{
	struct lbp_relay_io io[6];

	begin();
	CU_ASSERT_EQUAL(lbp_session_relay(NULL, now_ns, &duties), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(
		lbp_session_relay(&session, now_ns, NULL), LBP_ERR_NULL);
	duties.set = END;
	CU_ASSERT_EQUAL(
		lbp_session_relay(&session, now_ns, &duties), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(duties.set, 0);
	CU_ASSERT_EQUAL(
		lbp_session_set_io(NULL, &relay_io, peers), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(lbp_session_set_io(&session, NULL, NULL), LBP_ERR_NULL);
	for (int i = 0; i < 6; i++)
		io[i] = relay_io;
	io[0].read = NULL;
	io[1].write = NULL;
	io[2].end = NULL;
	io[3].take_buffer = NULL;
	io[4].give_buffer = NULL;
	for (int i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(lbp_session_set_io(&session, &io[i], peers),
			LBP_ERR_NULL);
	io[5].buffer_bytes = 0;
	CU_ASSERT_EQUAL(
		lbp_session_set_io(&session, &io[5], peers), LBP_ERR_RANGE);
	io[5].buffer_bytes = 268435457;
	CU_ASSERT_EQUAL(
		lbp_session_set_io(&session, &io[5], peers), LBP_ERR_RANGE);
	CU_ASSERT_PTR_NULL(session.io);
	io[5].buffer_bytes = 268435456;
	CU_ASSERT_EQUAL(lbp_session_set_io(&session, &io[5], NULL), LBP_OK);
	io[5].buffer_bytes = 1;
	CU_ASSERT_EQUAL(lbp_session_set_io(&session, &io[5], NULL), LBP_OK);
	finish();
}

void suite_relay_watch(void)
{
	CU_pSuite suite = CU_add_suite("relay around its turns", NULL, NULL);

	CU_add_test(
		suite, "[REL-10] each state is watched", each_state_is_watched);
	CU_add_test(suite, "[REL-8] a side is written to when it blocks",
		a_side_is_written_to_when_it_blocks);
	CU_add_test(suite, "[SES-25][REL-9] a broken side is delivered",
		a_broken_side_is_delivered);
	CU_add_test(suite, "[SES-25] delivery puts the deadline off",
		delivery_puts_the_deadline_off);
	CU_add_test(suite, "[SES-25][REL-3] delivery takes its turns",
		delivery_takes_its_turns);
	CU_add_test(suite, "[SES-25] the other side breaks off too",
		the_other_side_breaks_off_too);
	CU_add_test(suite, "[SES-25] a break may be stepped",
		a_break_may_be_stepped);
	CU_add_test(suite, "[REL-7] the last bytes are waited for",
		the_last_bytes_are_waited_for);
	CU_add_test(suite, "[REL-7] the last bytes have a deadline",
		the_last_bytes_have_a_deadline);
	CU_add_test(suite, "[REL-7] who cannot tell does not wait",
		who_cannot_tell_does_not_wait);
	CU_add_test(suite, "[REL-12] a client that goes is not dialed for",
		a_client_that_goes_is_not_dialed_for);
	CU_add_test(suite, "[REL-4] a relay begins anew", a_relay_begins_anew);
	CU_add_test(suite, "[REL-11] a refused client is dropped",
		a_refused_client_is_dropped);
	CU_add_test(suite, "[REL-11] a refused client ends as it likes",
		a_refused_client_ends_as_it_likes);
	CU_add_test(suite, "[REL-11][SES-31] a refused client may be too much",
		a_refused_client_may_be_too_much);
	CU_add_test(suite, "[REL-11] other states have no turn",
		other_states_have_no_turn);
	CU_add_test(suite, "[REL-6] steps may be the caller's",
		steps_may_be_the_callers);
	CU_add_test(suite, "[ERR-4] what has to be there is asked for",
		what_has_to_be_there_is_asked_for);
}
