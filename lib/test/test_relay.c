/* The turns of a relay, one direction and both. */
#include <CUnit/CUnit.h>

#include "relay_world.h"
#include "suites.h"

#define READ  LBP_WATCH_READ
#define WRITE LBP_WATCH_WRITE
#define ERROR LBP_WATCH_ERROR
#define CUT   (RESET_CLIENT | RESET_UPSTREAM | ENDS)

/* The client has bytes, and is said to. */
static void client_sends(unsigned n)
{
	peers[CLIENT].has += n;
	lbp_session_ready(&session, CLIENT, READ);
}

static void upstream_sends(unsigned n)
{
	peers[UPSTREAM].has += n;
	lbp_session_ready(&session, UPSTREAM, READ);
}

static void ends(enum lbp_side side, enum lbp_io how)
{
	peers[side].then = how;
	lbp_session_ready(&session, side, READ);
}

static void a_turn_fills_before_it_writes(void)
{
	relay_reach(LBP_SESSION_RELAY);
	turn_is("");
	client_sends(20);
	turn_is("b r8 W8 r8 W8 r4 r0 W4 g");
	CU_ASSERT_EQUAL(duties.set, 0);
	upstream_sends(3);
	turn_is("b R3 R0 w3 g");
	CU_ASSERT_EQUAL(duties.set, 0);
	CU_ASSERT_EQUAL(lbp_session_delivered(&session, LBP_UP), 20);
	CU_ASSERT_EQUAL(lbp_session_delivered(&session, LBP_DOWN), 3);
	relay_finish();
}

static void a_full_sink_keeps_the_buffer(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].room = 5;
	peers[UPSTREAM].took = LBP_IO_WAIT;
	client_sends(12);
	turn_is("b r8 W5 r4 r0");
	/* The ring's end comes first, then its beginning. */
	peers[UPSTREAM].room = 100;
	peers[UPSTREAM].took = LBP_IO_OK;
	turn_is("");
	lbp_session_ready(&session, UPSTREAM, WRITE);
	turn_is("W3 W4 g");
	relay_finish();
}

static void both_directions_have_a_buffer(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[CLIENT].room = peers[UPSTREAM].room = 0;
	client_sends(1);
	upstream_sends(2);
	turn_is("b r1 r0 W0 b R2 R0 w0");
	when(LBP_EVENT_STOP);
	ended_with(RESET_CLIENT | RESET_UPSTREAM | ENDS, LBP_REASON_SHUTDOWN);
	relay_finish();
}

static void no_buffer_ends_it(void)
{
	relay_reach(LBP_SESSION_RELAY);
	no_buffer = true;
	client_sends(1);
	upstream_sends(1);
	/* The other direction is not tried any more. */
	turn_is("x");
	ended_with(CUT, LBP_REASON_INTERNAL);
	relay_finish();
}

static void a_turn_has_a_budget(void)
{
	relay_reach(LBP_SESSION_RELAY);
	client_sends(40);
	turn_is("b r8 W8 r8 W8 r8 W8 r8 W8 g");
	CU_ASSERT_EQUAL(duties.set, RELAY);
	turn_is("b r8 W8 r0 g");
	CU_ASSERT_EQUAL(duties.set, 0);
	upstream_sends(33);
	turn_is("b R8 w8 R8 w8 R8 w8 R8 w8 g");
	CU_ASSERT_EQUAL(duties.set, RELAY);
	turn_is("b R1 R0 w1 g");
	CU_ASSERT_EQUAL(duties.set, 0);
	relay_finish();
}

/* 3 bytes stay at first, so the last read is of what the budget leaves. */
static void a_budget_is_counted_in_bytes(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].room = 5;
	client_sends(100);
	turn_is("b r8 W5 r5 W0");
	CU_ASSERT_EQUAL(duties.set, 0);
	peers[UPSTREAM].room = 1000;
	lbp_session_ready(&session, UPSTREAM, WRITE);
	turn_is("W3 r3 W8 r8 W8 r8 W8 r8 W8 r5 W5 g");
	CU_ASSERT_EQUAL(duties.set, RELAY);
	relay_finish();
}

/* The last byte of a budget is used too. */
static void a_budget_is_used_up(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[CLIENT].most = 7;
	client_sends(100);
	turn_is("b r7 r1 W8 r7 r1 W8 r7 r1 W8 r7 r1 W8 g");
	CU_ASSERT_EQUAL(duties.set, RELAY);
	relay_finish();
}

static void who_yields_is_called_again_later(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[CLIENT].with = LBP_IO_YIELD;
	client_sends(3);
	turn_is("b r3 W3 g");
	CU_ASSERT_EQUAL(duties.set, RELAY);
	peers[CLIENT].then = LBP_IO_YIELD;
	turn_is("b r0 g");
	CU_ASSERT_EQUAL(duties.set, RELAY);
	relay_finish();
}

/* A full ring is not worth another turn: its sink will say so. */
static void a_full_ring_asks_for_no_turn(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].room = 0;
	peers[CLIENT].with = LBP_IO_YIELD;
	client_sends(8);
	turn_is("b r8 W0");
	CU_ASSERT_EQUAL(duties.set, 0);
	relay_finish();
}

static void a_write_may_yield(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].room = 1;
	peers[UPSTREAM].took = LBP_IO_YIELD;
	upstream_sends(1);
	client_sends(2);
	turn_is("b r2 r0 W1");
	/* What it reads for the write was all of its turn. */
	CU_ASSERT_EQUAL(duties.set, RELAY);
	turn_is("b R1 R0 w1 g");
	CU_ASSERT_EQUAL(duties.set, 0);
	relay_finish();
}

static void waiting_lasts_until_ready(void)
{
	relay_reach(LBP_SESSION_RELAY);
	client_sends(0);
	turn_is("b r0 g");
	peers[CLIENT].has = 2;
	turn_is("");
	lbp_session_ready(&session, CLIENT, WRITE);
	turn_is("");
	peers[CLIENT].with = LBP_IO_WAIT;
	lbp_session_ready(&session, CLIENT, READ);
	turn_is("b r2 W2 g");
	relay_finish();
}

static void nothing_moved_is_waiting(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[CLIENT].then = LBP_IO_OK;
	peers[UPSTREAM].full = LBP_IO_OK;
	peers[UPSTREAM].room = 1;
	client_sends(2);
	upstream_sends(1);
	turn_is("b r2 r0 W1 W0 b R1 R0 w1 g");
	turn_is("");
	relay_finish();
}

static void who_claims_too_much_ends_it(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[CLIENT].lies = true;
	client_sends(1);
	turn_is("b r1 g");
	ended_with(CUT, LBP_REASON_INTERNAL);
	relay_finish();
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].lies = true;
	client_sends(1);
	turn_is("b r1 r0 W1 g");
	ended_with(CUT, LBP_REASON_INTERNAL);
	relay_finish();
}

static void ends_are_passed_on(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].room = 0;
	client_sends(1);
	ends(CLIENT, LBP_IO_END);
	turn_is("b r1 r0 W0");
	CU_ASSERT_EQUAL(lbp_session_watch(&session, CLIENT), ERROR);
	peers[UPSTREAM].room = 1;
	peers[UPSTREAM].at_end = LBP_IO_WAIT;
	lbp_session_ready(&session, UPSTREAM, WRITE);
	turn_is("W1 E g");
	CU_ASSERT_EQUAL(
		lbp_session_watch(&session, UPSTREAM), READ | WRITE | ERROR);
	peers[UPSTREAM].at_end = LBP_IO_OK;
	turn_is("");
	lbp_session_ready(&session, UPSTREAM, WRITE);
	turn_is("E");
	CU_ASSERT_EQUAL(duties.set, 0);
	CU_ASSERT_EQUAL(lbp_session_watch(&session, UPSTREAM), READ | ERROR);
	ends(UPSTREAM, LBP_IO_END);
	turn_is("b R0 e g");
	ended_with(ENDS, LBP_REASON_DONE);
	relay_finish();
}

static void both_ends_at_once_are_done(void)
{
	relay_reach(LBP_SESSION_RELAY);
	ends(CLIENT, LBP_IO_END);
	ends(UPSTREAM, LBP_IO_END);
	turn_is("b r0 E g b R0 e g");
	ended_with(ENDS, LBP_REASON_DONE);
	relay_finish();
}

static void a_reset_is_passed_on(void)
{
	static const enum lbp_io how[] = {LBP_IO_RESET, LBP_IO_TRUNCATED};
	static const enum lbp_reason by_client[] = {
		LBP_REASON_CLIENT_RESET, LBP_REASON_CLIENT_TRUNCATED};
	static const enum lbp_reason by_upstream[] = {
		LBP_REASON_UPSTREAM_RESET, LBP_REASON_UPSTREAM_TRUNCATED};

	for (int i = 0; i < 2; i++) {
		relay_reach(LBP_SESSION_RELAY);
		client_sends(1);
		ends(CLIENT, how[i]);
		turn_is("b r1 r0 W1 g U");
		ended_with(CUT, by_client[i]);
		relay_finish();
		relay_reach(LBP_SESSION_RELAY);
		upstream_sends(1);
		ends(UPSTREAM, how[i]);
		turn_is("b R1 R0 w1 g u");
		ended_with(CUT, by_upstream[i]);
		/* Its first byte was an answer. */
		CU_ASSERT_EQUAL(duties.health_upstream, 0);
		relay_finish();
	}
}

static void a_failed_side_is_read_to_its_end(void)
{
	static const enum lbp_io last[] = {LBP_IO_WAIT, LBP_IO_OK, LBP_IO_END,
		LBP_IO_TRUNCATED, LBP_IO_RESET};

	for (int i = 0; i < 5; i++) {
		relay_reach(LBP_SESSION_RELAY);
		peers[CLIENT].has = 9;
		peers[CLIENT].with = LBP_IO_WAIT;
		peers[CLIENT].then = last[i];
		lbp_session_ready(&session, CLIENT, ERROR);
		turn_is("b r8 W8 r1 r0 W1 g U");
		ended_with(CUT, LBP_REASON_CLIENT_RESET);
		relay_finish();
	}
}

static void a_write_finds_a_reset(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].room = 0;
	peers[UPSTREAM].full = LBP_IO_RESET;
	peers[UPSTREAM].has = 2;
	client_sends(1);
	turn_is("b r1 r0 W0 b R2 R0 w2 g u g");
	ended_with(CUT, LBP_REASON_UPSTREAM_RESET);
	relay_finish();
}

/* One that had nothing to say is asked once more, in the same turn. */
static void a_write_to_a_silent_client_finds_a_reset(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[CLIENT].room = 0;
	peers[CLIENT].full = LBP_IO_RESET;
	client_sends(0);
	upstream_sends(1);
	turn_is("b r0 g b R1 R0 w0 b r0 g U g");
	ended_with(CUT, LBP_REASON_CLIENT_RESET);
	relay_finish();
}

static void an_end_finds_a_reset(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].at_end = LBP_IO_RESET;
	ends(CLIENT, LBP_IO_END);
	turn_is("b r0 E g b R0 g u");
	ended_with(CUT, LBP_REASON_UPSTREAM_RESET);
	relay_finish();
}

/* One that is done may do as it likes. */
static void a_side_that_is_done_cannot_break(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].room = 0;
	client_sends(1);
	turn_is("b r1 r0 W0");
	ends(UPSTREAM, LBP_IO_END);
	turn_is("b R0 e g");
	ends(CLIENT, LBP_IO_END);
	turn_is("r0");
	CU_ASSERT_EQUAL(lbp_session_watch(&session, CLIENT), 0);
	lbp_session_ready(&session, CLIENT, ERROR);
	turn_is("");
	CU_ASSERT_EQUAL(session.state, LBP_SESSION_RELAY);
	peers[UPSTREAM].room = 1;
	lbp_session_ready(&session, UPSTREAM, WRITE);
	turn_is("W1 E g");
	ended_with(ENDS, LBP_REASON_DONE);
	relay_finish();
}

static void floods_and_failures_end_it(void)
{
	relay_reach(LBP_SESSION_RELAY);
	ends(CLIENT, LBP_IO_FLOOD);
	turn_is("b r0 g");
	ended_with(CUT, LBP_REASON_CLIENT_FLOOD);
	relay_finish();
	relay_reach(LBP_SESSION_RELAY);
	ends(UPSTREAM, LBP_IO_FLOOD);
	turn_is("b R0 g");
	ended_with(CUT, LBP_REASON_UPSTREAM_FLOOD);
	relay_finish();
	relay_reach(LBP_SESSION_RELAY);
	ends(UPSTREAM, LBP_IO_FAILED);
	turn_is("b R0 g");
	ended_with(CUT, LBP_REASON_INTERNAL);
	relay_finish();
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].room = 0;
	peers[UPSTREAM].full = LBP_IO_FAILED;
	client_sends(1);
	turn_is("b r1 r0 W0 g");
	ended_with(CUT, LBP_REASON_INTERNAL);
	relay_finish();
}

static void what_ends_it_has_an_order(void)
{
	relay_reach(LBP_SESSION_RELAY);
	ends(CLIENT, LBP_IO_RESET);
	ends(UPSTREAM, LBP_IO_FLOOD);
	turn_is("b r0 g b R0 g");
	ended_with(CUT, LBP_REASON_UPSTREAM_FLOOD);
	relay_finish();
	relay_reach(LBP_SESSION_RELAY);
	ends(CLIENT, LBP_IO_TRUNCATED);
	ends(UPSTREAM, LBP_IO_RESET);
	turn_is("b r0 g b R0 g");
	ended_with(CUT, LBP_REASON_CLIENT_TRUNCATED);
	relay_finish();
}

static void answers_and_movement_are_told(void)
{
	relay_reach(LBP_SESSION_RELAY);
	after(5 * MS);
	client_sends(1);
	turn_is("b r1 r0 W1 g");
	deadline_is(now_ns + IDLE);
	CU_ASSERT_EQUAL(duties.health_upstream, LBP_NONE);
	after(5 * MS);
	turn_is("");
	deadline_is(now_ns - 5 * MS + IDLE);
	upstream_sends(1);
	turn_is("b R1 R0 w1 g");
	CU_ASSERT_EQUAL(duties.health_upstream, 0);
	CU_ASSERT_EQUAL(duties.health, LBP_HEALTH_SAME);
	upstream_sends(1);
	turn_is("b R1 R0 w1 g");
	CU_ASSERT_EQUAL(duties.health_upstream, LBP_NONE);
	relay_finish();
}

static void a_write_alone_is_movement(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].room = 0;
	client_sends(1);
	turn_is("b r1 r0 W0");
	after(5 * MS);
	peers[UPSTREAM].room = 1;
	lbp_session_ready(&session, UPSTREAM, WRITE);
	turn_is("W1 g");
	deadline_is(now_ns + IDLE);
	relay_finish();
}

static void a_read_alone_is_movement(void)
{
	relay_reach(LBP_SESSION_RELAY);
	peers[UPSTREAM].room = 0;
	after(5 * MS);
	client_sends(1);
	turn_is("b r1 r0 W0");
	deadline_is(now_ns + IDLE);
	relay_finish();
}

static void health_comes_with_the_duties(void)
{
	uint8_t tried[LBP_TRIED_BYTES(LBP_UPSTREAMS_MAX)] = {1u << 1};
	uint32_t upstream;

	relay_reach(LBP_SESSION_RELAY);
	CU_ASSERT_EQUAL(lbp_app_choose(app, tried, &upstream), LBP_OK);
	CU_ASSERT_EQUAL(lbp_app_dialed(app, 0, false), LBP_HEALTH_SAME);
	ends(UPSTREAM, LBP_IO_RESET);
	turn_is("b R0 g u");
	CU_ASSERT_EQUAL(duties.health, LBP_HEALTH_DOWN);
	CU_ASSERT_EQUAL(duties.health_upstream, 0);
	ended_with(CUT, LBP_REASON_UPSTREAM_RESET);
	relay_finish();
}

void suite_relay(void)
{
	CU_pSuite suite = CU_add_suite("relay", NULL, NULL);

	CU_add_test(suite, "[REL-1] a turn fills before it writes",
		a_turn_fills_before_it_writes);
	CU_add_test(suite, "[REL-1][REL-2] a full sink keeps the buffer",
		a_full_sink_keeps_the_buffer);
	CU_add_test(suite, "[REL-2] both directions have a buffer",
		both_directions_have_a_buffer);
	CU_add_test(suite, "[REL-2] no buffer ends it", no_buffer_ends_it);
	CU_add_test(suite, "[REL-3] a turn has a budget", a_turn_has_a_budget);
	CU_add_test(suite, "[REL-3] a budget is counted in bytes",
		a_budget_is_counted_in_bytes);
	CU_add_test(suite, "[REL-3] a budget is used up", a_budget_is_used_up);
	CU_add_test(suite, "[REL-3] who yields is called again later",
		who_yields_is_called_again_later);
	CU_add_test(suite, "[REL-3] a full ring asks for no turn",
		a_full_ring_asks_for_no_turn);
	CU_add_test(suite, "[REL-3] a write may yield", a_write_may_yield);
	CU_add_test(suite, "[REL-4] waiting lasts until ready",
		waiting_lasts_until_ready);
	CU_add_test(suite, "[REL-4] nothing moved is waiting",
		nothing_moved_is_waiting);
	CU_add_test(suite, "[REL-13] who claims too much ends it",
		who_claims_too_much_ends_it);
	CU_add_test(
		suite, "[SES-7][REL-8] ends are passed on", ends_are_passed_on);
	CU_add_test(suite, "[SES-7] both ends at once are done",
		both_ends_at_once_are_done);
	CU_add_test(suite, "[SES-8][SES-25] a reset is passed on",
		a_reset_is_passed_on);
	CU_add_test(suite, "[REL-5] a failed side is read to its end",
		a_failed_side_is_read_to_its_end);
	CU_add_test(
		suite, "[REL-5] a write finds a reset", a_write_finds_a_reset);
	CU_add_test(suite, "[REL-5] a write to a silent client finds a reset",
		a_write_to_a_silent_client_finds_a_reset);
	CU_add_test(
		suite, "[REL-5] an end finds a reset", an_end_finds_a_reset);
	CU_add_test(suite, "[SES-27][REL-9] a side that is done cannot break",
		a_side_that_is_done_cannot_break);
	CU_add_test(suite, "[REL-6] floods and failures end it",
		floods_and_failures_end_it);
	CU_add_test(suite, "[REL-6] what ends it has an order",
		what_ends_it_has_an_order);
	CU_add_test(suite, "[SES-11][SES-29] answers and movement are told",
		answers_and_movement_are_told);
	CU_add_test(suite, "[SES-11] a write alone is movement",
		a_write_alone_is_movement);
	CU_add_test(suite, "[SES-11] a read alone is movement",
		a_read_alone_is_movement);
	CU_add_test(suite, "[SES-29] health comes with the duties",
		health_comes_with_the_duties);
}
