/*
 * A session's relay between two peers that send, take and end as they like,
 * with TLS or without.
 *
 * Input: a byte, whose lowest bits say which side has TLS, the client's first,
 * the next how they are closed, and the highest four how many bytes come with a
 * handshake. Then what happens, one byte each: the lowest bit is the side, the
 * next three say what, the others how much. After each the session gets turns
 * until nothing is ready. A session whose side broke off goes on as the session
 * says.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../cmd/lbproxyd/conn_private.h"
#include "bytes.h"
#include "oracle.h"
#include "sockets/side.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct run {
	struct bytes bytes;
	struct loop loop;
	struct conns conns;
	struct conn conn;
	struct lbp_session session;
	struct lbp_config_app config;
	struct served_app app;
	struct conn other; /* that gave way before */
	bool is_over;
} run;

static uint8_t *rings[2];
static bool is_lent[2];
static bool no_ring; /* there is no memory for the next one */
#define KEEPALIVE_MS 3000
#define KEEPALIVE_NS (KEEPALIVE_MS * LBP_NS_PER_MS)

static const struct lbp_session_timeouts timeouts = {
	.idle_ns = 2, .linger_ns = 1};
static uint64_t now_ns; /* a turn is one */

uint8_t *loop_take_ring(struct loop *loop)
{
	unsigned i = is_lent[0];

	ORACLE("SRV-18", loop == &run.loop && !is_lent[i],
		"more than two rings");
	if (no_ring) {
		no_ring = false;
		sides.refused = true;
		return NULL;
	}
	is_lent[i] = true;
	return rings[i];
}

void loop_give_ring(struct loop *loop, uint8_t *bytes)
{
	unsigned i = bytes == rings[1];

	if (bytes == NULL)
		return;
	ORACLE("SRV-19", loop == &run.loop && bytes == rings[i] && is_lent[i],
		"no ring, or one that was given back");
	is_lent[i] = false;
}

/* It is not made by kind. */
struct poller *poller_select_new(void)
{
	return NULL;
}

struct poller *poller_epoll_new(void)
{
	return NULL;
}

void capacity_exhausted(struct capacity *capacity, const char *what, int error)
{
	(void)capacity;
	ORACLE("SRV-60", what[0] != '\0' && error != 0,
		"a failure without a cause");
	ORACLE("SRV-86", sides.refused && !sides.is_reported,
		"nothing was refused: %s", what);
	sides.is_reported = true;
}

static uint64_t all_given(void)
{
	return sides.side[0].given + sides.side[1].given;
}

static uint64_t all_taken(void)
{
	return sides.side[0].taken + sides.side[1].taken;
}

/* Nothing is left of what a side sent before it broke off, or nobody is. */
static void check_delivered(void)
{
	const struct side *from = &sides.side[run.session.cut == LBP_DOWN];
	const struct side *to = side_other(from);

	ORACLE("SES-25", run.session.state == LBP_SESSION_RESETTING,
		"nobody broke off");
	ORACLE("SRV-82",
		to->saw_reset || (to->given == from->arrived && to->lags == 0),
		"%llu of %llu bytes, and %u are on the way",
		(unsigned long long)to->given,
		(unsigned long long)from->arrived, to->lags);
}

static void check_stop(const struct lbp_event *event)
{
	bool is_flood = event->reason == LBP_REASON_CLIENT_FLOOD
				? sides.side[0].saw_flood
				: event->reason == LBP_REASON_UPSTREAM_FLOOD &&
					  sides.side[1].saw_flood;
	bool is_internal = event->reason == LBP_REASON_INTERNAL &&
			   sides.refused && sides.is_reported;

	ORACLE("SRV-88", event->reason == LBP_REASON_INTERNAL || is_flood,
		"it ends for %s", lbp_reason_text(event->reason));
	ORACLE("SRV-86",
		event->kind == LBP_EVENT_STOP && (is_flood || is_internal),
		"event %d, reason %s", (int)event->kind,
		lbp_reason_text(event->reason));
}

/* An event that the relay made of what it saw. */
static void check_event(const struct lbp_event *event)
{
	const struct side *client = &sides.side[0];
	const struct side *upstream = &sides.side[1];

	switch (event->kind) {
	case LBP_EVENT_CLIENT_RESET:
		ORACLE("SES-8", client->saw_reset, "the client has not reset");
		break;
	case LBP_EVENT_UPSTREAM_RESET:
		ORACLE("SES-8", upstream->saw_reset,
			"the upstream has not reset");
		break;
	case LBP_EVENT_CLIENT_TRUNCATED:
		ORACLE("SES-8", client->saw_truncation && !client->saw_reset,
			"the client has not ended so");
		break;
	case LBP_EVENT_UPSTREAM_TRUNCATED:
		ORACLE("SES-8",
			upstream->saw_truncation && !upstream->saw_reset,
			"the upstream has not ended so");
		break;
	case LBP_EVENT_DELIVERED:
		check_delivered();
		break;
	case LBP_EVENT_FLOW_FINISHED:
		ORACLE("SRV-16", client->shut && upstream->shut,
			"an end is missing");
		ORACLE("SRV-17", client->saw_end && upstream->saw_end,
			"what is no end is taken for one");
		break;
	default:
		check_stop(event);
		break;
	}
}

/* Is a side waited for with no reason? */
static void check_want(const struct side *side)
{
	const struct side *from = side_other(side);
	const struct stream *stream = side_stream(side);
	bool reads = run.session.state == LBP_SESSION_RELAY && !side->saw_end &&
		     side->taken < from->given + RING_BYTES;
	bool writes =
		side->given < from->taken || (from->saw_end && !side->shut);
	unsigned want =
		(reads ? stream->read_on : 0) | (writes ? stream->write_on : 0);

	ORACLE("SRV-35", (stream->watch.want & ~want) == 0,
		"it waits for %u instead of %u", stream->watch.want, want);
}

/* A turn that did not end the session. */
static void check_turn(void)
{
	const struct lbp_pipe *pipes = run.session.flow.pipes;

	ORACLE("SRV-16", !sides.side[0].shut || !sides.side[1].shut,
		"the flow goes on after both ends");
	ORACLE("SRV-21", !sides.refused, "what was refused is not missed");
	for (unsigned i = 0; i < 2; i++) {
		const struct side *side = &sides.side[i];

		ORACLE("SRV-17",
			!side->saw_reset || side_is_done(side) ||
				run.session.state == LBP_SESSION_RESETTING,
			"a reset is not passed on");
		ORACLE("SRV-19",
			(pipes[i].ring == NULL) ==
				(side->taken == side_other(side)->given),
			"a ring for no bytes, or bytes without a ring");
		ORACLE("SRV-34",
			sides.budget[i] > 0 || run.conn.has_yielded ||
				run.session.state != LBP_SESSION_RELAY ||
				!lbp_pipe_wants_read(&pipes[i]) ||
				(side_stream(side)->watch.want &
					side_stream(side)->read_on) != 0,
			"the rest is forgotten");
		check_want(side);
	}
	ORACLE("SRV-34",
		run.conns.yielded ==
			(run.conn.has_yielded ? &run.conn : &run.other),
		"it is not in the list, or nobody else is");
	ORACLE("SRV-34",
		!run.conn.has_yielded || run.conn.yielded_next == &run.other,
		"others that wait are forgotten");
}

static bool is_cut(enum lbp_event_kind kind)
{
	return kind >= LBP_EVENT_CLIENT_RESET &&
	       kind <= LBP_EVENT_UPSTREAM_TRUNCATED;
}

/*
 * A step of the session: those that do not end it are its own. It has no
 * application.
 */
enum lbp_err conn_step_locked(void *user, const struct lbp_event *event,
	uint64_t at_ns, struct lbp_duties *duties)
{
	ORACLE("SRV-16", user == &run.conn && at_ns == now_ns && !run.is_over,
		"another session, time, or a second end");
	*duties = (struct lbp_duties){.health_upstream = LBP_NONE};
	if (event->kind == LBP_EVENT_ANSWERED) {
		run.session.answered = true;
		return LBP_OK;
	}
	check_event(event);
	if (is_cut(event->kind))
		return lbp_session_step(&run.session, event, at_ns, duties);
	run.is_over = true;
	return LBP_OK;
}

/* Nothing is due here but turns. */
void conn_set_alarm(struct conn *conn)
{
	ORACLE("SRV-172", conn->look_ns == now_ns + KEEPALIVE_NS / 3,
		"it does not look at its peers in time");
}

/* One turn of the session, as the worker gives it. */
static void turn(void)
{
	struct lbp_duties duties;
	uint64_t before = all_given() + all_taken();
	enum lbp_state was = run.session.state;
	bool was_flushing = run.session.is_flushing;
	bool moved;

	run.conns.yielded = &run.other;
	run.conn.has_yielded = false;
	sides_turn();
	now_ns++;
	if (!conn_relay(&run.conn, now_ns, &duties))
		abort();
	if (!run.is_over)
		conn_watch(&run.conn);
	moved = run.session.active_ns == now_ns;
	/*
	 * A break gives it time too. While the last bytes are on their way,
	 * their arrival counts.
	 */
	ORACLE("SES-11",
		moved == (all_given() + all_taken() > before) || was_flushing ||
			(moved && was != run.session.state),
		"the idle timeout is put off: %d", moved);
	sides_turned(run.is_over);
	if (!run.is_over)
		check_turn();
}

/* Tells a stream what is ready of what it wants; false: nothing. */
static bool poll_side(struct side *side)
{
	struct stream *stream = side_stream(side);
	unsigned ready =
		side_readiness(side) & (stream->watch.want | POLLER_ERROR);

	if (!stream->watch.is_watched || ready == 0)
		return false;
	lbp_session_ready(&run.session, (enum lbp_side)(side != sides.side),
		stream_readiness(stream, ready));
	side->saw_reset = side->saw_reset || (ready & POLLER_ERROR) != 0;
	return true;
}

/* Would the alarm of a session that waits for the last bytes bring it on? */
static bool is_due(void)
{
	return run.session.is_flushing &&
	       sides.side[run.session.cut == LBP_UP].lags == 0;
}

static void settle(void)
{
	for (;;) {
		bool ready = poll_side(&sides.side[0]);

		ready = poll_side(&sides.side[1]) || ready;
		if (!ready && !run.conn.has_yielded && !is_due())
			break;
		turn();
		if (run.is_over)
			return;
	}
	side_check_rest(&sides.side[0]);
	side_check_rest(&sides.side[1]);
}

static void fail(unsigned how)
{
	switch (how % 4) {
	case 0:
		sides.is_interrupted = true;
		break;
	case 1:
		no_ring = true;
		break;
	default:
		sides.no_shutdown = true;
		break;
	}
}

static void break_off(struct side *side, unsigned how)
{
	switch (how) {
	case 1:
		side_reset(side);
		break;
	case 2:
		side_truncate(side);
		break;
	case 3:
		side->floods = side_is_tls(side);
		break;
	case 4:
		side->lags = 1000;
		break;
	case 5:
		side->lags = 0;
		break;
	case 6:
		side_stream(side)->tls.takes_unclean_end = true;
		break;
	default:
		break;
	}
}

static void happen(void)
{
	uint8_t what = bytes_u8(&run.bytes);
	struct side *side = &sides.side[what & 1];
	unsigned how = what >> 4;

	switch (what >> 1 & 7) {
	case 0:
		side_arrive(side, 1 + how);
		break;
	case 1:
		side_arrive(side, sides_amount(how));
		break;
	case 2:
		side->room += sides_amount(how);
		break;
	case 3:
		side_end(side);
		break;
	case 4:
		break_off(side, how);
		break;
	case 5:
		side->read_needs_write = side_is_tls(side);
		break;
	case 6:
		/* What the peer sends from now on begins with that message. */
		side->write_needs_read =
			side_is_tls(side) && !side->has_ended &&
			side->arrived == side->taken + side->pending;
		break;
	case 7:
		if (how < 8)
			side->messages = side->write_needs_read;
		else
			fail(how);
		break;
	}
}

static void start_side(struct stream *stream, bool tls, uint64_t early)
{
	bool is_client = stream == &run.conn.client;
	struct side *side = &sides.side[!is_client];

	side_open(side);
	stream_init(stream, NULL);
	stream->read_on = POLLER_WRITE;
	stream_open(stream, SIDE_FD + !is_client);
	ORACLE("SRV-147", side->no_delay, "small pieces are kept back");
	/* Nothing looks into TLS. */
	stream->tls.ssl = tls ? (struct ssl_st *)&run : NULL;
	if (tls)
		side->arrived = side->pending = early;
}

static void start(uint8_t how)
{
	static const struct poller_ops ops = {
		.set = side_watch, .stop = side_stop, .forget = side_forget};
	static struct poller poller = {&ops};

	for (unsigned i = 0; i < 2; i++) {
		/* Of exactly their size, for the sanitizers. */
		if (rings[i] == NULL)
			rings[i] = malloc(RING_BYTES);
		if (rings[i] == NULL)
			abort();
		is_lent[i] = false;
	}
	no_ring = false;
	run.loop.poller = &poller;
	run.conns.loop = &run.loop;
	run.conns.yielded = &run.other;
	run.conn.conns = &run.conns;
	run.conn.app = &run.app;
	run.conn.session = &run.session;
	run.session.state = LBP_SESSION_RELAY;
	run.session.timeouts = &timeouts;
	run.session.expires_ns = LBP_NEVER;
	run.session.admitted = true;
	lbp_relay_begin(&run.session);
	conn_init_relay(&run.conn);
	sides_start(&run.conn);
	start_side(&run.conn.client, how & 1, how >> 4);
	start_side(&run.conn.upstream, how & 2, how >> 4);
	lbp_flow_init(&run.session.flow);
	run.conn.keepalive_ns = KEEPALIVE_NS;
	run.conn.look_ns = LBP_NEVER;
	/* As by the handshake and the dial. */
	(void)poller_set(&poller, &run.conn.client.watch, POLLER_READ);
	(void)poller_set(&poller, &run.conn.upstream.watch, POLLER_WRITE);
	conn_begin_relay(&run.conn);
	ORACLE("SRV-345",
		!sides.side[0].keeps_alive && !sides.side[1].keeps_alive,
		"somebody is asked at once");
	conn_look(&run.conn, now_ns);
	ORACLE("SRV-171",
		sides.side[0].keeps_alive && sides.side[1].keeps_alive &&
			sides.side[0].user_timeout_ms == KEEPALIVE_MS &&
			sides.side[1].user_timeout_ms == KEEPALIVE_MS,
		"nobody is asked whether he is there");
}

static void close_side(struct side *side, bool reset)
{
	struct stream *stream = side_stream(side);

	stream_close(stream, run.loop.poller, reset);
	ORACLE("SRV-17", side->closed && side->resets == reset,
		"closed: %d, with a reset: %d", side->closed, side->resets);
	stream_close(stream, run.loop.poller, reset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t how;

	memset(&run, 0, sizeof(run));
	run.bytes = (struct bytes){data, len};
	how = bytes_u8(&run.bytes);
	start(how);
	turn();
	while (run.bytes.len > 0 && !run.is_over) {
		happen();
		sides.idle = 0;
		settle();
	}
	close_side(&sides.side[0], how & 4);
	close_side(&sides.side[1], how & 4);
	return 0;
}
