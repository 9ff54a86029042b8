/*
 * The handshake with a client, step by step, until it is admitted or refused.
 * [SRV-43], [SES-22], [SES-23], [SES-30].
 */
#include <errno.h>

#include "clock.h"
#include "conn_private.h"
#include "container.h"

static struct conn *conn_of_place(struct handshake *place)
{
	return CONTAINER_OF(place, struct conn, place);
}

static struct conn *conn_of_handshake(struct job *job)
{
	return CONTAINER_OF(job, struct conn, handshake);
}

void conn_queue_handshake(struct conn *conn, struct watch *watch)
{
	struct loop *loop = conn->conns->loop;

	conn->is_paused = false;
	queue_add(&loop->handshakes, &conn->handshake);
	/* Nothing to watch for until then. */
	poller_change(loop->poller, watch, 0);
}

void conn_take_place(struct conn *conn)
{
	struct conns *conns = conn->conns;

	if (handshakes_enter(conns->handshakes, &conn->place, &conns->evictions,
		    &conn->peer))
		capacity_remove_loose(conns->capacity);
}

void conn_leave_place(struct conn *conn)
{
	struct conns *conns = conn->conns;

	if (conn->place.ticket.order == 0)
		return;
	if (!handshakes_leave(conns->handshakes, &conn->place))
		capacity_remove_loose(conns->capacity);
}

void conn_deliver_evictions(struct mail *mail)
{
	struct conns *conns = CONTAINER_OF(mail, struct conns, evictions.mail);
	struct handshake *place;

	while ((place = handshakes_next_evicted(
			conns->handshakes, &conns->evictions)) != NULL)
		conn_step(conn_of_place(place),
			(struct lbp_event){.kind = LBP_EVENT_EVICTED});
}

/* Called by TLS inside the handshake. */
static bool identify(void *user, const struct lbp_name *names, size_t name_len)
{
	struct conn *conn = user;

	conn_step(conn, (struct lbp_event){.kind = LBP_EVENT_IDENTIFIED,
				.names = names,
				.name_len = name_len});
	return lbp_session_is_authorized(conn->session);
}

/*
 * Likewise. A connection has no list of its own: it goes by what its
 * application speaks now.
 */
static enum lbp_alpn_choice choose_protocol(void *user, const uint8_t *offered,
	size_t len, struct lbp_alpn_name *chosen)
{
	struct served_app *app = ((struct conn *)user)->app;
	enum lbp_alpn_choice choice;

	pthread_mutex_lock(&app->lock);
	choice = lbp_alpn_choose(&app->settings.alpn, offered, len, chosen);
	pthread_mutex_unlock(&app->lock);
	return choice;
}

/* The place of a session is taken before it is admitted. [SES-22]. */
static void ask_for_admission(struct conn *conn)
{
	struct capacity *capacity = conn->conns->capacity;
	bool has_place = capacity_take(capacity);

	conn_step(conn, (struct lbp_event){.kind = LBP_EVENT_HANDSHAKE_DONE,
				.is_full = !has_place});
	if (lbp_session_is_admitted(conn->session)) {
		counters_add(&conn->conns->counters, LBP_COUNT_AT(admitted), 1);
		conn_leave_place(conn);
	} else if (has_place) {
		capacity_give(capacity);
	}
}

static void handshake_done(struct conn *conn)
{
	struct poller *poller = conn->conns->loop->poller;

	conn->tls = tls_version(&conn->client.tls);
	conn->resumed = tls_is_resumed(&conn->client.tls);
	counters_add_time(&conn->conns->counters,
		conn->resumed ? LBP_COUNT_AT(resumed) : LBP_COUNT_AT(full),
		clock_now_ns() - conn->accepted_ns);
	/* It may leave while the upstream is being dialed. */
	poller_change(poller, &conn->client.watch, POLLER_READ);
	ask_for_admission(conn);
}

/* What to watch for; a client that sends tiny pieces must wait. [SES-30]. */
static unsigned want_more(struct conn *conn)
{
	uint64_t now = clock_now_ns();
	uint64_t due = lbp_session_looked(conn->session, now);

	if (due <= now)
		return POLLER_READ;
	conn->is_paused = true;
	loop_arm(conn->conns->loop, &conn->alarm, due);
	conn_set_alarm(conn);
	return 0;
}

static void watch(struct conn *conn, unsigned want)
{
	poller_change(conn->conns->loop->poller, &conn->client.watch, want);
}

void conn_await_client(struct conn *conn)
{
	watch(conn, want_more(conn));
}

static void handshake(struct conn *conn)
{
	struct conns *conns = conn->conns;

	switch (tls_handshake(&conn->client.tls)) {
	case IO_OK:
		handshake_done(conn);
		break;
	case IO_WANT_READ:
		conn_await_client(conn);
		break;
	case IO_WANT_WRITE:
		watch(conn, POLLER_WRITE);
		break;
	default:
		if (conn->client.tls.reason == LBP_REASON_INTERNAL)
			capacity_exhausted(conns->capacity,
				"cannot shake hands",
				tls_error(&conn->client.tls));
		conn_step(conn,
			(struct lbp_event){.kind = LBP_EVENT_HANDSHAKE_FAILED,
				.reason = conn->client.tls.reason});
		break;
	}
}

static bool start_tls(struct conn *conn)
{
	return tls_accept(
		&conn->client.tls, conn->conns->tls, conn->client.watch.fd);
}

bool conn_open(struct conn *conn)
{
	return conn->has_opening ? conn_init_opening(conn) : start_tls(conn);
}

void conn_start_tls(struct conn *conn)
{
	if (start_tls(conn))
		handshake(conn);
	else
		conn_step(conn, conn_failed(conn, "cannot start TLS", ENOMEM));
}

static void handshake_turn(struct job *job)
{
	struct conn *conn = conn_of_handshake(job);

	if (lbp_session_state(conn->session) == LBP_SESSION_DIALING)
		conn_continue_dial(conn);
	else if (conn->opening != NULL)
		conn_read_opening(conn);
	else
		handshake(conn);
}

void conn_init_handshake(struct conn *conn)
{
	job_init(&conn->handshake, handshake_turn);
	conn->client.tls.identify = identify;
	conn->client.tls.choose = choose_protocol;
	conn->client.tls.user = conn;
}
