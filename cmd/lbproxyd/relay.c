/*
 * The relay: bytes through the session's flow. [SRV-16] to [SRV-19], [SES-25].
 */
#include <errno.h>

#include "clock.h"
#include "conn_private.h"
#include "core/session_state.h"

/* What one side may read in one turn before it gives way to others. */
#define TURN_BYTES (4 * RING_BYTES)

/* One direction of a relay, while it is at work. */
struct transfer {
	struct loop *loop;
	struct lbp_pipe *pipe;
	struct stream *source;
	struct stream *sink;
	bool moved;
	enum io fault; /* IO_FLOOD of the source, or IO_INTERNAL */
};

static void note_read(struct transfer *t, enum io io)
{
	switch (io) {
	case IO_END:
		(void)lbp_pipe_end(t->pipe);
		break;
	case IO_RESET:
	case IO_TRUNCATED:
		(void)lbp_pipe_cut(t->pipe);
		break;
	case IO_FLOOD:
	case IO_INTERNAL:
		t->fault = io;
		break;
	default:
		break;
	}
}

static bool has_ring(struct transfer *t)
{
	uint8_t *ring;

	if (t->pipe->ring != NULL)
		return true;
	ring = loop_take_ring(t->loop);
	if (ring == NULL) {
		errno = ENOMEM;
		t->fault = IO_INTERNAL;
		return false;
	}
	(void)lbp_pipe_lend(t->pipe, ring, RING_BYTES);
	return true;
}

static void read_some(struct transfer *t)
{
	size_t room, n;
	uint8_t *to;
	enum io io;

	if (!has_ring(t))
		return;
	to = lbp_pipe_room(t->pipe, &room);
	io = stream_read(t->source, to, room, &n);
	if (io == IO_OK) {
		(void)lbp_pipe_filled(t->pipe, n);
		t->moved = true;
	} else {
		note_read(t, io);
	}
}

static void write_some(struct transfer *t)
{
	const uint8_t *data;
	size_t len, n;
	enum io io;

	if (lbp_pipe_end_is_due(t->pipe)) {
		io = stream_end(t->sink);
		if (io == IO_OK)
			(void)lbp_pipe_end_passed(t->pipe);
	} else {
		data = lbp_pipe_data(t->pipe, &len);
		io = stream_write(t->sink, data, len, &n);
		if (io == IO_OK) {
			(void)lbp_pipe_drained(t->pipe, n);
			t->moved = true;
		}
	}
	if (io == IO_INTERNAL)
		t->fault = io;
}

static bool can_read(const struct transfer *t)
{
	return t->fault == IO_OK && lbp_pipe_wants_read(t->pipe) &&
	       stream_can_read(t->source);
}

static bool can_write(const struct transfer *t)
{
	return t->fault == IO_OK && t->sink->can_write &&
	       !t->sink->has_failed &&
	       (lbp_pipe_wants_write(t->pipe) || lbp_pipe_end_is_due(t->pipe));
}

/* Moves one direction as far as it goes, filling the ring before it writes. */
static void transfer(struct transfer *t)
{
	while (can_read(t) || can_write(t)) {
		while (can_read(t))
			read_some(t);
		if (can_write(t))
			write_some(t);
	}
	loop_give_ring(t->loop, lbp_pipe_return(t->pipe));
}

static struct transfer begin(struct conn *conn, enum lbp_direction way)
{
	bool up = way == LBP_UP;

	return (struct transfer){.loop = conn->conns->loop,
		.pipe = &conn->session->flow.pipes[way],
		.source = up ? &conn->client : &conn->upstream,
		.sink = up ? &conn->upstream : &conn->client,
		.fault = IO_OK};
}

/* Asks the poller for what would let this side go on. */
static int watch_side(struct conn *conn, enum lbp_direction source)
{
	const struct lbp_flow *flow = &conn->session->flow;
	bool is_client = source == LBP_UP;
	struct stream *stream = is_client ? &conn->client : &conn->upstream;
	const struct lbp_pipe *from = &flow->pipes[source];
	const struct lbp_pipe *to = &flow->pipes[is_client ? LBP_DOWN : LBP_UP];
	unsigned want = 0;

	/* There is nothing more to be told of. [SES-27]. */
	if (stream->has_failed || lbp_flow_is_done_with(flow, source)) {
		poller_stop(conn->conns->loop->poller, &stream->watch);
		return 0;
	}
	/* While resetting, what the other side says is not heard any more. */
	if (lbp_pipe_wants_read(from) &&
		lbp_session_state(conn->session) == LBP_SESSION_RELAY)
		want |= stream->read_on;
	if (!stream->can_write &&
		(lbp_pipe_wants_write(to) || lbp_pipe_end_is_due(to)))
		want |= stream->write_on;
	return poller_set(conn->conns->loop->poller, &stream->watch, want);
}

static void give_way(struct conn *conn)
{
	conn->is_again = true;
	conn->again_next = conn->conns->again;
	conn->conns->again = conn;
}

/* The session cannot go on for a reason of ours, which is errno. */
static bool fail(struct conn *conn, struct lbp_event *event)
{
	*event = conn_failed(conn, "cannot relay", errno);
	return true;
}

/* What put an end to a transfer beside the ends that a pipe knows. */
static bool faulted(
	struct conn *conn, const struct transfer *t, struct lbp_event *event)
{
	if (t->fault == IO_OK)
		return false;
	if (t->fault == IO_INTERNAL)
		return fail(conn, event);
	event->kind = LBP_EVENT_STOP;
	event->reason = t->source == &conn->client ? LBP_REASON_CLIENT_FLOOD
						   : LBP_REASON_UPSTREAM_FLOOD;
	return true;
}

/* Did a side break off that had more to say, or to be told? */
static bool broke_off(const struct conn *conn, enum lbp_direction source,
	struct lbp_event *event)
{
	bool is_client = source == LBP_UP;
	const struct stream *stream =
		is_client ? &conn->client : &conn->upstream;

	if (lbp_flow_is_done_with(&conn->session->flow, source))
		return false;
	if (stream->has_failed)
		event->kind = is_client ? LBP_EVENT_CLIENT_RESET
					: LBP_EVENT_UPSTREAM_RESET;
	else if (stream->is_truncated)
		event->kind = is_client ? LBP_EVENT_CLIENT_TRUNCATED
					: LBP_EVENT_UPSTREAM_TRUNCATED;
	else
		return false;
	return true;
}

static bool relay_both(struct conn *conn, struct lbp_event *event)
{
	struct transfer up = begin(conn, LBP_UP);
	struct transfer down = begin(conn, LBP_DOWN);

	transfer(&up);
	transfer(&down);
	if (up.moved || down.moved)
		lbp_session_moved(conn->session, clock_now_ns());
	if (faulted(conn, &up, event) || faulted(conn, &down, event))
		return true;
	if (lbp_flow_is_finished(&conn->session->flow)) {
		event->kind = LBP_EVENT_FLOW_FINISHED;
		return true;
	}
	if (broke_off(conn, LBP_UP, event) || broke_off(conn, LBP_DOWN, event))
		return true;
	if (stream_is_exhausted(up.source) || stream_is_exhausted(down.source))
		give_way(conn);
	return (watch_side(conn, LBP_UP) != 0 ||
		       watch_side(conn, LBP_DOWN) != 0) &&
	       fail(conn, event);
}

/*
 * Has the other side's TCP got all? A reset that overtook the last bytes would
 * destroy them.
 */
static bool has_arrived(struct conn *conn, const struct stream *sink)
{
	unsigned unsent = stream_unsent(sink);

	if (unsent < conn->unsent)
		lbp_session_moved(conn->session, clock_now_ns());
	conn->unsent = unsent;
	return unsent == 0;
}

/* What a side sent before it broke off; nothing else moves. [SES-25]. */
static bool deliver(struct conn *conn, struct lbp_event *event)
{
	enum lbp_direction way = conn->session->cut;
	struct transfer t = begin(conn, way);

	transfer(&t);
	if (t.moved)
		lbp_session_moved(conn->session, clock_now_ns());
	if (faulted(conn, &t, event))
		return true;
	conn->is_flushing = lbp_pipe_is_spent(t.pipe);
	if (t.sink->has_failed ||
		(conn->is_flushing && has_arrived(conn, t.sink))) {
		event->kind = LBP_EVENT_DELIVERED;
		return true;
	}
	if (stream_is_exhausted(t.source))
		give_way(conn);
	poller_stop(conn->conns->loop->poller, &t.source->watch);
	return watch_side(conn, way == LBP_UP ? LBP_DOWN : LBP_UP) != 0 &&
	       fail(conn, event);
}

void conn_begin_turn(struct conn *conn)
{
	stream_begin_turn(&conn->client, TURN_BYTES);
	stream_begin_turn(&conn->upstream, TURN_BYTES);
}

bool conn_relay(struct conn *conn, struct lbp_event *event)
{
	return lbp_session_state(conn->session) == LBP_SESSION_RESETTING
		       ? deliver(conn, event)
		       : relay_both(conn, event);
}
