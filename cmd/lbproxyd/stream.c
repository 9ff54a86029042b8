#include "stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

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
}

static enum io plain_read(
	struct stream *stream, void *buf, size_t len, size_t *n)
{
	ssize_t rc = recv(stream->watch.fd, buf, len, 0);

	if (rc > 0) {
		/* Less than asked for: the socket is empty, or will say so. */
		stream->can_read = (size_t)rc == len;
		*n = (size_t)rc;
		return IO_OK;
	}
	stream->can_read = false;
	if (rc == 0)
		return IO_END;
	return errno == EAGAIN || errno == EINTR ? IO_WANT_READ : IO_RESET;
}

enum io stream_read(struct stream *stream, void *buf, size_t len, size_t *n)
{
	enum io io;

	if (stream->tls.ssl == NULL)
		return plain_read(stream, buf, len, n);
	io = tls_read(&stream->tls, buf, len, n);
	stream->can_read = io == IO_OK && tls_has_pending(&stream->tls);
	stream->read_on = io == IO_WANT_WRITE ? POLLER_WRITE : POLLER_READ;
	return io;
}

static enum io plain_write(
	struct stream *stream, const void *buf, size_t len, size_t *n)
{
	ssize_t rc = send(stream->watch.fd, buf, len, MSG_NOSIGNAL);

	if (rc >= 0) {
		stream->can_write = (size_t)rc == len;
		*n = (size_t)rc;
		return IO_OK;
	}
	stream->can_write = false;
	return errno == EAGAIN || errno == EINTR ? IO_WANT_WRITE : IO_RESET;
}

enum io stream_write(
	struct stream *stream, const void *buf, size_t len, size_t *n)
{
	enum io io;

	if (stream->tls.ssl == NULL)
		return plain_write(stream, buf, len, n);
	io = tls_write(&stream->tls, buf, len, n);
	stream->can_write = io == IO_OK;
	stream->write_on = io == IO_WANT_READ ? POLLER_READ : POLLER_WRITE;
	return io;
}

enum io stream_end(struct stream *stream)
{
	enum io io = IO_OK;

	if (stream->tls.ssl != NULL)
		io = tls_end(&stream->tls);
	if (io == IO_WANT_READ || io == IO_WANT_WRITE) {
		stream->can_write = false;
		stream->write_on =
			io == IO_WANT_READ ? POLLER_READ : POLLER_WRITE;
		return io;
	}
	if (io == IO_OK && shutdown(stream->watch.fd, SHUT_WR) != 0 &&
		errno != ENOTCONN)
		io = IO_RESET;
	return io;
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
