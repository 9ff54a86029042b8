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
	stream->can_write = true;
	stream->budget = SIZE_MAX;
	/* Bytes are passed on as they come: waiting for more only delays. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void stream_begin(struct stream *stream)
{
	stream->can_read =
		stream->tls.ssl != NULL && tls_has_pending(&stream->tls);
	stream->can_write = true;
}

void stream_ready(struct stream *stream, unsigned ready)
{
	if (ready & stream->read_on)
		stream->can_read = true;
	if (ready & stream->write_on)
		stream->can_write = true;
	if (ready & POLLER_ERROR)
		stream->has_failed = stream->can_read = true;
}

void stream_begin_turn(struct stream *stream, size_t budget)
{
	stream->budget = stream->tls.budget = budget;
}

bool stream_is_exhausted(const struct stream *stream)
{
	return stream->tls.ssl != NULL ? stream->tls.budget == 0
				       : stream->budget == 0;
}

bool stream_can_read(const struct stream *stream)
{
	return stream->can_read && !stream_is_exhausted(stream);
}

/* Is this failure of a call of a socket ours rather than the peer's? */
static enum io failure(int error)
{
	return lbp_fault_of_socket(error) == LBP_FAULT_OURS ? IO_INTERNAL
							    : IO_RESET;
}

static enum io plain_read(
	struct stream *stream, void *buf, size_t len, size_t *n)
{
	ssize_t rc;

	if (len > stream->budget)
		len = stream->budget;
	do {
		rc = recv(stream->watch.fd, buf, len, 0);
	} while (rc < 0 && errno == EINTR);
	/* Less than asked for: the socket is empty, or will say so. */
	stream->can_read = rc > 0 && ((size_t)rc == len || stream->has_failed);
	if (rc == 0)
		return IO_END;
	if (rc < 0)
		return errno == EAGAIN ? IO_WANT_READ : failure(errno);
	stream->budget -= (size_t)rc;
	*n = (size_t)rc;
	return IO_OK;
}

static enum io secure_read(
	struct stream *stream, void *buf, size_t len, size_t *n)
{
	enum io io = tls_read(&stream->tls, buf, len, n);

	stream->can_read = io == IO_YIELD ||
			   (io == IO_OK && (tls_has_pending(&stream->tls) ||
						   stream->has_failed));
	stream->read_on = io == IO_WANT_WRITE ? POLLER_WRITE : POLLER_READ;
	return io;
}

enum io stream_read(struct stream *stream, void *buf, size_t len, size_t *n)
{
	enum io io = stream->tls.ssl == NULL ? plain_read(stream, buf, len, n)
					     : secure_read(stream, buf, len, n);

	/* After a reset the kernel may know of an end only. */
	if (stream->has_failed &&
		(io == IO_END || io == IO_TRUNCATED || io == IO_WANT_READ ||
			io == IO_WANT_WRITE))
		io = IO_RESET;
	stream->has_failed = stream->has_failed || io == IO_RESET;
	stream->is_truncated = io == IO_TRUNCATED;
	return io;
}

static enum io plain_write(
	struct stream *stream, const void *buf, size_t len, size_t *n)
{
	ssize_t rc;

	do {
		rc = send(stream->watch.fd, buf, len, MSG_NOSIGNAL);
	} while (rc < 0 && errno == EINTR);
	stream->can_write = rc >= 0 && (size_t)rc == len;
	if (rc < 0)
		return errno == EAGAIN ? IO_WANT_WRITE : failure(errno);
	*n = (size_t)rc;
	return IO_OK;
}

static enum io secure_write(
	struct stream *stream, const void *buf, size_t len, size_t *n)
{
	enum io io = tls_write(&stream->tls, buf, len, n);

	stream->can_write = io == IO_OK;
	stream->write_on = io == IO_WANT_READ ? POLLER_READ : POLLER_WRITE;
	return io;
}

/* What it sent before it failed is worth reading, at once. */
static enum io note_failure(struct stream *stream, enum io io)
{
	if (io == IO_RESET)
		stream->has_failed = stream->can_read = true;
	return io;
}

enum io stream_write(
	struct stream *stream, const void *buf, size_t len, size_t *n)
{
	return note_failure(stream,
		stream->tls.ssl == NULL ? plain_write(stream, buf, len, n)
					: secure_write(stream, buf, len, n));
}

static bool has_error(const struct stream *stream)
{
	socklen_t len = sizeof(int);
	int error = 0;

	return stream->tls.error != 0 ||
	       (getsockopt(stream->watch.fd, SOL_SOCKET, SO_ERROR, &error,
			&len) == 0 &&
		       error != 0);
}

/*
 * A peer that has ended TLS and closed its socket answers close_notify with a
 * reset, of which nothing comes. One that came before is another matter.
 */
static enum io end_tls(struct stream *stream)
{
	return has_error(stream) ? IO_RESET : tls_end(&stream->tls);
}

enum io stream_end(struct stream *stream)
{
	bool is_tls = stream->tls.ssl != NULL;
	enum io io = is_tls ? end_tls(stream) : IO_OK;

	if (io == IO_WANT_READ || io == IO_WANT_WRITE) {
		stream->can_write = false;
		stream->write_on =
			io == IO_WANT_READ ? POLLER_READ : POLLER_WRITE;
		return io;
	}
	if (io == IO_OK && shutdown(stream->watch.fd, SHUT_WR) != 0 &&
		!(is_tls && errno == ENOTCONN))
		io = failure(errno);
	return note_failure(stream, io);
}

unsigned stream_unsent(const struct stream *stream)
{
	int unsent = 0;

	return ioctl(stream->watch.fd, SIOCOUTQ, &unsent) == 0
		       ? (unsigned)unsent
		       : 0;
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
