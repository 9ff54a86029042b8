#include "dial.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "server/dial_time.h"
#include "server/fault.h"
#include "server/proxy.h"

/* Records how an address failed, and whose fault that is. */
static void give_up(
	struct dial *dial, enum lbp_fault fault, int error, const char *cause)
{
	if (fault == LBP_FAULT_PEER)
		dial->failed = true;
	else
		dial->error = error;
	/* Of what counts against the upstream, the cause is its own too. */
	if (fault == LBP_FAULT_PEER || !dial->failed)
		dial->cause = cause;
	stream_close(dial->stream, dial->poller, false);
}

static void give_up_local(struct dial *dial, int error)
{
	give_up(dial, LBP_FAULT_OURS, error, strerror(error));
}

static enum dial_result watch(struct dial *dial, unsigned want)
{
	if (poller_set(dial->poller, &dial->stream->watch, want) == 0)
		return DIAL_PENDING;
	give_up_local(dial, errno);
	return DIAL_FAILED;
}

static void give_up_handshake(struct dial *dial)
{
	const struct tls *tls = &dial->stream->tls;

	if (tls->reason == LBP_REASON_INTERNAL)
		give_up_local(dial, tls_error(tls));
	else
		give_up(dial, LBP_FAULT_PEER, 0,
			tls->detail != NULL ? tls->detail
					    : "reset in the TLS handshake");
}

/* Its handshake was completed by the trust that the dial began with. */
static enum dial_result judge(struct dial *dial)
{
	if (dial->renewed == NULL ||
		tls_client_accepts(
			dial->renewed, dial->target->tls, &dial->stream->tls))
		return DIAL_DONE;
	give_up(dial, LBP_FAULT_PEER, 0,
		"its certificate is not trusted "
		"since a reload");
	return DIAL_FAILED;
}

static enum dial_result handshake(struct dial *dial)
{
	switch (tls_handshake(&dial->stream->tls)) {
	case IO_OK:
		return judge(dial);
	case IO_WANT_READ:
		return watch(dial, POLLER_READ);
	case IO_WANT_WRITE:
		return watch(dial, POLLER_WRITE);
	default:
		give_up_handshake(dial);
		return DIAL_FAILED;
	}
}

static enum dial_result start_handshake(struct dial *dial)
{
	if (dial->target->tls == NULL)
		return DIAL_DONE;
	dial->phase = DIAL_HANDSHAKE;
	if (tls_connect(&dial->stream->tls, dial->target->tls,
		    dial->stream->watch.fd))
		return handshake(dial);
	give_up_local(dial, ENOMEM);
	return DIAL_FAILED;
}

/* Sends the header, or its rest, and goes on once all of it is sent. */
static enum dial_result send_header(struct dial *dial)
{
	uint8_t header[LBP_PROXY_MAX];
	size_t len = dial->write_header(dial, header);
	size_t n = 0;
	enum lbp_io io;
	int error;

	if (len == 0) {
		give_up_local(dial, errno);
		return DIAL_FAILED;
	}
	io = stream_write(
		dial->stream, header + dial->sent, len - dial->sent, &n);
	error = errno;
	dial->sent += n;
	if (io == LBP_IO_WAIT)
		return watch(dial, POLLER_WRITE);
	if (io == LBP_IO_OK)
		return start_handshake(dial);
	give_up(dial, lbp_fault_of_socket(error), error, strerror(error));
	return DIAL_FAILED;
}

/*
 * If nobody listens on a local port, our own socket may be given that very
 * port, and TCP connects it to itself. [SRV-91].
 */
static bool is_connected_to_itself(const struct dial *dial)
{
	const struct addresses *addresses = &dial->target->addresses;
	int fd = dial->stream->watch.fd;
	union address own, peer;
	socklen_t own_len = sizeof(own);
	socklen_t peer_len = sizeof(peer);

	/* Most have another port, and need not be asked for more. */
	return addresses->path == NULL &&
	       getsockname(fd, &own.sa, &own_len) == 0 &&
	       address_port(&own) ==
		       address_port(&addresses->items[dial->next - 1]) &&
	       getpeername(fd, &peer.sa, &peer_len) == 0 &&
	       address_equal(&own, &peer);
}

static enum dial_result connected(struct dial *dial)
{
	if (is_connected_to_itself(dial)) {
		/* A reset frees the port at once, to be listened on. */
		stream_close(dial->stream, dial->poller, true);
		give_up(dial, LBP_FAULT_PEER, 0, "connected to itself");
		return DIAL_FAILED;
	}
	if (dial->write_header == NULL)
		return start_handshake(dial);
	dial->phase = DIAL_HEADER;
	dial->sent = 0;
	return send_header(dial);
}

static enum dial_result connect_to(
	struct dial *dial, const struct sockaddr *address, socklen_t len)
{
	int error;
	int fd = socket(address->sa_family,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		give_up_local(dial, errno);
		return DIAL_FAILED;
	}
	stream_open(dial->stream, fd);
	if (connect(fd, address, len) == 0)
		return watch(dial, POLLER_WRITE);
	error = errno;
	if (error == EINPROGRESS)
		return watch(dial, POLLER_WRITE);
	give_up(dial,
		address->sa_family == AF_UNIX ? lbp_fault_of_path(error)
					      : lbp_fault_of_dial(error),
		error, strerror(error));
	return DIAL_FAILED;
}

static enum dial_result connect_to_next(struct dial *dial)
{
	const struct addresses *addresses = &dial->target->addresses;
	const union address *address;

	if (addresses->path != NULL) {
		dial->next++;
		return connect_to(dial,
			(const struct sockaddr *)addresses->path,
			sizeof(*addresses->path));
	}
	address = &addresses->items[dial->next++];
	return connect_to(dial, &address->sa, address_len(address));
}

/*
 * Continues after the result of one address: tries the next ones as long as
 * they fail at once.
 */
static enum dial_result go_on(struct dial *dial, enum dial_result result)
{
	while (result == DIAL_FAILED && dial->next < dial->len) {
		size_t left = dial->len - dial->next;

		dial->phase = DIAL_CONNECT;
		dial->due_ns = lbp_dial_due(
			clock_now_ns(), dial->end_ns, (uint32_t)left);
		result = connect_to_next(dial);
	}
	return result == DIAL_FAILED && !dial->failed ? DIAL_LOCAL : result;
}

enum dial_result dial_start(struct dial *dial, const struct target *target,
	struct stream *stream, struct poller *poller, uint64_t end_ns)
{
	*dial = (struct dial){.target = target,
		.stream = stream,
		.poller = poller,
		.write_header = dial->write_header,
		.end_ns = end_ns};
	dial->len = addresses_count(&target->addresses);
	return go_on(dial, DIAL_FAILED);
}

void dial_renew(struct dial *dial, const struct tls_client *client)
{
	dial->renewed = client;
}

/* The result of an attempt to connect. */
static enum dial_result connect_ready(struct dial *dial)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(dial->stream->watch.fd, SOL_SOCKET, SO_ERROR, &error,
		    &len) != 0) {
		give_up_local(dial, errno);
		return DIAL_FAILED;
	}
	if (error == 0)
		return connected(dial);
	give_up(dial, lbp_fault_of_socket(error), error, strerror(error));
	return DIAL_FAILED;
}

static enum dial_result phase_ready(struct dial *dial)
{
	switch (dial->phase) {
	case DIAL_CONNECT:
		return connect_ready(dial);
	case DIAL_HEADER:
		return send_header(dial);
	default: /* DIAL_HANDSHAKE */
		return handshake(dial);
	}
}

enum dial_result dial_ready(struct dial *dial)
{
	return go_on(dial, phase_ready(dial));
}

const char *dial_late_cause(const struct dial *dial)
{
	switch (dial->phase) {
	case DIAL_CONNECT:
		return "timed out";
	case DIAL_HEADER:
		return "timed out before it took the PROXY header";
	default: /* DIAL_HANDSHAKE */
		return "timed out in the TLS handshake";
	}
}

enum dial_result dial_late(struct dial *dial)
{
	give_up(dial, LBP_FAULT_PEER, 0, dial_late_cause(dial));
	return go_on(dial, DIAL_FAILED);
}
