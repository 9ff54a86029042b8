#include "host.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../cmd/lbproxyd/clock.h"
#include "../cmd/lbproxyd/report.h"
#include "oracle.h"

int __wrap_socket(int family, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_getsockname(int fd, struct sockaddr *address, socklen_t *len);
int __wrap_getpeername(int fd, struct sockaddr *address, socklen_t *len);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
uint8_t *__wrap_loop_take_ring(struct loop *loop);
uint8_t *__real_loop_take_ring(struct loop *loop);
void __wrap_loop_give_ring(struct loop *loop, uint8_t *bytes);
void __real_loop_give_ring(struct loop *loop, uint8_t *bytes);

struct host host;

bool host_is_ours(int error)
{
	switch (error) {
	case EADDRNOTAVAIL:
	case EADDRINUSE:
	case EAGAIN:
	case EPERM:
	case EACCES:
	case ENETDOWN:
	case ENOBUFS:
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case EPROTONOSUPPORT:
	case EAFNOSUPPORT:
	case EINVAL:
		return true;
	default:
		return false;
	}
}

/* An address of the upstream that is dialed fails. */
void host_failed(bool is_ours)
{
	host.local[host.target] += is_ours;
	sides.refused = sides.refused || is_ours;
	if (!is_ours)
		host.was_bad[host.target] = true;
}

void host_start(uint64_t now_ns)
{
	sides_start(NULL);
	host = (struct host){.now_ns = now_ns, .loose = 1};
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	ts->tv_sec = (time_t)(host.now_ns / LBP_NS_PER_S);
	ts->tv_nsec = (long)(host.now_ns % LBP_NS_PER_S);
	return 0;
}

int __wrap_socket(int family, int type, int protocol)
{
	(void)protocol;
	ORACLE("SES-1", host.is_in && sides.conn->session->admitted,
		"a dial for somebody who was not admitted");
	ORACLE("SES-1",
		family == AF_INET && (type & SOCK_NONBLOCK) != 0 &&
			sides.side[1].closed,
		"a dial while another one goes on");
	host.dials++;
	host.target = sides.conn->session->upstream;
	host.is_dialed[host.target] = true;
	host.tried[host.target]++;
	host.began_ns = host.now_ns;
	if (sides.no_socket != 0) {
		errno = sides.no_socket;
		sides.no_socket = 0;
		host_failed(true);
		return -1;
	}
	side_open(&sides.side[1]);
	sides.side[1].refusal = ENOTCONN;
	return SIDE_FD + 1;
}

/* An address has the number of its target and its own in its port. */
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;
	struct side *side = side_of_fd(fd);
	unsigned port = ntohs(in->sin_port);

	ORACLE("SES-5", port / 256 == sides.conn->session->upstream,
		"another upstream than the one chosen");
	ORACLE("SRV-15",
		len == sizeof(*in) && port % 256 + 1 == host.tried[host.target],
		"address %u is not in its turn", port % 256);
	host.dialed_port = in->sin_port;
	side->is_connecting = sides.connects == EINPROGRESS;
	side->refusal = side->is_connecting ? 0 : sides.connects;
	if (sides.connects == 0)
		side->room = 1000;
	if (side->refusal != 0)
		host_failed(host_is_ours(side->refusal));
	errno = sides.connects;
	return errno == 0 ? 0 : -1;
}

static void write_address(
	struct sockaddr *address, socklen_t *len, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = port};

	if (*len < sizeof(in))
		abort();
	memcpy(address, &in, sizeof(in));
	*len = sizeof(in);
}

int __wrap_getsockname(int fd, struct sockaddr *address, socklen_t *len)
{
	bool is_itself = host.is_itself && side_of_fd(fd) == &sides.side[1];

	write_address(
		address, len, is_itself ? host.dialed_port : SIDE_OWN_PORT);
	return 0;
}

int __wrap_getpeername(int fd, struct sockaddr *address, socklen_t *len)
{
	(void)side_of_fd(fd);
	write_address(address, len, host.dialed_port);
	if (host.is_itself)
		host_failed(false);
	host.is_itself = false;
	return 0;
}

bool tls_accept(struct tls *tls, struct tls_server *server, int fd)
{
	(void)server;
	sides.conn = (struct conn *)(void *)((char *)tls -
					     offsetof(struct conn, client.tls));
	if (host.no_tls) {
		host.no_tls = false;
		sides.refused = true;
		return false;
	}
	tls->ssl = (struct ssl_st *)&host;
	side_of_fd(fd)->is_shaking = true;
	side_of_fd(fd)->flights = 2;
	return true;
}

bool tls_connect(struct tls *tls, const struct tls_client *client, int fd)
{
	(void)client;
	ORACLE("SRV-14",
		!side_of_fd(fd)->is_shaking && !side_of_fd(fd)->is_connecting &&
			side_of_fd(fd)->refusal == 0,
		"TLS twice, or too early");
	ORACLE("PRX-20", side_has_header(side_of_fd(fd)),
		"TLS before the header");
	if (host.no_tls) {
		host.no_tls = false;
		host_failed(true);
		return false;
	}
	tls->ssl = (struct ssl_st *)&host;
	side_of_fd(fd)->is_shaking = true;
	side_of_fd(fd)->flights = 2;
	return true;
}

static enum io fail(struct tls *tls, enum lbp_reason reason)
{
	if (side_of_tls(tls) != sides.side)
		host_failed(false);
	tls->reason = reason;
	sides.called = true;
	return IO_RESET;
}

/* Takes the flights that are there; false: the client is not let in. */
static bool take_flights(struct tls *tls, struct side *side)
{
	bool is_let_in = true;

	while (is_let_in && side->messages > 0 && side->flights > 0) {
		side->messages--;
		side->flights--;
		sides.called = true;
		if (side != sides.side || side->flights != 1)
			continue;
		host.was_asked = true;
		is_let_in = tls->identify(tls->user, &host.name, 1);
		ORACLE("SRV-11", is_let_in == host.is_known, "let in: %d",
			is_let_in);
	}
	return is_let_in;
}

enum io tls_handshake(struct tls *tls)
{
	struct side *side = side_of_tls(tls);

	ORACLE("SRV-9", side->is_shaking, "a handshake that is over");
	ORACLE("SRC-3", side != sides.side || host.was_heard,
		"nobody knows that it has sent something");
	ORACLE("SRV-43", !host.is_polling && host.steps == 0,
		"not its turn: %u", host.steps);
	host.steps++;
	if (!take_flights(tls, side))
		return fail(tls, LBP_REASON_BAD_CERTIFICATE);
	/* What came before a reset, or an end, is read before it. */
	if (side->flights > 0 && (side->has_ended || side->is_reset))
		return fail(tls, LBP_REASON_HANDSHAKE_FAILED);
	if (side->flights > 0)
		return IO_WANT_READ;
	if (side->room == 0 && !side->is_reset)
		return IO_WANT_WRITE;
	side->is_shaking = false;
	if (sides.reads_ahead)
		side->pending = side->arrived;
	sides.called = true;
	if (side == sides.side)
		host.is_in = true;
	return IO_OK;
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

void tls_admitted(struct tls *tls, uint32_t client)
{
	ORACLE("SRV-68",
		tls == &sides.conn->client.tls && host.is_in &&
			sides.conn->session->admitted &&
			client == sides.conn->session->client,
		"a TLS session is kept of one who was not let in");
}

bool tls_is_resumed(const struct tls *tls)
{
	(void)tls;
	return true;
}

bool handshakes_enter(struct handshakes *handshakes,
	struct handshake *handshake, struct evictions *evictions,
	const union address *peer)
{
	(void)handshakes;
	(void)evictions;
	ORACLE("SRV-40", !host.has_place && peer->in.sin_port == HOST_PEER_PORT,
		"a second place, or another one's");
	handshake->ticket.order = 1;
	host.has_place = true;
	return true;
}

bool handshakes_leave(
	struct handshakes *handshakes, struct handshake *handshake)
{
	bool had_place = host.has_place;

	(void)handshakes;
	ORACLE("SES-23", had_place || host.is_evicted,
		"a place is given back twice");
	handshake->ticket.order = 0;
	host.has_place = false;
	host.is_evicted = false;
	host.was_told = true;
	return had_place;
}

void handshakes_move(struct handshakes *handshakes, struct handshake *handshake,
	const union address *peer)
{
	(void)handshakes;
	(void)handshake;
	(void)peer;
	host.was_heard = false;
}

void handshakes_heard(
	struct handshakes *handshakes, struct handshake *handshake)
{
	(void)handshakes;
	ORACLE("SRC-3", handshake->ticket.order != 0 && !host.is_in,
		"heard of who is let in");
	host.was_heard = true;
}

struct handshake *handshakes_next_evicted(
	struct handshakes *handshakes, struct evictions *evictions)
{
	bool is_news = host.is_evicted && !host.was_told;

	(void)handshakes;
	(void)evictions;
	host.was_told = true;
	return is_news ? &sides.conn->place : NULL;
}

void host_evict(void)
{
	if (!host.has_place)
		return;
	host.has_place = false;
	host.is_evicted = true;
	host.loose++;
}

void capacity_remove_loose(struct capacity *capacity)
{
	(void)capacity;
	ORACLE("SRV-42", host.loose > 0, "it had a place");
	host.loose--;
}

bool capacity_take(struct capacity *capacity)
{
	(void)capacity;
	ORACLE("SRV-20", host.taken == 0, "a second place");
	host.was_full = host.is_full;
	host.taken += !host.is_full;
	return !host.is_full;
}

void capacity_give(struct capacity *capacity)
{
	(void)capacity;
	ORACLE("SRV-20", host.given < host.taken, "a place that nobody had");
	host.given++;
}

void capacity_exhausted(struct capacity *capacity, const char *what, int error)
{
	(void)capacity;
	ORACLE("SRV-21", sides.refused && what[0] != '\0' && error != 0,
		"nothing was refused: %s", what);
	host.exhausted++;
	sides.is_reported = true;
}

uint64_t strangers_sum_up(uint64_t now_ns)
{
	(void)now_ns;
	return LBP_NEVER;
}

uint64_t report_conn(const struct conn *conn, uint64_t now_ns)
{
	ORACLE("SES-17", conn == sides.conn && host.reports == 0,
		"a second line");
	ORACLE("LOG-3",
		now_ns == host.now_ns && conn->accepted_ns == LBP_NS_PER_S &&
			conn->peer.in.sin_port == HOST_PEER_PORT,
		"another time or peer");
	ORACLE("LOG-3",
		(conn->tls != NULL) == host.is_in &&
			conn->resumed == host.is_in,
		"another TLS");
	ORACLE("SES-17", conn->session->reason != LBP_REASON_NONE, "no reason");
	host.reports++;
	host.reason = conn->session->reason;
	host.reported_ns = now_ns;
	host.is_dialing = sides.side[1].closed || sides.side[1].is_connecting ||
			  sides.side[1].is_shaking ||
			  sides.side[1].refusal != 0 ||
			  !side_has_header(&sides.side[1]);
	return LBP_NEVER;
}

void report_health(struct served_app *app, uint32_t upstream, const char *url,
	enum lbp_health_change change, const char *cause)
{
	pthread_mutex_unlock(&app->lock);
	if (change == LBP_HEALTH_SAME)
		return;
	ORACLE("SRV-97", cause != NULL && cause[0] != '\0',
		"upstream %u: no cause", upstream);
	ORACLE("LOG-21", url[0] == (char)('0' + upstream) && url[1] == '\0',
		"upstream %u is said to be %s", upstream, url);
	ORACLE("SRV-28",
		upstream < 2 &&
			host.is_down[upstream] == (change == LBP_HEALTH_UP),
		"upstream %u is reported twice", upstream);
	host.is_down[upstream] = change == LBP_HEALTH_DOWN;
}

int64_t tls_trusted_until(const struct tls *tls)
{
	(void)tls;
	return INT64_MAX;
}

enum lbp_reason tls_renew(struct tls *tls, const struct tls_server *server)
{
	(void)tls;
	(void)server;
	return LBP_REASON_NONE;
}

bool tls_client_accepts(const struct tls_client *client,
	const struct tls_client *before, const struct tls *tls)
{
	(void)tls;
	return client == before;
}

uint8_t *__wrap_loop_take_ring(struct loop *loop)
{
	if (host.no_ring) {
		host.no_ring = false;
		sides.refused = true;
		return NULL;
	}
	host.rings++;
	return __real_loop_take_ring(loop);
}

void __wrap_loop_give_ring(struct loop *loop, uint8_t *bytes)
{
	host.rings -= bytes != NULL;
	__real_loop_give_ring(loop, bytes);
}
