#include "server/admin.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base.h"

/* More than any request takes whose peer is there and reads. */
#define CLOSE_NS (10 * LBP_NS_PER_S)
/* What one is given if others may be waiting for its place. */
#define YIELD_NS LBP_NS_PER_S

/* What a request is about: it has to say so, and nothing else. */
enum {
	APP = 1,
	UPSTREAM = 2,
	CLIENT = 4,
	SESSION = 8,
};

/* What there is. */
static const struct resource {
	const char *path;
	enum lbp_admin_resource what;
	unsigned needs;
	uint32_t clients; /* that are shown, unless a query says how many */
	bool is_control;
	bool is_command;
} resources[] = {
	{.path = "/healthz", .what = LBP_ADMIN_HEALTHZ},
	{.path = "/readyz", .what = LBP_ADMIN_READYZ},
	{.path = "/metrics", .what = LBP_ADMIN_METRICS},
	{.path = "/", .what = LBP_ADMIN_PAGE},
	{.path = "/status",
		.what = LBP_ADMIN_STATUS,
		.clients = LBP_ADMIN_CLIENTS},
	{.path = "/sessions", .what = LBP_ADMIN_SESSIONS, .is_control = true},
	{.path = "/client",
		.what = LBP_ADMIN_CLIENT,
		.needs = APP | CLIENT,
		.is_control = true},
	{.path = "/drain",
		.what = LBP_ADMIN_DRAIN,
		.needs = APP | UPSTREAM,
		.is_control = true,
		.is_command = true},
	{.path = "/resume",
		.what = LBP_ADMIN_RESUME,
		.needs = APP | UPSTREAM,
		.is_control = true,
		.is_command = true},
	/* Needs one of the two. */
	{.path = "/kill",
		.what = LBP_ADMIN_KILL,
		.needs = CLIENT | SESSION,
		.is_control = true,
		.is_command = true},
	{.path = "/reload",
		.what = LBP_ADMIN_RELOAD,
		.is_control = true,
		.is_command = true},
};

static const struct resource *find(const struct lbp_admin_request *request)
{
	size_t i;

	for (i = 0; i < sizeof(resources) / sizeof(*resources); i++) {
		if (strcmp(request->path, resources[i].path) == 0 &&
			(request->is_control || !resources[i].is_control))
			return &resources[i];
	}
	return NULL;
}

static bool is_get(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static bool is_command(const struct lbp_admin_request *request)
{
	return request->is_control && strcmp(request->method, "POST") == 0;
}

/* Reads a number of clients; false: it is none, or too great. */
static bool read_clients(const char *text, uint32_t *clients)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; text[i] >= '0' && text[i] <= '9'; i++) {
		n = n * 10 + (uint32_t)(text[i] - '0');
		if (n > LBP_ADMIN_CLIENTS_MAX)
			return false;
	}
	*clients = n;
	return i > 0 && text[i] == '\0';
}

bool lbp_admin_is_local(const char *host)
{
	return strcasecmp(host, "localhost") == 0 ||
	       strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

/* Is it an address or localhost, with or without a port? */
static bool is_no_name(const char *host)
{
	static const char local[] = "localhost";
	size_t len = strcspn(host, ":");

	if (host[0] == '[' || strspn(host, "0123456789.") == len)
		return true;
	return len == sizeof(local) - 1 && strncasecmp(host, local, len) == 0;
}

/* Does it say what it is about, just as it has to? */
static bool says_what(const struct lbp_admin_request *request,
	const struct resource *resource)
{
	unsigned says = (request->app != NULL ? APP : 0) |
			(request->upstream != NULL ? UPSTREAM : 0) |
			(request->client != NULL ? CLIENT : 0) |
			(request->session != NULL ? SESSION : 0);

	if (resource->what == LBP_ADMIN_KILL)
		return says == CLIENT || says == SESSION;
	return !resource->is_control || says == resource->needs;
}

/* False: the query is none that the resource has. */
static bool read_query(const struct lbp_admin_request *request,
	const struct resource *resource, struct lbp_admin_wish *wish)
{
	struct lbp_admin_wish all = {.what = resource->what,
		.clients = resource->clients,
		.app = request->app,
		.upstream = request->upstream,
		.client = request->client,
		.has_session = (resource->needs & SESSION) != 0 &&
			       request->session != NULL};

	if (!says_what(request, resource) ||
		(request->clients != NULL &&
			!read_clients(request->clients, &all.clients)) ||
		(all.has_session &&
			!lbp_session_id_parse(request->session, &all.session)))
		return false;
	*wish = all;
	return true;
}

unsigned lbp_admin_route(
	const struct lbp_admin_request *request, struct lbp_admin_wish *wish)
{
	const struct resource *resource;

	*wish = (struct lbp_admin_wish){.what = LBP_ADMIN_NOTHING};
	if (!is_get(request->method) && !is_command(request))
		return 405;
	if (request->is_local && request->host != NULL &&
		!is_no_name(request->host))
		return 421;
	resource = find(request);
	if (resource == NULL)
		return 404;
	if (resource->is_command != is_command(request))
		return 405;
	return read_query(request, resource, wish) ? 200 : 400;
}

bool lbp_admin_may_control(uint32_t user, uint32_t own)
{
	return user == 0 || user == own;
}

unsigned lbp_admin_readyz(
	const struct lbp_admin_readiness *readiness, char *buf)
{
	const char *says = "ready";

	if (readiness->is_starting)
		says = "the server is starting";
	else if (readiness->is_draining)
		says = "the server is draining";
	else if (readiness->waits_for != NULL)
		says = NULL;
	if (says != NULL)
		snprintf(buf, LBP_ADMIN_SAYS_MAX, "%s\n", says);
	else
		snprintf(buf, LBP_ADMIN_SAYS_MAX,
			"no upstream of app '%.64s' is up\n",
			readiness->waits_for);
	return !readiness->is_starting && !readiness->is_draining &&
			       readiness->waits_for == NULL
		       ? 200
		       : 503;
}

uint64_t lbp_admin_close_due(uint32_t len, uint64_t oldest_ns)
{
	if (len == 0)
		return LBP_NEVER;
	return oldest_ns + (lbp_admin_has_room(len) ? CLOSE_NS : YIELD_NS);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int lbp_admin_wait_ms(
	uint64_t now_ns, uint64_t close_ns, uint64_t retry_ns, uint64_t most_ms)
{
	uint64_t due =
		retry_ns > now_ns ? sooner(close_ns, retry_ns) : close_ns;
	uint64_t ms = due > now_ns ? (due - now_ns - 1) / LBP_NS_PER_MS + 1 : 0;

	ms = sooner(ms, most_ms);
	return ms < INT_MAX ? (int)ms : -1;
}

bool lbp_admin_has_room(uint32_t len)
{
	return len < LBP_ADMIN_CONNECTIONS;
}
