#include "side.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "oracle.h"

#define RECORD_MAX     16384
#define TURN_BYTES_MAX (256 * 1024) /* [SRV-34] */
/* A call that was interrupted is one turn in which nothing happens. */
#define IDLE_TURNS_MAX 2

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_close(int fd);
int __real_close(int fd);
int __wrap_setsockopt(
	int fd, int level, int name, const void *value, socklen_t len);

struct sides sides;
/* What both peers send, from different places on. */
static uint8_t pattern[SIDE_BYTES_MAX + 1000];

static void draw_pattern(void)
{
	uint32_t value = 1;

	if (pattern[1] != 0)
		return;
	for (size_t i = 0; i < sizeof(pattern); i++) {
		value = value * 1664525 + 1013904223;
		pattern[i] = (uint8_t)(value >> 24);
	}
}

void sides_start(struct conn *conn)
{
	draw_pattern();
	memset(&sides, 0, sizeof(sides));
	sides.conn = conn;
	sides.side[0].closed = true;
	sides.side[1].closed = true;
}

void sides_turn(void)
{
	sides.called = false;
	for (unsigned i = 0; i < 2; i++) {
		sides.budget[i] = TURN_BYTES_MAX;
		sides.side[i].may_be_idle = false;
	}
}

void sides_turned(bool is_over)
{
	sides.idle = sides.called ? 0 : sides.idle + 1;
	ORACLE("SRV-35", is_over || sides.idle < IDLE_TURNS_MAX,
		"turns in which nothing happens");
}

uint32_t sides_amount(unsigned how)
{
	static const uint32_t amounts[16] = {1, 2, 3, 100, 1000, 16384, 16385,
		65535, 65536, 65537, 131072, 262143, 262144, 262145, 300000,
		1u << 20};

	return amounts[how];
}

void side_open(struct side *side)
{
	*side = (struct side){.may_be_full = true};
}

void side_arrive(struct side *side, uint64_t n)
{
	uint64_t left = SIDE_BYTES_MAX - side->arrived;

	if (side->has_ended)
		return;
	side->arrived += n < left ? n : left;
	if (side->write_needs_read)
		side->messages = 1;
}

void side_end(struct side *side)
{
	side_arrive(side, 0);
	side->has_ended = true;
}

struct stream *side_stream(const struct side *side)
{
	return side == sides.side ? &sides.conn->client : &sides.conn->upstream;
}

struct side *side_other(const struct side *side)
{
	return side == sides.side ? &sides.side[1] : &sides.side[0];
}

struct side *side_of_fd(int fd)
{
	ORACLE("SRV-17",
		(fd == SIDE_FD || fd == SIDE_FD + 1) &&
			!sides.side[fd - SIDE_FD].closed,
		"a call of a socket that is closed");
	return &sides.side[fd - SIDE_FD];
}

bool side_is_tls(const struct side *side)
{
	return side_stream(side)->tls.ssl != NULL;
}

struct side *side_of_tls(const struct tls *tls)
{
	return &sides.side[tls == &sides.conn->upstream.tls];
}

/* A side with TLS is used through TLS, one without is not. */
static struct side *plain_side(int fd)
{
	struct side *side = side_of_fd(fd);

	ORACLE("SRV-15", !side->is_connecting && side->refusal == 0,
		"it is not connected");
	ORACLE("SRV-8", !side_is_tls(side), "a call of a socket that has TLS");
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
	       side->messages > 0;
}

unsigned side_readiness(const struct side *side)
{
	if (side->is_connecting)
		return 0;
	if (side->is_reset || side->refusal != 0)
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

/* The client is asked whether it is still there, or is not heard any more. */
static ssize_t look(struct side *side, size_t len, bool drop)
{
	bool is_there = side->arrived > side->taken + side->pending ||
			side->messages > 0;

	ORACLE("SRV-13", side == sides.side && len > 0,
		"this is not the client");
	if (side->is_reset)
		return fail_reset(side);
	if (is_interrupted())
		return -1;
	sides.called = is_there || side->has_ended;
	if (is_there && drop) {
		side->taken = side->arrived;
		side->pending = side->messages = 0;
	}
	if (is_there)
		return 1;
	side->saw_end = side->has_ended && drop;
	return side->has_ended ? 0 : -1;
}

static ssize_t receive(struct side *side, void *buf, size_t len)
{
	bool may_be_empty;
	size_t n;

	ORACLE("SRV-35", len > 0, "a read of nothing");
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

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
	struct side *side = side_of_fd(fd);

	if (flags == MSG_PEEK)
		return look(side, len, false);
	if (sides.conn->session.state == LBP_SESSION_CLOSING)
		return look(side, len, true);
	return receive(plain_side(fd), buf, len);
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

/* An end is passed on, after all that was before it. */
static void check_end(const struct side *side)
{
	const struct side *from = side_other(side);

	ORACLE("SRV-16", from->saw_end && side->given == from->arrived,
		"an end after %llu of %llu bytes",
		(unsigned long long)side->given,
		(unsigned long long)from->arrived);
	ORACLE("SRV-16", side->notified == side_is_tls(side),
		"close_notify: %d", side->notified);
}

int __wrap_shutdown(int fd, int how)
{
	struct side *side = side_of_fd(fd);

	ORACLE("SRV-16", how == SHUT_WR && !side->shut,
		"not one end of sending");
	if (sides.conn->session.state == LBP_SESSION_RELAY)
		check_end(side);
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
	if (side->messages == 0)
		return;
	side->messages = 0;
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
	ORACLE("SRV-11", !side->is_shaking, "close_notify in a handshake");
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
		side->resets = linger->l_onoff != 0 && linger->l_linger == 0;
	return 0;
}

int __wrap_close(int fd)
{
	struct side *side;

	if (fd < SIDE_FD)
		return __real_close(fd);
	side = side_of_fd(fd);
	ORACLE("SRV-17", !side->is_watched, "the poller still knows it");
	ORACLE("SRV-17", !side_is_tls(side), "TLS is left");
	side->closed = true;
	return 0;
}

/* The poller is told before the number can be another socket's. */
void side_forget(struct poller *poller, struct watch *watch)
{
	(void)poller;
	side_of_fd(watch->fd)->is_watched = false;
}

int side_watch(struct poller *poller, struct watch *watch, unsigned want)
{
	(void)poller;
	/* To watch for other things than before takes no memory. */
	if (sides.no_watch && watch->want == 0) {
		sides.no_watch = false;
		sides.refused = true;
		errno = ENOSPC;
		return -1;
	}
	side_of_fd(watch->fd)->is_watched = want != 0;
	sides.called = true;
	return 0;
}

void side_check_rest(const struct side *from)
{
	const struct side *to = side_other(from);
	bool can_write = to->room > 0 && !to->write_needs_read;
	bool is_full = from->taken - to->given == RING_BYTES;
	bool can_read = !from->read_needs_write || from->room > 0;

	if (from->is_reset || to->is_reset)
		return;
	ORACLE("SRV-18", from->taken - to->given <= RING_BYTES,
		"more than a ring is kept");
	ORACLE("SRV-35", from->taken == from->arrived || is_full || !can_read,
		"%llu of %llu bytes are not read",
		(unsigned long long)(from->arrived - from->taken),
		(unsigned long long)from->arrived);
	ORACLE("SRV-35", to->given == from->taken || !can_write,
		"%llu bytes are not written",
		(unsigned long long)(from->taken - to->given));
	ORACLE("SRV-35",
		!from->has_ended || from->saw_end || is_full || !can_read,
		"the end is not read");
	ORACLE("SRV-35",
		!from->saw_end || to->shut || to->given < from->taken ||
			!can_write,
		"the end is not passed on");
}
