/* Clients and upstreams: what they say, hear and check. */
#include <errno.h>
#include <string.h>

#include "oracle.h"
#include "world.h"

uint8_t peer_byte(unsigned number, bool is_client, uint64_t at)
{
	if (at < 2)
		return (uint8_t)(number >> (8 * at));
	return (uint8_t)(number * 7 + at * 31 + (at >> 8) + is_client * 101);
}

void peer_flush(struct peer *peer)
{
	size_t n = far_send(peer->sock, peer->out, peer->out_len);

	peer->out_len -= n;
	memmove(peer->out, peer->out + n, peer->out_len);
	if (n > 0 || peer->ends_tcp)
		peer->touched_ns = kernel_now_ns();
	if (peer->out_len == 0 && peer->ends_tcp) {
		peer->ends_tcp = false;
		far_end(peer->sock);
	}
}

static void put_bytes(struct peer *peer, const void *bytes, size_t len)
{
	memcpy(peer->out + peer->out_len, bytes, len);
	peer->out_len += len;
}

/* Does so much data fit, in whatever it is sent? */
static bool has_room(const struct peer *peer, size_t n)
{
	return sizeof(peer->out) - peer->out_len >= n + 2 * WIRE_HEADER;
}

/* What does not fit is not said; there is always room for the end. */
void peer_put(
	struct peer *peer, enum wire_type type, const void *payload, size_t len)
{
	uint8_t *out = peer->out + peer->out_len;

	if (type != WIRE_CLOSE && !has_room(peer, len))
		return;
	out[0] = (uint8_t)type;
	out[1] = (uint8_t)(len >> 8);
	out[2] = (uint8_t)len;
	peer->out_len += WIRE_HEADER;
	if (len > 0)
		put_bytes(peer, payload, len);
	peer->touched_ns = kernel_now_ns();
	peer_flush(peer);
}

void peer_send_data(struct peer *peer, unsigned number, size_t n)
{
	uint8_t data[WIRE_PAYLOAD_MAX];

	if (n > sizeof(data))
		n = sizeof(data);
	/* Those who hear of it say nothing more. */
	if (peer->has_ended || peer->has_broken || !has_room(peer, n) ||
		(peer->is_tls && !peer->is_open))
		return;
	for (size_t i = 0; i < n; i++)
		data[i] = peer_byte(number, peer->is_client, peer->sent + i);
	peer->sent += n;
	peer->touched_ns = kernel_now_ns();
	if (peer->is_tls) {
		peer_put(peer, WIRE_DATA, data, n);
		return;
	}
	put_bytes(peer, data, n);
	peer_flush(peer);
}

void peer_truncate(struct peer *peer)
{
	if (peer->has_ended || peer->has_broken)
		return;
	peer->has_broken = peer->has_truncated = true;
	peer->touched_ns = kernel_now_ns();
	peer->ends_tcp = true;
	peer_flush(peer);
}

void peer_end(struct peer *peer)
{
	if (peer->has_ended || peer->has_broken)
		return;
	if (peer->is_tls && !peer->is_open) {
		peer_truncate(peer);
		return;
	}
	peer->has_ended = true;
	if (peer->is_tls)
		peer_put(peer, WIRE_CLOSE, NULL, 0);
	peer->ends_tcp = true;
	peer->touched_ns = kernel_now_ns();
	peer_flush(peer);
}

void peer_break(struct peer *peer, int error)
{
	if (peer->saw_reset || peer->has_reset || peer->has_vanished)
		return;
	peer->has_broken = peer->has_reset = true;
	peer->out_len = 0;
	peer->touched_ns = kernel_now_ns();
	far_break(peer->sock, error);
}

void peer_vanish(struct peer *peer)
{
	if (peer->has_ended || peer->has_broken || peer->saw_reset)
		return;
	peer->has_broken = peer->has_vanished = true;
	peer->vanished_ns = kernel_now_ns();
	far_vanish(peer->sock);
}

bool peer_is_over(const struct peer *peer)
{
	return far_is_closed(peer->sock) &&
	       (peer->saw_end || peer->saw_reset || peer->has_broken);
}

/* --- what is heard --- */

/* Data that arrived at a client or an upstream: those of one other peer. */
static void check_data(struct peer *peer, const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n; i++, peer->got++) {
		if (peer->got < 2) {
			peer->from |= (unsigned)data[i] << (8 * peer->got);
			continue;
		}
		ORACLE("SRV-33",
			data[i] == peer_byte(peer->from, !peer->is_client,
					   peer->got),
			"byte %llu is not that of %u",
			(unsigned long long)peer->got, peer->from);
	}
}

/* What a record comes to. */
static void hear(struct peer *peer, const uint8_t *record, size_t len)
{
	ORACLE("SRV-16", !peer->saw_close, "a record after the end");
	switch (record[0]) {
	case WIRE_HELLO:
		peer->heard_hello = true;
		break;
	case WIRE_FINISHED:
		peer->is_open = true;
		break;
	case WIRE_DATA:
		ORACLE("SES-1", peer->is_open, "data before the handshake");
		check_data(peer, record + WIRE_HEADER, len - WIRE_HEADER);
		break;
	case WIRE_CLOSE:
		peer->saw_close = true;
		break;
	case WIRE_ALERT:
		ORACLE("SRV-11", !peer->is_open, "an alert after a handshake");
		peer->was_refused = true;
		break;
	default:
		break;
	}
}

/* Takes what belongs to a header; the number of bytes after it. */
static size_t hear_header(struct peer *peer, uint8_t *bytes, size_t len)
{
	struct lbp_proxy_header header;
	size_t i = 0;

	while (peer->awaits_header && i < len) {
		enum lbp_proxy_found found;

		peer->header[peer->header_len++] = bytes[i++];
		found = lbp_proxy_read(peer->header, peer->header_len, &header);
		ORACLE("PRX-20", found != LBP_PROXY_BAD, "%s", header.fault);
		peer->awaits_header = found == LBP_PROXY_MORE;
	}
	memmove(bytes, bytes + i, len - i);
	return len - i;
}

bool peer_take(struct peer *peer, size_t n)
{
	uint8_t bytes[WIRE_RECORD_MAX];
	size_t want = sizeof(bytes) < n ? sizeof(bytes) : n;
	size_t took = far_take(peer->sock, bytes, want);
	size_t got = hear_header(peer, bytes, took);

	if (!peer->is_tls)
		check_data(peer, bytes, got);
	for (size_t i = 0; peer->is_tls && i < got; i++) {
		size_t len;

		peer->in[peer->in_len++] = bytes[i];
		len = (size_t)peer->in[1] << 8 | peer->in[2];
		if (peer->in_len < WIRE_HEADER ||
			peer->in_len < WIRE_HEADER + len)
			continue;
		hear(peer, peer->in, peer->in_len);
		peer->in_len = 0;
	}
	peer->saw_end = far_sees_end(peer->sock);
	peer->saw_reset = far_sees_reset(peer->sock);
	if (took > 0)
		peer->touched_ns = kernel_now_ns();
	return took > 0;
}

/* Whose bytes arrive at an upstream is known once two of them have. */
static void find_client(struct dial_seen *dial)
{
	unsigned number = dial->peer.from;
	struct client *client;

	ORACLE("SRV-33", number >= 1 && number <= world.client_len,
		"nobody sent what arrives");
	client = &world.clients[number - 1];
	ORACLE("SRV-33", client->upstream == NULL,
		"two upstreams get the bytes of client %u", number);
	ORACLE("SES-1",
		client->app == dial->app && client->who <= WHO_CAROL &&
			(client->who != WHO_BOB || client->app == 0),
		"client %u may not come, and its bytes arrive", number);
	ORACLE("SRV-91", !dial->is_itself || kernel_faults() > 0,
		"client %u's bytes go to the server itself", number);
	ORACLE("PRX-21", !world.sends_headers || dial->told == client,
		"the header is not about client %u", number);
	ORACLE("APP-30",
		dial_upstream(dial)->drained_ns == 0 ||
			client->accepted_ns <= dial_upstream(dial)->drained_ns,
		"client %u gets an upstream that drains", number);
	dial->client = client;
	client->upstream = dial;
}

/* Who it is said to be, once that is known: nobody, in a check. */
static void find_told(struct dial_seen *dial)
{
	struct lbp_proxy_header header;
	struct lbp_ip ip;
	enum lbp_proxy_found found = lbp_proxy_read(
		dial->peer.header, dial->peer.header_len, &header);

	if (found != LBP_PROXY_WHOLE || dial->peer.header[12] == 0x20)
		return;
	for (unsigned i = 0; i < world.client_len; i++) {
		if (world.clients[i].port == header.ends.source_port)
			dial->told = &world.clients[i];
	}
	ORACLE("PRX-21",
		dial->told != NULL && dial->told->app == dial->app &&
			dial->told->who <= WHO_CAROL,
		"a header about port %u", header.ends.source_port);
	(void)lbp_ip_read_v4(
		&ip, client_ip(dial->told), strlen(client_ip(dial->told)));
	ORACLE("PRX-21", memcmp(&ip, &header.ends.source, sizeof(ip)) == 0,
		"client %u has another address", dial->told->number);
}

bool dial_take(struct dial_seen *dial, size_t n)
{
	bool took = peer_take(&dial->peer, n);

	if (dial->told == NULL)
		find_told(dial);
	if (dial->client == NULL && dial->peer.got >= 2)
		find_client(dial);
	return took;
}
