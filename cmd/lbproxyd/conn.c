#include "conn.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "report.h"
#include "strangers.h"

/* How often to look whether the last bytes before a reset have arrived. */
#define FLUSH_NS (20 * NS_PER_MS)

static void step(struct conn *conn, struct lbp_event event);
static void relay(struct conn *conn);

static struct conn *conn_of_alarm(struct alarm *alarm)
{
	return (struct conn *)(void *)((char *)alarm -
				       offsetof(struct conn, alarm));
}

static struct conn *conn_of_place(struct handshake *place)
{
	return (struct conn *)(void *)((char *)place -
				       offsetof(struct conn, place));
}

static struct conn *conn_of_handshake(struct job *job)
{
	return (struct conn *)(void *)((char *)job -
				       offsetof(struct conn, handshake));
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

/*
 * The alarm may ring before the deadline, never after it: a deadline that
 * moves on with each byte is looked up when the alarm rings.
 */
static void set_alarm(struct conn *conn)
{
	uint64_t due = lbp_session_deadline(&conn->session);

	if (conn->session.state == LBP_SESSION_DIALING &&
		conn->dial.due_ns < due)
		due = conn->dial.due_ns;
	if (conn->is_flushing && clock_now_ns() + FLUSH_NS < due)
		due = clock_now_ns() + FLUSH_NS;
	if (!lbp_timer_is_armed(&conn->alarm.timer) ||
		due < conn->alarm.timer.due_ns)
		loop_arm(conn->conns->loop, &conn->alarm, due);
}

static struct lbp_event stop_event(enum lbp_reason reason)
{
	return (struct lbp_event){.kind = LBP_EVENT_STOP, .reason = reason};
}

struct lbp_event conn_failed(struct conn *conn, const char *what, int error)
{
	capacity_exhausted(conn->conns->capacity, what, error);
	return stop_event(LBP_REASON_INTERNAL);
}

/* What a dial's result means to the session; false: nothing yet. */
static bool dial_event(enum dial_result result, struct lbp_event *event)
{
	switch (result) {
	case DIAL_PENDING:
		return false;
	case DIAL_DONE:
		event->kind = LBP_EVENT_DIAL_DONE;
		return true;
	case DIAL_FAILED:
		event->kind = LBP_EVENT_DIAL_FAILED;
		return true;
	case DIAL_LOCAL:
		event->kind = LBP_EVENT_DIAL_LOCAL;
		return true;
	}
	return false;
}

/* The same; what we were short of is said. */
static bool dialed(
	struct conn *conn, enum dial_result result, struct lbp_event *event)
{
	bool ended = dial_event(result, event);

	if (ended && conn->dial.error != 0)
		capacity_exhausted(
			conn->conns->capacity, "cannot dial", conn->dial.error);
	return ended;
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

static void unlink_conn(struct conn *conn)
{
	struct conns *conns = conn->conns;

	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		conns->all = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
}

static void leave_again(struct conn *conn)
{
	struct conn **link = &conn->conns->again;

	if (!conn->is_again)
		return;
	while (*link != conn)
		link = &(*link)->again_next;
	*link = conn->again_next;
	conn->is_again = false;
}

/*
 * The load is no more than a count that others go by: what is ordered is
 * ordered by the mailbox.
 */
void conns_expect(struct conns *conns)
{
	atomic_fetch_add_explicit(&conns->load, 1, memory_order_relaxed);
}

uint32_t conns_load(const struct conns *conns)
{
	return atomic_load_explicit(&conns->load, memory_order_relaxed);
}

static void uncount(struct conns *conns)
{
	atomic_fetch_sub_explicit(&conns->load, 1, memory_order_relaxed);
}

/* Gives back what it has as a handshake in progress, if it is one. */
static void leave_handshakes(struct conn *conn)
{
	struct conns *conns = conn->conns;

	if (conn->place.ticket.order == 0)
		return;
	if (!handshakes_leave(conns->handshakes, &conn->place))
		capacity_remove_loose(conns->capacity);
}

/* Closes and frees all; the memory stays until no handler runs. */
static void end(struct conn *conn, unsigned duties)
{
	struct conns *conns = conn->conns;
	struct lbp_flow *flow = &conn->session.flow;

	stream_close(&conn->client, conns->loop->poller,
		(duties & LBP_DUTY_RESET_CLIENT) != 0);
	stream_close(&conn->upstream, conns->loop->poller,
		(duties & LBP_DUTY_RESET_UPSTREAM) != 0);
	loop_give_ring(conns->loop, lbp_pipe_discard(&flow->pipes[LBP_UP]));
	loop_give_ring(conns->loop, lbp_pipe_discard(&flow->pipes[LBP_DOWN]));
	loop_disarm(conns->loop, &conn->alarm);
	queue_remove(&conns->loop->handshakes, &conn->handshake);
	leave_again(conn);
	unlink_conn(conn);
	conn->next = conns->buried;
	conns->buried = conn;
	uncount(conns);
	leave_handshakes(conn);
	if (conn->session.admitted)
		capacity_give(conns->capacity);
}

static enum lbp_err step_locked(struct conn *conn,
	const struct lbp_event *event, uint64_t now_ns,
	struct lbp_duties *duties)
{
	enum lbp_err err;

	pthread_mutex_lock(&conn->app->lock);
	err = lbp_session_step(&conn->session, event, now_ns, duties);
	pthread_mutex_unlock(&conn->app->lock);
	return err;
}

/* True: *event happened and is to be stepped. */
static bool move_bytes(struct conn *conn, struct lbp_event *event)
{
	const struct lbp_event answered = {.kind = LBP_EVENT_ANSWERED};
	bool happened = conn_relay(conn, event);
	struct lbp_duties duties;

	if (lbp_session_answer_is_due(&conn->session) &&
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

/* Sums are all threads': whoever counted first looks for them in time. */
static void await_sums(struct conns *conns, uint64_t due_ns)
{
	if (due_ns != LBP_NEVER && !lbp_timer_is_armed(&conns->sums.timer))
		loop_arm(conns->loop, &conns->sums, due_ns);
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
		await_sums(conns, report_conn(conn, now_ns));
	if (duties->set & LBP_DUTY_END)
		end(conn, duties->set);
	if (duties->set & LBP_DUTY_DIAL) {
		tls_admitted(&conn->client.tls, conn->session.client);
		return dialed(conn,
			dial_start(&conn->dial,
				&conn->app->targets[duties->upstream],
				&conn->upstream, conns->loop->poller,
				lbp_session_deadline(&conn->session)),
			event);
	}
	if (!(duties->set & LBP_DUTY_RELAY))
		return false;
	if (conn->session.state == LBP_SESSION_RELAY)
		begin_relay(conn);
	return move_bytes(conn, event);
}

/* What is wrong with the upstream, in words, if this event says so. */
static void note_cause(struct conn *conn, enum lbp_event_kind kind)
{
	const char *detail = conn->upstream.tls.detail;

	if (kind == LBP_EVENT_DIAL_FAILED || kind == LBP_EVENT_DIAL_LOCAL)
		conn->cause = conn->dial.cause;
	else if (conn->session.state == LBP_SESSION_DIALING)
		conn->cause = dial_late_cause(&conn->dial);
	else if (kind == LBP_EVENT_UPSTREAM_RESET)
		conn->cause =
			detail != NULL ? detail : "reset before its first byte";
	else if (kind == LBP_EVENT_UPSTREAM_TRUNCATED)
		conn->cause = "closed before its first byte";
}

static void step(struct conn *conn, struct lbp_event event)
{
	struct lbp_duties duties;
	enum lbp_err err;
	uint64_t now;

	do {
		note_cause(conn, event.kind);
		now = clock_now_ns();
		err = step_locked(conn, &event, now, &duties);
		if (err != LBP_OK)
			return;
	} while (carry_out(conn, &duties, now, &event));
	if (conn->session.state != LBP_SESSION_ENDED)
		set_alarm(conn);
}

/* The step of a handshake is put off until its turn. [SRV-43]. */
static void put_off(struct conn *conn, struct watch *watch)
{
	struct loop *loop = conn->conns->loop;

	conn->is_paused = false;
	queue_add(&loop->handshakes, &conn->handshake);
	/* It need not be told again; this takes no memory and cannot fail. */
	(void)poller_set(loop->poller, watch, 0);
}

static void dial_goes_on(struct conn *conn, enum dial_result result)
{
	struct lbp_event event;

	if (dialed(conn, result, &event))
		step(conn, event);
	else
		set_alarm(conn);
}

static void next_address(struct conn *conn)
{
	queue_remove(&conn->conns->loop->handshakes, &conn->handshake);
	dial_goes_on(conn, dial_late(&conn->dial));
}

/* The session's deadline has not come yet; what has? */
static void alarm_of_less(struct conn *conn, uint64_t now_ns)
{
	bool dialing = conn->session.state == LBP_SESSION_DIALING;

	if (conn->is_paused)
		put_off(conn, &conn->client.watch);
	else if (dialing && now_ns >= conn->dial.due_ns)
		next_address(conn);
	else if (conn->is_flushing)
		relay(conn);
	if (conn->session.state != LBP_SESSION_ENDED)
		set_alarm(conn);
}

static void alarm_fired(struct alarm *alarm)
{
	struct conn *conn = conn_of_alarm(alarm);
	uint64_t now = clock_now_ns();

	if (now >= lbp_session_deadline(&conn->session))
		step(conn, (struct lbp_event){.kind = LBP_EVENT_TICK});
	else
		alarm_of_less(conn, now);
}

/* Asked by TLS in the middle of the handshake. */
static bool identify(void *user, const struct lbp_serial *serial)
{
	struct conn *conn = user;

	step(conn, (struct lbp_event){
			   .kind = LBP_EVENT_IDENTIFIED, .serial = *serial});
	return lbp_session_is_authorized(&conn->session);
}

/* The place of a session is there before it is let in. [SES-22]. */
static void ask_for_admission(struct conn *conn)
{
	struct capacity *capacity = conn->conns->capacity;
	bool has_place = capacity_take(capacity);

	step(conn, (struct lbp_event){.kind = LBP_EVENT_HANDSHAKE_DONE,
			   .is_full = !has_place});
	if (conn->session.admitted)
		leave_handshakes(conn);
	else if (has_place)
		capacity_give(capacity);
}

static void handshake_done(struct conn *conn)
{
	struct poller *poller = conn->conns->loop->poller;

	conn->tls = tls_version(&conn->client.tls);
	conn->resumed = tls_is_resumed(&conn->client.tls);
	/* It may go away while the upstream is being dialed. */
	if (poller_set(poller, &conn->client.watch, POLLER_READ) != 0)
		step(conn, conn_failed(conn, "cannot watch", errno));
	else
		ask_for_admission(conn);
}

/* What to watch for; the bytes of one that sends too few wait. [SES-30]. */
static unsigned want_more(struct conn *conn)
{
	uint64_t now = clock_now_ns();
	uint64_t due = lbp_session_looked(&conn->session, now);

	if (due <= now)
		return POLLER_READ;
	conn->is_paused = true;
	loop_arm(conn->conns->loop, &conn->alarm, due);
	set_alarm(conn);
	return 0;
}

static void handshake(struct conn *conn)
{
	struct conns *conns = conn->conns;
	unsigned want;

	switch (tls_handshake(&conn->client.tls)) {
	case IO_OK:
		handshake_done(conn);
		return;
	case IO_WANT_READ:
		want = want_more(conn);
		break;
	case IO_WANT_WRITE:
		want = POLLER_WRITE;
		break;
	default:
		if (conn->client.tls.reason == LBP_REASON_INTERNAL)
			capacity_exhausted(
				conns->capacity, "cannot shake hands", ENOMEM);
		step(conn,
			(struct lbp_event){.kind = LBP_EVENT_HANDSHAKE_FAILED,
				.reason = conn->client.tls.reason});
		return;
	}
	if (poller_set(conns->loop->poller, &conn->client.watch, want) != 0)
		step(conn, conn_failed(conn, "cannot watch", errno));
}

/* Drops what a refused client sends until it ends. */
static void drop(struct conn *conn)
{
	char buf[16 * 1024];
	ssize_t n = recv(conn->client.watch.fd, buf, sizeof(buf), 0);

	if (n > 0 && !lbp_session_dropped(&conn->session, (size_t)n))
		return;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	step(conn, (struct lbp_event){.kind = LBP_EVENT_CLIENT_ENDED});
}

static void relay(struct conn *conn)
{
	struct lbp_event event;

	/* It gave way in this turn, and goes on after the others. */
	if (conn->is_again)
		return;
	conn_begin_turn(conn);
	if (move_bytes(conn, &event))
		step(conn, event);
	else if (conn->is_flushing)
		set_alarm(conn);
}

/* Has the client gone? *waits: it has sent something, or ended cleanly. */
static bool is_gone(struct conn *conn, bool *waits, enum lbp_event_kind *how)
{
	struct stream *client = &conn->client;
	char byte;
	ssize_t n = recv(client->watch.fd, &byte, 1, MSG_PEEK);

	*waits = n >= 0;
	*how = LBP_EVENT_CLIENT_RESET;
	if (client->has_failed || client->tls.error != 0 ||
		(n < 0 && lbp_fault_of_socket(errno) == LBP_FAULT_PEER))
		return true;
	*how = LBP_EVENT_CLIENT_TRUNCATED;
	return n == 0 && !client->tls.takes_unclean_end &&
	       !tls_has_pending(&client->tls);
}

/*
 * The client sends, or has gone, before an upstream is there: what it sends
 * has to wait, but a client that is gone need not be dialed for. [SRV-32].
 */
static void wait_for_upstream(struct conn *conn)
{
	enum lbp_event_kind how;
	bool waits;

	if (is_gone(conn, &waits, &how))
		step(conn, (struct lbp_event){.kind = how});
	/* The handshake may have waited for a write last. */
	else if (poller_set(conn->conns->loop->poller, &conn->client.watch,
			 waits ? 0 : POLLER_READ) != 0)
		step(conn, conn_failed(conn, "cannot watch", errno));
}

static void client_ready(struct watch *watch, unsigned ready)
{
	struct conn *conn = conn_of_client(watch);

	stream_ready(&conn->client, ready);
	switch (conn->session.state) {
	case LBP_SESSION_HANDSHAKE:
	case LBP_SESSION_AUTHORIZED:
		handshakes_heard(conn->conns->handshakes, &conn->place);
		put_off(conn, watch);
		break;
	case LBP_SESSION_RELAY:
	case LBP_SESSION_RESETTING:
		relay(conn);
		break;
	case LBP_SESSION_CLOSING:
		drop(conn);
		break;
	case LBP_SESSION_DIALING:
		wait_for_upstream(conn);
		break;
	case LBP_SESSION_ENDED:
		break;
	}
}

static void upstream_ready(struct watch *watch, unsigned ready)
{
	struct conn *conn = conn_of_upstream(watch);

	if (conn->session.state != LBP_SESSION_DIALING) {
		stream_ready(&conn->upstream, ready);
		relay(conn);
	} else if (conn->dial.target->tls != NULL) {
		put_off(conn, watch);
	} else {
		dial_goes_on(conn, dial_ready(&conn->dial));
	}
}

static void handshake_turn(struct job *job)
{
	struct conn *conn = conn_of_handshake(job);

	if (conn->session.state == LBP_SESSION_DIALING)
		dial_goes_on(conn, dial_ready(&conn->dial));
	else
		handshake(conn);
}

static void link_conn(struct conn *conn)
{
	struct conns *conns = conn->conns;

	conn->next = conns->all;
	if (conn->next != NULL)
		conn->next->prev = conn;
	conns->all = conn;
}

/* If another one lost its place to this one, that is without one now. */
static void take_place(struct conn *conn)
{
	struct conns *conns = conn->conns;

	if (handshakes_enter(conns->handshakes, &conn->place, &conns->evictions,
		    &conn->peer))
		capacity_remove_loose(conns->capacity);
}

/* Ends those that lost their places to others. [SES-23]. */
static void deliver_evictions(struct mail *mail)
{
	struct conns *conns = (struct conns *)(void *)((char *)mail -
						       offsetof(struct conns,
							       evictions.mail));
	struct handshake *place;

	while ((place = handshakes_next_evicted(
			conns->handshakes, &conns->evictions)) != NULL)
		step(conn_of_place(place),
			(struct lbp_event){.kind = LBP_EVENT_EVICTED});
}

void conn_start(struct conns *conns, struct served_app *app, int fd,
	const union address *peer)
{
	struct snapshot *snapshot = conns->snapshot;
	struct conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL) {
		capacity_exhausted(conns->capacity, "cannot accept", ENOMEM);
		close(fd);
		uncount(conns);
		capacity_remove_loose(conns->capacity);
		return;
	}
	conn->conns = conns;
	conn->app = app;
	conn->peer = *peer;
	conn->accepted_ns = clock_now_ns();
	conn->cause = "no upstream is eligible";
	alarm_init(&conn->alarm, alarm_fired);
	job_init(&conn->handshake, handshake_turn);
	stream_init(&conn->upstream, upstream_ready);
	stream_init(&conn->client, client_ready);
	stream_open(&conn->client, fd);
	conn->client.tls.identify = identify;
	conn->client.tls.user = conn;
	conn->client.tls.takes_unclean_end = takes_unclean_end(conn);
	lbp_session_init(&conn->session, app->app, &snapshot->timeouts,
		conn->accepted_ns);
	link_conn(conn);
	set_alarm(conn);
	take_place(conn);
	if (!tls_accept(&conn->client.tls, snapshot->tls, fd))
		step(conn, conn_failed(conn, "cannot start TLS", ENOMEM));
	else if (poller_set(
			 conns->loop->poller, &conn->client.watch, POLLER_READ))
		step(conn, conn_failed(conn, "cannot watch", errno));
}

static void sums_fired(struct alarm *alarm)
{
	struct conns *conns =
		(struct conns *)(void *)((char *)alarm -
					 offsetof(struct conns, sums));

	await_sums(conns, strangers_sum_up(clock_now_ns()));
}

void conns_init(struct conns *conns, struct loop *loop, struct mailbox *mailbox,
	struct capacity *capacity, struct handshakes *handshakes,
	struct snapshot *snapshot)
{
	*conns = (struct conns){.loop = loop,
		.capacity = capacity,
		.handshakes = handshakes,
		.evictions.mail.deliver = deliver_evictions,
		.evictions.mailbox = mailbox,
		.snapshot = snapshot};
	alarm_init(&conns->sums, sums_fired);
}

void conns_stop(struct conns *conns, enum lbp_reason reason)
{
	struct conn *conn, *next;

	for (conn = conns->all; conn != NULL; conn = next) {
		next = conn->next;
		step(conn, stop_event(reason));
	}
}

/* Each of those that gave way gets one more turn. */
static void go_on(struct conns *conns)
{
	struct conn *conn = conns->again;
	struct conn *next;

	conns->again = NULL;
	for (; conn != NULL; conn = next) {
		next = conn->again_next;
		conn->is_again = false;
		relay(conn);
	}
}

void conns_turn(struct conns *conns)
{
	struct conn *conn;

	go_on(conns);
	while ((conn = conns->buried) != NULL) {
		conns->buried = conn->next;
		free(conn);
	}
}
