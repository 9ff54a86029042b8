#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "conn_private.h"
#include "report.h"

/* A connection and its session are one block, the session behind it. */
#define ALIGNMENT _Alignof(max_align_t)
#define SESSION_AT                                                             \
	((sizeof(struct conn) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)

static struct conn *conn_of_alarm(struct alarm *alarm)
{
	return (struct conn *)(void *)((char *)alarm -
				       offsetof(struct conn, alarm));
}

static struct conn *conn_of_client(struct watch *watch)
{
	return (struct conn *)(void *)((char *)watch -
				       offsetof(struct conn, client));
}

static struct conn *conn_of_upstream(struct watch *watch)
{
	return (struct conn *)(void *)((char *)watch -
				       offsetof(struct conn, upstream));
}

void conn_set_alarm(struct conn *conn)
{
	uint64_t due = lbp_session_deadline(conn->session);

	if (lbp_session_state(conn->session) == LBP_SESSION_DIALING &&
		conn->dial.due_ns < due)
		due = conn->dial.due_ns;
	if (!lbp_timer_is_armed(&conn->alarm.timer) ||
		due < conn->alarm.timer.due_ns)
		loop_arm(conn->conns->loop, &conn->alarm, due);
}

struct lbp_event conn_failed(struct conn *conn, const char *what, int error)
{
	capacity_exhausted(conn->conns->capacity, what, error);
	return (struct lbp_event){
		.kind = LBP_EVENT_STOP, .reason = LBP_REASON_INTERNAL};
}

/* Refused: our sending ends, and what the client sends is dropped. */
static void linger(struct conn *conn, bool close_notify)
{
	struct conns *conns = conn->conns;

	if (close_notify)
		(void)tls_end(&conn->client.tls);
	(void)shutdown(conn->client.watch.fd, SHUT_WR);
	if (poller_set(conns->loop->poller, &conn->client.watch, POLLER_READ) !=
		0)
		capacity_exhausted(conns->capacity, "cannot watch", errno);
}

/* Closes and frees all; the memory stays until no handler runs. */
static void end(struct conn *conn, unsigned duties)
{
	struct conns *conns = conn->conns;

	stream_close(&conn->client, conns->loop->poller,
		(duties & LBP_DUTY_RESET_CLIENT) != 0);
	stream_close(&conn->upstream, conns->loop->poller,
		(duties & LBP_DUTY_RESET_UPSTREAM) != 0);
	loop_disarm(conns->loop, &conn->alarm);
	queue_remove(&conns->loop->handshakes, &conn->handshake);
	conns_bury(conn);
	conn_leave_place(conn);
	if (lbp_session_is_admitted(conn->session))
		capacity_give(conns->capacity);
}

enum lbp_err conn_step_locked(void *user, const struct lbp_event *event,
	uint64_t now_ns, struct lbp_duties *duties)
{
	struct conn *conn = user;
	enum lbp_err err;

	conn_note_cause(conn, event->kind);
	pthread_mutex_lock(&conn->app->lock);
	err = lbp_session_step(conn->session, event, now_ns, duties);
	pthread_mutex_unlock(&conn->app->lock);
	return err;
}

/* What ends something, or does not go on. */
static void carry_out(
	struct conn *conn, const struct lbp_duties *duties, uint64_t now_ns)
{
	struct conns *conns = conn->conns;

	report_health(conn->app, duties->health_upstream, duties->health,
		conn->cause);
	if (duties->set & LBP_DUTY_DROP_DIAL) {
		queue_remove(&conns->loop->handshakes, &conn->handshake);
		/* It may be connected already: an end would look like one. */
		stream_close(&conn->upstream, conns->loop->poller, true);
	}
	if (duties->set & LBP_DUTY_LINGER)
		linger(conn, duties->set & LBP_DUTY_CLOSE_NOTIFY);
	if (duties->set & LBP_DUTY_REPORT)
		conns_await_sums(conns, report_conn(conn, now_ns));
	if (duties->set & LBP_DUTY_END)
		end(conn, duties->set);
}

/* Is it a matter of both sides what comes next? */
static bool is_relaying(const struct conn *conn)
{
	enum lbp_state state = lbp_session_state(conn->session);

	return state == LBP_SESSION_RELAY || state == LBP_SESSION_RESETTING;
}

/*
 * One turn of the relay, unless it gave way in this one already. True: *event
 * happened and is to be stepped.
 */
static bool relay(struct conn *conn, struct lbp_event *event)
{
	struct lbp_duties duties;
	uint64_t now = clock_now_ns();

	if (conn->is_again || !conn_relay(conn, now, &duties))
		return false;
	carry_out(conn, &duties, now);
	if (!is_relaying(conn) || conn_watch(conn))
		return false;
	*event = conn_failed(conn, "cannot watch", errno);
	return true;
}

/* What goes on. True: *event happened on the way and is to be stepped. */
static bool go_on(struct conn *conn, const struct lbp_duties *duties,
	struct lbp_event *event)
{
	if (duties->set & LBP_DUTY_DIAL) {
		tls_admitted(
			&conn->client.tls, lbp_session_client(conn->session));
		return conn_start_dial(conn, duties->upstream, event);
	}
	if (!(duties->set & LBP_DUTY_RELAY))
		return false;
	if (lbp_session_state(conn->session) == LBP_SESSION_RELAY)
		conn_begin_relay(conn);
	return relay(conn, event);
}

void conn_step(struct conn *conn, struct lbp_event event)
{
	struct lbp_duties duties;
	uint64_t now;

	do {
		now = clock_now_ns();
		if (conn_step_locked(conn, &event, now, &duties) != LBP_OK)
			return;
		carry_out(conn, &duties, now);
	} while (go_on(conn, &duties, &event));
	if (lbp_session_state(conn->session) != LBP_SESSION_ENDED)
		conn_set_alarm(conn);
}

/* The session's deadline has not come yet; what has? */
static void alarm_of_less(struct conn *conn, uint64_t now_ns)
{
	bool dialing = lbp_session_state(conn->session) == LBP_SESSION_DIALING;

	if (conn->is_paused)
		conn_put_off(conn, &conn->client.watch);
	else if (dialing && now_ns >= conn->dial.due_ns)
		conn_try_next_address(conn);
	if (lbp_session_state(conn->session) != LBP_SESSION_ENDED)
		conn_set_alarm(conn);
}

static void alarm_fired(struct alarm *alarm)
{
	struct conn *conn = conn_of_alarm(alarm);
	uint64_t now = clock_now_ns();

	if (now >= lbp_session_deadline(conn->session))
		conn_step(conn, (struct lbp_event){.kind = LBP_EVENT_TICK});
	else
		alarm_of_less(conn, now);
}

void conn_go_on(struct conn *conn)
{
	struct lbp_event event;

	if (relay(conn, &event))
		conn_step(conn, event);
	/* Its deadline moves away with each byte, or comes nearer now. */
	else if (lbp_session_state(conn->session) == LBP_SESSION_RESETTING)
		conn_set_alarm(conn);
}

static void client_ready(struct watch *watch, unsigned ready)
{
	struct conn *conn = conn_of_client(watch);

	lbp_session_ready(conn->session, LBP_CLIENT,
		stream_readiness(&conn->client, ready));
	switch (lbp_session_state(conn->session)) {
	case LBP_SESSION_HANDSHAKE:
	case LBP_SESSION_AUTHORIZED:
		handshakes_heard(conn->conns->handshakes, &conn->place);
		conn_put_off(conn, watch);
		break;
	case LBP_SESSION_DIALING:
		conn_await_upstream(conn);
		break;
	default:
		conn_go_on(conn);
		break;
	}
}

static void upstream_ready(struct watch *watch, unsigned ready)
{
	struct conn *conn = conn_of_upstream(watch);

	if (lbp_session_state(conn->session) != LBP_SESSION_DIALING) {
		lbp_session_ready(conn->session, LBP_UPSTREAM,
			stream_readiness(&conn->upstream, ready));
		conn_go_on(conn);
	} else if (conn->dial.target->tls != NULL) {
		conn_put_off(conn, watch);
	} else {
		conn_continue_dial(conn);
	}
}

void conn_start(struct conns *conns, struct served_app *app, int fd,
	const union address *peer)
{
	struct snapshot *snapshot = conns->snapshot;
	struct conn *conn = calloc(1, SESSION_AT + lbp_session_size());

	if (conn == NULL) {
		capacity_exhausted(conns->capacity, "cannot accept", ENOMEM);
		close(fd);
		conns_uncount(conns);
		capacity_remove_loose(conns->capacity);
		return;
	}
	conn->conns = conns;
	conn->app = app;
	conn->peer = *peer;
	conn->accepted_ns = clock_now_ns();
	conn->cause = "no upstream is eligible";
	alarm_init(&conn->alarm, alarm_fired);
	stream_init(&conn->upstream, upstream_ready);
	stream_init(&conn->client, client_ready);
	stream_open(&conn->client, fd);
	conn_init_handshake(conn);
	conn->client.tls.takes_unclean_end =
		app->config->unclean_end == LBP_UNCLEAN_END;
	conn->session = lbp_session_init((char *)conn + SESSION_AT, app->app,
		&snapshot->timeouts, conn->accepted_ns);
	conn_init_relay(conn);
	conns_add(conn);
	conn_set_alarm(conn);
	conn_take_place(conn);
	if (!tls_accept(&conn->client.tls, snapshot->tls, fd))
		conn_step(conn, conn_failed(conn, "cannot start TLS", ENOMEM));
	else if (poller_set(
			 conns->loop->poller, &conn->client.watch, POLLER_READ))
		conn_step(conn, conn_failed(conn, "cannot watch", errno));
}
