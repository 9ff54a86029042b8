/* From admission to a connected upstream: the dial, and why it fails. */
#include <errno.h>

#include "conn_private.h"
#include "server/fault.h"

void conn_note_cause(struct conn *conn, enum lbp_event_kind kind)
{
	const char *detail = conn->upstream.tls.detail;

	if (kind == LBP_EVENT_DIAL_FAILED || kind == LBP_EVENT_DIAL_LOCAL)
		conn->cause = conn->dial.cause;
	else if (lbp_session_state(conn->session) == LBP_SESSION_DIALING)
		conn->cause = dial_late_cause(&conn->dial);
	else if (kind == LBP_EVENT_UPSTREAM_RESET)
		conn->cause =
			detail != NULL ? detail : "reset before its first byte";
	else if (kind == LBP_EVENT_UPSTREAM_TRUNCATED)
		conn->cause = "closed before its first byte";
}

/* Translates a dial's result to an event; false: it has none yet. */
static bool dial_event(enum dial_result result, struct lbp_event *event)
{
	static const enum lbp_event_kind kinds[] = {
		[DIAL_DONE] = LBP_EVENT_DIAL_DONE,
		[DIAL_FAILED] = LBP_EVENT_DIAL_FAILED,
		[DIAL_LOCAL] = LBP_EVENT_DIAL_LOCAL,
	};

	if (result == DIAL_PENDING)
		return false;
	event->kind = kinds[result];
	return true;
}

/* The same, and logs the resource that we lacked. */
static bool dialed(
	struct conn *conn, enum dial_result result, struct lbp_event *event)
{
	bool ended = dial_event(result, event);

	if (ended && conn->dial.error != 0)
		capacity_exhausted(
			conn->conns->capacity, "cannot dial", conn->dial.error);
	return ended;
}

bool conn_start_dial(
	struct conn *conn, uint32_t upstream, struct lbp_event *event)
{
	target_release(conn->target);
	target_release(conn->renewed);
	conn->renewed = NULL;
	conn->target = served_app_target(conn->app, upstream);
	conn_introduce(conn);
	return dialed(conn,
		dial_start(&conn->dial, conn->target, &conn->upstream,
			conn->conns->loop->poller,
			lbp_session_deadline(conn->session)),
		event);
}

static void dial_progressed(struct conn *conn, enum dial_result result)
{
	struct lbp_event event = {0};

	if (dialed(conn, result, &event))
		conn_step(conn, event);
	else
		conn_set_alarm(conn);
}

void conn_continue_dial(struct conn *conn)
{
	dial_progressed(conn, dial_ready(&conn->dial));
}

void conn_try_next_address(struct conn *conn)
{
	queue_remove(&conn->conns->loop->handshakes, &conn->handshake);
	dial_progressed(conn, dial_late(&conn->dial));
}

/* True: the client is gone. *waits: it sent something, or ended cleanly. */
static bool is_gone(struct conn *conn, bool *waits, enum lbp_event_kind *how)
{
	struct stream *client = &conn->client;
	char byte;
	ssize_t n = recv(client->watch.fd, &byte, 1, MSG_PEEK);

	*waits = n >= 0;
	*how = LBP_EVENT_CLIENT_RESET;
	if (client->tls.error != 0 ||
		(n < 0 && lbp_fault_of_socket(errno) == LBP_FAULT_PEER))
		return true;
	*how = LBP_EVENT_CLIENT_TRUNCATED;
	return n == 0 && !client->tls.takes_unclean_end &&
	       !tls_has_pending(&client->tls);
}

void conn_await_upstream(struct conn *conn)
{
	enum lbp_event_kind how;
	bool waits;

	/* It is the session that notices a reset. */
	conn_continue(conn);
	if (lbp_session_state(conn->session) != LBP_SESSION_DIALING)
		return;
	if (is_gone(conn, &waits, &how))
		conn_step(conn, (struct lbp_event){.kind = how});
	/* The handshake may last have waited for writing. */
	else
		poller_change(conn->conns->loop->poller, &conn->client.watch,
			waits ? 0 : POLLER_READ);
}
