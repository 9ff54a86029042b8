/*
 * What SPEC.md says of what peers see and of what the log says. Nothing here
 * looks into the server.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "world.h"

/* How long a refused client may take to close its side. [SES-12]. */
#define LINGER_NS (2 * KERNEL_S)
/* A quiet reset is seen within this with select, [SRV-81]; and a rest. */
#define QUIET_NS (200 * KERNEL_MS)
/* How long the listeners may pause for want of something. */
#define RETRY_NS (200 * KERNEL_MS)
#define SLACK_NS (50 * KERNEL_MS + world.lag_ns)

/* --- lines of the log --- */

/* Finds "key":" in a line; what follows, or NULL. */
static const char *find(const char *line, const char *key)
{
	char quoted[40];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(line, quoted);
	return at == NULL ? NULL : at + strlen(quoted);
}

static bool is_text(const char *value, const char *text)
{
	size_t len = strlen(text);

	return value != NULL && value[0] == '"' &&
	       strncmp(value + 1, text, len) == 0 && value[len + 1] == '"';
}

static bool has_text(const char *line, const char *key, const char *text)
{
	return is_text(find(line, key), text);
}

static uint64_t number_of(const char *line, const char *key)
{
	const char *value = find(line, key);

	return value == NULL ? 0 : strtoull(value, NULL, 10);
}

static enum lbp_reason reason_of(const char *line)
{
	const char *value = find(line, "reason");
	int r = LBP_REASON_NONE + 1;

	while (r <= LBP_REASON_INTERNAL &&
		!is_text(value, lbp_reason_text((enum lbp_reason)r)))
		r++;
	ORACLE("SES-17", r <= LBP_REASON_INTERNAL, "no reason in %s", line);
	return (enum lbp_reason)r;
}

static struct client *client_of(const char *line)
{
	const char *peer = find(line, "peer");
	const char *colon = peer == NULL ? NULL : strchr(peer, ':');
	unsigned port = colon == NULL ? 0 : (unsigned)atoi(colon + 1);

	for (unsigned i = 0; i < world.client_len; i++) {
		if (world.clients[i].port == port)
			return &world.clients[i];
	}
	return NULL;
}

static bool was_short(void)
{
	return world.was_troubled || kernel_faults() > 0;
}

/* The reasons for which a handshake may be refused, by who it was. */
static bool may_be_rejected(const struct client *client, enum lbp_reason reason)
{
	const struct app_plan *app = &world.app[client->app];
	uint64_t age = kernel_now_ns() - client->accepted_ns;

	switch (reason) {
	case LBP_REASON_HANDSHAKE_TIMEOUT:
		return age >= world.handshake_ns;
	case LBP_REASON_HANDSHAKE_EVICTED:
		return true;
	case LBP_REASON_HANDSHAKE_FAILED:
		return client->peer.has_broken || client->peer.misbehaved;
	case LBP_REASON_NO_CERTIFICATE:
		return client->who == WHO_NO_CERTIFICATE;
	case LBP_REASON_EXPIRED:
		return client->who == WHO_EXPIRED;
	case LBP_REASON_UNKNOWN_CLIENT:
		return client->who == WHO_STRANGER;
	case LBP_REASON_NOT_ALLOWED:
		return client->who == WHO_BOB && client->app != 0;
	case LBP_REASON_CONCURRENT_LIMIT:
		return app->concurrent > 0 ||
		       (client->who == WHO_CAROL && client->app == 0);
	case LBP_REASON_MAX_CONNECTIONS:
		return client->who <= WHO_CAROL;
	case LBP_REASON_DRAIN_TIMEOUT:
		return world.terms > 0 &&
		       kernel_now_ns() >= world.term_ns + world.drain_ns;
	case LBP_REASON_SHUTDOWN:
		return world.terms > 1;
	case LBP_REASON_INTERNAL:
		return was_short();
	default:
		return false;
	}
}

static bool an_upstream_broke(const struct client *client)
{
	const struct app_plan *app = &world.app[client->app];
	const struct dial_seen *dial = client->upstream;

	if (dial != NULL)
		return dial->peer.has_broken || dial->peer.misbehaved;
	for (unsigned u = 0; u < app->upstreams; u++) {
		if (app->items[u].is_to_blame)
			return true;
	}
	return false;
}

static bool may_end_so(const struct client *client, enum lbp_reason reason)
{
	const struct app_plan *app = &world.app[client->app];

	switch (reason) {
	case LBP_REASON_DONE:
		return client->peer.has_ended ||
		       (client->peer.has_truncated && app->takes_unclean_end);
	case LBP_REASON_NO_UPSTREAM:
		return an_upstream_broke(client);
	case LBP_REASON_CLIENT_RESET:
		return client->peer.has_broken || client->peer.misbehaved;
	case LBP_REASON_CLIENT_TRUNCATED:
		return client->peer.has_truncated && !app->takes_unclean_end;
	case LBP_REASON_CLIENT_FLOOD:
		return client->peer.misbehaved;
	case LBP_REASON_UPSTREAM_RESET:
	case LBP_REASON_UPSTREAM_TRUNCATED:
	case LBP_REASON_UPSTREAM_FLOOD:
		return an_upstream_broke(client);
	case LBP_REASON_IDLE_TIMEOUT:
		return kernel_now_ns() >= client->accepted_ns + world.idle_ns;
	case LBP_REASON_DRAIN_TIMEOUT:
	case LBP_REASON_SHUTDOWN:
	case LBP_REASON_INTERNAL:
		return may_be_rejected(client, reason);
	default:
		return false;
	}
}

static void judge_session(const char *line, bool was_admitted)
{
	struct client *client = client_of(line);
	enum lbp_reason reason = reason_of(line);

	ORACLE("SES-17", client != NULL, "nobody's line: %s", line);
	ORACLE("SES-17", client->reported++ == 0, "a second line: %s", line);
	client->reason = reason;
	client->bytes_up = number_of(line, "bytes_up");
	client->bytes_down = number_of(line, "bytes_down");
	ORACLE("SES-3", !was_admitted || client->who <= WHO_CAROL,
		"a session of who may have none: %s", line);
	if (was_admitted)
		ORACLE("SES-17", may_end_so(client, reason), "why? %s", line);
	else
		ORACLE("SES-17", may_be_rejected(client, reason), "why? %s",
			line);
}

static void judge_health(const char *line, bool is_up)
{
	const char *app = find(line, "app");
	const char *url = find(line, "upstream");
	unsigned a = (unsigned)atoi(app + 4);
	unsigned u = 0;
	struct upstream *upstream;

	/* tcp://10.1.A.U:9000 or tcp://nA-U.test:9000 */
	if (strstr(url, ".test") != NULL)
		sscanf(strchr(url, '-') + 1, "%u", &u);
	else
		sscanf(url + 7, "10.1.%*u.%u", &u);
	upstream = &world.app[a].items[u];
	ORACLE("SRV-28", upstream->is_down == is_up || kernel_log_refused(),
		"again: %s", line);
	upstream->is_down = !is_up;
	ORACLE("SRV-109", is_up || upstream->is_to_blame,
		"it has done nothing: %s", line);
}

static void judge_error(const char *line)
{
	/* What is amiss in the configuration. */
	if (find(line, "file") != NULL)
		return;
	if (find(line, "dropped") != NULL) {
		world.dropped += number_of(line, "dropped");
		ORACLE("LOG-7", kernel_log_refused(), "none was: %s", line);
		return;
	}
	ORACLE("SRV-110", was_short() || world.hups > 0,
		"there is no cause: %s", line);
}

static void judge_ready(const char *line)
{
	(void)line;
	world.is_ready = true;
	kernel_calm(world.stage > 0);
}

static void judge_reject(const char *line)
{
	if (find(line, "suppressed") != NULL)
		world.suppressed += number_of(line, "suppressed");
	else
		judge_session(line, false);
}

static void judge_admitted(const char *line)
{
	judge_session(line, true);
}

static void judge_up(const char *line)
{
	judge_health(line, true);
}

static void judge_down(const char *line)
{
	judge_health(line, false);
}

static void judge_drain(const char *line)
{
	(void)line;
	world.has_drained = true;
}

static void judge_stopped(const char *line)
{
	(void)line;
	world.has_stopped = true;
}

static const struct {
	const char *event;
	void (*judge)(const char *line);
} events[] = {
	{"ready", judge_ready},
	{"session", judge_admitted},
	{"reject", judge_reject},
	{"upstream_up", judge_up},
	{"upstream_down", judge_down},
	{"drain", judge_drain},
	{"stopped", judge_stopped},
	{"error", judge_error},
};

#define EVENTS (sizeof(events) / sizeof(*events))

void judge_line(const char *whole, size_t len)
{
	char line[8192];
	size_t i = 0;

	memcpy(line, whole, len);
	line[len] = '\0';
	world_note("log: %.*s", (int)len - 1, line);
	/* The rest of a torn line would be glued to the next one. */
	ORACLE("LOG-9",
		strncmp(line, "{\"ts\":\"", 7) == 0 &&
			strcmp(line + len - 2, "}\n") == 0 &&
			strstr(line + 1, "{\"ts\"") == NULL,
		"torn: %s", line);
	ORACLE("SRV-136", !world.has_stopped, "after the end: %s", line);
	while (i < EVENTS && !has_text(line, "event", events[i].event))
		i++;
	ORACLE("LOG-2", i < EVENTS, "no such event: %s", line);
	events[i].judge(line);
}

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
		       (other == NULL || far_room(other->sock) > 0) &&
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

/* It may not have looked for the end of its handshake. */
static bool may_be_admitted(const struct client *client)
{
	return client->peer.is_open ||
	       (client->has_shown && client->who <= WHO_CAROL);
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
	if (client->upstream != NULL)
		judge_relay(client);
	judge_break(client);
	ORACLE("SES-11",
		!is_idle(client, world.idle_ns + dials * world.connect_ns +
					 world.handshake_ns + LINGER_NS +
					 SLACK_NS),
		"client %u's session never ends", client->number);
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
	ORACLE("SRV-20", relayed <= world.max_connections,
		"%u sessions where %u may be", relayed, world.max_connections);
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
			!world.is_ready || open >= world.max_connections ||
			kernel_now_ns() < world.short_ns + RETRY_NS ||
			kernel_now_ns() < kernel_fault_ns() + RETRY_NS,
		"%u wait to be accepted, and there are places", waiting);
}

void judge_rest(void)
{
	for (unsigned i = 0; i < world.client_len; i++)
		judge_client(&world.clients[i]);
	judge_places();
	ORACLE("SRV-137", world.terms < 2 || kernel_log_refused(),
		"it is still there after a second signal");
	if (world.terms > 0 && world.is_ready)
		ORACLE("SRV-136",
			kernel_now_ns() <= world.term_ns + world.drain_ns +
						   LINGER_NS + KERNEL_S,
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
		!client->is_accepted || far_no_delay(peer->sock) || was_short(),
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
	bool had_no_thread = !world.has_drained && was_short() && status == 1;

	if (!world.is_ready && !kernel_log_refused()) {
		ORACLE("SRV-5",
			status == 1 || (status == 2 && kernel_was_told()),
			"status %d of a server that did not start", status);
		ORACLE("SRV-5", was_short() || world.terms > 0,
			"it did not start, and there is no cause");
		return;
	}
	ORACLE("SRV-136", world.has_stopped || kernel_log_refused(),
		"it has not said that it stopped");
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
