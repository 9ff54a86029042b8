#include "server/admin.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base.h"

/* More than any request takes whose peer is there and reads. */
#define CLOSE_NS (10 * LBP_NS_PER_S)
/* What one is given if others may be waiting for its place. */
#define YIELD_NS LBP_NS_PER_S

/* What there is, and how many clients are shown unless a query says. */
static struct lbp_admin_wish find(const char *path)
{
	static const struct {
		const char *path;
		struct lbp_admin_wish wish;
	} resources[] = {
		{"/healthz", {LBP_ADMIN_HEALTHZ, 0}},
		{"/readyz", {LBP_ADMIN_READYZ, 0}},
		{"/metrics", {LBP_ADMIN_METRICS, 0}},
		{"/", {LBP_ADMIN_PAGE, 0}},
		{"/status", {LBP_ADMIN_STATUS, LBP_ADMIN_CLIENTS}},
	};
	size_t i;

	for (i = 0; i < sizeof(resources) / sizeof(*resources); i++) {
		if (strcmp(path, resources[i].path) == 0)
			return resources[i].wish;
	}
	return (struct lbp_admin_wish){LBP_ADMIN_NOTHING, 0};
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

unsigned lbp_admin_route(
	const struct lbp_admin_request *request, struct lbp_admin_wish *wish)
{
	*wish = (struct lbp_admin_wish){LBP_ADMIN_NOTHING, 0};
	if (strcmp(request->method, "GET") != 0 &&
		strcmp(request->method, "HEAD") != 0)
		return 405;
	if (request->is_local && request->host != NULL &&
		!is_no_name(request->host))
		return 421;
	*wish = find(request->path);
	if (wish->what == LBP_ADMIN_NOTHING)
		return 404;
	if (request->clients == NULL ||
		read_clients(request->clients, &wish->clients))
		return 200;
	*wish = (struct lbp_admin_wish){LBP_ADMIN_NOTHING, 0};
	return 400;
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

bool lbp_admin_has_room(uint32_t len)
{
	return len < LBP_ADMIN_CONNECTIONS;
}
