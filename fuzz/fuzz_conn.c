/*
 * One connection from accept to end: all of the server that is about it, with
 * sockets, TLS and time made up.
 *
 * Input: a byte, whose bits say which upstreams have TLS (2), which have two
 * addresses (2), who the client is (2), whether it is at its limit, and whether
 * there is one upstream only. Who the client is says too what the accept is
 * short of, and where TLS is, whether there are other connections and whether
 * things are hasty; some bytes give sessions a lifetime or the upstream a
 * header, too: see start. Then
 * what happens, one byte each: the lowest bit is the side, the next three say
 * what, the others how much. After each the loop turns until nothing is ready,
 * or once if things are hasty. At the end the server stops.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmd/lbproxyd/clock.h"
#include "bytes.h"
#include "oracle.h"
#include "server/session_timeouts.h"
#include "sockets/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define UPSTREAMS 2

#define LIFETIME_NS (8 * LBP_NS_PER_S)
/* Of which the kernel counts whole seconds. */
#define KEEPALIVE_NS (9 * LBP_NS_PER_S)

static const struct lbp_config_timeouts timeouts = {
	.connect_ns = 5 * LBP_NS_PER_S, .idle_ns = 60 * LBP_NS_PER_S};

static char *clients[2] = {"alice", "bob"};
static struct served_policy policy = {
	.policy = {.clients = clients, .client_len = 2}};

static struct lbp_session ended = {.state = LBP_SESSION_ENDED};

static struct run {
	struct bytes bytes;
	struct lbp_acl *acl;
	struct served_app app;
	bool takes_ends; /* what has no close_notify */
	struct target targets[UPSTREAMS];
	union address addresses[UPSTREAMS][2];
	struct capacity capacity;
	struct mailbox mailbox;
	struct handshakes handshakes;
	struct loop loop;
	struct conns conns;
	struct conn others[2]; /* that have ended, before and after this one */
	int holds;             /* of the application and the targets */
	bool was_at_limit;
	bool was_stopped;
	bool has_two; /* upstreams */
	unsigned addresses_len;
	bool has_waited; /* some time */
	bool is_alone;
	bool is_hasty; /* things happen before all has been done */
} run;

/* As they are configured. */
static char urls[UPSTREAMS][2] = {"0", "1"};

/* --- what it holds --- */

void served_app_release(struct served_app *app)
{
	run.holds -= app == &run.app;
}

struct target *served_app_target(struct served_app *app, uint32_t upstream)
{
	(void)app;
	run.holds++;
	return &run.targets[upstream];
}

struct target *target_hold(struct target *target)
{
	run.holds++;
	return target;
}

void target_release(struct target *target)
{
	run.holds -= target != NULL;
}

static bool is_over(void)
{
	return sides.side[0].closed;
}

/* --- the log, as far as the loop uses it --- */

void log_error(enum lbp_log_level level, const char *message, const char *cause)
{
	(void)level;
	fprintf(stderr, "%s: %s\n", message, cause);
	abort();
}

/* --- the poller, as far as the loop uses it --- */

/* What is ready of what is wanted of a side. */
static unsigned readiness(const struct side *side)
{
	if (is_over() || side->closed)
		return 0;
	if (!side_stream(side)->watch.is_watched)
		return 0;
	return side_readiness(side) &
	       (side_stream(side)->watch.want | POLLER_ERROR);
}

static void poll_side(struct side *side)
{
	struct watch *watch;
	unsigned ready = readiness(side);
	bool had_yielded;

	if (ready == 0)
		return;
	watch = &side_stream(side)->watch;
	sides_turn();
	/* It gave way, and the others have not had their turn. */
	if (sides.conn->has_yielded)
		sides.budget[0] = sides.budget[1] = 0;
	had_yielded = sides.conn->has_yielded;
	side->saw_reset = side->saw_reset || (ready & POLLER_ERROR) != 0;
	host.is_polling = true;
	watch->ready(watch, ready);
	host.is_polling = false;
	if (!had_yielded)
		sides_turned(is_over());
}

/* Until when the loop may sleep: for ever, not at all, or to an alarm. */
static int most_ms(void)
{
	uint64_t due = lbp_timers_due(&run.loop.timers);

	if (run.conns.yielded != NULL || run.loop.handshakes.first != NULL)
		return 0;
	if (due == LBP_NEVER)
		return -1;
	if (due <= host.now_ns)
		return 0;
	return (int)((due - host.now_ns - 1) / LBP_NS_PER_MS + 1);
}

static int wait_for(struct poller *poller, int timeout_ms)
{
	bool is_ready = readiness(&sides.side[0]) != 0 ||
			readiness(&sides.side[1]) != 0;

	(void)poller;
	ORACLE("SES-14", timeout_ms == most_ms(), "it waits for %d ms, not %d",
		timeout_ms, most_ms());
	poll_side(&sides.side[0]);
	poll_side(&sides.side[1]);
	sides_turn();
	return is_ready;
}

static void free_poller(struct poller *poller)
{
	(void)poller;
}

struct poller *poller_select_new(void)
{
	static const struct poller_ops ops = {
		side_watch, side_stop, side_forget, wait_for, free_poller};
	static struct poller poller = {&ops};

	return &poller;
}

struct poller *poller_epoll_new(void)
{
	return NULL;
}

/* --- what holds whenever nothing is ready --- */

/* Does a handshake wait for the peer? */
static bool is_stuck(const struct side *side)
{
	if (!side->is_shaking || side->is_reset)
		return false;
	return side->flights > 0 ? side->messages == 0 && !side->has_ended
				 : side->room == 0;
}

/* When the last address that was tried has had its part of the time. */
static uint64_t address_due(void)
{
	uint64_t end = lbp_session_deadline(sides.conn->session);
	size_t left = run.targets[host.target].addresses.len -
		      host.tried[host.target] + 1;

	return host.began_ns + (end - host.began_ns) / left;
}

static void check_dialing(void)
{
	const struct side *client = &sides.side[0];
	const struct side *upstream = &sides.side[1];
	bool is_unheard = client->arrived > client->pending;

	ORACLE("SES-1", host.was_asked && host.is_known && host.is_in,
		"a dial for anybody");
	ORACLE("SRV-32",
		is_unheard || client->pending > 0 || run.takes_ends ||
			!client->is_truncated,
		"a client that is gone");
	ORACLE("SRV-92",
		host.now_ns < address_due() &&
			lbp_timer_due(&sides.conn->alarm.timer) <=
				address_due(),
		"address %u takes too long", host.tried[host.target]);
	ORACLE("SES-26", !client->is_reset, "a client that has reset");
	ORACLE("SRV-35",
		!upstream->closed && upstream->is_watched &&
			(upstream->is_connecting || is_stuck(upstream) ||
				(upstream->room == 0 && !upstream->is_reset &&
					!side_has_header(upstream))),
		"the dial does not go on");
}

/* Both peers are asked, and who has not got all is looked at. */
static void check_keepalive(const struct conn *conn)
{
	bool is_due;

	if (host.relays_ns == 0)
		host.relays_ns = host.now_ns;
	is_due = host.now_ns >= host.relays_ns + KEEPALIVE_NS / 3;
	for (unsigned i = 0; i < 2; i++) {
		ORACLE("SRV-171", sides.side[i].keeps_alive || !is_due,
			"side %u is not asked whether it is there", i);
		ORACLE("SRV-345", !sides.side[i].keeps_alive || is_due,
			"side %u is asked too early", i);
	}
	ORACLE("SRV-172",
		conn->look_ns == LBP_NEVER ||
			(conn->look_ns > host.now_ns &&
				lbp_timer_due(&conn->alarm.timer) <=
					conn->look_ns),
		"nobody looks whether the peers answer");
}

static void check_state(void)
{
	const struct side *client = &sides.side[0];
	const struct conn *conn = sides.conn;

	ORACLE("SES-23", host.has_place == !conn->session->admitted,
		"it has the place of a handshake: %d", host.has_place);
	ORACLE("SES-14",
		lbp_timer_is_armed(&conn->alarm.timer) &&
			lbp_timer_due(&conn->alarm.timer) <=
				lbp_session_deadline(conn->session),
		"the deadline is forgotten");
	ORACLE("SES-14", lbp_session_deadline(conn->session) > host.now_ns,
		"the deadline has passed");
	ORACLE("SES-16", conn->session->state != LBP_SESSION_ENDED,
		"it has ended, and is there");
	switch (conn->session->state) {
	case LBP_SESSION_HANDSHAKE:
	case LBP_SESSION_AUTHORIZED:
		ORACLE("SRV-35", is_stuck(client),
			"the handshake does not go on");
		break;
	case LBP_SESSION_DIALING:
		check_dialing();
		break;
	case LBP_SESSION_RELAY:
		ORACLE("SRV-15",
			!sides.side[1].is_connecting &&
				sides.side[1].refusal == 0,
			"it is not connected");
		ORACLE("SRV-91", !host.is_itself, "it is, to itself");
		ORACLE("PRX-20", side_has_header(&sides.side[1]),
			"it has no header");
		ORACLE("SRV-14",
			side_is_tls(&sides.side[1]) ==
				(run.targets[conn->session->upstream].tls !=
					NULL),
			"TLS, or none");
		side_check_rest(&sides.side[0]);
		side_check_rest(&sides.side[1]);
		check_keepalive(conn);
		break;
	case LBP_SESSION_RESETTING:
		ORACLE("SES-25", !sides.side[0].closed && !sides.side[1].closed,
			"a side is closed before it has all");
		ORACLE("SRV-82",
			!conn->session->is_flushing ||
				lbp_timer_due(&conn->alarm.timer) <=
					host.now_ns + 20 * LBP_NS_PER_MS,
			"nobody looks whether the last bytes have arrived");
		side_check_rest(&sides.side[0]);
		side_check_rest(&sides.side[1]);
		break;
	case LBP_SESSION_CLOSING:
		ORACLE("SES-12",
			sides.refused ||
				(!client->has_ended && !client->is_reset),
			"a client that has ended");
		ORACLE("SES-3",
			sides.side[1].closed &&
				(client->shut || client->saw_reset ||
					sides.refused),
			"the refusal is not told");
		break;
	case LBP_SESSION_ENDED:
		break;
	}
}

/* Did every address of an upstream fail by our own fault? */
static bool was_local(unsigned upstream)
{
	return host.local[upstream] == run.targets[upstream].addresses.len &&
	       !host.was_bad[upstream];
}

/* All that it held was given back. */
static void check_end(void)
{
	ORACLE("SRV-20", host.given == host.taken, "%u of %u places given back",
		host.given, host.taken);
	ORACLE("SRV-53", conns_load(&run.conns) == 0, "it still counts");
	ORACLE("SRV-42", host.loose == 0, "%d without a place", host.loose);
	ORACLE("SRV-40", !host.has_place, "the place of a handshake is kept");
	ORACLE("SES-17", host.reports == 1, "%u lines", host.reports);
	ORACLE("SES-6", sides.side[0].closed && sides.side[1].closed,
		"a socket is left open");
	for (uint32_t i = 0; i < UPSTREAMS; i++)
		ORACLE("SES-6", lbp_app_open(run.app.app, i) == 0,
			"upstream %u is still counted", i);
	ORACLE("SES-6",
		(lbp_app_leave(run.app.app, 0) == LBP_OK) == run.was_at_limit,
		"the limiter still counts it");
	ORACLE("SRV-19", host.rings == 0, "%d rings", host.rings);
	ORACLE("SRV-28",
		lbp_app_is_ready(run.app.app) ==
			(!host.is_down[0] || (run.has_two && !host.is_down[1])),
		"a change of health is not in the log");
	ORACLE("SES-6",
		run.is_alone ? run.conns.all == NULL
			     : run.conns.all == &run.others[1] &&
				       run.others[1].next == &run.others[0] &&
				       run.others[0].prev == &run.others[1],
		"the others are lost");
	ORACLE("SES-14", lbp_timers_due(&run.loop.timers) == LBP_NEVER,
		"an alarm is left");
	ORACLE("SRV-43",
		run.loop.handshakes.first == NULL &&
			run.loop.handshakes.last == NULL,
		"a handshake waits");
}

/* What became of the upstreams' health. */
static void check_health(void)
{
	const struct side *upstream = &sides.side[1];
	bool is_cut = host.reason == LBP_REASON_UPSTREAM_RESET ||
		      host.reason == LBP_REASON_UPSTREAM_TRUNCATED;
	bool has_spoken = upstream->taken > 0 ||
			  (upstream->saw_end && !upstream->saw_end_late);

	for (unsigned i = 0; i < UPSTREAMS; i++) {
		bool was_cut = is_cut && host.target == i && !has_spoken;

		ORACLE("SRV-110",
			!was_local(i) || host.exhausted > 0 || run.has_waited ||
				(host.target == i &&
					host.reason != LBP_REASON_INTERNAL),
			"no line about upstream %u", i);
		ORACLE("SRV-109",
			!host.is_down[i] || host.was_bad[i] || was_cut ||
				run.has_waited,
			"upstream %u is down by our own fault", i);
		ORACLE("SES-47", !was_cut || host.is_down[i],
			"upstream %u said nothing, and is up", i);
	}
}

/* What a side sent before it broke off went on, as far as it could. */
static void check_delivery(void)
{
	bool down = host.reason == LBP_REASON_UPSTREAM_RESET ||
		    host.reason == LBP_REASON_UPSTREAM_TRUNCATED;
	const struct side *from = &sides.side[down];
	const struct side *to = side_other(from);

	if (!down && host.reason != LBP_REASON_CLIENT_RESET &&
		host.reason != LBP_REASON_CLIENT_TRUNCATED)
		return;
	/* Without an upstream there is nobody to deliver it to. */
	if (host.is_dialing)
		return;
	ORACLE("SRV-82",
		run.has_waited || to->is_reset ||
			(to->given == from->arrived && to->lags == 0),
		"%llu of %llu bytes before a reset",
		(unsigned long long)to->given,
		(unsigned long long)from->arrived);
}

/* How the client saw the end, by the reason in the log. */
static void check_closing(void)
{
	const struct side *client = &sides.side[0];
	const struct side *upstream = &sides.side[1];

	switch (host.reason) {
	case LBP_REASON_DONE:
		ORACLE("SES-7",
			!client->resets && !upstream->resets && client->shut &&
				upstream->shut,
			"a clean end is none");
		break;
	case LBP_REASON_CLIENT_RESET:
		ORACLE("SES-8", client->saw_reset && client->is_reset,
			"the client is there");
		ORACLE("SES-8", host.dials == 0 || upstream->resets,
			"the upstream sees a clean end");
		break;
	case LBP_REASON_UPSTREAM_RESET:
		ORACLE("SES-8", upstream->saw_reset, "the upstream is there");
		ORACLE("SES-8", client->resets, "the client sees a clean end");
		break;
	case LBP_REASON_CLIENT_TRUNCATED:
		ORACLE("SES-8", client->is_truncated && !run.takes_ends,
			"the client has not ended so");
		ORACLE("SES-8", host.dials == 0 || upstream->resets,
			"the upstream sees a clean end");
		break;
	case LBP_REASON_UPSTREAM_TRUNCATED:
		ORACLE("SES-8",
			upstream->is_truncated && client->resets &&
				!run.takes_ends,
			"the upstream has not ended so");
		break;
	case LBP_REASON_CLIENT_FLOOD:
		ORACLE("SRV-88", client->saw_flood && client->resets,
			"the client has not flooded");
		break;
	case LBP_REASON_UPSTREAM_FLOOD:
		ORACLE("SRV-88", upstream->saw_flood && client->resets,
			"the upstream has not flooded");
		break;
	case LBP_REASON_NO_UPSTREAM:
		ORACLE("SES-5",
			host.is_dialed[0] && host.is_dialed[1] == run.has_two,
			"an upstream was not dialed");
		ORACLE("SRV-112",
			run.has_waited || host.dials == run.addresses_len,
			"%u of %u addresses were tried", host.dials,
			run.addresses_len);
		ORACLE("SRV-113",
			run.has_waited || (!was_local(0) && !was_local(1)),
			"the upstreams are blamed");
		/* fall through */
	case LBP_REASON_MAX_CONNECTIONS:
	case LBP_REASON_CONCURRENT_LIMIT:
		ORACLE("SES-22",
			(host.reason == LBP_REASON_MAX_CONNECTIONS) ==
				host.was_full,
			"was there a place: %d", !host.was_full);
		ORACLE("SRV-13", !client->resets, "a refusal is a reset");
		ORACLE("SRV-13",
			client->notified || client->room == 0 ||
				client->is_reset || client->write_needs_read,
			"no close_notify");
		break;
	case LBP_REASON_LIFETIME:
		ORACLE("SES-60",
			host.now_ns >= LIFETIME_NS - LIFETIME_NS / 10 &&
				run.app.settings.lifetime_ns != 0,
			"it has not lasted so long");
		ORACLE("SES-60", client->resets, "the client sees a clean end");
		break;
	case LBP_REASON_INTERNAL:
		ORACLE("SRV-21", sides.refused, "nothing was refused");
		ORACLE("SRV-60", host.exhausted > 0, "no cause was logged");
		ORACLE("SES-46", !was_local(0) || client->resets,
			"the client is not reset");
		break;
	default:
		break;
	}
}

/* A client that was refused is heard until it ends, if memory lasts. */
static void check_linger(void)
{
	const struct side *client = &sides.side[0];

	if (host.reason == LBP_REASON_CONCURRENT_LIMIT ||
		host.reason == LBP_REASON_MAX_CONNECTIONS ||
		host.reason == LBP_REASON_NO_UPSTREAM)
		ORACLE("SRV-13",
			client->saw_end || client->is_reset ||
				run.was_stopped || sides.refused ||
				host.now_ns >=
					host.reported_ns + LBP_SERVER_LINGER_NS,
			"the client may have more to say");
}

/* --- what happens --- */

static void turn_once(void)
{
	host.steps = 0;
	loop_turn(&run.loop, run.conns.yielded == NULL);
	sides_turn();
	conns_turn(&run.conns);
}

/* Another one, that has ended, gave way after this one did. */
static void give_way(void)
{
	struct conn *other = &run.others[0];

	if (run.is_alone || run.conns.yielded == NULL)
		return;
	other->has_yielded = true;
	other->yielded_next = run.conns.yielded;
	run.conns.yielded = other;
}

static void settle(void)
{
	sides.idle = 0;
	do {
		turn_once();
		give_way();
	} while (!run.is_hasty && (readiness(&sides.side[0]) != 0 ||
					  readiness(&sides.side[1]) != 0 ||
					  run.conns.yielded != NULL ||
					  run.loop.handshakes.first != NULL));
	if (!is_over() && !run.is_hasty)
		check_state();
}

static void stop(enum lbp_reason reason)
{
	run.was_stopped = true;
	conns_stop(&run.conns, reason);
	ORACLE("SRV-34",
		!run.others[0].has_yielded ||
			run.conns.yielded == &run.others[0],
		"another one that waits is forgotten");
}

static void hear_of_evictions(void)
{
	bool is_there = !is_over() && !sides.conn->session->admitted;
	struct mail *mail = &run.conns.evictions.mail;
	bool is_evicted = host.is_evicted;

	mail->deliver(mail);
	run.was_stopped = run.was_stopped || (is_there && is_evicted);
	ORACLE("SES-45", is_over() || !is_there || !is_evicted,
		"an evicted handshake goes on");
}

static void pass(unsigned how)
{
	static const uint64_t spans[] = {1, LBP_NS_PER_MS, LBP_NS_PER_S,
		2 * LBP_NS_PER_S - 1, 2 * LBP_NS_PER_S, 5 * LBP_NS_PER_S - 1,
		5 * LBP_NS_PER_S, 10 * LBP_NS_PER_S - 1, 10 * LBP_NS_PER_S,
		60 * LBP_NS_PER_S - 1, 60 * LBP_NS_PER_S, 3600 * LBP_NS_PER_S};

	run.has_waited = true;
	if (how < sizeof(spans) / sizeof(*spans))
		host.now_ns += spans[how];
	else
		stop(how % 2 != 0 ? LBP_REASON_DRAIN_TIMEOUT
				  : LBP_REASON_SHUTDOWN);
}

/* The worker hears of it at once, or in its time. */
static void evict(void)
{
	host_evict();
	if (!run.is_hasty)
		hear_of_evictions();
}

/* One after the other, each time that one is asked for. */
static const int dial_errors[] = {EADDRNOTAVAIL, EADDRINUSE, EAGAIN, EPERM,
	EACCES, ENETDOWN, ENOMEM, EINVAL, EPROTONOSUPPORT, EAFNOSUPPORT,
	ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN};

#define DIAL_ERRORS (sizeof(dial_errors) / sizeof(dial_errors[0]))

static void fail(unsigned how)
{
	static const int errors[] = {
		0, EINPROGRESS, ECONNREFUSED, ENETUNREACH, ENOBUFS};

	switch (how) {
	case 0:
		sides.is_interrupted = true;
		break;
	case 1:
		sides.no_watch = true;
		break;
	case 2:
		sides.no_shutdown = true;
		break;
	case 3:
		sides.no_socket = EMFILE;
		break;
	case 4:
		host.no_tls = true;
		break;
	case 5:
		host.no_ring = true;
		break;
	case 6:
		sides.reads_ahead = true;
		break;
	case 12:
		sides.no_socket = ENFILE;
		break;
	case 13:
		sides.no_socket = EAFNOSUPPORT;
		break;
	case 14:
		host.is_full = true;
		break;
	case 15:
		sides.connects = dial_errors[host.draws++ % DIAL_ERRORS];
		break;
	default:
		sides.connects = errors[(how - 7) % 5];
		break;
	}
}

/* What a socket takes that was connected just now; a header needs more. */
static uint64_t first_room(unsigned how)
{
	return sides.has_headers && how > 12 ? how - 13 : 1000;
}

/* A connection attempt is decided, or a flight of a handshake arrives. */
static void go_on(struct side *side, unsigned how)
{
	static const int refusals[] = {
		ECONNREFUSED, ECONNREFUSED, EADDRNOTAVAIL, EACCES};

	if (side->is_connecting) {
		side->is_connecting = false;
		side->refusal = how < 4 ? refusals[how] : 0;
		side->room = how < 4 ? 0 : first_room(how);
		host.is_itself = how == 4;
		if (how < 4)
			host_failed(refusals[how] == EADDRNOTAVAIL);
	} else if (side->flights > side->messages) {
		side->messages++;
		/* Bytes may come with the last one. */
		if (how >= 8 && side->messages == side->flights)
			side_arrive(side, how);
	}
}

/* Has it been told but a PROXY header, before a handshake? */
static bool is_to_shake(const struct side *side)
{
	const struct conn *conn = sides.conn;

	return side != sides.side && conn != NULL &&
	       conn->dial.target != NULL && conn->dial.target->tls != NULL &&
	       !side_is_tls(side);
}

/*
 * What a peer sends after its handshake comes after the handshake; who was
 * refused in it sends what he likes.
 */
static bool can_send(const struct side *side)
{
	bool is_refused = side == sides.side && sides.conn != NULL &&
			  sides.conn->session->state == LBP_SESSION_CLOSING;

	return !side->closed && !side->is_connecting && side->refusal == 0 &&
	       !is_to_shake(side) &&
	       (side->flights == side->messages * side->is_shaking ||
		       is_refused);
}

static void break_off(struct side *side, unsigned how)
{
	switch (how) {
	case 1:
		side_reset(side);
		/* Before the server looked, the dial has failed. */
		if (side != sides.side &&
			sides.conn->session->state == LBP_SESSION_DIALING)
			host.was_bad[host.target] = true;
		break;
	case 6:
		if (can_send(side))
			side_truncate(side);
		break;
	case 3:
		side->floods = side_is_tls(side) && !side->is_shaking;
		break;
	case 4:
		side->lags = 1000;
		break;
	case 5:
		side->lags = 0;
		break;
	default:
		break;
	}
}

static void happen(uint8_t what)
{
	struct side *side = &sides.side[what & 1];
	unsigned how = what >> 4;

	switch (what >> 1 & 7) {
	case 0:
		if (can_send(side))
			side_arrive(
				side, how < 13 ? 1 + how : sides_amount(how));
		break;
	case 1:
		go_on(side, how);
		break;
	case 2:
		if (!side->closed && !side->is_connecting)
			side->room += sides_amount(how);
		break;
	case 3:
		if (can_send(side))
			side_end(side);
		break;
	case 4:
		if (how == 2)
			evict();
		else if (!side->closed && !side->is_connecting &&
			 side->refusal == 0)
			break_off(side, how);
		break;
	case 5:
		if (how < 8)
			pass(how);
		else
			fail(how - 8);
		break;
	case 6:
		pass(how);
		break;
	case 7:
		fail(how);
		break;
	}
}

/* --- one run --- */

static void make_app(uint8_t how)
{
	static const struct lbp_upstream upstreams[UPSTREAMS] = {
		{.name = "tcp://a:1", .weight = 1},
		{.name = "tcp://b:1", .weight = 1}};
	struct lbp_acl_name names[2] = {
		{{.serial = {.octets = {1}, .len = 1}}, 0},
		{{.serial = {.octets = {2}, .len = 1}}, 1}};
	struct lbp_acl_grant grant = {
		.client = 0, .app = 0, .limits = {.concurrent = 1}};
	struct lbp_acl_options list;
	struct lbp_app_options options;

	lbp_acl_options_init(&list);
	list.names = names;
	list.name_len = 2;
	list.grants = &grant;
	list.grant_len = 1;
	list.client_len = 2;
	list.app_len = 1;
	if (lbp_acl_new(&run.acl, &list) != LBP_OK)
		abort();
	lbp_app_options_init(&options);
	options.id = "app";
	options.acl = run.acl;
	options.upstreams = upstreams;
	options.upstream_len = how & 0x80 ? 1 : UPSTREAMS;
	options.health.enabled = true;
	options.health.interval_ns = LBP_NS_PER_S;
	options.health.rise = 1;
	options.health.fall = 1;
	if (lbp_app_new(&run.app.app, &options, 0) != LBP_OK)
		abort();
	run.has_two = options.upstream_len > 1;
	run.was_at_limit = how & 0x40;
	if (run.was_at_limit && lbp_app_admit(run.app.app, 0, 0) != LBP_OK)
		abort();
}

static void make_targets(uint8_t how)
{
	for (unsigned i = 0; i < UPSTREAMS; i++) {
		for (unsigned j = 0; j < 2; j++) {
			struct sockaddr_in *in = &run.addresses[i][j].in;

			in->sin_family = AF_INET;
			in->sin_port = htons((uint16_t)(i * 256 + j));
		}
		run.targets[i].url = urls[i];
		run.targets[i].addresses.items = run.addresses[i];
		run.targets[i].addresses.len = how >> (2 + i) & 1 ? 2 : 1;
		if (i == 0 || run.has_two)
			run.addresses_len += how >> (2 + i) & 1 ? 2 : 1;
		run.targets[i].tls =
			how >> i & 1 ? (struct tls_client *)&run : NULL;
	}
}

/* The serial: of one who may, of one who may not, of nobody. */
static uint8_t whose(uint8_t how)
{
	uint8_t kind = how >> 4 & 3;

	return kind == 1 && (how & 0x40) != 0 ? 3 : 1 + kind;
}

static void start(uint8_t how)
{
	make_app(how);
	make_targets(how);
	pthread_mutex_init(&run.app.lock, NULL);
	run.takes_ends = (how & 0xfc) == 0x8c;
	run.app.settings = (struct snapshot_settings){
		.timeouts =
			{
				.handshake_ns = 10 * LBP_NS_PER_S,
				.connect_ns = timeouts.connect_ns,
				.idle_ns = timeouts.idle_ns,
				.linger_ns = LBP_SERVER_LINGER_NS,
			},
		.keepalive_ns = KEEPALIVE_NS,
		.takes_unclean_end = run.takes_ends};
	run.app.settings.sends_proxy_header = (how & 0xf8) == 0x88;
	run.app.policy = &policy;
	if ((how & 0xfc) == 0x84)
		run.app.settings.lifetime_ns = LIFETIME_NS;
	if (!loop_init(&run.loop, LBP_EVENT_LOOP_SELECT, 4))
		abort();
	conns_init(&run.conns, &run.loop, &run.mailbox, &run.capacity,
		&run.handshakes);
	for (unsigned i = 0; i < 2; i++) {
		run.others[i].conns = &run.conns;
		run.others[i].app = &run.app;
		run.others[i].session = &ended;
	}
	host_start(LBP_NS_PER_S);
	host.name = (struct lbp_name){.kind = LBP_NAME_SERIAL,
		.serial = {.octets = {whose(how)}, .len = 1}};
	host.is_known = (how >> 4 & 3) == 0;
	sides.connects = EINPROGRESS;
	sides.has_headers = run.app.settings.sends_proxy_header;
	side_open(&sides.side[0]);
	host.no_tls = (how >> 4 & 3) == 2;
	sides.no_watch = (how >> 4 & 3) == 3;
	run.is_alone = (how & 3) == 3;
	run.is_hasty = (how & 3) == 2;
}

/* The client's connection may come between two others. */
static void accept_client(void)
{
	static const union address peer = {
		.in = {.sin_family = AF_INET, .sin_port = HOST_PEER_PORT}};

	run.conns.all = run.is_alone ? NULL : &run.others[0];
	conns_expect(&run.conns);
	run.holds = 1;
	conn_start(&run.conns, &run.app, SIDE_FD, &peer);
	if (run.is_alone)
		return;
	run.others[1].next = run.conns.all;
	run.conns.all->prev = &run.others[1];
	run.conns.all = &run.others[1];
}

static void finish(void)
{
	if (run.was_stopped || host.is_evicted)
		hear_of_evictions();
	if (!is_over())
		stop(LBP_REASON_SHUTDOWN);
	for (int i = 0; i < 3 && !is_over(); i++) {
		host.now_ns += 3 * LBP_NS_PER_S;
		turn_once();
	}
	ORACLE("SES-14", is_over(), "it does not end");
	check_closing();
	check_health();
	check_delivery();
	check_linger();
	conns_turn(&run.conns);
	ORACLE("RLD-12", run.holds == 0, "%d holds are left", run.holds);
	check_end();
	loop_release(&run.loop);
	lbp_app_free(run.app.app);
	lbp_acl_free(run.acl);
	pthread_mutex_destroy(&run.app.lock);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	memset(&run, 0, sizeof(run));
	run.bytes = (struct bytes){data, len};
	start(bytes_u8(&run.bytes));
	accept_client();
	while (run.bytes.len > 0 && !is_over()) {
		happen(bytes_u8(&run.bytes));
		settle();
	}
	finish();
	return 0;
}
