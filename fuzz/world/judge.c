/*
 * What SPEC.md says of what peers see, when the server is at rest and at the
 * end. Nothing here looks into the server.
 */
#include "oracle.h"
#include "world.h"

/* How long a refused client may take to close its side. [SES-12]. */
#define LINGER_NS (2 * KERNEL_S)
/* Who has vanished is gone within this, if nobody says otherwise. [SRV-171]. */
#define GONE_NS (60 * KERNEL_S * 4 / 3 + 2 * KERNEL_S)
/* By then the kernel has been told to ask. */
#define ASKED_NS (60 * KERNEL_S / 3)
/*
 * With select a quiet reset is seen within 200 ms, [SRV-81], or with the look
 * after one that failed; and a rest.
 */
#define QUIET_NS (400 * KERNEL_MS)
/* How long the listeners may pause for want of something. */
#define RETRY_NS (200 * KERNEL_MS)
#define SLACK_NS (50 * KERNEL_MS + world.lag_ns)

/* --- when nobody in the server can go on --- */

static bool is_served(const struct client *client)
{
	return client->is_accepted && !far_is_closed(client->peer.sock);
}

/* Each of the two could be told of the other: nothing is under way. */
static void judge_relay(const struct client *client)
{
	const struct peer *one = &client->peer;
	const struct peer *other = &client->upstream->peer;

	if (one->has_broken || other->has_broken || one->misbehaved ||
		other->misbehaved || far_is_closed(other->sock))
		return;
	ORACLE("SRV-35",
		far_unread(one->sock) == 0 || far_room(other->sock) == 0 ||
			far_room(one->sock) == 0,
		"what client %u sends waits, and there is room",
		client->number);
	ORACLE("SRV-35",
		far_unread(other->sock) == 0 || far_room(one->sock) == 0 ||
			far_room(other->sock) == 0,
		"what the upstream of client %u sends waits, and there is room",
		client->number);
}

/* Did it end cleanly, as far as its application knows? [SRV-85]. */
static bool has_ended(const struct client *client, const struct peer *peer)
{
	return peer->has_ended ||
	       (peer->has_truncated &&
		       world.app[client->app].takes_unclean_end);
}

/* Nobody waits for what a side that is done does. [SES-27]. */
static bool is_done(const struct client *client, const struct peer *peer)
{
	return has_ended(client, peer) && far_end_sent(peer->sock);
}

/* Is there room for a client's bytes, as far as its upstream is known? */
static bool has_room(const struct client *client, const struct peer *other)
{
	if (other != NULL)
		return far_room(other->sock) > 0;
	/* It may be any of these. */
	for (unsigned i = 0; i < world.dial_len; i++) {
		const struct dial_seen *dial = &world.dials[i];

		if (dial->app == client->app && dial->client == NULL &&
			dial->peer.is_open && far_room(dial->peer.sock) == 0)
			return false;
	}
	return true;
}

/*
 * Has this side broken off so that the session has to end? An end that is
 * behind bytes for which there is no room is not known yet.
 */
static bool has_broken(const struct client *client, const struct peer *peer,
	const struct peer *other)
{
	if (is_done(client, peer) || peer->out_len > 0)
		return false;
	return peer->has_reset ||
	       (peer->has_truncated && far_unread(peer->sock) == 0 &&
		       has_room(client, other) &&
		       !world.app[client->app].takes_unclean_end);
}

static void be_later(uint64_t *last, uint64_t than)
{
	if (*last < than)
		*last = than;
}

/* When a peer of a session, as far as it is known, did something last. */
static uint64_t last_touch(const struct client *client)
{
	uint64_t last = client->accepted_ns;

	be_later(&last, client->peer.touched_ns);
	if (client->upstream != NULL)
		be_later(&last, client->upstream->peer.touched_ns);
	return last;
}

/* The same of those whose client is not known yet: this one, perhaps. */
static uint64_t last_unknown_touch(const struct client *client)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < world.dial_len; i++) {
		const struct dial_seen *dial = &world.dials[i];

		if (dial->app == client->app && dial->client == NULL)
			be_later(&last, dial->peer.touched_ns);
	}
	return last;
}

/* Has nothing happened for longer than this? */
static bool is_idle(const struct client *client, uint64_t ns)
{
	uint64_t now = kernel_now_ns();

	return now > last_touch(client) + ns &&
	       (client->upstream != NULL ||
		       now > last_unknown_touch(client) + ns);
}

/* A break of one of its peers ends a session, even if nobody sends. */
static void judge_break(const struct client *client)
{
	const struct peer *one = &client->peer;
	const struct peer *other =
		client->upstream == NULL ? NULL : &client->upstream->peer;

	if (!has_broken(client, one, other) &&
		(other == NULL || !has_broken(client, other, one)))
		return;
	ORACLE("SRV-81", !is_idle(client, LINGER_NS + QUIET_NS + SLACK_NS),
		"client %u's session is still there after a break",
		client->number);
}

/* Who says nothing and answers nothing gives the place back. */
static void judge_vanished(const struct client *client, const struct peer *peer)
{
	uint64_t dials = world.app[client->app].upstreams + 1;
	uint64_t opening_ns = world.handshake_ns + dials * world.connect_ns +
			      LINGER_NS + SLACK_NS;
	uint64_t since = client->accepted_ns;

	ORACLE("SRV-171",
		client->upstream == NULL || far_is_asked(peer->sock) ||
			kernel_now_ns() <= since + opening_ns + ASKED_NS,
		"a peer of client %u is not asked whether it is there",
		client->number);
	be_later(&since, peer->vanished_ns);
	ORACLE("SRV-171",
		!peer->has_vanished ||
			kernel_now_ns() <= since + opening_ns + GONE_NS,
		"client %u's session is still there, and a peer is not",
		client->number);
}

/* It may not have looked for the end of its handshake. */
static bool may_be_admitted(const struct client *client)
{
	return client->peer.is_open ||
	       (client->has_shown && client->who <= WHO_CAROL);
}

/* Is it an upstream that the configuration in force does not have? */
static bool is_removed(const struct dial_seen *dial)
{
	return (world.in_force & NO_LAST) != 0 && dial->app == 0 &&
	       dial->upstream > 0 &&
	       dial->upstream + 1 == world.app[0].upstreams;
}

/* Nor has an upstream of another CA than that in force. */
static void judge_trust(const struct dial_seen *dial)
{
	bool is_trusted = !dial->peer.is_tls ||
			  (world.in_force & OTHER_CA) == 0 || is_removed(dial);

	if (dial->was_open)
		ORACLE("RLD-21", is_trusted,
			"the session of dial %u goes on, and it is not trusted",
			dial->number);
	else
		ORACLE("RLD-22", is_trusted,
			"dial %u got a session, and it is not trusted",
			dial->number);
}

/* Who has lost its right has no session once the reload is over. */
static void judge_right(const struct client *client)
{
	/* What is in force is known when all that was asked for is. */
	if (world.hups != world.reloads || client->upstream == NULL)
		return;
	ORACLE("SES-18",
		!plan_bars(client, world.in_force & ~(unsigned)NO_CAROL),
		"client %u's session goes on, and its right is gone",
		client->number);
	ORACLE("RLD-6", !plan_bars(client, world.in_force & NO_CAROL),
		"client %u's session goes on, and it is revoked",
		client->number);
	judge_trust(client->upstream);
}

static void judge_client(const struct client *client)
{
	uint64_t now = kernel_now_ns();
	uint64_t dials = world.app[client->app].upstreams + 1;

	if (!is_served(client))
		return;
	ORACLE("SES-9",
		may_be_admitted(client) || now <= client->accepted_ns +
							   world.handshake_ns +
							   LINGER_NS + SLACK_NS,
		"client %u's handshake never ends", client->number);
	judge_right(client);
	if (client->upstream != NULL)
		judge_relay(client);
	judge_vanished(client, &client->peer);
	if (client->upstream != NULL)
		judge_vanished(client, &client->upstream->peer);
	judge_break(client);
	ORACLE("SES-11",
		!is_idle(client, world.idle_ns + dials * world.connect_ns +
					 world.handshake_ns + LINGER_NS +
					 SLACK_NS),
		"client %u's session never ends", client->number);
	ORACLE("SES-60",
		world.app[client->app].lifetime_ns == 0 ||
			now <= client->accepted_ns + world.handshake_ns +
					world.app[client->app].lifetime_ns +
					LINGER_NS + SLACK_NS,
		"client %u's session lasts too long", client->number);
}

/* As far as it is known. */
static unsigned places_now(void)
{
	return plan_places(world.hups == world.reloads ? world.in_force : 0);
}

/* What the log has not told of: who has a place, as far as one can see. */
static void judge_places(void)
{
	unsigned open = 0; /* at least these have no place to give */
	unsigned relayed = 0;
	unsigned waiting = 0;
	unsigned of_who[WORLD_APPS][3] = {{0}};

	for (unsigned i = 0; i < world.client_len; i++) {
		const struct client *client = &world.clients[i];

		waiting += far_is_queued(client->peer.sock);
		if (!is_served(client))
			continue;
		/* A session that is being closed still has its place. */
		open += may_be_admitted(client);
		if (client->upstream == NULL || client->reported > 0)
			continue;
		relayed++;
		of_who[client->app][client->who]++;
	}
	/* Who came when there were more stays. */
	ORACLE("SRV-20", relayed <= plan_places(world.ever),
		"%u sessions where %u may be", relayed,
		plan_places(world.ever));
	for (unsigned a = 0; a < world.apps; a++) {
		const struct app_plan *app = &world.app[a];

		for (unsigned w = 0; app->concurrent > 0 && w < 2; w++)
			ORACLE("LIM-1", of_who[a][w] <= app->concurrent,
				"%u sessions of one client", of_who[a][w]);
		ORACLE("LIM-1", a > 0 || of_who[a][WHO_CAROL] <= world.carol,
			"%u sessions of carol", of_who[a][WHO_CAROL]);
	}
	ORACLE("SRV-52",
		waiting == 0 || world.is_short || world.terms > 0 ||
			!world.is_ready || open >= places_now() ||
			kernel_now_ns() < world.short_ns + RETRY_NS ||
			kernel_now_ns() < kernel_fault_ns() + RETRY_NS,
		"%u wait to be accepted, and there are places", waiting);
}

/* They are those of the file in force. */
static void judge_doors(void)
{
	if (world.hups != world.reloads)
		return;
	ORACLE("RLD-17",
		far_listens(PORT_DOOR) == ((world.in_force & NO_DOOR) == 0),
		"an address is open, or not, as the file does not say");
}

/* They are open until the delay of the drain is over. */
static void judge_listeners(void)
{
	uint64_t close_ns = world.term_ns + world.drain_delay_ns;
	bool is_open = far_listens(PORT_APPS);

	if (world.terms == 1)
		ORACLE("SRV-176", is_open || kernel_now_ns() >= close_ns,
			"a listener is closed too early");
	ORACLE("SRV-24", !is_open || kernel_now_ns() <= close_ns + SLACK_NS,
		"a listener is still open");
}

void judge_rest(void)
{
	for (unsigned i = 0; i < world.client_len; i++)
		judge_client(&world.clients[i]);
	judge_places();
	/* Whatever was read before the last signal may be out of date. */
	ORACLE("RLD-3",
		world.hups == 0 || world.terms > 0 || kernel_log_refused() ||
			kernel_stats.reads > world.reads,
		"the last signal to reload was forgotten");
	ORACLE("CTL-23", !world.order.is_taken,
		"an operator waits for an answer, and nobody does anything");
	ORACLE("SRV-137", world.terms < 2 || kernel_log_refused(),
		"it is still there after a second signal");
	if (world.terms == 0 && world.is_ready)
		judge_doors();
	if (world.terms > 0 && world.is_ready)
		judge_listeners();
	if (world.terms > 0 && world.is_ready)
		ORACLE("SRV-136",
			kernel_now_ns() <=
				world.term_ns + world.drain_delay_ns +
					world.drain_ns + LINGER_NS + KERNEL_S,
			"the drain does not end");
}

/* --- the end --- */

/* What the line says of a session that is done is all that there was. */
static void judge_done(const struct client *client)
{
	const struct dial_seen *dial = client->upstream;

	ORACLE("SES-7", client->bytes_up == client->peer.sent,
		"client %u sent %llu bytes, and %llu went up", client->number,
		(unsigned long long)client->peer.sent,
		(unsigned long long)client->bytes_up);
	ORACLE("SES-7", dial == NULL || client->bytes_down == dial->peer.sent,
		"what the upstream of client %u sent did not go down",
		client->number);
}

static void judge_client_end(const struct client *client)
{
	const struct peer *peer = &client->peer;
	const struct dial_seen *dial = client->upstream;

	ORACLE("SRV-54", !client->is_accepted || far_is_closed(peer->sock),
		"client %u's connection is left open", client->number);
	ORACLE("SRV-147",
		!client->is_accepted || far_no_delay(peer->sock) ||
			world_was_short(),
		"TCP_NODELAY is not set");
	/* A clean end is never made of an unclean one. [SRV-17]. */
	if (peer->saw_close && dial != NULL)
		ORACLE("SRV-17",
			has_ended(client, &dial->peer) &&
				peer->got == dial->peer.sent,
			"client %u is told of a clean end too many",
			client->number);
	if (peer->saw_end && !peer->saw_close)
		ORACLE("SRV-17", !peer->is_open || kernel_faults() > 0,
			"client %u's TCP ends without its TLS", client->number);
	if (client->reported > 0 && client->reason == LBP_REASON_DONE)
		judge_done(client);
	if (dial == NULL)
		return;
	ORACLE("SRV-33", peer->got < 2 || peer->from == dial->number,
		"client %u gets another one's bytes", client->number);
	if (dial->peer.saw_end && (!dial->peer.is_tls || dial->peer.saw_close))
		ORACLE("SRV-17",
			has_ended(client, peer) && dial->peer.got == peer->sent,
			"client %u's upstream is told of a clean end too many",
			client->number);
	if (client->reported > 0)
		ORACLE("LOG-3",
			dial->peer.got <= client->bytes_up &&
				peer->got <= client->bytes_down,
			"client %u's line does not have all bytes",
			client->number);
}

void judge_end(int status)
{
	uint64_t unreported = 0;
	/* A server that lacks a thread stops at once. */
	bool had_no_thread =
		!world.has_drained && world_was_short() && status == 1;

	if (!world.is_ready && !kernel_log_refused()) {
		ORACLE("SRV-5",
			status == 1 || (status == 2 && kernel_was_told()),
			"status %d of a server that did not start", status);
		ORACLE("SRV-5", world_was_short() || world.terms > 0,
			"it did not start, and there is no cause");
		return;
	}
	ORACLE("SRV-136", world.has_stopped || kernel_log_refused(),
		"it has not said that it stopped");
	/* Another thread may have been about to say it. */
	ORACLE("SRV-60",
		world.internals == 0 || world.errors > 0 ||
			kernel_log_refused(),
		"no error line says why connections ended as internal");
	ORACLE("SRV-136", world.terms != 1 || status == 0 || had_no_thread,
		"status %d after one signal", status);
	ORACLE("SRV-137", status == 0 || status == 1, "status %d", status);
	ORACLE("SRV-24",
		world.has_drained || kernel_log_refused() || had_no_thread,
		"it has not said that it drains");
	for (unsigned i = 0; i < world.client_len; i++) {
		const struct client *client = &world.clients[i];

		judge_client_end(client);
		unreported += client->is_accepted && client->reported == 0;
	}
	ORACLE("LOG-17",
		unreported <= world.suppressed + world.dropped ||
			kernel_log_is_full() || !world.has_stopped ||
			kernel_faults() > 0,
		"%llu connections have no line, and %llu were counted",
		(unsigned long long)unreported,
		(unsigned long long)(world.suppressed + world.dropped));
	ORACLE("LOG-17",
		unreported == world.suppressed || kernel_log_refused() ||
			kernel_faults() > 0,
		"%llu connections have no line, and %llu were summed up",
		(unsigned long long)unreported,
		(unsigned long long)world.suppressed);
	for (unsigned i = 0; i < world.dial_len; i++)
		ORACLE("SRV-54", far_is_closed(world.dials[i].peer.sock),
			"a connection to an upstream is left open");
	kernel_check_end();
}
