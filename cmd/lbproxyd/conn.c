#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "conn_private.h"
#include "core/session_state.h"
#include "report.h"

/* How often to look whether the last bytes before a reset have arrived. */
#define FLUSH_NS (20 * NS_PER_MS)

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
	if (conn->is_flushing && clock_now_ns() + FLUSH_NS < due)
		due = clock_now_ns() + FLUSH_NS;
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
	struct lbp_flow *flow = &conn->session->flow;

	stream_close(&conn->client, conns->loop->poller,
		(duties & LBP_DUTY_RESET_CLIENT) != 0);
	stream_close(&conn->upstream, conns->loop->poller,
		(duties & LBP_DUTY_RESET_UPSTREAM) != 0);
	loop_give_ring(conns->loop, lbp_pipe_discard(&flow->pipes[LBP_UP]));
	loop_give_ring(conns->loop, lbp_pipe_discard(&flow->pipes[LBP_DOWN]));
	loop_disarm(conns->loop, &conn->alarm);
	queue_remove(&conns->loop->handshakes, &conn->handshake);
	conns_bury(conn);
	conn_leave_place(conn);
	if (lbp_session_is_admitted(conn->session))
		capacity_give(conns->capacity);
}

static enum lbp_err step_locked(struct conn *conn,
	const struct lbp_event *event, uint64_t now_ns,
	struct lbp_duties *duties)
{
	enum lbp_err err;

	pthread_mutex_lock(&conn->app->lock);
	err = lbp_session_step(conn->session, event, now_ns, duties);
	pthread_mutex_unlock(&conn->app->lock);
	return err;
}

/* True: *event happened and is to be stepped. */
static bool move_bytes(struct conn *conn, struct lbp_event *event)
{
	const struct lbp_event answered = {.kind = LBP_EVENT_ANSWERED};
	bool happened = conn_relay(conn, event);
	struct lbp_duties duties;

	if (lbp_session_answer_is_due(conn->session) &&
		step_locked(conn, &answered, clock_now_ns(), &duties) == LBP_OK)
		report_health(conn->app, duties.health_upstream, duties.health,
			conn->cause);
	return happened;
}

static bool takes_unclean_end(const struct conn *conn)
{
	return conn->app->config->unclean_end == LBP_UNCLEAN_END;
}

static void begin_relay(struct conn *conn)
{
	conn->upstream.tls.takes_unclean_end = takes_unclean_end(conn);
	stream_begin(&conn->client);
	stream_begin(&conn->upstream);
	conn_begin_turn(conn);
}

/* True: *event happened on the way and is to be stepped. */
static bool carry_out(struct conn *conn, const struct lbp_duties *duties,
	uint64_t now_ns, struct lbp_event *event)
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
	if (duties->set & LBP_DUTY_DIAL) {
		tls_admitted(
			&conn->client.tls, lbp_session_client(conn->session));
		return conn_start_dial(conn, duties->upstream, event);
	}
	if (!(duties->set & LBP_DUTY_RELAY))
		return false;
	if (lbp_session_state(conn->session) == LBP_SESSION_RELAY)
		begin_relay(conn);
	return move_bytes(conn, event);
}

void conn_step(struct conn *conn, struct lbp_event event)
{
	struct lbp_duties duties;
	enum lbp_err err;
	uint64_t now;

	do {
		conn_note_cause(conn, event.kind);
		now = clock_now_ns();
		err = step_locked(conn, &event, now, &duties);
		if (err != LBP_OK)
			return;
	} while (carry_out(conn, &duties, now, &event));
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
	else if (conn->is_flushing)
		conn_go_on(conn);
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

/* Drops what a refused client sends until it ends. */
static void drop(struct conn *conn)
{
	char buf[16 * 1024];
	ssize_t n = recv(conn->client.watch.fd, buf, sizeof(buf), 0);

	if (n > 0 && !lbp_session_dropped(conn->session, (size_t)n))
		return;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	conn_step(conn, (struct lbp_event){.kind = LBP_EVENT_CLIENT_ENDED});
}

void conn_go_on(struct conn *conn)
{
	struct lbp_event event;

	/* It gave way in this turn, and goes on after the others. */
	if (conn->is_again)
		return;
	conn_begin_turn(conn);
	if (move_bytes(conn, &event))
		conn_step(conn, event);
	else if (conn->is_flushing)
		conn_set_alarm(conn);
}

static void client_ready(struct watch *watch, unsigned ready)
{
	struct conn *conn = conn_of_client(watch);

	stream_ready(&conn->client, ready);
	switch (lbp_session_state(conn->session)) {
	case LBP_SESSION_HANDSHAKE:
	case LBP_SESSION_AUTHORIZED:
		handshakes_heard(conn->conns->handshakes, &conn->place);
		conn_put_off(conn, watch);
		break;
	case LBP_SESSION_RELAY:
	case LBP_SESSION_RESETTING:
		conn_go_on(conn);
		break;
	case LBP_SESSION_CLOSING:
		drop(conn);
		break;
	case LBP_SESSION_DIALING:
		conn_await_upstream(conn);
		break;
	case LBP_SESSION_ENDED:
		break;
	}
}

static void upstream_ready(struct watch *watch, unsigned ready)
{
	struct conn *conn = conn_of_upstream(watch);

	if (lbp_session_state(conn->session) != LBP_SESSION_DIALING) {
		stream_ready(&conn->upstream, ready);
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
	conn->client.tls.takes_unclean_end = takes_unclean_end(conn);
	conn->session = lbp_session_init((char *)conn + SESSION_AT, app->app,
		&snapshot->timeouts, conn->accepted_ns);
	conns_add(conn);
	conn_set_alarm(conn);
	conn_take_place(conn);
	if (!tls_accept(&conn->client.tls, snapshot->tls, fd))
		conn_step(conn, conn_failed(conn, "cannot start TLS", ENOMEM));
	else if (poller_set(
			 conns->loop->poller, &conn->client.watch, POLLER_READ))
		conn_step(conn, conn_failed(conn, "cannot watch", errno));
}
