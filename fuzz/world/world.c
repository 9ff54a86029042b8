/* What happens around the server, one thing after the other. */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/statics.h"
#include "oracle.h"

#define FIRST_PORT 20000
/* More steps than a run can need to come to its end. */
#define STAGE_STEPS 20000
/* How many connections may be there at once. */
#define PRESENT_MAX 24

struct world world;
static bool is_verbose;

void world_be_verbose(void)
{
	is_verbose = true;
}

void world_note(const char *format, ...)
{
	uint64_t now = kernel_now_ns();
	va_list args;

	if (!is_verbose)
		return;
	printf("%6llu.%06llu  ", (unsigned long long)(now / KERNEL_S),
		(unsigned long long)(now % KERNEL_S / 1000));
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

/* --- clients --- */

static struct client *connect_client(unsigned app, enum world_who who)
{
	struct client *client = &world.clients[world.client_len];
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct sockaddr_in from = to;
	struct sock *sock;

	if (world.client_len == WORLD_CLIENTS)
		return NULL;
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	to.sin_port = htons((uint16_t)(8000 + app));
	inet_pton(AF_INET, who == WHO_STRANGER ? "10.0.0.2" : "10.0.0.1",
		&from.sin_addr);
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
		.port = ntohs(from.sin_port)};
	far_set_user(sock, client);
	world_note(
		"client %u, a %u, connects to app%u", client->number, who, app);
	return client;
}

static void say_certificate(struct client *client)
{
	uint8_t payload[2] = {
		(uint8_t)(client->who == WHO_EXPIRED ? LBP_REASON_EXPIRED : 0),
		(uint8_t)(1 + client->who)};

	peer_put(&client->peer, WIRE_CERTIFICATE, payload,
		client->who == WHO_NO_CERTIFICATE ? 0 : sizeof(payload));
}

/* The next message of its handshake, if it is its turn. */
static void shake_hands(struct client *client)
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
		peer_put(peer, WIRE_HELLO, NULL, 0);
	else
		say_certificate(client);
	client->has_shown = peer->said_hello;
	peer->said_hello = true;
}

/* --- upstreams --- */

static struct upstream *upstream_of(const struct dial_seen *dial)
{
	return &world.app[dial->app].items[dial->upstream];
}

/* What an upstream does about a connection that waits to be answered. */
static void answer(struct dial_seen *dial)
{
	struct upstream *upstream = upstream_of(dial);

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

static void server_connects(struct sock *sock, const struct sockaddr_in *to)
{
	uint32_t address = ntohl(to->sin_addr.s_addr);
	struct dial_seen *dial = new_dial();

	*dial = (struct dial_seen){
		.peer = {.sock = sock, .touched_ns = kernel_now_ns()},
		.number = ++world.dialed,
		.app = address >> 8 & 0xff,
		.upstream = address & 0xff};
	dial->peer.is_tls = upstream_of(dial)->is_tls;
	dial->peer.is_open = !dial->peer.is_tls;
	far_set_user(sock, dial);
	world_note("dial %u to app%u's upstream %u", dial->number, dial->app,
		dial->upstream);
	if (upstream_of(dial)->mode != MODE_HANGING &&
		upstream_of(dial)->mode != MODE_RESETTING &&
		(world.stage > 0 || bytes_bool(&world.bytes)))
		answer(dial);
}

static void shake_hands_upstream(struct dial_seen *dial)
{
	struct peer *peer = &dial->peer;
	uint8_t verdict = upstream_of(dial)->mode == MODE_BAD_CERTIFICATE;

	(void)dial_take(dial, SIZE_MAX);
	if (!peer->is_tls || !peer->heard_hello || peer->said_hello ||
		peer->has_broken)
		return;
	peer->said_hello = true;
	world_note("dial %u: the upstream says hello", dial->number);
	peer_put(peer, WIRE_HELLO, &verdict, 1);
}

static unsigned resolve(
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

/* --- time and troubles --- */

/* Who has not been answered in time is to blame, whatever the reason. */
static void blame_the_slow(void)
{
	for (unsigned i = 0; i < world.dial_len; i++) {
		struct dial_seen *dial = &world.dials[i];

		if (!far_is_closed(dial->peer.sock) &&
			(!dial->is_answered || !dial->peer.is_open))
			upstream_of(dial)->is_to_blame = true;
	}
}

static void pass(uint64_t ns)
{
	blame_the_slow();
	/* What a thread does before it has its turn, it does so much later. */
	if (!world.is_at_rest) {
		world.lag_ns += ns;
		kernel_stats.faults++;
	}
	kernel_advance(ns);
	world_note("%llu us pass", (unsigned long long)(ns / 1000));
}

/* At rest no alarm is late; else it may be, and by as much. */
static void advance(uint64_t ns)
{
	if (world.is_at_rest)
		world.to_pass_ns = ns;
	else if (ns > 0)
		pass(ns);
}

/* Lets time pass until something is due; false: it has all passed. */
static bool pass_some(void)
{
	uint64_t due = kernel_next_due_ns();
	uint64_t now = kernel_now_ns();
	uint64_t ns = world.to_pass_ns;

	if (ns == 0)
		return false;
	if (due > now && due - now < ns)
		ns = due - now;
	world.to_pass_ns -= ns;
	pass(ns);
	return true;
}

static void advance_to_due(void)
{
	uint64_t due = kernel_next_due_ns();
	uint64_t now = kernel_now_ns();

	if (due == KERNEL_NEVER || due > now + 10 * KERNEL_S)
		due = now + 10 * KERNEL_S;
	if (world.is_at_rest && due > now)
		pass(due - now);
}

static void be_short(void)
{
	unsigned drawn = bytes_u8(&world.bytes);

	world.was_troubled = true;
	kernel_stats.faults++;
	world.short_ns = kernel_now_ns();
	switch (drawn % 4) {
	case 0:
		world.is_short = true;
		kernel_limit_descriptors(
			kernel_descriptors() + bytes_below(&world.bytes, 3));
		break;
	case 1:
		kernel_take_ports(true);
		break;
	default:
		world.is_short = false;
		kernel_limit_descriptors(250);
		kernel_take_ports(false);
		break;
	}
	world_note("descriptors or ports run out, or not: %u", drawn % 4);
}

static void signal_server(void)
{
	unsigned drawn = bytes_u8(&world.bytes);
	int number = SIGHUP;

	/* Most runs go on until their end. */
	if (drawn < 16)
		number = drawn % 2 == 0 ? SIGTERM : SIGINT;
	else if (drawn >= 64)
		return;
	if (!world.is_ready || !kernel_raise(number))
		return;
	world_note("signal %d", number);
	kernel_stats.faults++;
	if (number == SIGHUP) {
		world.hups++;
	} else if (world.terms++ == 0) {
		world.term_ns = kernel_now_ns();
	}
}

static void change_upstream(void)
{
	struct app_plan *app =
		&world.app[bytes_below(&world.bytes, world.apps)];
	struct upstream *upstream =
		&app->items[bytes_below(&world.bytes, app->upstreams)];
	unsigned drawn = bytes_u8(&world.bytes);

	/* They are honest in some runs: then nobody may blame them. */
	if (world.is_honest)
		return;
	upstream->mode = (enum upstream_mode)(drawn % MODE_KINDS);
	if (upstream->mode != MODE_UP) {
		upstream->is_to_blame = true;
		kernel_stats.faults++;
	}
	upstream->has_address = upstream->has_address || (drawn & 0x40) != 0;
	world_note("app%u's upstream %u is %u from now on",
		(unsigned)(app - world.app), (unsigned)(upstream - app->items),
		upstream->mode);
}

/* --- one thing --- */

/* One of those that are still there, or NULL. */
static struct client *draw_client(void)
{
	unsigned first = world.client_len > PRESENT_MAX
				 ? world.client_len - PRESENT_MAX
				 : 0;
	unsigned n = world.client_len - first;

	return n == 0 ? NULL
		      : &world.clients[first + bytes_below(&world.bytes, n)];
}

static struct dial_seen *draw_dial(void)
{
	unsigned first =
		world.dial_len > PRESENT_MAX ? world.dial_len - PRESENT_MAX : 0;
	unsigned n = world.dial_len - first;

	return n == 0 ? NULL
		      : &world.dials[first + bytes_below(&world.bytes, n)];
}

static size_t draw_amount(void)
{
	static const uint16_t amounts[8] = {1, 2, 3, 17, 100, 511, 1000, 1024};

	return amounts[bytes_u8(&world.bytes) % 8];
}

static void misbehave(struct peer *peer)
{
	unsigned drawn = bytes_u8(&world.bytes);

	if (peer->has_ended || peer->has_broken || !peer->is_tls)
		return;
	world_note("it misbehaves, %u", drawn % 4);
	kernel_stats.faults++;
	switch (drawn % 4) {
	case 0:
		peer->misbehaved = true;
		peer_put(peer, (enum wire_type)77, NULL, 0);
		break;
	case 1:
		peer->misbehaved = true;
		for (unsigned i = 0; i < 40; i++)
			peer_put(peer, WIRE_NOTHING, NULL, 0);
		break;
	case 2:
		if (peer->is_open)
			peer_put(peer, WIRE_UPDATE, NULL, 0);
		break;
	default:
		peer_put(peer, WIRE_NOTHING, NULL, 0);
		break;
	}
	peer->may_flood = true;
}

static void end_somehow(struct peer *peer)
{
	unsigned drawn = bytes_u8(&world.bytes);

	world_note("... %s", drawn % 4 == 1 && peer->is_tls ? "truncated"
			     : drawn % 4 == 2               ? "with a reset"
							    : "cleanly");
	/* Without TLS its FIN is a clean end. */
	kernel_stats.faults += drawn % 4 == 1 || drawn % 4 == 2;
	if (drawn % 4 == 1 && peer->is_tls)
		peer_truncate(peer);
	else if (drawn % 4 == 2)
		peer_break(peer, (drawn & 0x40) != 0 ? ETIMEDOUT : ECONNRESET);
	else
		peer_end(peer);
}

/* More than is moved in one turn, if there is room for it. */
static void send_burst(struct peer *peer, unsigned number)
{
	for (unsigned i = 0; i < 24; i++)
		peer_send_data(peer, number, WIRE_PAYLOAD_MAX);
}

static void act_client(unsigned what)
{
	struct client *client = draw_client();

	if (client == NULL)
		return;
	switch (what) {
	case 0:
		shake_hands(client);
		break;
	case 1:
		send_burst(&client->peer, client->number);
		break;
	case 2:
		peer_send_data(&client->peer, client->number, draw_amount());
		break;
	case 3:
		(void)peer_take(&client->peer, draw_amount());
		peer_flush(&client->peer);
		break;
	case 4:
		world_note("client %u ends", client->number);
		end_somehow(&client->peer);
		break;
	default:
		misbehave(&client->peer);
		break;
	}
}

static void act_dial(unsigned what)
{
	struct dial_seen *dial = draw_dial();

	if (dial == NULL)
		return;
	switch (what) {
	case 0:
		answer(dial);
		shake_hands_upstream(dial);
		break;
	case 1:
		if (dial->client != NULL)
			send_burst(&dial->peer, dial->number);
		break;
	case 2:
		if (dial->client != NULL)
			peer_send_data(
				&dial->peer, dial->number, draw_amount());
		break;
	case 3:
		(void)dial_take(dial, draw_amount());
		peer_flush(&dial->peer);
		break;
	default:
		if (world.is_honest && dial->client == NULL)
			break;
		world_note("dial %u: the upstream ends", dial->number);
		if (what == 4)
			end_somehow(&dial->peer);
		else
			misbehave(&dial->peer);
		if (dial->peer.has_broken || dial->peer.misbehaved)
			upstream_of(dial)->is_to_blame = true;
		break;
	}
}

/* All clients and upstreams do what is due, so that sessions come about. */
static void go_on_all(void)
{
	for (unsigned i = 0; i < world.client_len; i++) {
		struct client *client = &world.clients[i];

		if (far_is_queued(client->peer.sock) ||
			peer_is_over(&client->peer))
			continue;
		shake_hands(client);
		peer_flush(&client->peer);
	}
	for (unsigned i = 0; i < world.dial_len; i++) {
		struct dial_seen *dial = &world.dials[i];

		if (peer_is_over(&dial->peer))
			continue;
		answer(dial);
		shake_hands_upstream(dial);
		peer_flush(&dial->peer);
	}
}

static void trouble(unsigned what)
{
	switch (what % 4) {
	case 0:
		be_short();
		break;
	case 1:
		signal_server();
		break;
	case 2:
		change_upstream();
		break;
	default:
		(void)kernel_read_log(bytes_u8(&world.bytes) * 64);
		break;
	}
}

static void act(void)
{
	unsigned what = bytes_u8(&world.bytes);
	unsigned how = what / 24;

	switch (what % 24) {
	case 0:
		advance_to_due();
		break;
	case 1:
		(void)connect_client(bytes_below(&world.bytes, world.apps),
			(enum world_who)(bytes_u8(&world.bytes) % WHO_KINDS));
		break;
	case 2:
	case 3:
		(void)connect_client(
			how % world.apps, how < 6 ? WHO_ALICE : WHO_CAROL);
		break;
	case 4:
		advance(bytes_u8(&world.bytes) * KERNEL_MS / 8);
		break;
	case 5:
		if (world.is_at_rest && how < 3)
			advance(bytes_u8(&world.bytes) * KERNEL_S / 32);
		break;
	case 6:
		trouble(how);
		break;
	case 7:
	case 8:
	case 9:
		go_on_all();
		break;
	case 10:
	case 11:
	case 12:
	case 13:
		act_client(what % 24 - 10);
		break;
	case 14:
	case 15:
	case 16:
	case 17:
		act_dial(what % 24 - 14);
		break;
	case 18:
		act_client(how % 2 == 0 ? 4 : 5);
		break;
	case 19:
		act_dial(how % 2 == 0 ? 4 : 5);
		break;
	default:
		act_client(2);
		act_dial(2);
		act_client(3);
		act_dial(3);
		break;
	}
}

/* --- the end: all is well again, and everything has to come to its end --- */

static bool settle_client(struct client *client)
{
	struct peer *peer = &client->peer;
	bool moved = false;

	if (far_is_queued(peer->sock) || peer_is_over(peer))
		return false;
	while (peer_take(peer, SIZE_MAX))
		moved = true;
	peer_flush(peer);
	return moved;
}

static bool settle_dial(struct dial_seen *dial)
{
	struct peer *peer = &dial->peer;
	bool moved = !dial->is_answered && !far_is_closed(peer->sock);

	if (peer_is_over(peer))
		return false;
	answer(dial);
	while (dial_take(dial, SIZE_MAX))
		moved = true;
	shake_hands_upstream(dial);
	peer_flush(peer);
	return moved;
}

static bool settle(void)
{
	bool moved = kernel_read_log(UINT32_MAX) > 0;

	for (unsigned i = 0; i < world.client_len; i++)
		moved = settle_client(&world.clients[i]) || moved;
	for (unsigned i = 0; i < world.dial_len; i++)
		moved = settle_dial(&world.dials[i]) || moved;
	return moved;
}

static void heal(void)
{
	world_note("the world heals");
	kernel_calm(true);
	world.is_short = false;
	world.short_ns = kernel_now_ns();
	kernel_limit_descriptors(250);
	kernel_take_ports(false);
	for (unsigned a = 0; a < world.apps; a++) {
		for (unsigned u = 0; u < world.app[a].upstreams; u++) {
			world.app[a].items[u].mode = MODE_UP;
			world.app[a].items[u].has_address = true;
		}
	}
	/* Those who hang were not answered; they never will be. */
	for (unsigned i = 0; i < world.dial_len; i++) {
		if (!world.dials[i].is_answered)
			world.dials[i].peer.touched_ns = kernel_now_ns();
	}
}

static void end_all(void)
{
	for (unsigned i = 0; i < world.client_len; i++) {
		struct peer *peer = &world.clients[i].peer;

		if (far_is_queued(peer->sock) || far_is_closed(peer->sock))
			continue;
		peer_end(peer);
	}
	for (unsigned i = 0; i < world.dial_len; i++)
		peer_end(&world.dials[i].peer);
}

/* The accepted connections that are still there. */
static unsigned count_open(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < world.client_len; i++)
		n += !far_is_closed(world.clients[i].peer.sock);
	return n;
}

/*
 * As many clients as may come, and one more: all places that were taken have
 * been given back, and not more of them.
 */
#define PROBES (6 + 2)
static unsigned first_probe;

static unsigned probes_expected(void)
{
	const struct app_plan *app = &world.app[0];
	unsigned most = world.max_connections;

	return app->concurrent > 0 && app->concurrent < most ? app->concurrent
							     : most;
}

/* The last client of the probe; NULL: there is none yet. */
static struct client *last_probe(void)
{
	return world.client_len > first_probe
		       ? &world.clients[world.client_len - 1]
		       : NULL;
}

/* Clients come one after the other, until one more than may be is there. */
static bool probe_goes_on(void)
{
	struct client *client = last_probe();

	if (client != NULL && far_is_queued(client->peer.sock))
		return false;
	if (client != NULL && !client->peer.is_open &&
		!client->peer.was_refused) {
		shake_hands(client);
		return true;
	}
	return world.client_len - first_probe <= probes_expected() &&
	       connect_client(0, WHO_ALICE) != NULL;
}

static void judge_probe(void)
{
	unsigned served = 0;

	for (unsigned i = first_probe; i < world.client_len; i++) {
		struct client *client = &world.clients[i];

		served += client->is_accepted && client->peer.is_open &&
			  !far_is_closed(client->peer.sock) &&
			  !client->peer.saw_close;
	}
	ORACLE("SES-6", served == probes_expected(),
		"%u of %u are served when all is well", served,
		probes_expected());
}

enum {
	STAGE_TROUBLE,
	STAGE_SETTLE,
	STAGE_END,    /* all peers have ended */
	STAGE_PROBE,  /* clients come once more */
	STAGE_FILLED, /* and stay */
	STAGE_TERM,
};

static void next_stage(void)
{
	world.stage++;
	world.stage_steps = 0;
	world_note("stage %u", world.stage);
}

/* Nothing is left to be done; time passes, for so long. */
static bool waits(uint64_t ns)
{
	uint64_t due = kernel_next_due_ns();

	if (world.stage_until_ns == 0)
		world.stage_until_ns = kernel_now_ns() + ns;
	if (kernel_now_ns() >= world.stage_until_ns) {
		world.stage_until_ns = 0;
		return false;
	}
	if (due == KERNEL_NEVER || due > world.stage_until_ns)
		due = world.stage_until_ns;
	kernel_advance(due > kernel_now_ns() ? due - kernel_now_ns() : 0);
	return true;
}

static bool can_probe(void)
{
	return world.terms == 0 && world.is_ready &&
	       world.client_len + PROBES < WORLD_CLIENTS;
}

/* One step of the end, when the server is at rest. */
static void go_to_the_end(void)
{
	ORACLE("SRV-136", world.stage_steps++ < STAGE_STEPS,
		"stage %u does not end", world.stage);
	switch (world.stage) {
	case STAGE_TROUBLE:
		heal();
		next_stage();
		break;
	case STAGE_SETTLE:
		if (settle())
			break;
		end_all();
		next_stage();
		break;
	case STAGE_END:
		if (settle() || (count_open() > 0 && waits(60 * KERNEL_S)))
			break;
		ORACLE("SES-14", count_open() == 0 || world.terms > 0,
			"%u connections do not end", count_open());
		/* All upstreams are up again, as far as they are checked. */
		if (waits(45 * KERNEL_S))
			break;
		first_probe = world.client_len;
		world.stage += !can_probe();
		next_stage();
		break;
	case STAGE_PROBE:
		if (settle() || probe_goes_on() || waits(100 * KERNEL_MS))
			break;
		judge_probe();
		next_stage();
		break;
	case STAGE_FILLED:
		if (world.terms == 0 && kernel_raise(SIGTERM)) {
			world.terms = 1;
			world.term_ns = kernel_now_ns();
			world_note("the end");
		}
		next_stage();
		break;
	default:
		if (!settle())
			(void)waits(3600 * KERNEL_S);
		break;
	}
}

/* A run is over once its bytes are, or it had enough steps. */
static bool is_trouble_over(void)
{
	return world.stage > 0 || world.bytes.len == 0 || world.steps > 100000;
}

static bool turn(bool is_at_rest)
{
	world.is_at_rest = is_at_rest;
	if (is_at_rest)
		judge_rest();
	if (is_at_rest && pass_some())
		return true;
	if (!is_trouble_over()) {
		world.steps++;
		act();
		return true;
	}
	if (!is_at_rest)
		return true;
	/* One that never came to be ready cannot be told to stop. */
	go_to_the_end();
	return true;
}

static void accepted(struct sock *sock)
{
	struct client *client = far_user(sock);

	client->is_accepted = true;
	client->accepted_ns = kernel_now_ns();
	world_note("client %u is accepted", client->number);
}

static const struct kernel_world callbacks = {.act = turn,
	.connects = server_connects,
	.accepted = accepted,
	.resolve = resolve,
	.logged = judge_line};

/* Mostly much; in a quarter of the runs that have any it is little. */
static unsigned draw_trouble(void)
{
	unsigned drawn = bytes_u8(&world.bytes);

	return 255 - drawn * drawn / 256;
}

void world_run(const uint8_t *data, size_t len)
{
	static char *argv[] = {"lbproxyd", "-c", "lbproxyd.toml", NULL};
	static const unsigned buffers[4] = {4000, 600, 4000, 24000};
	struct kernel_plan plan = {.config = world.config};
	unsigned drawn;
	int status;

	memset(&world, 0, offsetof(struct world, clients));
	memset(&world.client_len, 0,
		sizeof(world) - offsetof(struct world, client_len));
	world.bytes = (struct bytes){data, len};
	plan_draw(&world);
	drawn = bytes_u8(&world.bytes);
	world.is_honest = (drawn & 1) != 0;
	plan.log = (enum kernel_log)(drawn >> 1) % KERNEL_LOG_KINDS;
	plan.log_room = (drawn & 0x10) != 0 ? 8192 : 1 << 20;
	plan.buffer = buffers[drawn >> 5 & 3];
	plan.trouble = drawn < 192 ? draw_trouble() : 0;
	plan.soft_limit = 64;
	plan.hard_limit = 250;
	/* Most runs are about a server that has started. */
	plan.is_calm = bytes_below(&world.bytes, 8) != 0;
	statics_reset();
	status = kernel_run(&plan, &callbacks, &world.bytes, 3, argv);
	judge_end(status);
	kernel_forget();
}
