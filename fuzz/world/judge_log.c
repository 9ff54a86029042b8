/* What SPEC.md says of what the log says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "world.h"

static enum lbp_reason reason_of(const char *line)
{
	const char *value = line_find(line, "reason");
	int r = LBP_REASON_NONE + 1;

	while (r < LBP_REASONS &&
		!line_is(value, lbp_reason_text((enum lbp_reason)r)))
		r++;
	ORACLE("SES-17", r < LBP_REASONS, "no reason in %s", line);
	return (enum lbp_reason)r;
}

static struct client *client_of(const char *line)
{
	const char *peer = line_find(line, "peer");
	const char *colon = peer == NULL ? NULL : strchr(peer, ':');
	unsigned port = colon == NULL ? 0 : (unsigned)atoi(colon + 1);

	for (unsigned i = 0; i < world.client_len; i++) {
		if (world.clients[i].port == port)
			return &world.clients[i];
	}
	return NULL;
}

/* Connections so far, of clients before this kind. */
static unsigned count_accepted(enum world_who end)
{
	unsigned n = 0;

	for (unsigned i = 0; i < world.client_len; i++)
		n += world.clients[i].is_accepted && world.clients[i].who < end;
	return n;
}

/* Has a file that the server may have read taken its right from it? */
static bool may_have_lost(const struct client *client, enum world_who who)
{
	return client->who == who && plan_bars(client, world.ever);
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
		return count_accepted(WHO_KINDS) > world.max_handshakes;
	case LBP_REASON_HANDSHAKE_FAILED:
		return client->peer.has_broken || client->peer.misbehaved;
	case LBP_REASON_NO_PROTOCOL:
		return !client_is_understood(client);
	case LBP_REASON_BAD_PROXY_HEADER:
		return client->is_bad;
	case LBP_REASON_NO_CERTIFICATE:
		return client->who == WHO_NO_CERTIFICATE && !client->is_bad;
	case LBP_REASON_EXPIRED:
		return client->who == WHO_EXPIRED;
	case LBP_REASON_UNKNOWN_CLIENT:
		return client->who == WHO_STRANGER ||
		       may_have_lost(client, WHO_BOB);
	case LBP_REASON_NOT_ALLOWED:
		return (client->who == WHO_BOB && client->app != 0) ||
		       may_have_lost(client, WHO_ALICE);
	case LBP_REASON_REVOKED:
		return may_have_lost(client, WHO_CAROL);
	case LBP_REASON_CONCURRENT_LIMIT:
		return app->concurrent > 0 ||
		       (client->who == WHO_CAROL && client->app == 0);
	case LBP_REASON_MAX_CONNECTIONS:
		return client->who <= WHO_CAROL &&
		       count_accepted(WHO_STRANGER) > world.max_connections;
	case LBP_REASON_DRAIN_TIMEOUT:
		return world.terms > 0 &&
		       kernel_now_ns() >= world.term_ns + world.drain_delay_ns +
						  world.drain_ns;
	case LBP_REASON_SHUTDOWN:
		return world.terms > 1;
	case LBP_REASON_INTERNAL:
		return world_was_short();
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
		if (app->items[u].is_to_blame || app->items[u].was_drained)
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
	case LBP_REASON_UPSTREAM_UNTRUSTED:
		return (world.ever & OTHER_CA) != 0 &&
		       (client->upstream == NULL ||
			       client->upstream->peer.is_tls);
	case LBP_REASON_KILLED:
		return (world.killed >> client->who & 1) != 0;
	case LBP_REASON_IDLE_TIMEOUT:
		return kernel_now_ns() >= client->accepted_ns + world.idle_ns;
	case LBP_REASON_LIFETIME:
		return app->lifetime_ns != 0 &&
		       kernel_now_ns() >=
			       client->accepted_ns + app->lifetime_ns / 10 * 9;
	case LBP_REASON_UNKNOWN_CLIENT:
	case LBP_REASON_NOT_ALLOWED:
	case LBP_REASON_REVOKED:
	case LBP_REASON_DRAIN_TIMEOUT:
	case LBP_REASON_SHUTDOWN:
	case LBP_REASON_INTERNAL:
		return may_be_rejected(client, reason);
	default:
		return false;
	}
}

/* By its URI is known whose serial is a new one. */
static void judge_name(const char *line, const struct client *client)
{
	char uri[] = WORLD_URI "a";

	uri[sizeof(uri) - 2] = (char)('a' + client->who);
	if (line_find(line, "client") == NULL || !client_is_renewed(client))
		ORACLE("LOG-3", line_find(line, "name") == NULL, "by what? %s",
			line);
	else
		ORACLE("LOG-3", line_has(line, "name", uri), "by what? %s",
			line);
}

/* It is where the header says, once TLS has begun, and before that perhaps. */
static void judge_peer(const char *line, const struct client *client)
{
	const char *own =
		client->who == WHO_STRANGER ? "\"10.0.0.2:" : "\"10.0.0.1:";
	const char *peer = line_find(line, "peer");
	bool is_own = strncmp(peer, own, strlen(own)) == 0;
	bool is_told = strncmp(peer, "\"" WORLD_SOURCE ":",
			       strlen(WORLD_SOURCE) + 2) == 0;

	ORACLE("PRX-32",
		is_told ? client->ip != NULL
			: is_own && (client->ip == NULL ||
					    !client->peer.heard_hello),
		"client %u: %s", client->number, line);
}

/* Each address of a name has its part of the time, and there are few. */
static void judge_no_upstream(const char *line, const struct client *client)
{
	const char *cause = line_find(line, "cause");

	ORACLE("SRV-118", cause != NULL, "for what cause? %s", line);
	judge_cause(line);
	ORACLE("SRV-118",
		strncmp(cause, "\"timed out", 10) != 0 ||
			kernel_now_ns() >=
				client->accepted_ns + world.connect_ns / 4,
		"it has not had the time: %s", line);
}

/* Has it long ago sent what is no header where one was due? */
static bool has_spoilt_header(const struct client *client, uint64_t now_ns)
{
	const struct peer *peer = &client->peer;

	/* The thread that reads it may be late. */
	return client->is_bad && peer->out_len == 0 &&
	       now_ns >= peer->touched_ns + 100 * KERNEL_MS + world.lag_ns;
}

static void judge_session(const char *line, bool was_admitted)
{
	struct client *client = client_of(line);
	enum lbp_reason reason = reason_of(line);

	ORACLE("SES-17", client != NULL, "nobody's line: %s", line);
	ORACLE("SES-17", client->reported++ == 0, "a second line: %s", line);
	judge_name(line, client);
	judge_peer(line, client);
	client->reason = reason;
	client->bytes_up = line_number(line, "bytes_up");
	client->bytes_down = line_number(line, "bytes_down");
	ORACLE("SES-3", !was_admitted || client->who <= WHO_CAROL,
		"a session of who may have none: %s", line);
	ORACLE("SRV-174", !was_admitted || client_is_understood(client),
		"a session without a common protocol: %s", line);
	world.cut += was_admitted && (reason == LBP_REASON_DRAIN_TIMEOUT ||
					     reason == LBP_REASON_SHUTDOWN);
	world.internals += reason == LBP_REASON_INTERNAL;
	if (was_admitted && reason == LBP_REASON_NO_UPSTREAM)
		judge_no_upstream(line, client);
	ORACLE("PRX-31",
		reason != LBP_REASON_HANDSHAKE_TIMEOUT ||
			!has_spoilt_header(client, line_time_ns(line)),
		"that was known before: %s", line);
	if (was_admitted)
		ORACLE("SES-17", may_end_so(client, reason), "why? %s", line);
	else
		ORACLE("SES-17", may_be_rejected(client, reason), "why? %s",
			line);
}

static void judge_health(const char *line, bool is_up)
{
	const char *app = line_find(line, "app");
	const char *url = line_find(line, "upstream");
	unsigned a = (unsigned)atoi(app + 4);
	unsigned u = 0;
	struct upstream *upstream;

	/* tcp://10.1.A.U:9000 or tcp://nA-U.test:9000 */
	if (strstr(url, ".test") != NULL)
		sscanf(strchr(url, '-') + 1, "%u", &u);
	else
		sscanf(url + 7, "10.1.%*u.%u", &u);
	upstream = &world.app[a].items[u];
	/* One that a reload adds again is up, whatever it was. */
	ORACLE("SRV-28",
		upstream->is_down == is_up || kernel_log_refused() ||
			(a == 0 && u + 1 == world.app[0].upstreams &&
				(world.ever & NO_LAST) != 0),
		"again: %s", line);
	upstream->is_down = !is_up;
	ORACLE("SRV-109", is_up || upstream->is_to_blame,
		"it has done nothing: %s", line);
}

static void judge_ready(const char *line)
{
	(void)line;
	world.is_ready = true;
	world.generation = 1;
	kernel_calm(world.stage > 0);
}

static void judge_reject(const char *line)
{
	if (line_find(line, "suppressed") != NULL)
		world.suppressed += line_number(line, "suppressed");
	else
		judge_session(line, false);
}

static void judge_admitted(const char *line)
{
	judge_session(line, true);
}

static void judge_up(const char *line)
{
	judge_cause(line);
	judge_health(line, true);
}

static void judge_down(const char *line)
{
	judge_cause(line);
	judge_health(line, false);
}

static void judge_drain(const char *line)
{
	(void)line;
	world.has_drained = true;
}

static void note_open_dials(void)
{
	for (unsigned i = 0; i < world.dial_len; i++)
		world.dials[i].was_open = world.dials[i].peer.is_open;
}

/* The last file of all may be there before the one before it is read. */
static bool is_of_another_file(void)
{
	return world.trusts_all && world.reloads < world.hups;
}

static void judge_reload(const char *line)
{
	bool ok = line_find(line, "ok")[0] == 't';
	unsigned was;

	world.reloads++;
	world.is_asked = false;
	if (world.reloads > world.hups && world.late_asks > 0) {
		world.late_asks--;
		world.hups++;
	}
	ORACLE("RLD-3", world.reloads <= world.hups, "nobody asked: %s", line);
	ORACLE("RLD-2",
		is_of_another_file() ||
			(ok ? (world.variant & IS_BROKEN) == 0
			    : (world.variant & IS_BROKEN) != 0 ||
						world_was_short()),
		"another result: %s", line);
	/* The file does not change while a reload is asked for. */
	if (!ok) {
		/* For want of memory it may not even have been read. */
		world.reads = 0;
		return;
	}
	if (!is_of_another_file())
		world.in_force = world.variant;
	note_open_dials();
	was = world.generation;
	world.generation = (unsigned)line_number(line, "generation");
	ORACLE("RLD-5",
		world.generation == was + 1 ||
			(world.generation > was && kernel_log_refused()),
		"not the next one: %s", line);
}

static void judge_stopped(const char *line)
{
	uint64_t cut = line_number(line, "cut");

	ORACLE("SRV-177",
		cut == world.cut || (cut > world.cut && kernel_log_refused()),
		"%llu sessions were cut, and %u lines say so",
		(unsigned long long)cut, world.cut);
	world.has_stopped = true;
}

static void judge_admin(const char *line)
{
	ORACLE("CTL-16", ++world.told <= world.steered, "nobody did: %s", line);
}

static const struct {
	const char *event;
	void (*judge)(const char *line);
} events[] = {
	{"admin", judge_admin},
	{"ready", judge_ready},
	{"session", judge_admitted},
	{"reject", judge_reject},
	{"upstream_up", judge_up},
	{"upstream_down", judge_down},
	{"drain", judge_drain},
	{"reload", judge_reload},
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
	while (i < EVENTS && !line_has(line, "event", events[i].event))
		i++;
	ORACLE("LOG-2", i < EVENTS, "no such event: %s", line);
	ORACLE("LOG-25", strstr(line, "(null)") == NULL,
		"a text that is not there: %s", line);
	judge_fields(line);
	events[i].judge(line);
}
