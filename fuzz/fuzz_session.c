/*
 * Sessions of one application, judged by what has happened to each, with legal
 * events and with wrong ones.
 *
 * Input: the timeouts (four bytes, see draw_timeout), the application (see
 * twin_app_draw), then operations: a byte for the session (modulo 4) and the
 * kind, and what it takes:
 *   an event that may be legal in the session's state (a byte), or any at all
 *   the handshake completes while the server is full
 *   time goes by (bytes_time), or up to the next deadline, -1, 0 or +1 (a byte)
 *   a byte moves   the ends of the flow are passed on, or a lifetime is set
 *   (two bytes, see set_lifetime)
 *   a check is taken or answered   an ended session is replaced by a new one
 *   a reload (see twin_app_draw_config), and who is told of it (a byte)
 *   the upstream sends a byte, and the session is told   a dial is short of
 *   something of ours
 */
#include <stdlib.h>

#include "bytes.h"
#include "model/witness.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define SESSIONS 4
#define KINDS    (LBP_EVENT_STOP + 1)

struct run {
	struct bytes bytes;
	struct twin_app app;
	struct lbp_session_timeouts timeouts;
	struct witness sessions[SESSIONS];
	uint64_t now_ns;
};

/* What is likely next in each state; the rest comes from draw_event. */
static const enum lbp_event_kind usual[][4] = {
	[LBP_SESSION_HANDSHAKE] = {LBP_EVENT_IDENTIFIED, LBP_EVENT_IDENTIFIED,
		LBP_EVENT_HANDSHAKE_DONE, LBP_EVENT_HANDSHAKE_FAILED},
	[LBP_SESSION_AUTHORIZED] = {LBP_EVENT_HANDSHAKE_DONE,
		LBP_EVENT_HANDSHAKE_DONE, LBP_EVENT_IDENTIFIED,
		LBP_EVENT_CLIENT_RESET},
	[LBP_SESSION_DIALING] = {LBP_EVENT_DIAL_DONE, LBP_EVENT_DIAL_DONE,
		LBP_EVENT_DIAL_FAILED, LBP_EVENT_CLIENT_RESET},
	[LBP_SESSION_RELAY] = {LBP_EVENT_FLOW_FINISHED, LBP_EVENT_TICK,
		LBP_EVENT_CLIENT_RESET, LBP_EVENT_UPSTREAM_RESET},
	[LBP_SESSION_RESETTING] = {LBP_EVENT_DELIVERED, LBP_EVENT_DELIVERED,
		LBP_EVENT_RELOADED, LBP_EVENT_TICK},
	[LBP_SESSION_CLOSING] = {LBP_EVENT_CLIENT_ENDED, LBP_EVENT_TICK,
		LBP_EVENT_HANDSHAKE_FAILED, LBP_EVENT_CLIENT_RESET},
	[LBP_SESSION_ENDED] = {LBP_EVENT_TICK, LBP_EVENT_STOP,
		LBP_EVENT_CLIENT_RESET, LBP_EVENT_DIAL_DONE},
};

static struct lbp_event draw_event(
	struct run *run, struct witness *witness, enum lbp_event_kind kind)
{
	static const enum lbp_reason failures[] = {LBP_REASON_HANDSHAKE_FAILED,
		LBP_REASON_UNTRUSTED, LBP_REASON_EXPIRED, LBP_REASON_REVOKED};
	static const enum lbp_reason stops[] = {LBP_REASON_DRAIN_TIMEOUT,
		LBP_REASON_SHUTDOWN, LBP_REASON_INTERNAL};
	struct lbp_event event = {.kind = kind};

	if (kind == LBP_EVENT_IDENTIFIED) {
		witness->name = twin_name(
			(uint8_t)(1 + bytes_below(&run->bytes,
					      MODEL_APP_SERIALS + 1)));
		event.names = &witness->name;
		event.name_len = 1;
	}
	if (kind == LBP_EVENT_HANDSHAKE_FAILED)
		event.reason = failures[bytes_below(&run->bytes, 4)];
	if (kind == LBP_EVENT_STOP)
		event.reason = stops[bytes_below(&run->bytes, 3)];
	return event;
}

static void take(
	struct run *run, struct witness *witness, const struct lbp_event *event)
{
	enum lbp_state before = witness->session.state;
	struct lbp_duties duties;
	enum lbp_err err = witness_step(witness, event, run->now_ns, &duties);

	ORACLE("SES-16", before != LBP_SESSION_ENDED || err == LBP_ERR_STATE,
		"an ended session took an event");
	ORACLE("SES-14",
		err != LBP_OK || event->kind != LBP_EVENT_TICK ||
			lbp_session_deadline(&witness->session) == LBP_NEVER ||
			lbp_session_deadline(&witness->session) > run->now_ns,
		"a tick left a deadline that has passed");
}

static void step(
	struct run *run, struct witness *witness, enum lbp_event_kind kind)
{
	struct lbp_event event = draw_event(run, witness, kind);

	take(run, witness, &event);
}

static void complete_while_full(struct run *run, struct witness *witness)
{
	struct lbp_event event = {
		.kind = LBP_EVENT_HANDSHAKE_DONE, .is_full = true};

	take(run, witness, &event);
}

/* Passes one more of the flow's ends on. */
static void pass_end(struct witness *witness)
{
	struct lbp_pipe *up = &witness->session.flow.pipes[LBP_UP];
	struct lbp_pipe *down = &witness->session.flow.pipes[LBP_DOWN];
	struct lbp_pipe *pipe = lbp_pipe_end(up) == LBP_OK ? up : down;

	lbp_pipe_end(pipe);
	lbp_pipe_end_passed(pipe);
}

/* A byte comes from the upstream, and is delivered. */
static void upstream_sends(struct witness *witness)
{
	struct lbp_pipe *down = &witness->session.flow.pipes[LBP_DOWN];
	uint8_t ring;

	if (lbp_pipe_lend(down, &ring, 1) != LBP_OK)
		return;
	if (lbp_pipe_filled(down, 1) == LBP_OK)
		lbp_pipe_drained(down, 1);
	lbp_pipe_return(down);
}

static void advance(struct run *run, uint64_t by_ns)
{
	if (by_ns <= LBP_NEVER - run->now_ns)
		run->now_ns += by_ns;
}

/* To just before, at or just after a session's deadline. */
static void advance_to_deadline(struct run *run, const struct witness *witness)
{
	uint64_t deadline = lbp_session_deadline(&witness->session);
	uint64_t at = deadline - 1 + bytes_below(&run->bytes, 3);

	if (deadline != LBP_NEVER && at > run->now_ns)
		run->now_ns = at;
}

/* A name that resolved does not any more, or the other way round. */
static void toggle_address(struct twin_app *app, uint32_t upstream)
{
	twin_app_set_address(
		app, upstream, app->model.upstreams[upstream].lost);
}

static void check_upstream(struct run *run)
{
	uint8_t how = bytes_u8(&run->bytes);

	if (how % 4 == 0)
		twin_app_take(&run->app, run->now_ns);
	else if (how >= 0xf8)
		twin_app_check_dropped(&run->app, how % MODEL_APP_UPSTREAMS);
	else if (how >= 0xf0)
		toggle_address(&run->app, how % MODEL_APP_UPSTREAMS);
	else
		twin_app_checked(&run->app, how / 8u % MODEL_APP_UPSTREAMS,
			how % 4 == 1);
	twin_app_check(&run->app);
}

static void reload(struct run *run)
{
	uint8_t told;

	twin_app_draw_config(&run->app, &run->bytes);
	twin_app_reload(&run->app, run->now_ns);
	told = bytes_u8(&run->bytes);
	for (uint32_t i = 0; i < SESSIONS; i++) {
		if ((told >> i & 1) != 0)
			step(run, &run->sessions[i], LBP_EVENT_RELOADED);
	}
}

/* Off, so long that it hardly ever ends, or short. */
static uint64_t draw_timeout(struct run *run)
{
	uint8_t kind = bytes_u8(&run->bytes);

	if (kind >= 0xf8)
		return 0;
	return kind >= 0xf0 ? LBP_NEVER - (kind - 0xf0u) : kind + UINT64_C(1);
}

/* A small one, or one of which a tenth needs more than 32 bits. */
static void set_lifetime(struct run *run, struct witness *witness)
{
	uint64_t lifetime_ns = draw_timeout(run);
	uint8_t how = bytes_u8(&run->bytes);

	if (how % 2 == 1 && lifetime_ns < 0x100)
		lifetime_ns = (lifetime_ns << 38) + how;
	witness_set_lifetime(witness, lifetime_ns, how * 0x01010101u);
}

static void operate(struct run *run)
{
	uint8_t what = bytes_u8(&run->bytes);
	struct witness *witness = &run->sessions[what % SESSIONS];

	switch (what / SESSIONS % 16) {
	case 0:
		step(run, witness, bytes_below(&run->bytes, KINDS));
		break;
	case 1:
		advance(run, bytes_time(&run->bytes));
		break;
	case 2:
		advance_to_deadline(run, witness);
		step(run, witness, LBP_EVENT_TICK);
		break;
	case 3:
		witness_moved(witness, run->now_ns);
		break;
	case 4:
		if (what / (SESSIONS * 16) % 4 == 3)
			set_lifetime(run, witness);
		else
			pass_end(witness);
		break;
	case 5:
		check_upstream(run);
		break;
	case 6:
		if (witness->session.state == LBP_SESSION_ENDED)
			witness_init(witness, &run->app, &run->timeouts,
				run->now_ns);
		break;
	case 7:
		advance_to_deadline(run, witness);
		break;
	case 8:
		reload(run);
		break;
	case 13:
		step(run, witness, LBP_EVENT_DIAL_LOCAL);
		break;
	case 14:
		if (what / (SESSIONS * 16) % 2 == 0)
			upstream_sends(witness);
		step(run, witness, LBP_EVENT_ANSWERED);
		break;
	case 15:
		complete_while_full(run, witness);
		break;
	default:
		step(run, witness,
			usual[witness->session.state]
			     [what / (SESSIONS * 16) % 4]);
		break;
	}
}

static void stop_all(struct run *run)
{
	for (uint32_t i = 0; i < SESSIONS; i++) {
		struct witness *witness = &run->sessions[i];

		if (witness->session.state != LBP_SESSION_ENDED)
			step(run, witness, LBP_EVENT_STOP);
		ORACLE("SES-16", witness->session.state == LBP_SESSION_ENDED,
			"session %u goes on", i);
		ORACLE("SES-16", witness->history.reports == 1,
			"session %u reports %u reasons", i,
			witness->history.reports);
	}
	twin_app_check_empty(&run->app);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct run run;

	run.bytes = (struct bytes){data, len};
	run.now_ns = 0;
	run.timeouts.handshake_ns = draw_timeout(&run);
	run.timeouts.connect_ns = draw_timeout(&run);
	run.timeouts.idle_ns = draw_timeout(&run);
	run.timeouts.linger_ns = draw_timeout(&run);
	twin_app_draw(&run.app, &run.bytes);
	twin_app_make(&run.app, run.now_ns);
	for (uint32_t i = 0; i < SESSIONS; i++)
		witness_init(
			&run.sessions[i], &run.app, &run.timeouts, run.now_ns);
	while (run.bytes.len > 0)
		operate(&run);
	stop_all(&run);
	twin_app_free(&run.app);
	return 0;
}
