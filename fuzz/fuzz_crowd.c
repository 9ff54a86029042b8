/*
 * Many connections of two workers, which share the places of handshakes and of
 * sessions: all of the server that is about them, with sockets, TLS, the
 * mailboxes and time made up.
 *
 * Input: bytes, for what happens one after the other. The lowest three bits say
 * what, see operate; the others of which connection, or how much.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../cmd/lbproxyd/clock.h"
#include "../cmd/lbproxyd/conn_private.h"
#include "../cmd/lbproxyd/log.h"
#include "../cmd/lbproxyd/report.h"
#include "../cmd/lbproxyd/strangers.h"
#include "bytes.h"
#include "core/session_state.h"
#include "model/model_sources.h"
#include "oracle.h"
#include "server/session_timeouts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define WORKERS    2
#define PEERS      24 /* clients that are there at once */
#define PLACES     6  /* of handshakes */
#define SESSIONS   5
#define LOOSE      3 /* connections without a place */
#define STEPS_MAX  4 /* [SRV-43] */
#define SHARE      4 /* [SRV-340] */
#define FIRST_FD   1000
#define NOT_QUEUED 0

/* A client and its connection, with the number of their descriptor. */
struct peer {
	bool is_there; /* from accept to close */
	struct conn *conn;
	struct watch *watches[2]; /* of the client's socket, the upstream's */
	struct poller *poller;
	unsigned worker;
	uint8_t source;
	bool is_listed;
	unsigned flights;   /* of its handshake that arrived */
	unsigned taken;     /* and that TLS has taken */
	bool was_heard;     /* the worker knows of some, or of its end */
	unsigned answers;   /* of the upstream likewise: that it connected, */
	unsigned heard;     /* and a flight */
	bool is_reset;      /* by the client */
	unsigned pieces;    /* for the relay, each for a turn */
	uint32_t entry;     /* in the model's log */
	unsigned queued_at; /* when it could go on; NOT_QUEUED */
	bool was_reported;
	bool is_admitted;
};

struct arrival {
	struct mail mail; /* first: a mail is its arrival */
	struct peer *peer;
};

static struct worker {
	struct poller poller; /* first: a poller is its worker's */
	struct loop loop;
	struct conns conns;
	struct mailbox mailbox;
	unsigned steps;    /* of handshakes since the last wait */
	bool is_ready;     /* a descriptor was, at the last wait, */
	bool has_yielded;  /* or a session had yielded before */
	bool has_waited;   /* since the last step another one did */
	uint64_t ended_ns; /* the last step */
	uint64_t other_ns; /* what all else took before the first of those */
	uint64_t took_ns;  /* they, so far */
} workers[WORKERS];

static struct run {
	struct bytes bytes;
	struct lbp_acl *acl;
	struct served_app app;
	struct target target;
	struct tls_client *tls;
	struct capacity capacity;
	struct handshakes handshakes;
	struct model_sources model;
	struct peer peers[PEERS];
	struct arrival arrivals[PEERS];
	uint64_t now_ns;
	uint64_t step_ns;  /* what the step of a handshake takes, */
	uint64_t other_ns; /* and anything else that is ready */
	unsigned clock;    /* of what can go on */
	bool is_awaited;   /* the acceptor waits for room */
	const char *complaint;
} run;

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
int __wrap_shutdown(int fd, int how);
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned flags);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	ts->tv_sec = (time_t)(run.now_ns / LBP_NS_PER_S);
	ts->tv_nsec = (long)(run.now_ns % LBP_NS_PER_S);
	return 0;
}

/* Even descriptors are clients', the next ones those of their upstreams. */
static struct peer *peer_of_fd(int fd)
{
	return &run.peers[(fd - FIRST_FD) / 2];
}

static struct peer *peer_of(const struct conn *conn)
{
	for (unsigned i = 0; i < PEERS; i++) {
		if (run.peers[i].conn == conn)
			return &run.peers[i];
	}
	abort();
}

/* --- mail, which comes with the next turn --- */

bool mailbox_post(struct mailbox *mailbox, struct mail *mail)
{
	if (mail->posted)
		return true;
	mail->posted = true;
	mail->next = NULL;
	*mailbox->last = mail;
	mailbox->last = &mail->next;
	return true;
}

static void deliver(struct mailbox *mailbox)
{
	struct mail *mail;

	while ((mail = mailbox->first) != NULL) {
		mailbox->first = mail->next;
		if (mailbox->first == NULL)
			mailbox->last = &mailbox->first;
		mail->posted = false;
		mail->deliver(mail);
		run.now_ns += run.other_ns;
	}
}

/* --- the poller --- */

static int set(struct poller *poller, struct watch *watch, unsigned want)
{
	struct peer *peer = peer_of_fd(watch->fd);

	(void)want;
	peer->watches[(watch->fd - FIRST_FD) % 2] = watch;
	peer->poller = poller;
	return 0;
}

static void forget(struct poller *poller, struct watch *watch)
{
	(void)poller;
	peer_of_fd(watch->fd)->watches[(watch->fd - FIRST_FD) % 2] = NULL;
}

static bool is_client_ready(const struct peer *peer)
{
	if (peer->is_reset || peer->watches[0]->want == 0)
		return peer->is_reset;
	if (peer->conn->session->state == LBP_SESSION_RELAY)
		return peer->pieces > 0 && !peer->conn->has_yielded;
	return peer->flights > peer->taken;
}

/* A handshake's step is due: it is to be taken in its order. */
static void note_order(struct peer *peer)
{
	enum lbp_state state = peer->conn->session->state;

	if (peer->queued_at == NOT_QUEUED &&
		(state <= LBP_SESSION_AUTHORIZED ||
			(state == LBP_SESSION_DIALING && run.tls != NULL)))
		peer->queued_at = ++run.clock;
}

static void tell(struct worker *worker, struct watch *watch, unsigned ready)
{
	worker->is_ready = true;
	watch->ready(watch, ready);
	run.now_ns += run.other_ns;
}

static void poll_peer(struct worker *worker, struct peer *peer)
{
	struct watch *watch = peer->watches[0];

	if (!peer->is_there || peer->poller != &worker->poller)
		return;
	if (watch != NULL && is_client_ready(peer)) {
		if (peer->conn->session->state <= LBP_SESSION_AUTHORIZED) {
			note_order(peer);
			peer->was_heard = true;
		}
		tell(worker, watch,
			watch->want | (peer->is_reset ? POLLER_ERROR : 0));
	}
	watch = peer->watches[1];
	if (watch != NULL && watch->want != 0 && peer->answers > peer->heard) {
		note_order(peer);
		tell(worker, watch, watch->want);
	}
}

/* Does a handshake of this worker wait for its turn? */
static bool is_queued(const struct worker *worker)
{
	for (unsigned i = 0; i < PEERS; i++) {
		const struct peer *peer = &run.peers[i];

		if (peer->is_there && peer->queued_at != NOT_QUEUED &&
			&workers[peer->worker] == worker)
			return true;
	}
	return false;
}

static int wait_for(struct poller *poller, int timeout_ms)
{
	struct worker *worker = (struct worker *)(void *)poller;

	ORACLE("SRV-107", !is_queued(worker) || timeout_ms == 0,
		"it waits for %d ms with handshakes to go on with", timeout_ms);
	worker->steps = 0;
	worker->has_waited = is_queued(worker);
	worker->is_ready = worker->mailbox.first != NULL;
	worker->has_yielded = worker->conns.yielded != NULL;
	for (unsigned i = 0; i < PEERS; i++)
		poll_peer(worker, &run.peers[i]);
	deliver(&worker->mailbox);
	return worker->is_ready;
}

static void free_poller(struct poller *poller)
{
	(void)poller;
}

struct poller *poller_select_new(void)
{
	return &workers[0].poller;
}

struct poller *poller_epoll_new(void)
{
	return &workers[1].poller;
}

/* --- streams, dials and TLS --- */

void stream_init(struct stream *stream, void (*ready)(struct watch *, unsigned))
{
	*stream = (struct stream){.watch = {.fd = -1, .ready = ready}};
}

void stream_open(struct stream *stream, int fd)
{
	stream->watch.fd = fd;
}

unsigned stream_readiness(const struct stream *stream, unsigned ready)
{
	(void)stream;
	return ready;
}

void stream_close(struct stream *stream, struct poller *poller, bool reset)
{
	int fd = stream->watch.fd;

	(void)reset;
	stream->tls.ssl = NULL;
	if (fd < 0)
		return;
	poller_forget(poller, &stream->watch);
	stream->watch.fd = -1;
	peer_of_fd(fd)->queued_at = NOT_QUEUED;
	if (fd % 2 == 0)
		peer_of_fd(fd)->is_there = false;
}

enum dial_result dial_start(struct dial *dial, const struct target *target,
	struct stream *stream, struct poller *poller, uint64_t end_ns)
{
	struct conn *conn =
		(struct conn *)(void *)((char *)stream -
					offsetof(struct conn, upstream));

	*dial = (struct dial){.target = target,
		.stream = stream,
		.poller = poller,
		.due_ns = end_ns,
		.end_ns = end_ns};
	ORACLE("SES-1", conn->session->admitted, "a dial for a stranger");
	stream_open(stream, conn->client.watch.fd + 1);
	peer_of(conn)->answers = peer_of(conn)->heard = 0;
	(void)poller_set(poller, &stream->watch, POLLER_WRITE);
	return DIAL_PENDING;
}

/* All else comes first: for how long did it, since the last steps? */
static bool is_first_due(const struct worker *worker)
{
	bool is_ready = worker->is_ready || worker->has_yielded;
	uint64_t most_ns = 20 * LBP_NS_PER_MS;
	uint64_t other_ns = run.now_ns - worker->ended_ns;

	return !is_ready || !worker->has_waited || other_ns >= most_ns ||
	       other_ns >= SHARE * worker->took_ns;
}

/* May another step follow without a wait? */
static bool is_next_due(const struct worker *worker)
{
	return worker->steps < STEPS_MAX &&
	       SHARE * worker->took_ns < worker->other_ns;
}

static void check_turn(struct worker *worker)
{
	if (worker->steps == 0) {
		ORACLE("SRV-340", is_first_due(worker),
			"all else had %ju ns, after steps of %ju",
			(uintmax_t)(run.now_ns - worker->ended_ns),
			(uintmax_t)worker->took_ns);
		worker->other_ns =
			worker->has_waited ? run.now_ns - worker->ended_ns : 0;
		worker->took_ns = 0;
	} else {
		ORACLE("SRV-341", is_next_due(worker),
			"step %u, after %ju ns of steps, and %ju of all else",
			worker->steps + 1, (uintmax_t)worker->took_ns,
			(uintmax_t)worker->other_ns);
	}
	worker->steps++;
	worker->took_ns += run.step_ns;
	run.now_ns += run.step_ns;
	worker->ended_ns = run.now_ns;
	ORACLE("SRV-43", worker->steps <= STEPS_MAX,
		"%u steps of handshakes between two waits", worker->steps);
}

/* Steps that are due are taken. */
static void check_rest(const struct worker *worker)
{
	if (!is_queued(worker))
		return;
	ORACLE("SRV-340", worker->steps > 0 || !is_first_due(worker),
		"no step, after %ju ns of all else",
		(uintmax_t)(run.now_ns - worker->ended_ns));
	ORACLE("SRV-341", worker->steps == 0 || !is_next_due(worker),
		"no step after %u, which took %ju ns, and all else %ju",
		worker->steps, (uintmax_t)worker->took_ns,
		(uintmax_t)worker->other_ns);
}

/* The step of a handshake, in its turn. */
static void take_step(struct peer *peer)
{
	struct worker *worker = &workers[peer->worker];

	check_turn(worker);
	for (unsigned i = 0; i < PEERS; i++) {
		const struct peer *other = &run.peers[i];

		ORACLE("SRV-107",
			other->worker != peer->worker || !other->is_there ||
				other->queued_at == NOT_QUEUED ||
				other->queued_at >= peer->queued_at,
			"one that could go on before has not had its turn");
	}
	ORACLE("SRV-107", peer->queued_at != NOT_QUEUED, "not in its turn");
	peer->queued_at = NOT_QUEUED;
}

enum dial_result dial_ready(struct dial *dial)
{
	struct peer *peer = peer_of_fd(dial->stream->watch.fd);

	if (dial->target->tls != NULL)
		take_step(peer);
	peer->heard = peer->answers;
	if (dial->target->tls != NULL && peer->heard < 2) {
		(void)poller_set(
			dial->poller, &dial->stream->watch, POLLER_READ);
		return DIAL_PENDING;
	}
	(void)poller_set(dial->poller, &dial->stream->watch, 0);
	return DIAL_DONE;
}

void dial_renew(struct dial *dial, const struct tls_client *client)
{
	(void)dial, (void)client;
}

enum dial_result dial_late(struct dial *dial)
{
	dial->failed = true;
	return DIAL_FAILED;
}

const char *dial_late_cause(const struct dial *dial)
{
	(void)dial;
	return "timed out";
}

bool tls_accept(struct tls *tls, struct tls_server *server, int fd)
{
	struct conn *conn =
		(struct conn *)(void *)((char *)tls -
					offsetof(struct conn, client.tls));

	(void)server;
	tls->ssl = (struct ssl_st *)&run;
	peer_of_fd(fd)->conn = conn;
	return true;
}

enum io tls_handshake(struct tls *tls)
{
	struct conn *conn = tls->user;
	struct peer *peer = peer_of(conn);
	static const struct lbp_name names[] = {
		{LBP_NAME_SERIAL, {{.octets = {2}, .len = 1}}},
		{LBP_NAME_SERIAL, {{.octets = {1}, .len = 1}}}};

	take_step(peer);
	tls->reason = LBP_REASON_HANDSHAKE_FAILED;
	if (peer->is_reset)
		return IO_RESET;
	peer->taken = peer->flights;
	if (peer->taken < 2)
		return IO_WANT_READ;
	return tls->identify(tls->user, &names[peer->is_listed], 1) ? IO_OK
								    : IO_RESET;
}

enum io tls_end(struct tls *tls)
{
	(void)tls;
	return IO_OK;
}

void tls_admitted(struct tls *tls, uint32_t client)
{
	(void)tls;
	(void)client;
}

bool tls_has_pending(const struct tls *tls)
{
	(void)tls;
	return false;
}

bool tls_is_resumed(const struct tls *tls)
{
	(void)tls;
	return false;
}

bool tls_describe(const struct tls *tls, struct tls_description *description)
{
	(void)tls;
	*description = (struct tls_description){.cipher = "TLS_TEST"};
	return true;
}

const char *tls_version(const struct tls *tls)
{
	(void)tls;
	return "TLSv1.3";
}

/* A refused client has nothing to say, or has gone. */
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
	struct peer *peer = peer_of_fd(fd);

	(void)buf;
	(void)len;
	(void)flags;
	peer->taken = peer->flights;
	errno = peer->is_reset ? ECONNRESET : EAGAIN;
	return -1;
}

int __wrap_shutdown(int fd, int how)
{
	(void)fd;
	(void)how;
	return 0;
}

/* The same each time, for a finding to come back. */
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned flags)
{
	(void)flags;
	memset(buf, 1, len);
	return (ssize_t)len;
}

/* --- the relay, the log --- */

void conn_init_relay(struct conn *conn)
{
	(void)conn;
}

void conn_look(struct conn *conn, uint64_t now_ns)
{
	(void)conn, (void)now_ns;
	abort();
}

void conn_begin_relay(struct conn *conn)
{
	(void)conn;
}

void conn_watch(struct conn *conn)
{
	(void)conn;
}

/* Is a refused client gone, or has sent enough? */
static bool is_done(struct conn *conn)
{
	char buf[16 * 1024];
	ssize_t n = recv(conn->client.watch.fd, buf, sizeof(buf), 0);

	return n > 0 ? lbp_session_dropped(conn->session, (size_t)n)
		     : n == 0 || errno != EAGAIN;
}

/* As much as one turn may take; what is left is in TLS. */
static void relay_piece(struct peer *peer)
{
	struct conn *conn = peer->conn;

	if (peer->pieces == 0 || --peer->pieces == 0)
		return;
	conn->has_yielded = true;
	conn->yielded_next = conn->conns->yielded;
	conn->conns->yielded = conn;
}

bool conn_relay(struct conn *conn, uint64_t now_ns, struct lbp_duties *duties)
{
	struct lbp_event event = {.kind = LBP_EVENT_CLIENT_RESET};
	struct peer *peer = peer_of(conn);
	bool happens = false;

	*duties = (struct lbp_duties){.health_upstream = LBP_NONE};
	if (conn->session->state == LBP_SESSION_RELAY) {
		happens = peer->is_reset;
		if (!happens)
			relay_piece(peer);
	} else if (conn->session->state == LBP_SESSION_CLOSING) {
		event.kind = LBP_EVENT_CLIENT_ENDED;
		happens = is_done(conn);
	}
	return happens &&
	       conn_step_locked(conn, &event, now_ns, duties) == LBP_OK;
}

void log_error(enum lbp_log_level level, const char *message, const char *cause)
{
	(void)level;
	(void)cause;
	run.complaint = message;
}

uint64_t strangers_sum_up(uint64_t now_ns)
{
	(void)now_ns;
	return LBP_NEVER;
}

uint64_t report_conn(const struct conn *conn, uint64_t now_ns)
{
	struct peer *peer = peer_of(conn);

	(void)now_ns;
	ORACLE("SES-17", !peer->was_reported, "a second line");
	peer->was_reported = true;
	ORACLE("SES-45",
		conn->session->reason != LBP_REASON_HANDSHAKE_EVICTED ||
			!run.model.log[peer->entry].in_progress,
		"it was evicted in another one's stead");
	return LBP_NEVER;
}

void report_health(struct served_app *app, uint32_t upstream, const char *url,
	enum lbp_health_change change, const char *cause)
{
	(void)upstream;
	(void)url;
	(void)change;
	(void)cause;
	pthread_mutex_unlock(&app->lock);
}

int64_t tls_trusted_until(const struct tls *tls)
{
	(void)tls;
	return INT64_MAX;
}

bool tls_client_accepts(const struct tls_client *client,
	const struct tls_client *before, const struct tls *tls)
{
	(void)tls;
	return client == before;
}

enum lbp_reason tls_renew(struct tls *tls, const struct tls_server *server)
{
	(void)tls;
	(void)server;
	return LBP_REASON_NONE;
}

void served_app_release(struct served_app *app)
{
	(void)app;
}

struct target *served_app_target(struct served_app *app, uint32_t upstream)
{
	(void)app;
	(void)upstream;
	return &run.target;
}

struct target *target_hold(struct target *target)
{
	return target;
}

void target_release(struct target *target)
{
	(void)target;
}

/* --- places --- */

static void has_room(void *user)
{
	(void)user;
	run.is_awaited = false;
}

static union address address_of(uint8_t source)
{
	union address address = {.in = {.sin_family = AF_INET}};

	address.in.sin_addr.s_addr = htonl(0x7f000000u | source);
	return address;
}

static struct model_address model_address_of(uint8_t source)
{
	return (struct model_address){true, {127, 0, 0, source}};
}

/* What the model does not see by itself: admissions, ends, first bytes. */
static void tell_model(struct peer *peer)
{
	struct model_handshake *entry = &run.model.log[peer->entry];

	if (peer->conn == NULL)
		return;
	peer->is_admitted = peer->is_there && peer->conn->session->admitted;
	if (!peer->is_there || peer->is_admitted)
		entry->in_progress = false;
	if (peer->was_heard)
		entry->heard = true;
}

static void tell_model_all(void)
{
	for (unsigned i = 0; i < PEERS; i++)
		tell_model(&run.peers[i]);
}

/* The worker has it: it takes a place, in the model first. */
static void arrive(struct mail *mail)
{
	struct peer *peer = ((struct arrival *)(void *)mail)->peer;
	struct model_address from = model_address_of(peer->source);
	union address address = address_of(peer->source);
	int fd = FIRST_FD + 2 * (int)(peer - run.peers);

	tell_model_all();
	peer->entry = run.model.len;
	(void)model_sources_enter(&run.model, &from);
	conn_start(&workers[peer->worker].conns, &run.app, fd, &address);
}

static struct peer *free_peer(void)
{
	for (unsigned i = 0; i < PEERS; i++) {
		if (!run.peers[i].is_there)
			return &run.peers[i];
	}
	return NULL;
}

static void accept_one(uint8_t how)
{
	struct peer *peer = free_peer();
	struct arrival *arrival;

	if (peer == NULL || run.model.len == MODEL_SOURCES_EVENTS)
		return;
	if (!capacity_want(&run.capacity)) {
		run.is_awaited = true;
		return;
	}
	*peer = (struct peer){.is_there = true,
		.worker = how & 1,
		.source = (uint8_t)(how >> 1 & 7),
		.is_listed = (how & 16) != 0};
	arrival = &run.arrivals[peer - run.peers];
	*arrival = (struct arrival){.mail.deliver = arrive, .peer = peer};
	capacity_add_loose(&run.capacity);
	conns_expect(&workers[peer->worker].conns);
	mailbox_post(&workers[peer->worker].mailbox, &arrival->mail);
}

/* --- what holds after each turn --- */

/* Has the server closed it, if it lost its place and was told? */
static bool is_loose(const struct peer *peer)
{
	return peer->conn == NULL ||
	       (!peer->is_admitted && !run.model.log[peer->entry].in_progress);
}

static void check_places(void)
{
	unsigned sessions = 0, loose = 0, there = 0;

	for (unsigned i = 0; i < PEERS; i++) {
		const struct peer *peer = &run.peers[i];

		if (!peer->is_there)
			continue;
		there++;
		sessions += peer->is_admitted;
		loose += is_loose(peer);
		ORACLE("SES-23",
			peer->conn == NULL || (peer->conn->place.ticket.order !=
						      0) == !peer->is_admitted,
			"a place of a handshake, admitted: %d",
			peer->is_admitted);
	}
	ORACLE("SRV-20", sessions <= SESSIONS, "%u sessions", sessions);
	ORACLE("SES-44", atomic_load(&run.capacity.used) == sessions,
		"%u places for %u sessions", atomic_load(&run.capacity.used),
		sessions);
	ORACLE("SRV-42",
		loose <= LOOSE && atomic_load(&run.capacity.loose) == loose,
		"%u without a place, %u are counted", loose,
		atomic_load(&run.capacity.loose));
	ORACLE("SRV-40",
		lbp_sources_taken(run.handshakes.sources) ==
				there - sessions - loose &&
			there - sessions - loose <= PLACES,
		"%u have a place of %u",
		lbp_sources_taken(run.handshakes.sources),
		there - sessions - loose);
	ORACLE("SRV-42",
		!run.is_awaited || sessions == SESSIONS || loose >= LOOSE / 2,
		"nobody says that there is room");
}

/* Who has lost a place is the one that the model says. */
static void check_evictions(void)
{
	for (unsigned i = 0; i < PEERS; i++) {
		const struct peer *peer = &run.peers[i];
		struct lbp_ticket ticket;

		if (!peer->is_there || peer->conn == NULL || peer->is_admitted)
			continue;
		ticket = peer->conn->place.ticket;
		ORACLE("SRC-3",
			(run.handshakes.places[ticket.place] ==
				&peer->conn->place) ==
				run.model.log[peer->entry].in_progress,
			"who lost its place, of source %u", peer->source);
	}
}

static void check(void)
{
	tell_model_all();
	check_places();
	check_evictions();
}

/* --- what happens --- */

/* It lost its place, of which its worker is to hear in its next turn. */
static bool has_lost(const struct peer *peer, const struct worker *worker)
{
	return peer->is_there && peer->conn != NULL && is_loose(peer) &&
	       &workers[peer->worker] == worker;
}

static void turn(struct worker *worker)
{
	bool lost[PEERS];

	for (unsigned i = 0; i < PEERS; i++)
		lost[i] = has_lost(&run.peers[i], worker);
	loop_turn(&worker->loop, worker->conns.yielded == NULL);
	check_rest(worker);
	tell_model_all();
	if (worker->conns.yielded != NULL)
		run.now_ns += run.other_ns;
	conns_turn(&worker->conns);
	for (unsigned i = 0; i < PEERS; i++) {
		ORACLE("SES-45", !lost[i] || !run.peers[i].is_there,
			"it lost its place and is still there");
		if (!run.peers[i].is_there)
			run.peers[i].conn = NULL;
	}
}

/* Flights of many handshakes arrive before their workers look. */
static void burst(unsigned first)
{
	for (unsigned i = first; i < PEERS; i++)
		run.peers[i].flights += run.peers[i].flights < 2;
}

/* Time passes: later, or from now on with everything that is done. */
static void pass(unsigned how)
{
	if (how < 24) {
		run.now_ns += how * (LBP_NS_PER_S / 4);
		return;
	}
	run.step_ns = (how & 1 ? 3 : 1) * LBP_NS_PER_MS;
	run.other_ns = (how & 6) * LBP_NS_PER_MS;
}

static void operate(uint8_t what)
{
	unsigned how = what >> 3;
	struct peer *peer = &run.peers[how % PEERS];

	switch (what & 7) {
	case 0:
	case 1:
		accept_one((uint8_t)how);
		break;
	case 2:
		peer->flights += peer->flights < 2;
		break;
	case 3:
		turn(&workers[how & 1]);
		break;
	case 4:
		burst(how % PEERS);
		break;
	case 5:
		peer->answers += peer->answers < 2;
		peer->pieces += peer->pieces < 4;
		break;
	case 6:
		peer->is_reset = true;
		break;
	default:
		pass(how);
		break;
	}
}

/* --- one run --- */

static void make_app(void)
{
	static const struct lbp_upstream upstream = {
		.name = "tcp://a:1", .weight = 1};
	static const struct lbp_serial serial = {.octets = {1}, .len = 1};
	struct lbp_acl_name name = {lbp_name_of_serial(&serial), 0};
	struct lbp_acl_grant grant = {.client = 0, .app = 0};
	struct lbp_acl_options list;
	struct lbp_app_options options;

	lbp_acl_options_init(&list);
	list.names = &name;
	list.name_len = 1;
	list.grants = &grant;
	list.grant_len = 1;
	list.client_len = 1;
	list.app_len = 1;
	if (lbp_acl_new(&run.acl, &list) != LBP_OK)
		abort();
	lbp_app_options_init(&options);
	options.id = "app";
	options.acl = run.acl;
	options.upstreams = &upstream;
	options.upstream_len = 1;
	if (lbp_app_new(&run.app.app, &options, 0) != LBP_OK)
		abort();
	run.app.settings.timeouts =
		(struct lbp_session_timeouts){.handshake_ns = 10 * LBP_NS_PER_S,
			.connect_ns = 5 * LBP_NS_PER_S,
			.idle_ns = 60 * LBP_NS_PER_S,
			.linger_ns = LBP_SERVER_LINGER_NS};
	run.target.tls = run.tls;
	pthread_mutex_init(&run.app.lock, NULL);
}

static void make_worker(struct worker *worker)
{
	static const struct poller_ops ops = {
		set, forget, forget, wait_for, free_poller};
	bool is_first = worker == workers;

	worker->poller.ops = &ops;
	worker->mailbox.first = NULL;
	worker->mailbox.last = &worker->mailbox.first;
	if (!loop_init(&worker->loop,
		    is_first ? LBP_EVENT_LOOP_SELECT : LBP_EVENT_LOOP_EPOLL,
		    PLACES + SESSIONS + LOOSE))
		abort();
	conns_init(&worker->conns, &worker->loop, &worker->mailbox,
		&run.capacity, &run.handshakes);
}

static void finish(void)
{
	for (unsigned i = 0; i < WORKERS; i++) {
		turn(&workers[i]);
		conns_stop(&workers[i].conns, LBP_REASON_SHUTDOWN);
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		turn(&workers[i]);
		ORACLE("SRV-43", workers[i].loop.handshakes.first == NULL,
			"a handshake that is over waits for its turn");
		ORACLE("SES-6", conns_load(&workers[i].conns) == 0,
			"a connection is left");
		loop_release(&workers[i].loop);
	}
	check();
	ORACLE("SRV-21", run.complaint == NULL, "%s", run.complaint);
	ORACLE("SRV-40", lbp_sources_taken(run.handshakes.sources) == 0,
		"a place is left");
	handshakes_release(&run.handshakes);
	lbp_app_free(run.app.app);
	lbp_acl_free(run.acl);
	pthread_mutex_destroy(&run.app.lock);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	memset(&run, 0, sizeof(run));
	memset(workers, 0, sizeof(workers));
	run.bytes = (struct bytes){data, len};
	run.now_ns = LBP_NS_PER_S;
	run.tls = bytes_bool(&run.bytes) ? (struct tls_client *)&run : NULL;
	run.model.cap = PLACES;
	make_app();
	capacity_init(&run.capacity, SESSIONS, LOOSE, has_room, NULL);
	if (!handshakes_init(&run.handshakes, PLACES))
		abort();
	for (unsigned i = 0; i < WORKERS; i++)
		make_worker(&workers[i]);
	while (run.bytes.len > 0) {
		operate(bytes_u8(&run.bytes));
		check();
	}
	finish();
	return 0;
}
