#include "side.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "oracle.h"

#define FD         1000 /* of the client's socket; the next is the upstream's */
#define RECORD_MAX 16384

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_close(int fd);
int __real_close(int fd);
int __wrap_setsockopt(
	int fd, int level, int name, const void *value, socklen_t len);
void __wrap_lbp_session_moved(struct lbp_session *session, uint64_t now_ns);

struct sides sides;
/* What both peers send, from different places on. */
static uint8_t pattern[SIDE_BYTES_MAX + 1000];
static uint8_t *rings[2];

static void start_once(void)
{
	uint32_t value = 1;

	if (rings[0] != NULL)
		return;
	for (size_t i = 0; i < sizeof(pattern); i++) {
		value = value * 1664525 + 1013904223;
		pattern[i] = (uint8_t)(value >> 24);
	}
	/* Of exactly their size, for the sanitizers. */
	rings[0] = malloc(RING_BYTES);
	rings[1] = malloc(RING_BYTES);
	if (rings[0] == NULL || rings[1] == NULL)
		abort();
}

static void start_side(
	struct side *side, struct stream *stream, int fd, uint64_t early)
{
	struct tls tls = stream->tls;

	stream_init(stream, NULL);
	stream->read_on = POLLER_WRITE;
	stream_open(stream, fd);
	stream->tls = tls;
	/* A handshake may leave it so. */
	stream->can_write = false;
	if (tls.ssl != NULL)
		side->arrived = side->pending = early;
	side->may_be_full = true;
	stream_begin(stream);
	ORACLE("SRV-35", side->no_delay, "small pieces are kept back");
}

void sides_start(
	struct conn *conn, bool client_tls, bool upstream_tls, uint64_t early)
{
	start_once();
	memset(&sides, 0, sizeof(sides));
	sides.conn = conn;
	/* Nothing looks into it. */
	conn->client.tls.ssl = client_tls ? (struct ssl_st *)conn : NULL;
	conn->upstream.tls.ssl = upstream_tls ? (struct ssl_st *)conn : NULL;
	start_side(&sides.side[0], &conn->client, FD, early);
	start_side(&sides.side[1], &conn->upstream, FD + 1, early);
	lbp_flow_init(&conn->session.flow);
}

static void close_side(
	const struct side *side, struct stream *stream, bool reset)
{
	bool tls = stream->tls.ssl != NULL;

	stream_close(stream, NULL, reset);
	ORACLE("SRV-17", side->closed && side->no_linger == reset,
		"closed: %d, with a reset: %d", side->closed, side->no_linger);
	ORACLE("SRV-17", side->forgotten && (!tls || side->released),
		"the poller or TLS still knows it");
	stream_close(stream, NULL, reset);
}

void sides_close(bool reset)
{
	close_side(&sides.side[0], &sides.conn->client, reset);
	close_side(&sides.side[1], &sides.conn->upstream, reset);
}

struct stream *side_stream(const struct side *side)
{
	return side == sides.side ? &sides.conn->client : &sides.conn->upstream;
}

struct side *side_other(const struct side *side)
{
	return side == sides.side ? &sides.side[1] : &sides.side[0];
}

static struct side *side_of_fd(int fd)
{
	if (fd != FD && fd != FD + 1)
		abort();
	return &sides.side[fd - FD];
}

static struct side *side_of_tls(const struct tls *tls)
{
	return &sides.side[tls == &sides.conn->upstream.tls];
}

/* A side with TLS is used through TLS, one without is not. */
static struct side *plain_side(int fd)
{
	struct side *side = side_of_fd(fd);

	ORACLE("SRV-8", side_stream(side)->tls.ssl == NULL,
		"a call of a socket that has TLS");
	return side;
}

static struct side *tls_side(const struct tls *tls)
{
	ORACLE("SRV-8", tls->ssl != NULL, "a call of TLS without it");
	return side_of_tls(tls);
}

static const uint8_t *sent_by(const struct side *side, uint64_t at)
{
	return pattern + (side == sides.side ? 0 : 1000) + at;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Of the socket itself, without what TLS has read from it. */
static bool is_readable(const struct side *side)
{
	return side->arrived > side->taken + side->pending || side->has_ended ||
	       side->has_message;
}

unsigned side_readiness(const struct side *side)
{
	if (side->is_reset)
		return POLLER_READ | POLLER_WRITE;
	return (is_readable(side) ? POLLER_READ : 0) |
	       (side->room > 0 ? POLLER_WRITE : 0);
}

/* Hands out bytes of a side to the relay. */
static size_t take(struct side *side, void *buf, size_t len, uint64_t n)
{
	uint64_t *budget = &sides.budget[side - sides.side];

	n = min(n, len);
	memcpy(buf, sent_by(side, side->taken), n);
	side->taken += n;
	ORACLE("SRV-34", n <= *budget, "%llu bytes too much in one turn",
		(unsigned long long)(n - *budget));
	*budget -= n;
	sides.called = sides.called || n > 0;
	return n;
}

/* Gets bytes for a side from the relay. */
static size_t give(struct side *side, const void *buf, uint64_t n)
{
	struct side *from = side_other(side);

	n = min(n, side->room);
	ORACLE("SRV-16", !side->shut && !side->notified, "bytes after the end");
	ORACLE("SRV-16",
		side->given + n <= from->taken &&
			memcmp(buf, sent_by(from, side->given), n) == 0,
		"other bytes than those that came");
	side->given += n;
	side->room -= n;
	sides.called = true;
	return n;
}

static bool is_interrupted(void)
{
	bool is = sides.is_interrupted;

	sides.is_interrupted = false;
	errno = is ? EINTR : EAGAIN;
	return is;
}

static ssize_t fail_reset(struct side *side)
{
	side->saw_reset = true;
	errno = ECONNRESET;
	return -1;
}

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
	struct side *side = plain_side(fd);
	bool may_be_empty;
	size_t n;

	ORACLE("SRV-35", len > 0 && flags == 0, "a read of nothing");
	ORACLE("SRV-16", !side->saw_end, "a read after the end");
	if (side->is_reset)
		return fail_reset(side);
	if (is_interrupted())
		return -1;
	n = take(side, buf, len, side->arrived - side->taken);
	may_be_empty = side->may_be_empty;
	side->may_be_empty = n == len;
	if (n > 0)
		return (ssize_t)n;
	ORACLE("SRV-35", side->has_ended || may_be_empty, "a read in vain");
	if (!side->has_ended)
		return -1;
	side->saw_end = true;
	sides.called = true;
	return 0;
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
	struct side *side = plain_side(fd);

	ORACLE("SRV-26", flags == MSG_NOSIGNAL, "a write that may kill");
	ORACLE("SRV-35", len > 0, "a write of nothing");
	if (side->is_reset)
		return fail_reset(side);
	if (is_interrupted())
		return -1;
	ORACLE("SRV-35", side->room > 0 || side->may_be_full,
		"a write in vain");
	side->may_be_full = side->room >= len;
	return side->room == 0 ? -1 : (ssize_t)give(side, buf, len);
}

int __wrap_shutdown(int fd, int how)
{
	struct side *side = side_of_fd(fd);
	const struct side *from = side_other(side);

	ORACLE("SRV-16", how == SHUT_WR && !side->shut,
		"not one end of sending");
	ORACLE("SRV-16", from->saw_end && side->given == from->arrived,
		"an end after %llu of %llu bytes",
		(unsigned long long)side->given,
		(unsigned long long)from->arrived);
	ORACLE("SRV-16", side->notified == (side_stream(side)->tls.ssl != NULL),
		"close_notify: %d", side->notified);
	sides.called = true;
	if (sides.no_shutdown) {
		sides.no_shutdown = false;
		side->saw_reset = true;
		errno = ENOBUFS;
		return -1;
	}
	side->shut = true;
	if (!side->is_reset)
		return 0;
	errno = ENOTCONN;
	return -1;
}

/* TLS reads its own messages whatever it was asked for. */
static void get_message(struct side *side)
{
	if (!side->has_message)
		return;
	side->has_message = false;
	side->write_needs_read = false;
	side->may_be_idle = true;
	sides.called = true;
}

/* What a write of TLS waits for, if it waits. */
static enum io write_waits(struct side *side)
{
	get_message(side);
	if (side->write_needs_read)
		return IO_WANT_READ;
	return side->room == 0 ? IO_WANT_WRITE : IO_OK;
}

enum io tls_read(struct tls *tls, void *buf, size_t len, size_t *n)
{
	struct side *side = tls_side(tls);

	ORACLE("SRV-35", len > 0, "a read of nothing");
	ORACLE("SRV-16", !side->saw_end, "a read after the end");
	if (side->is_reset) {
		side->saw_reset = true;
		return IO_RESET;
	}
	if (side->read_needs_write && side->room == 0)
		return IO_WANT_WRITE;
	if (side->read_needs_write)
		side->may_be_idle = true;
	side->read_needs_write = false;
	if (side->pending == 0) {
		get_message(side);
		side->pending = min(side->arrived - side->taken, RECORD_MAX);
	}
	if (side->pending > 0) {
		*n = take(side, buf, len, side->pending);
		side->pending -= *n;
		return IO_OK;
	}
	ORACLE("SRV-35", side->has_ended || side->may_be_idle,
		"a read in vain");
	if (!side->has_ended)
		return IO_WANT_READ;
	side->saw_end = true;
	sides.called = true;
	return IO_END;
}

enum io tls_write(struct tls *tls, const void *buf, size_t len, size_t *n)
{
	struct side *side = tls_side(tls);
	enum io io;

	ORACLE("SRV-35", len > 0, "a write of nothing");
	/* OpenSSL refuses less than what it could not write before. */
	ORACLE("SRV-16", len >= side->retry, "%zu bytes, before %llu", len,
		(unsigned long long)side->retry);
	if (side->is_reset) {
		side->saw_reset = true;
		return IO_RESET;
	}
	io = write_waits(side);
	side->retry = io == IO_OK ? 0 : min(len, RECORD_MAX);
	if (io == IO_OK)
		*n = give(side, buf, min(len, RECORD_MAX));
	return io;
}

enum io tls_end(struct tls *tls)
{
	struct side *side = tls_side(tls);
	enum io io;

	ORACLE("SRV-16", !side->notified, "close_notify twice");
	if (side->is_reset) {
		side->saw_reset = true;
		return IO_RESET;
	}
	io = write_waits(side);
	side->notified = io == IO_OK;
	sides.called = sides.called || io == IO_OK;
	return io;
}

bool tls_has_pending(const struct tls *tls)
{
	return tls_side(tls)->pending > 0;
}

void tls_release(struct tls *tls)
{
	side_of_tls(tls)->released = true;
	tls->ssl = NULL;
}

int __wrap_setsockopt(
	int fd, int level, int name, const void *value, socklen_t len)
{
	struct side *side = side_of_fd(fd);
	const struct linger *linger = value;
	const int *on = value;

	if (level == IPPROTO_TCP && name == TCP_NODELAY && len == sizeof(*on))
		side->no_delay = *on != 0;
	if (level == SOL_SOCKET && name == SO_LINGER && len == sizeof(*linger))
		side->no_linger = linger->l_onoff != 0 && linger->l_linger == 0;
	return 0;
}

int __wrap_close(int fd)
{
	struct side *side;

	if (fd < FD)
		return __real_close(fd);
	side = side_of_fd(fd);
	ORACLE("SRV-17", !side->closed, "closed twice");
	side->closed = true;
	return 0;
}

/* The poller is told before the number can be another socket's. */
void poller_forget(struct poller *poller, struct watch *watch)
{
	(void)poller;
	ORACLE("SRV-17", !side_of_fd(watch->fd)->closed, "a closed socket");
	side_of_fd(watch->fd)->forgotten = true;
}

int poller_set(struct poller *poller, struct watch *watch, unsigned want)
{
	(void)poller;
	if (sides.no_watch) {
		sides.no_watch = false;
		sides.refused = true;
		errno = ENOSPC;
		return -1;
	}
	sides.called = sides.called || watch->want != want;
	watch->want = want;
	return 0;
}

uint8_t *loop_take_ring(struct loop *loop)
{
	unsigned i = sides.rings & 1;

	ORACLE("SRV-18", loop == sides.conn->conns->loop && sides.rings != 3,
		"more than two rings");
	if (sides.no_ring) {
		sides.no_ring = false;
		sides.refused = true;
		return NULL;
	}
	sides.rings |= 1u << i;
	return rings[i];
}

void loop_give_ring(struct loop *loop, uint8_t *bytes)
{
	unsigned i = bytes == rings[1];

	if (bytes == NULL)
		return;
	ORACLE("SRV-19",
		loop == sides.conn->conns->loop && bytes == rings[i] &&
			(sides.rings >> i & 1) != 0,
		"no ring, or one that was given back");
	sides.rings &= ~(1u << i);
}

void __wrap_lbp_session_moved(struct lbp_session *session, uint64_t now_ns)
{
	(void)now_ns;
	sides.moved = session == &sides.conn->session;
}
