/*
 * The relay of a session over its two streams. [SRV-16] to [SRV-19].
 */
#include <errno.h>

#include "conn_private.h"

/* What TLS on a side may read from its socket in one turn. [SRV-87]. */
#define TURN_BYTES ((size_t)4 * RING_BYTES)

static struct stream *stream_of(struct conn *conn, enum lbp_side side)
{
	return side == LBP_CLIENT ? &conn->client : &conn->upstream;
}

/* Logs failures of our own, with their cause. [SRV-86]. */
static enum lbp_io noted(
	struct conn *conn, const struct stream *stream, enum lbp_io io)
{
	if (io == LBP_IO_FAILED)
		capacity_exhausted(conn->conns->capacity, "cannot relay",
			stream_error(stream));
	return io;
}

static enum lbp_io read_side(
	void *user, enum lbp_side from, void *buf, size_t len, size_t *n)
{
	struct conn *conn = user;
	struct stream *stream = stream_of(conn, from);

	/* A refused client may be in the middle of a handshake. */
	if (lbp_session_state(conn->session) == LBP_SESSION_CLOSING)
		return stream_drop(stream, buf, len, n);
	return noted(conn, stream, stream_read(stream, buf, len, n));
}

static enum lbp_io write_side(
	void *user, enum lbp_side to, const void *buf, size_t len, size_t *n)
{
	struct conn *conn = user;
	struct stream *stream = stream_of(conn, to);
	enum lbp_io io = stream_write(stream, buf, len, n);

	counters_add(&conn->conns->counters,
		to == LBP_UPSTREAM ? LBP_COUNT_AT(bytes_up)
				   : LBP_COUNT_AT(bytes_down),
		*n);
	return noted(conn, stream, io);
}

static enum lbp_io end_side(void *user, enum lbp_side to)
{
	struct conn *conn = user;
	struct stream *stream = stream_of(conn, to);

	return noted(conn, stream, stream_end(stream));
}

static uint8_t *take_ring(void *user)
{
	struct conn *conn = user;
	uint8_t *ring = loop_take_ring(conn->conns->loop);

	if (ring == NULL)
		capacity_exhausted(
			conn->conns->capacity, "cannot relay", ENOMEM);
	return ring;
}

static void give_ring(void *user, uint8_t *ring)
{
	struct conn *conn = user;

	loop_give_ring(conn->conns->loop, ring);
}

static unsigned unsent(void *user, enum lbp_side to)
{
	struct conn *conn = user;

	return stream_unsent(stream_of(conn, to));
}

void conn_init_relay(struct conn *conn)
{
	static const struct lbp_relay_io io = {read_side, write_side, end_side,
		take_ring, give_ring, RING_BYTES, unsent, conn_step_locked};

	(void)lbp_session_set_io(conn->session, &io, conn);
}

static void begin_side(struct conn *conn, enum lbp_side side)
{
	const struct stream *stream = stream_of(conn, side);

	/* The poller does not know of what came with the handshake. */
	if (stream_has_pending(stream))
		lbp_session_ready(conn->session, side, LBP_WATCH_READ);
}

void conn_begin_relay(struct conn *conn)
{
	conn->upstream.tls.takes_unclean_end =
		conn->client.tls.takes_unclean_end;
	begin_side(conn, LBP_CLIENT);
	begin_side(conn, LBP_UPSTREAM);
}

static void look_later(struct conn *conn, uint64_t now_ns)
{
	conn->look_ns = now_ns + lbp_keepalive_of(conn->keepalive_ns).look_ns;
}

/* Short sessions never come here, and need not ask for it. [SRV-345]. */
static void keep_alive(struct conn *conn, const struct lbp_keepalive *keepalive)
{
	if (conn->is_kept_alive)
		return;
	conn->is_kept_alive = true;
	stream_keep_alive(&conn->client, keepalive);
	stream_keep_alive(&conn->upstream, keepalive);
}

void conn_look(struct conn *conn, uint64_t now_ns)
{
	const struct lbp_keepalive keepalive =
		lbp_keepalive_of(conn->keepalive_ns);
	bool client_waits, upstream_waits;

	keep_alive(conn, &keepalive);
	client_waits = stream_check_peer(&conn->client, &keepalive);
	upstream_waits = stream_check_peer(&conn->upstream, &keepalive);
	conn->look_ns = LBP_NEVER;
	if (client_waits || upstream_waits)
		look_later(conn, now_ns);
}

/* To be resumed once the others have had their turn. [SRV-34]. */
static void yield(struct conn *conn)
{
	conn->has_yielded = true;
	conn->yielded_next = conn->conns->yielded;
	conn->conns->yielded = conn;
}

void conn_watch(struct conn *conn)
{
	struct poller *poller = conn->conns->loop->poller;

	stream_watch(&conn->client, poller,
		lbp_session_watch(conn->session, LBP_CLIENT));
	stream_watch(&conn->upstream, poller,
		lbp_session_watch(conn->session, LBP_UPSTREAM));
}

/* An answer that TLS gives while it reads may meet a reset. [SRV-81]. */
static bool take_error(struct conn *conn, enum lbp_side side)
{
	if (lbp_session_state(conn->session) != LBP_SESSION_RELAY ||
		!stream_take_error(stream_of(conn, side)))
		return false;
	lbp_session_ready(conn->session, side, LBP_WATCH_ERROR);
	return true;
}

bool conn_relay(struct conn *conn, uint64_t now_ns, struct lbp_duties *duties)
{
	stream_begin_turn(&conn->client, TURN_BYTES);
	stream_begin_turn(&conn->upstream, TURN_BYTES);
	if (lbp_session_relay(conn->session, now_ns, duties) != LBP_OK)
		return false;
	if (take_error(conn, LBP_CLIENT) || take_error(conn, LBP_UPSTREAM))
		duties->set |= LBP_DUTY_RELAY;
	if (duties->set & LBP_DUTY_RELAY)
		yield(conn);
	/* TLS may have written even if it was only read. */
	if (conn->keepalive_ns != 0 && conn->look_ns == LBP_NEVER &&
		lbp_session_state(conn->session) == LBP_SESSION_RELAY) {
		look_later(conn, now_ns);
		conn_set_alarm(conn);
	}
	return true;
}
