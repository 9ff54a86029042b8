/* The relay: bytes through the session's flow. [SRV-16] to [SRV-19]. */
#include <errno.h>

#include "clock.h"
#include "conn.h"

/* What one direction may read in one turn before it gives way to others. */
#define TURN_BYTES (4 * RING_BYTES)

/* One direction of a relay, while it is at work. */
struct transfer {
	struct loop *loop;
	struct lbp_pipe *pipe;
	struct stream *source;
	struct stream *sink;
	size_t budget; /* bytes it may still read */
	bool moved;
};

/* IO_OK: something happened, look again; IO_WANT_*: nothing to do. */
static enum io read_some(struct transfer *t)
{
	size_t room, n;
	uint8_t *ring;
	enum io io;

	if (t->pipe->ring == NULL) {
		ring = loop_take_ring(t->loop);
		if (ring == NULL)
			return IO_RESET;
		(void)lbp_pipe_lend(t->pipe, ring, RING_BYTES);
	}
	ring = lbp_pipe_room(t->pipe, &room);
	if (room > t->budget)
		room = t->budget;
	io = stream_read(t->source, ring, room, &n);
	if (io == IO_OK) {
		(void)lbp_pipe_filled(t->pipe, n);
		t->budget -= n;
		t->moved = true;
	} else if (io == IO_END) {
		(void)lbp_pipe_end(t->pipe);
	}
	return io;
}

static enum io write_some(struct transfer *t)
{
	const uint8_t *data;
	size_t len, n;
	enum io io;

	if (lbp_pipe_end_is_due(t->pipe)) {
		io = stream_end(t->sink);
		if (io == IO_OK)
			(void)lbp_pipe_end_passed(t->pipe);
		return io;
	}
	data = lbp_pipe_data(t->pipe, &len);
	io = stream_write(t->sink, data, len, &n);
	if (io == IO_OK) {
		(void)lbp_pipe_drained(t->pipe, n);
		t->moved = true;
	}
	return io;
}

static bool can_read(const struct transfer *t)
{
	return t->source->can_read && t->budget > 0 &&
	       lbp_pipe_wants_read(t->pipe);
}

static bool can_write(const struct transfer *t)
{
	return t->sink->can_write &&
	       (lbp_pipe_wants_write(t->pipe) || lbp_pipe_end_is_due(t->pipe));
}

/*
 * Moves one direction as far as it goes, filling the ring before it writes;
 * the stream that ended uncleanly, or NULL.
 */
static struct stream *transfer(struct transfer *t)
{
	while (can_read(t) || can_write(t)) {
		while (can_read(t)) {
			if (read_some(t) == IO_RESET)
				return t->source;
		}
		if (can_write(t) && write_some(t) == IO_RESET)
			return t->sink;
	}
	loop_give_ring(t->loop, lbp_pipe_return(t->pipe));
	return NULL;
}

/* Asks the poller for what would let this side go on. */
static int watch_side(struct conn *conn, struct stream *stream,
	const struct lbp_pipe *from, const struct lbp_pipe *to)
{
	unsigned want = 0;

	if (lbp_pipe_wants_read(from))
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

bool conn_relay(struct conn *conn, struct lbp_event *event)
{
	struct lbp_pipe *up = &conn->session.flow.pipes[LBP_UP];
	struct lbp_pipe *down = &conn->session.flow.pipes[LBP_DOWN];
	struct transfer transfers[2] = {
		{conn->conns->loop, up, &conn->client, &conn->upstream,
			TURN_BYTES, false},
		{conn->conns->loop, down, &conn->upstream, &conn->client,
			TURN_BYTES, false},
	};
	struct stream *reset = transfer(&transfers[0]);

	if (reset == NULL)
		reset = transfer(&transfers[1]);
	if (transfers[0].moved || transfers[1].moved)
		lbp_session_moved(&conn->session, clock_now_ns());
	if (reset != NULL) {
		event->kind = reset == &conn->client ? LBP_EVENT_CLIENT_RESET
						     : LBP_EVENT_UPSTREAM_RESET;
		return true;
	}
	if (lbp_flow_is_finished(&conn->session.flow)) {
		event->kind = LBP_EVENT_FLOW_FINISHED;
		return true;
	}
	if (transfers[0].budget == 0 || transfers[1].budget == 0)
		give_way(conn);
	if (watch_side(conn, &conn->client, up, down) != 0 ||
		watch_side(conn, &conn->upstream, down, up) != 0) {
		*event = conn_failed(conn, "cannot watch", errno);
		return true;
	}
	return false;
}
