/*
 * How connections come about: clients connect, upstreams answer the server's
 * dials, and both shake hands.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "world.h"

#define FIRST_PORT 20000

/* --- clients --- */

static const char *own_ip(enum world_who who)
{
	return who == WHO_STRANGER ? "10.0.0.2" : WORLD_BALANCER;
}

const char *client_ip(const struct client *client)
{
	return client->ip != NULL ? client->ip : own_ip(client->who);
}

/* A header about a client, in one of several ways. */
static size_t write_header(const struct client *client, uint8_t *header)
{
	struct lbp_proxy_client told = {.ends = {.are_known = true,
						.source_port = client->port,
						.destination_port = 443}};

	if (client->is_bad)
		return (size_t)snprintf((char *)header, LBP_PROXY_MAX,
			"PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n");
	if (client->ip == NULL)
		return lbp_proxy_write_local(header, LBP_PROXY_MAX);
	if (client->number % 2 == 0)
		return (size_t)snprintf((char *)header, LBP_PROXY_MAX,
			"PROXY TCP4 %s 198.51.100.1 %u 443\r\n", client->ip,
			client->port);
	if (!lbp_ip_read_v4(
		    &told.ends.source, client->ip, strlen(client->ip)) ||
		!lbp_ip_read_v4(&told.ends.destination, "198.51.100.1", 12))
		abort();
	return lbp_proxy_write(header, LBP_PROXY_MAX, &told);
}

/* Has a balancer connect for it, whose header comes in two pieces. */
static void send_header(struct client *client)
{
	struct peer *peer = &client->peer;
	size_t n;

	client->is_bad =
		client->who == WHO_NO_CERTIFICATE && client->number % 4 == 0;
	if (client->number % 3 != 0)
		client->ip = WORLD_SOURCE;
	peer->out_len = write_header(client, peer->out);
	n = far_send(peer->sock, peer->out,
		client->number * 5 % (peer->out_len + 1));
	peer->out_len -= n;
	memmove(peer->out, peer->out + n, peer->out_len);
}

/* Some come by the other door, while there is one. */
static uint16_t port_of(unsigned app)
{
	if (app == 0 && world.client_len % 3 == 2 && far_listens(PORT_DOOR))
		return PORT_DOOR;
	return (uint16_t)(PORT_APPS + app);
}

struct client *client_connect(unsigned app, enum world_who who)
{
	struct client *client = &world.clients[world.client_len];
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct sockaddr_in from = to;
	struct sock *sock;

	if (world.client_len == WORLD_CLIENTS)
		return NULL;
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	to.sin_port = htons(port_of(app));
	inet_pton(AF_INET, own_ip(who), &from.sin_addr);
	from.sin_port = htons((uint16_t)(FIRST_PORT + world.client_len));
	sock = far_connect(&to, &from);
	if (sock == NULL)
		return NULL;
	world.client_len++;
	*client = (struct client){.peer = {.sock = sock,
					  .is_tls = true,
					  .is_client = true,
					  .touched_ns = kernel_now_ns()},
		.number = world.client_len,
		.app = app,
		.who = who,
		/* When all is well everybody is to be served. */
		.offers = world.stage == 0 ? world.client_len % 4 : 0,
		.port = ntohs(from.sin_port)};
	far_set_user(sock, client);
	if (world.reads_headers && who != WHO_STRANGER)
		send_header(client);
	world_note(
		"client %u, a %u, connects to app%u", client->number, who, app);
	return client;
}

bool client_is_renewed(const struct client *client)
{
	return client->number % 2 == 1;
}

const char *client_offers(const struct client *client)
{
	static const char *const lists[] = {
		"", "\3two", "\5three\3one", "\5three"};

	return lists[client->offers];
}

bool client_is_understood(const struct client *client)
{
	return client->offers != 3 || !world.app[client->app].has_protocols;
}

static void say_certificate(struct client *client)
{
	bool is_renewed = client_is_renewed(client);
	uint8_t payload[3 + sizeof(WORLD_URI)] = {
		(uint8_t)(client->who == WHO_EXPIRED ? LBP_REASON_EXPIRED : 0),
		1,
		(uint8_t)(1 + client->who + (is_renewed ? WIRE_RENEWED : 0))};
	size_t len = 3;

	if (is_renewed) {
		memcpy(payload + len, WORLD_URI, sizeof(WORLD_URI) - 1);
		len += sizeof(WORLD_URI) - 1;
		payload[len++] = (uint8_t)('a' + client->who);
	}
	peer_put(&client->peer, WIRE_CERTIFICATE, payload,
		client->who == WHO_NO_CERTIFICATE ? 0 : len);
}

/* The next message of its handshake, if it is its turn. */
void client_shake_hands(struct client *client)
{
	struct peer *peer = &client->peer;

	if (peer->has_broken || peer->is_open || client->who == WHO_NOBODY ||
		far_is_closed(peer->sock))
		return;
	(void)peer_take(peer, SIZE_MAX);
	if (client->has_shown || (peer->said_hello && !peer->heard_hello))
		return;
	world_note("client %u says %s", client->number,
		peer->said_hello ? "who it is" : "hello");
	if (!peer->said_hello)
		peer_put(peer, WIRE_HELLO, client_offers(client),
			strlen(client_offers(client)));
	else
		say_certificate(client);
	client->has_shown = peer->said_hello;
	peer->said_hello = true;
}

/* --- upstreams --- */

struct upstream *dial_upstream(const struct dial_seen *dial)
{
	return &world.app[dial->app].items[dial->upstream];
}

/* What an upstream does about a connection that waits to be answered. */
void dial_answer(struct dial_seen *dial)
{
	struct upstream *upstream = dial_upstream(dial);

	if (dial->is_answered || far_is_closed(dial->peer.sock))
		return;
	dial->is_answered = upstream->mode != MODE_HANGING;
	dial->peer.touched_ns = kernel_now_ns();
	world_note("dial %u to app%u's %u is answered as %u", dial->number,
		dial->app, dial->upstream, upstream->mode);
	switch (upstream->mode) {
	case MODE_REFUSING:
		far_refuse(dial->peer.sock, ECONNREFUSED);
		dial->peer.has_broken = true;
		break;
	case MODE_UNREACHABLE:
		far_refuse(dial->peer.sock, EHOSTUNREACH);
		dial->peer.has_broken = true;
		break;
	case MODE_HANGING:
		break;
	case MODE_ITSELF:
		far_be_itself(dial->peer.sock);
		dial->is_itself = true;
		break;
	case MODE_RESETTING:
		far_accept(dial->peer.sock);
		peer_break(&dial->peer, ECONNRESET);
		break;
	default:
		far_accept(dial->peer.sock);
		break;
	}
}

/* Room for one more: that of a check which is over, if need be. */
static struct dial_seen *new_dial(void)
{
	if (world.dial_len < WORLD_DIALS)
		return &world.dials[world.dial_len++];
	for (unsigned i = 0; i < WORLD_DIALS; i++) {
		struct dial_seen *dial = &world.dials[i];

		if (dial->client == NULL && far_is_closed(dial->peer.sock))
			return dial;
	}
	abort();
}

void arrivals_dial(struct sock *sock, const struct sockaddr_in *to)
{
	uint32_t address = ntohl(to->sin_addr.s_addr);
	struct dial_seen *dial = new_dial();

	*dial = (struct dial_seen){
		.peer = {.sock = sock, .touched_ns = kernel_now_ns()},
		.number = ++world.dialed,
		.app = address >> 8 & 0xff,
		.upstream = address & 0xff};
	dial->peer.is_tls = dial_upstream(dial)->is_tls;
	dial->peer.is_open = !dial->peer.is_tls;
	dial->peer.awaits_header = world.sends_headers;
	far_set_user(sock, dial);
	world_note("dial %u to app%u's upstream %u", dial->number, dial->app,
		dial->upstream);
	if (dial_upstream(dial)->mode != MODE_HANGING &&
		dial_upstream(dial)->mode != MODE_RESETTING &&
		(world.stage > 0 || bytes_bool(&world.bytes)))
		dial_answer(dial);
}

void dial_shake_hands(struct dial_seen *dial)
{
	struct peer *peer = &dial->peer;
	uint8_t verdict = dial_upstream(dial)->mode == MODE_BAD_CERTIFICATE;

	(void)dial_take(dial, SIZE_MAX);
	if (!peer->is_tls || !peer->heard_hello || peer->said_hello ||
		peer->has_broken)
		return;
	peer->said_hello = true;
	world_note("dial %u: the upstream says hello", dial->number);
	peer_put(peer, WIRE_HELLO, &verdict, 1);
}

unsigned arrivals_resolve(
	const char *name, struct in_addr *addresses, unsigned max)
{
	unsigned a = 0, u = 0;
	char text[24];

	(void)max;
	if (sscanf(name, "n%u-%u.test", &a, &u) != 2 ||
		!world.app[a].items[u].has_address)
		return 0;
	for (unsigned i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", 1 + i, a, u);
		inet_pton(AF_INET, text, &addresses[i]);
	}
	return 2;
}

void arrivals_accepted(struct sock *sock)
{
	struct client *client = far_user(sock);

	client->is_accepted = true;
	client->accepted_ns = kernel_now_ns();
	world_note("client %u is accepted", client->number);
}
