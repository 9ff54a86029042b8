#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "conn_private.h"
#include "container.h"
#include "report.h"
#include "report_health.h"
#include "server/session_timeouts.h"
#include "server/share.h"

/* A connection and the session after it are one block of memory. */
#define ALIGNMENT _Alignof(max_align_t)
#define SESSION_AT                                                             \
	((sizeof(struct conn) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)

static struct conn *conn_of_alarm(struct alarm *alarm)
{
	return CONTAINER_OF(alarm, struct conn, alarm);
}

static struct conn *conn_of_client(struct watch *watch)
{
	return CONTAINER_OF(watch, struct conn, client);
}

static struct conn *conn_of_upstream(struct watch *watch)
{
	return CONTAINER_OF(watch, struct conn, upstream);
}

void conn_set_alarm(struct conn *conn)
{
	uint64_t due = lbp_session_deadline(conn->session);

	if (lbp_session_state(conn->session) == LBP_SESSION_DIALING &&
		conn->dial.due_ns < due)
		due = conn->dial.due_ns;
	if (conn->look_ns < due)
		due = conn->look_ns;
	if (conn->judge_ns < due)
		due = conn->judge_ns;
	if (!lbp_timer_is_armed(&conn->alarm.timer) ||
		due < lbp_timer_due(&conn->alarm.timer))
		loop_arm(conn->conns->loop, &conn->alarm, due);
}

struct lbp_event conn_failed(struct conn *conn, const char *what, int error)
{
	capacity_exhausted(conn->conns->capacity, what, error);
	return (struct lbp_event){
		.kind = LBP_EVENT_STOP, .reason = LBP_REASON_INTERNAL};
}

/* Refused: we stop sending, and drop what the client sends. */
static void linger(struct conn *conn, bool close_notify)
{
	if (close_notify)
		(void)tls_end(&conn->client.tls);
	(void)shutdown(conn->client.watch.fd, SHUT_WR);
	poller_change(
		conn->conns->loop->poller, &conn->client.watch, POLLER_READ);
}

/* Closes everything; the memory is freed once no handler runs. */
static void end(struct conn *conn, unsigned duties)
{
	struct conns *conns = conn->conns;

	stream_close(&conn->client, conns->loop->poller,
		(duties & LBP_DUTY_RESET_CLIENT) != 0);
	stream_close(&conn->upstream, conns->loop->poller,
		(duties & LBP_DUTY_RESET_UPSTREAM) != 0);
	loop_disarm(conns->loop, &conn->alarm);
	queue_remove(&conns->loop->handshakes, &conn->handshake);
	free(conn->opening);
	conn->opening = NULL;
	conns_remove(conn);
	conn_leave_place(conn);
	if (lbp_session_is_admitted(conn->session))
		capacity_give(conns->capacity);
}

/*
 * Under the lock, for the line that follows: once it is given back, a reload
 * may forget a client that was removed, or give its number to another one.
 */
static void note_client(const struct conn *conn)
{
	const struct served_policy *policy = conn->app->policy;
	const char *id = NULL;

	if (policy != NULL)
		id = lbp_policy_client_id(
			&policy->policy, lbp_session_client(conn->session));
	snprintf(conn->conns->client_id, sizeof(conn->conns->client_id), "%s",
		id != NULL ? id : "");
}

/* Under the lock. */
static void count_for_app(
	struct conn *conn, const struct lbp_event *event, unsigned duties)
{
	struct served_counts *counts = &conn->app->counts;
	bool is_admitted = lbp_session_is_admitted(conn->session);

	if (event->kind == LBP_EVENT_HANDSHAKE_DONE && is_admitted)
		counts->admitted++;
	if ((duties & LBP_DUTY_REPORT) == 0)
		return;
	switch (lbp_session_reason(conn->session)) {
	case LBP_REASON_CONCURRENT_LIMIT:
		counts->refused_concurrent++;
		break;
	case LBP_REASON_RATE_LIMIT:
		counts->refused_rate++;
		break;
	default:
		counts->ended += is_admitted;
		break;
	}
}

enum lbp_err conn_step_locked(void *user, const struct lbp_event *event,
	uint64_t now_ns, struct lbp_duties *duties)
{
	struct conn *conn = user;
	enum lbp_err err;

	conn_note_cause(conn, event->kind);
	pthread_mutex_lock(&conn->app->lock);
	err = lbp_session_step(conn->session, event, now_ns, duties);
	count_for_app(conn, event, err == LBP_OK ? duties->set : 0);
	if (duties->set & LBP_DUTY_REPORT)
		note_client(conn);
	report_health(conn->app, duties->health_upstream,
		conn->target == NULL ? NULL : conn->target->url, duties->health,
		conn->cause);
	return err;
}

static void count_end(struct conn *conn)
{
	size_t at = lbp_session_is_admitted(conn->session)
			    ? LBP_COUNT_AT(ended)
			    : LBP_COUNT_AT(rejected);

	counters_add(&conn->conns->counters,
		at + (size_t)lbp_session_reason(conn->session), 1);
}

/* Carries out the duties after which nothing more happens. */
static void carry_out(
	struct conn *conn, const struct lbp_duties *duties, uint64_t now_ns)
{
	struct conns *conns = conn->conns;

	if (duties->set & LBP_DUTY_DROP_DIAL) {
		queue_remove(&conns->loop->handshakes, &conn->handshake);
		/* If connected, it would take a FIN for the client's. */
		stream_close(&conn->upstream, conns->loop->poller, true);
	}
	if (duties->set & LBP_DUTY_LINGER)
		linger(conn, duties->set & LBP_DUTY_CLOSE_NOTIFY);
	if (duties->set & LBP_DUTY_REPORT) {
		count_end(conn);
		conns_await_sums(conns, report_conn(conn, now_ns));
	}
	if (duties->set & LBP_DUTY_END)
		end(conn, duties->set);
}

/* Returns true if what comes next depends on both sides. */
static bool is_relaying(const struct conn *conn)
{
	enum lbp_state state = lbp_session_state(conn->session);

	return state == LBP_SESSION_RELAY || state == LBP_SESSION_RESETTING;
}

/* Relays for one turn, unless it has yielded in this one. */
static void relay(struct conn *conn)
{
	struct lbp_duties duties;
	uint64_t now = clock_now_ns();

	if (conn->has_yielded || !conn_relay(conn, now, &duties))
		return;
	carry_out(conn, &duties, now);
	if (is_relaying(conn))
		conn_watch(conn);
}

/* Carries out the other duties. True: *event happened and must be stepped. */
static bool go_on(struct conn *conn, const struct lbp_duties *duties,
	uint64_t now_ns, struct lbp_event *event)
{
	if (duties->set & LBP_DUTY_DIAL) {
		tls_admitted(
			&conn->client.tls, lbp_session_client(conn->session));
		conn_await_expiry(conn);
		conn->dialed_ns = now_ns;
		return conn_start_dial(conn, duties->upstream, event);
	}
	if (!(duties->set & LBP_DUTY_RELAY))
		return false;
	if (lbp_session_state(conn->session) == LBP_SESSION_RELAY)
		conn_begin_relay(conn);
	relay(conn);
	return false;
}

void conn_step(struct conn *conn, struct lbp_event event)
{
	struct lbp_duties duties;
	uint64_t now;

	do {
		now = clock_now_ns();
		if (conn_step_locked(conn, &event, now, &duties) != LBP_OK)
			return;
		if (event.kind == LBP_EVENT_DIAL_DONE)
			counters_add_time(&conn->conns->counters,
				LBP_COUNT_AT(connects), now - conn->dialed_ns);
		carry_out(conn, &duties, now);
	} while (go_on(conn, &duties, now, &event));
	if (lbp_session_state(conn->session) != LBP_SESSION_ENDED)
		conn_set_alarm(conn);
}

/* Something else than the session's deadline is due. */
static void alarm_before_deadline(struct conn *conn, uint64_t now_ns)
{
	bool dialing = lbp_session_state(conn->session) == LBP_SESSION_DIALING;

	if (conn->is_paused)
		conn_queue_handshake(conn, &conn->client.watch);
	else if (dialing && now_ns >= conn->dial.due_ns)
		conn_try_next_address(conn);
	else if (now_ns >= conn->look_ns)
		conn_look(conn, now_ns);
	else if (now_ns >= conn->judge_ns)
		conn_judge(conn);
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
		alarm_before_deadline(conn, now);
}

void conn_continue(struct conn *conn)
{
	relay(conn);
	/* A deadline that bytes postpone may have become an earlier one. */
	if (lbp_session_state(conn->session) == LBP_SESSION_RESETTING)
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
		conn_queue_handshake(conn, watch);
		break;
	case LBP_SESSION_DIALING:
		conn_await_upstream(conn);
		break;
	default:
		conn_continue(conn);
		break;
	}
}

static void upstream_ready(struct watch *watch, unsigned ready)
{
	struct conn *conn = conn_of_upstream(watch);

	if (lbp_session_state(conn->session) != LBP_SESSION_DIALING) {
		lbp_session_ready(conn->session, LBP_UPSTREAM,
			stream_readiness(&conn->upstream, ready));
		conn_continue(conn);
	} else if (conn->dial.target->tls != NULL) {
		conn_queue_handshake(conn, watch);
	} else {
		conn_continue_dial(conn);
	}
}

/* It keeps the settings that it began with. */
static void init_session(struct conn *conn)
{
	struct served_app *app = conn->app;
	uint64_t lifetime_ns;

	pthread_mutex_lock(&app->lock);
	conn->timeouts = app->settings.timeouts;
	lifetime_ns = app->settings.lifetime_ns;
	conn->keepalive_ns = app->settings.keepalive_ns;
	conn->client.tls.takes_unclean_end = app->settings.takes_unclean_end;
	conn->sends_proxy_header = app->settings.sends_proxy_header;
	conn->keeps_expired = app->settings.keeps_expired;
	conn->has_opening =
		networks_contain(app->settings.accept_proxy, &conn->peer);
	pthread_mutex_unlock(&app->lock);
	conn->look_ns = LBP_NEVER;
	conn->session = lbp_session_init((char *)conn + SESSION_AT, app->app,
		&conn->timeouts, conn->accepted_ns);
	if (lifetime_ns != 0)
		(void)lbp_session_set_lifetime(conn->session, lifetime_ns,
			lbp_share_draw(&conn->conns->shares));
}

void conn_start(struct conns *conns, struct served_app *app, int fd,
	const union address *peer)
{
	struct conn *conn = calloc(1, SESSION_AT + lbp_session_size());

	if (conn == NULL) {
		capacity_exhausted(conns->capacity, "cannot accept", ENOMEM);
		close(fd);
		served_app_release(app);
		conns_uncount(conns);
		capacity_remove_loose(conns->capacity);
		return;
	}
	counters_add(&conns->counters, LBP_COUNT_AT(accepted), 1);
	conn->conns = conns;
	conn->number = ++conns->started;
	conn->app = app;
	conn->peer = *peer;
	conn->accepted_ns = clock_now_ns();
	conn->cause = "no upstream is eligible";
	conn->judge_ns = LBP_NEVER;
	alarm_init(&conn->alarm, alarm_fired);
	stream_init(&conn->upstream, upstream_ready);
	stream_init(&conn->client, client_ready);
	stream_open(&conn->client, fd);
	conn_init_handshake(conn);
	init_session(conn);
	conn_init_relay(conn);
	conns_add(conn);
	conn_set_alarm(conn);
	conn_take_place(conn);
	if (!conn_open(conn))
		conn_step(conn, conn_failed(conn, "cannot start TLS", ENOMEM));
	else if (poller_set(
			 conns->loop->poller, &conn->client.watch, POLLER_READ))
		conn_step(conn, conn_failed(conn, "cannot watch", errno));
}
