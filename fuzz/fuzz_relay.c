/*
 * A session's relay between two peers that send, take and end as they like,
 * with TLS or without.
 *
 * Input: a byte, whose lowest bits say which side has TLS, the client's first,
 * the next how they are closed, and the highest four how many bytes come with a
 * handshake. Then what happens, one byte each: the lowest bit is the side, the
 * next three say what, the others how much. After each the session gets turns
 * until nothing is ready.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "oracle.h"
#include "sockets/side.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
void __wrap_lbp_session_moved(struct lbp_session *session, uint64_t now_ns);

static struct run {
	struct bytes bytes;
	struct loop loop;
	struct conns conns;
	struct conn conn;
	struct conn other; /* that gave way before */
	bool is_over;
} run;

static uint8_t *rings[2];
static bool is_lent[2];
static bool no_ring; /* there is no memory for the next one */
static bool moved;

void __wrap_lbp_session_moved(struct lbp_session *session, uint64_t now_ns)
{
	(void)now_ns;
	moved = session == &run.conn.session;
}

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

struct lbp_event conn_failed(struct conn *conn, const char *what, int error)
{
	ORACLE("SRV-60", conn == &run.conn && what[0] != '\0' && error != 0,
		"a failure without a cause");
	return (struct lbp_event){
		.kind = LBP_EVENT_STOP, .reason = LBP_REASON_INTERNAL};
}

static uint64_t all_given(void)
{
	return sides.side[0].given + sides.side[1].given;
}

static uint64_t all_taken(void)
{
	return sides.side[0].taken + sides.side[1].taken;
}

/* An event that the relay made of what it saw. */
static void check_event(const struct lbp_event *event)
{
	const struct side *client = &sides.side[0];
	const struct side *upstream = &sides.side[1];

	switch (event->kind) {
	case LBP_EVENT_CLIENT_RESET:
		ORACLE("SRV-17", client->saw_reset || sides.refused,
			"the client has not reset");
		break;
	case LBP_EVENT_UPSTREAM_RESET:
		ORACLE("SRV-17", upstream->saw_reset || sides.refused,
			"the upstream has not reset");
		break;
	case LBP_EVENT_FLOW_FINISHED:
		ORACLE("SRV-16", client->shut && upstream->shut,
			"an end is missing");
		ORACLE("SRV-17", !client->saw_reset && !upstream->saw_reset,
			"a reset is taken for an end");
		break;
	default:
		ORACLE("SRV-21",
			event->kind == LBP_EVENT_STOP && sides.refused &&
				event->reason == LBP_REASON_INTERNAL,
			"event %d", (int)event->kind);
		break;
	}
}

/* Is a side waited for with no reason? */
static void check_want(const struct side *side)
{
	const struct side *from = side_other(side);
	const struct stream *stream = side_stream(side);
	bool reads = !side->saw_end && side->taken < from->given + RING_BYTES;
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
	const struct lbp_pipe *pipes = run.conn.session.flow.pipes;

	ORACLE("SRV-17", !sides.side[0].saw_reset && !sides.side[1].saw_reset,
		"a reset is not passed on");
	ORACLE("SRV-16", !sides.side[0].shut || !sides.side[1].shut,
		"the flow goes on after both ends");
	ORACLE("SRV-21", !sides.refused, "what was refused is not missed");
	for (unsigned i = 0; i < 2; i++) {
		const struct side *side = &sides.side[i];

		ORACLE("SRV-19",
			(pipes[i].ring == NULL) ==
				(side->taken == side_other(side)->given),
			"a ring for no bytes, or bytes without a ring");
		ORACLE("SRV-34", sides.budget[i] > 0 || run.conn.is_again,
			"the rest is forgotten");
		check_want(side);
	}
	ORACLE("SRV-34",
		run.conns.again == (run.conn.is_again ? &run.conn : &run.other),
		"it is not in the list, or nobody else is");
	ORACLE("SRV-34",
		!run.conn.is_again || run.conn.again_next == &run.other,
		"others that wait are forgotten");
}

/* One turn of the session, as the worker gives it. */
static void turn(void)
{
	struct lbp_event event = {.kind = LBP_EVENT_TICK};
	uint64_t before = all_given() + all_taken();

	run.conns.again = &run.other;
	run.conn.is_again = false;
	sides_turn();
	moved = false;
	run.is_over = conn_relay(&run.conn, &event);
	ORACLE("SES-11", moved == (all_given() + all_taken() > before),
		"the idle timeout is put off: %d", moved);
	sides_turned(run.is_over);
	if (run.is_over)
		check_event(&event);
	else
		check_turn();
}

/* Tells a stream what is ready of what it wants; false: nothing. */
static bool poll_side(const struct side *side)
{
	struct stream *stream = side_stream(side);
	unsigned ready = side_readiness(side) & stream->watch.want;

	if (ready != 0)
		stream_ready(stream, ready);
	return ready != 0;
}

static void settle(void)
{
	for (;;) {
		bool ready = poll_side(&sides.side[0]);

		ready = poll_side(&sides.side[1]) || ready;
		if (!ready && !run.conn.is_again)
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
	case 2:
		sides.no_watch = true;
		break;
	case 3:
		sides.no_shutdown = true;
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
		side->is_reset = side->is_reset || how == 1;
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
	ORACLE("SRV-35", side->no_delay, "small pieces are kept back");
	/* A handshake may leave it so. Nothing looks into TLS. */
	stream->can_write = false;
	stream->tls.ssl = tls ? (struct ssl_st *)&run : NULL;
	if (tls)
		side->arrived = side->pending = early;
	stream_begin(stream);
}

static void start(uint8_t how)
{
	static const struct poller_ops ops = {
		.set = side_watch, .forget = side_forget};
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
	run.conns.again = &run.other;
	run.conn.conns = &run.conns;
	run.conn.session.state = LBP_SESSION_RELAY;
	sides_start(&run.conn);
	start_side(&run.conn.client, how & 1, how >> 4);
	start_side(&run.conn.upstream, how & 2, how >> 4);
	lbp_flow_init(&run.conn.session.flow);
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
