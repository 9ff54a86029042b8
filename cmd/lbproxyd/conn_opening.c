/* PROXY headers of balancers in front, before TLS. [PRX-30] to [PRX-34]. */
#include <errno.h>
#include <stdlib.h>

#include "conn_private.h"
#include "server/fault.h"
#include "server/proxy.h"

/* The beginning of a header. */
struct opening {
	uint8_t bytes[LBP_PROXY_MAX];
	size_t len; /* of what was taken from the socket */
};

bool conn_init_opening(struct conn *conn)
{
	conn->opening = calloc(1, sizeof(*conn->opening));
	return conn->opening != NULL;
}

static ssize_t receive(struct conn *conn, size_t len, int flags)
{
	struct opening *opening = conn->opening;
	ssize_t n;

	do {
		n = recv(conn->client.watch.fd, opening->bytes + opening->len,
			len, flags);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* Takes bytes that were seen already; else it returns what receive did. */
static ssize_t take(struct conn *conn, size_t len)
{
	ssize_t n = 1;

	while (len > 0 && n > 0) {
		n = receive(conn, len, 0);
		if (n > 0) {
			conn->opening->len += (size_t)n;
			len -= (size_t)n;
		}
	}
	return n;
}

static void refuse(struct conn *conn, enum lbp_reason reason, const char *why)
{
	conn->client.tls.detail = why;
	conn_step(conn, (struct lbp_event){.kind = LBP_EVENT_HANDSHAKE_FAILED,
				.reason = reason});
}

/* Nothing more can be read, now or at all. */
static void obstacle(struct conn *conn, bool has_ended, int error)
{
	if (has_ended)
		refuse(conn, LBP_REASON_HANDSHAKE_FAILED,
			"the peer ended before a PROXY header");
	else if (error == EAGAIN)
		conn_await_client(conn);
	else if (lbp_fault_of_socket(error) == LBP_FAULT_PEER)
		refuse(conn, LBP_REASON_HANDSHAKE_FAILED,
			"the peer broke off before a PROXY header");
	else
		conn_step(conn,
			conn_failed(conn, "cannot read a PROXY header", error));
}

/* From now on the connection is that of the header's source. [PRX-32]. */
static void adopt(
	struct conn *conn, const struct lbp_proxy_ends *ends, bool has_more)
{
	struct handshakes *handshakes = conn->conns->handshakes;

	address_set(&conn->peer, &ends->source, ends->source_port);
	address_set(&conn->own, &ends->destination, ends->destination_port);
	handshakes_move(handshakes, &conn->place, &conn->peer);
	if (has_more)
		handshakes_heard(handshakes, &conn->place);
}

void conn_read_opening(struct conn *conn)
{
	struct opening *opening = conn->opening;
	struct lbp_proxy_header header;
	enum lbp_proxy_found found;
	size_t seen, len;
	ssize_t n =
		receive(conn, sizeof(opening->bytes) - opening->len, MSG_PEEK);

	if (n <= 0) {
		obstacle(conn, n == 0, errno);
		return;
	}
	seen = opening->len + (size_t)n;
	found = lbp_proxy_read(opening->bytes, seen, &header);
	if (found == LBP_PROXY_BAD) {
		refuse(conn, LBP_REASON_BAD_PROXY_HEADER, header.fault);
		return;
	}
	/* Of a part, all belongs to the header; TLS follows a whole one. */
	len = found == LBP_PROXY_WHOLE ? header.len : seen;
	n = take(conn, len - opening->len);
	if (n <= 0) {
		obstacle(conn, n == 0, errno);
		return;
	}
	if (found == LBP_PROXY_MORE) {
		conn_await_client(conn);
		return;
	}
	if (header.ends.are_known)
		adopt(conn, &header.ends, seen > len);
	free(conn->opening);
	conn->opening = NULL;
	conn_start_tls(conn);
}
