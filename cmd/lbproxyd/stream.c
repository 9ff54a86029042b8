#include "stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/fault.h"

void stream_init(struct stream *stream, void (*ready)(struct watch *, unsigned))
{
	*stream = (struct stream){.watch = {.fd = -1, .ready = ready},
		.read_on = POLLER_READ,
		.write_on = POLLER_WRITE};
}

void stream_open(struct stream *stream, int fd)
{
	int on = 1;

	stream_init(stream, stream->watch.ready);
	stream->watch.fd = fd;
	/* Bytes are sent as they come: waiting for more only adds delay. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

bool stream_has_pending(const struct stream *stream)
{
	return stream->tls.ssl != NULL && tls_has_pending(&stream->tls);
}

unsigned stream_readiness(const struct stream *stream, unsigned ready)
{
	return (ready & stream->read_on ? LBP_WATCH_READ : 0u) |
	       (ready & stream->write_on ? LBP_WATCH_WRITE : 0u) |
	       (ready & POLLER_ERROR ? LBP_WATCH_ERROR : 0u);
}

bool stream_take_error(struct stream *stream)
{
	if (stream->tls.ssl == NULL || stream->tls.error == 0 ||
		stream->error_taken ||
		lbp_fault_of_socket(stream->tls.error) == LBP_FAULT_OURS)
		return false;
	stream->error_taken = true;
	return true;
}

void stream_watch(struct stream *stream, struct poller *poller, unsigned watch)
{
	unsigned want = (watch & LBP_WATCH_READ ? stream->read_on : 0u) |
			(watch & LBP_WATCH_WRITE ? stream->write_on : 0u);

	if (watch == 0)
		poller_stop(poller, &stream->watch);
	else
		poller_change(poller, &stream->watch, want);
}

void stream_begin_turn(struct stream *stream, size_t budget)
{
	stream->tls.budget = budget;
}

/* Returns true if the failure of a socket call is ours, not the peer's. */
static enum lbp_io failure(int error)
{
	return lbp_fault_of_socket(error) == LBP_FAULT_OURS ? LBP_IO_FAILED
							    : LBP_IO_RESET;
}

static enum lbp_io of_tls(enum io io)
{
	switch (io) {
	case IO_OK:
		return LBP_IO_OK;
	case IO_WANT_READ:
	case IO_WANT_WRITE:
		return LBP_IO_WAIT;
	case IO_YIELD:
		return LBP_IO_YIELD;
	case IO_END:
		return LBP_IO_END;
	case IO_TRUNCATED:
		return LBP_IO_TRUNCATED;
	case IO_RESET:
		return LBP_IO_RESET;
	case IO_FLOOD:
		return LBP_IO_FLOOD;
	default: /* IO_INTERNAL */
		return LBP_IO_FAILED;
	}
}

enum lbp_io stream_drop(struct stream *stream, void *buf, size_t len, size_t *n)
{
	ssize_t rc;

	do {
		rc = recv(stream->watch.fd, buf, len, 0);
	} while (rc < 0 && errno == EINTR);
	if (rc == 0)
		return LBP_IO_END;
	if (rc < 0)
		return errno == EAGAIN ? LBP_IO_WAIT : failure(errno);
	*n = (size_t)rc;
	/* After a short read the socket is empty, or the next read tells. */
	return (size_t)rc == len ? LBP_IO_OK : LBP_IO_WAIT;
}

static enum lbp_io secure_read(
	struct stream *stream, void *buf, size_t len, size_t *n)
{
	size_t got = 0;
	enum io io = tls_read(&stream->tls, buf, len, &got);

	stream->read_on = io == IO_WANT_WRITE ? POLLER_WRITE : POLLER_READ;
	if (io != IO_OK)
		return of_tls(io);
	*n = got;
	if (!tls_has_pending(&stream->tls))
		return LBP_IO_WAIT;
	return stream->tls.budget == 0 ? LBP_IO_YIELD : LBP_IO_OK;
}

enum lbp_io stream_read(struct stream *stream, void *buf, size_t len, size_t *n)
{
	return stream->tls.ssl == NULL ? stream_drop(stream, buf, len, n)
				       : secure_read(stream, buf, len, n);
}

static enum lbp_io plain_write(
	struct stream *stream, const void *buf, size_t len, size_t *n)
{
	ssize_t rc;

	do {
		rc = send(stream->watch.fd, buf, len, MSG_NOSIGNAL);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return errno == EAGAIN ? LBP_IO_WAIT : failure(errno);
	*n = (size_t)rc;
	return (size_t)rc == len ? LBP_IO_OK : LBP_IO_WAIT;
}

static enum lbp_io secure_write(
	struct stream *stream, const void *buf, size_t len, size_t *n)
{
	size_t put = 0;
	enum io io = tls_write(&stream->tls, buf, len, &put);

	stream->write_on = io == IO_WANT_READ ? POLLER_READ : POLLER_WRITE;
	if (io == IO_OK || io == IO_WANT_READ || io == IO_WANT_WRITE)
		*n = put;
	return of_tls(io);
}

enum lbp_io stream_write(
	struct stream *stream, const void *buf, size_t len, size_t *n)
{
	return stream->tls.ssl == NULL ? plain_write(stream, buf, len, n)
				       : secure_write(stream, buf, len, n);
}

int stream_error(const struct stream *stream)
{
	return stream->tls.ssl == NULL ? errno : tls_error(&stream->tls);
}

/* What the socket of a TLS stream has failed with, or 0. */
static int socket_error(const struct stream *stream)
{
	socklen_t len = sizeof(int);
	int error = stream->tls.error;

	if (error == 0)
		(void)getsockopt(
			stream->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

/*
 * A peer that ended TLS and closed its socket answers our close_notify with a
 * reset, which does no harm. A reset that came before does matter.
 */
static enum io end_tls(struct stream *stream)
{
	int error = socket_error(stream);

	if (error == 0)
		return tls_end(&stream->tls);
	stream->tls.error = error;
	return lbp_fault_of_socket(error) == LBP_FAULT_OURS ? IO_INTERNAL
							    : IO_RESET;
}

enum lbp_io stream_end(struct stream *stream)
{
	bool is_tls = stream->tls.ssl != NULL;
	enum io io = is_tls ? end_tls(stream) : IO_OK;

	stream->write_on = io == IO_WANT_READ ? POLLER_READ : POLLER_WRITE;
	if (io != IO_OK)
		return of_tls(io);
	if (shutdown(stream->watch.fd, SHUT_WR) != 0 &&
		!(is_tls && errno == ENOTCONN))
		return failure(errno);
	return LBP_IO_OK;
}

unsigned stream_unsent(const struct stream *stream)
{
	int unsent = 0;

	/* It cannot fail. */
	(void)ioctl(stream->watch.fd, SIOCOUTQ, &unsent);
	return (unsigned)unsent;
}

static void set_tcp(const struct stream *stream, int option, int value)
{
	setsockopt(
		stream->watch.fd, IPPROTO_TCP, option, &value, sizeof(value));
}

void stream_keep_alive(
	struct stream *stream, const struct lbp_keepalive *keepalive)
{
	int on = 1;

	set_tcp(stream, TCP_KEEPIDLE, keepalive->idle_s);
	set_tcp(stream, TCP_KEEPINTVL, keepalive->interval_s);
	set_tcp(stream, TCP_KEEPCNT, keepalive->probes);
	set_tcp(stream, TCP_USER_TIMEOUT, keepalive->timeout_ms);
	setsockopt(stream->watch.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static void be_patient(struct stream *stream,
	const struct lbp_keepalive *keepalive, bool is_patient)
{
	if (stream->is_patient != is_patient)
		set_tcp(stream, TCP_USER_TIMEOUT,
			is_patient ? 0 : keepalive->timeout_ms);
	stream->is_patient = is_patient;
}

bool stream_check_peer(
	struct stream *stream, const struct lbp_keepalive *keepalive)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (stream_unsent(stream) == 0 ||
		getsockopt(stream->watch.fd, IPPROTO_TCP, TCP_INFO, &info,
			&len) != 0) {
		be_patient(stream, keepalive, false);
		return false;
	}
	be_patient(stream, keepalive,
		lbp_keepalive_is_answered(
			keepalive, info.tcpi_unacked, info.tcpi_last_ack_recv));
	return true;
}

void stream_close(struct stream *stream, struct poller *poller, bool reset)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 0};

	tls_release(&stream->tls);
	if (stream->watch.fd < 0)
		return;
	if (reset)
		setsockopt(stream->watch.fd, SOL_SOCKET, SO_LINGER, &linger,
			sizeof(linger));
	poller_forget(poller, &stream->watch);
	close(stream->watch.fd);
	stream->watch.fd = -1;
}
