/* What happens while there is trouble: one thing after the other, as drawn. */
#include <errno.h>
#include <signal.h>

#include "oracle.h"
#include "world.h"

/* So many of the last connections are drawn from. */
#define PRESENT_MAX 24

/* --- time and troubles --- */

/* Who has not been answered in time is to blame, whatever the reason. */
static void blame_the_slow(void)
{
	for (unsigned i = 0; i < world.dial_len; i++) {
		struct dial_seen *dial = &world.dials[i];

		if (!far_is_closed(dial->peer.sock) &&
			(!dial->is_answered || !dial->peer.is_open))
			dial_upstream(dial)->is_to_blame = true;
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
bool acts_pass_time(void)
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

/*
 * Another file, and a signal to read it; not before what was asked for is done,
 * so that it is known what is in force.
 */
static void change_configuration(void)
{
	if (!world.is_ready || world.terms > 0 || world.hups != world.reloads)
		return;
	plan_write(bytes_u8(&world.bytes) % VARIANTS);
	world_note("another configuration, %#x", world.variant);
	if (!kernel_raise(SIGHUP))
		return;
	world.hups++;
	world.is_asked = true;
	world.reads = kernel_stats.reads;
}

static void signal_server(void)
{
	unsigned drawn = bytes_u8(&world.bytes);
	int number = SIGHUP;

	/* Most runs go on until their end. */
	if (drawn < 16) {
		number = drawn % 2 == 0 ? SIGTERM : SIGINT;
	} else if (drawn >= 64) {
		if (drawn < 144)
			change_configuration();
		else
			operator_order(drawn - 144);
		return;
	}
	if (!world.is_ready || !kernel_raise(number))
		return;
	world_note("signal %d", number);
	kernel_stats.faults++;
	if (number == SIGHUP) {
		world.hups++;
		world.is_asked = true;
		world.reads = kernel_stats.reads;
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
}

static void end_somehow(struct peer *peer)
{
	unsigned drawn = bytes_u8(&world.bytes);
	bool vanishes = drawn % 4 == 3 && (drawn & 0x40) != 0;

	world_note("... %s", drawn % 4 == 1 && peer->is_tls ? "truncated"
			     : drawn % 4 == 2               ? "with a reset"
			     : vanishes                     ? "without a word"
							    : "cleanly");
	/* Without TLS its FIN is a clean end. */
	kernel_stats.faults += drawn % 4 == 1 || drawn % 4 == 2 || vanishes;
	if (drawn % 4 == 1 && peer->is_tls)
		peer_truncate(peer);
	else if (drawn % 4 == 2)
		peer_break(peer, (drawn & 0x40) != 0 ? ETIMEDOUT : ECONNRESET);
	else if (vanishes)
		peer_vanish(peer);
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
		client_shake_hands(client);
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
		dial_answer(dial);
		dial_shake_hands(dial);
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
		/* Who has not answered has nothing to end. */
		if (!dial->is_answered ||
			(world.is_honest && dial->client == NULL))
			break;
		world_note("dial %u: the upstream ends", dial->number);
		if (what == 4)
			end_somehow(&dial->peer);
		else
			misbehave(&dial->peer);
		if (dial->peer.has_broken || dial->peer.misbehaved)
			dial_upstream(dial)->is_to_blame = true;
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
		client_shake_hands(client);
		peer_flush(&client->peer);
	}
	for (unsigned i = 0; i < world.dial_len; i++) {
		struct dial_seen *dial = &world.dials[i];

		if (peer_is_over(&dial->peer))
			continue;
		dial_answer(dial);
		dial_shake_hands(dial);
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

void acts_draw(void)
{
	unsigned what = bytes_u8(&world.bytes);
	unsigned how = what / 24;

	switch (what % 24) {
	case 0:
		advance_to_due();
		break;
	case 1:
		(void)client_connect(bytes_below(&world.bytes, world.apps),
			(enum world_who)(bytes_u8(&world.bytes) % WHO_KINDS));
		break;
	case 2:
	case 3:
		(void)client_connect(
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
