#include "dial.h"

#include <errno.h>
#include <sys/socket.h>

/* Is this failure ours rather than the upstream's? */
static bool is_local(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM ||
	       error == ENOBUFS;
}

static enum dial_result local_failure(
	struct stream *stream, struct poller *poller)
{
	int error = errno;

	stream_close(stream, poller, false);
	errno = error;
	return DIAL_LOCAL;
}

static enum dial_result handshake(struct stream *stream, struct poller *poller)
{
	unsigned want;

	switch (tls_handshake(&stream->tls)) {
	case IO_OK:
		return DIAL_DONE;
	case IO_WANT_READ:
		want = POLLER_READ;
		break;
	case IO_WANT_WRITE:
		want = POLLER_WRITE;
		break;
	default:
		stream_close(stream, poller, false);
		return DIAL_FAILED;
	}
	if (poller_set(poller, &stream->watch, want) != 0)
		return local_failure(stream, poller);
	return DIAL_PENDING;
}

static enum dial_result connected(
	struct dial *dial, struct stream *stream, struct poller *poller)
{
	dial->connected = true;
	if (dial->target->tls == NULL)
		return DIAL_DONE;
	if (!tls_connect(&stream->tls, dial->target->tls, stream->watch.fd))
		return local_failure(stream, poller);
	return handshake(stream, poller);
}

/* Tries the next addresses until one connects or may do so. */
static enum dial_result connect_next(
	struct dial *dial, struct stream *stream, struct poller *poller)
{
	while (dial->next < dial->target->addresses.len) {
		const union address *address =
			&dial->target->addresses.items[dial->next++];
		int fd = socket(address->sa.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		if (fd < 0)
			return is_local(errno) ? DIAL_LOCAL : DIAL_FAILED;
		stream_open(stream, fd);
		if (connect(fd, &address->sa, address_len(address)) == 0 ||
			errno == EINPROGRESS) {
			if (poller_set(poller, &stream->watch, POLLER_WRITE))
				return local_failure(stream, poller);
			return DIAL_PENDING;
		}
		if (is_local(errno))
			return local_failure(stream, poller);
		stream_close(stream, poller, false);
	}
	return DIAL_FAILED;
}

enum dial_result dial_start(struct dial *dial, const struct target *target,
	struct stream *stream, struct poller *poller)
{
	*dial = (struct dial){.target = target};
	return connect_next(dial, stream, poller);
}

enum dial_result dial_ready(
	struct dial *dial, struct stream *stream, struct poller *poller)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (dial->connected)
		return handshake(stream, poller);
	getsockopt(stream->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error == 0)
		return connected(dial, stream, poller);
	stream_close(stream, poller, false);
	return connect_next(dial, stream, poller);
}
