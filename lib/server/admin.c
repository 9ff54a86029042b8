#include "server/admin.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base.h"

/* More than any request takes whose peer is there and reads. */
#define CLOSE_NS (10 * LBP_NS_PER_S)
/* What one is given if others may be waiting for its place. */
#define YIELD_NS LBP_NS_PER_S

static enum lbp_admin_resource find(const char *path)
{
	static const struct {
		const char *path;
		enum lbp_admin_resource what;
	} resources[] = {
		{"/healthz", LBP_ADMIN_HEALTHZ},
		{"/readyz", LBP_ADMIN_READYZ},
	};
	size_t i;

	for (i = 0; i < sizeof(resources) / sizeof(*resources); i++) {
		if (strcmp(path, resources[i].path) == 0)
			return resources[i].what;
	}
	return LBP_ADMIN_NOTHING;
}

unsigned lbp_admin_route(
	const char *method, const char *path, enum lbp_admin_resource *what)
{
	*what = LBP_ADMIN_NOTHING;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return 405;
	*what = find(path);
	return *what == LBP_ADMIN_NOTHING ? 404 : 200;
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
