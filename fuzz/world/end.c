/*
 * The end of a run: all is well again, and everything has to come to its end,
 * with all places given back.
 */
#include <signal.h>

#include "oracle.h"
#include "world.h"

/* More steps than a run can need to come to its end. */
#define STAGE_STEPS 20000

/* Sends what was left. True: some of it, which the server has to see. */
static bool flush(struct peer *peer)
{
	size_t before = peer->out_len;

	peer_flush(peer);
	return peer->out_len != before;
}

static bool settle_client(struct client *client)
{
	struct peer *peer = &client->peer;
	bool moved = false;

	if (far_is_queued(peer->sock) || peer_is_over(peer))
		return false;
	while (peer_take(peer, SIZE_MAX))
		moved = true;
	return flush(peer) || moved;
}

static bool settle_dial(struct dial_seen *dial)
{
	struct peer *peer = &dial->peer;
	bool moved = !dial->is_answered && !far_is_closed(peer->sock);

	if (peer_is_over(peer))
		return false;
	dial_answer(dial);
	while (dial_take(dial, SIZE_MAX))
		moved = true;
	dial_shake_hands(dial);
	return flush(peer) || moved;
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
}

/* What is in force may not trust an upstream; the last file of all does. */
static bool trust_all(void)
{
	if (world.trusts_all || !world.is_ready || world.terms > 0 ||
		(world.ever & OTHER_CA) == 0)
		return false;
	plan_write(world.variant & ~(unsigned)(OTHER_CA | IS_BROKEN));
	world_note("the last configuration, %#x", world.variant);
	world.trusts_all = true;
	world.hups += kernel_raise(SIGHUP);
	return true;
}

/*
 * One whose handshake is not over cannot end in order, and is to blame for it.
 * False: it has ended already.
 */
static bool end_dial(struct dial_seen *dial)
{
	struct peer *peer = &dial->peer;

	if (peer->has_ended || peer->has_broken || far_is_closed(peer->sock))
		return false;
	peer_end(peer);
	dial_upstream(dial)->is_to_blame |= peer->has_broken;
	return true;
}

/* Those, too, that have come since. False: there were none. */
static bool end_dials(void)
{
	bool moved = false;

	for (unsigned i = 0; i < world.dial_len; i++)
		moved = end_dial(&world.dials[i]) || moved;
	return moved;
}

static void end_all(void)
{
	for (unsigned i = 0; i < world.client_len; i++) {
		struct peer *peer = &world.clients[i].peer;

		if (far_is_queued(peer->sock) || far_is_closed(peer->sock))
			continue;
		peer_end(peer);
	}
	(void)end_dials();
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
#define PROBES (6 + PLACES_MORE + 2)
static unsigned first_probe;

static unsigned probes_expected(void)
{
	const struct app_plan *app = &world.app[0];
	unsigned most = plan_places(world.in_force);

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
		client_shake_hands(client);
		return true;
	}
	return world.client_len - first_probe <= probes_expected() &&
	       client_connect(0, WHO_ALICE) != NULL;
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

/* All checks have succeeded for long; one that was removed has none. */
static void judge_upstreams(void)
{
	if (kernel_log_refused() || world.terms > 0)
		return;
	for (unsigned a = 0; a < world.apps; a++) {
		const struct app_plan *app = &world.app[a];
		bool is_less = a == 0 && (world.ever & NO_LAST) != 0;

		for (unsigned u = 0;
			app->has_checks && u + is_less < app->upstreams; u++)
			ORACLE("HLT-4", !app->items[u].is_down,
				"upstream %u of app%u is down, and all is well",
				u, a);
	}
}

static bool can_probe(void)
{
	bool is_known =
		world.hups == world.reloads || (world.ever & MORE_PLACES) == 0;

	return world.terms == 0 && world.is_ready && is_known &&
	       world.client_len + PROBES < WORLD_CLIENTS;
}

/* One step of the end, when the server is at rest. */
void end_step(void)
{
	ORACLE("SRV-136", world.stage_steps++ < STAGE_STEPS,
		"stage %u does not end", world.stage);
	switch (world.stage) {
	case STAGE_TROUBLE:
		heal();
		next_stage();
		break;
	case STAGE_SETTLE:
		if (settle() || operator_resume() || trust_all())
			break;
		end_all();
		next_stage();
		break;
	case STAGE_END:
		if (settle() || (count_open() > 0 && end_dials()) ||
			(count_open() > 0 && waits(200 * KERNEL_S)))
			break;
		ORACLE("SES-14", count_open() == 0 || world.terms > 0,
			"%u connections do not end", count_open());
		/* All upstreams are up again, as far as they are checked. */
		if (waits(45 * KERNEL_S))
			break;
		ORACLE("RLD-1",
			!world.is_asked || world.terms > 0 ||
				kernel_log_refused(),
			"the signal to reload was not heard");
		judge_upstreams();
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
