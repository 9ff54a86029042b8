/*
 * What the admin port answers: which requests, and how long a connection may
 * take. Source: SPEC.md [ADM-*].
 */
#ifndef LBP_ADMIN_H
#define LBP_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "server/session_id.h"

/* Connections that are open at once. [ADM-7]. */
#define LBP_ADMIN_CONNECTIONS 24

/*
 * Descriptors that an admin port, or socket, may need: these connections,
 * sockets to listen on (a name may stand for several addresses), and the
 * thread's own; twice, as a reload may open one beside the other. [POL-2].
 */
#define LBP_ADMIN_DESCRIPTORS 64

enum lbp_admin_resource {
	LBP_ADMIN_NOTHING,
	LBP_ADMIN_HEALTHZ,
	LBP_ADMIN_READYZ,
	LBP_ADMIN_METRICS,
	LBP_ADMIN_STATUS,
	LBP_ADMIN_PAGE,
	/* Of the admin socket alone: */
	LBP_ADMIN_SESSIONS,
	LBP_ADMIN_CLIENT,
	LBP_ADMIN_DRAIN,
	LBP_ADMIN_RESUME,
	LBP_ADMIN_KILL,
	LBP_ADMIN_RELOAD,
};

/* The most clients that are shown. [ADM-14]. */
#define LBP_ADMIN_CLIENTS_MAX 1000
/* How many /status shows unless it is told. */
#define LBP_ADMIN_CLIENTS 100

struct lbp_admin_request {
	const char *method;
	const char *path;    /* without the query */
	const char *clients; /* of the query; NULL: it has none */
	const char *host;    /* of the header; NULL: it has none */
	bool is_local;       /* the port is for this machine alone */
	bool is_control;     /* it came to the admin socket */
	/* Of the query; NULL: it has none. */
	const char *app;
	const char *upstream;
	const char *session;
	const char *client;
};

/* Returns true if the host of server.admin is this machine's own. [ADM-9]. */
bool lbp_admin_is_local(const char *host);

/* What a request asks for. */
struct lbp_admin_wish {
	enum lbp_admin_resource what;
	uint32_t clients; /* to be shown at most */
	/* What it is about, as far as it says so; the request's texts. */
	const char *app;
	const char *upstream;
	const char *client;
	bool has_session;
	struct lbp_session_id session;
};

/*
 * Finds what a request asks for, and stores it in *wish. Returns the HTTP
 * status: 200, 400 (the query), 404, 405 or 421 (the host); unless it is 200,
 * what is LBP_ADMIN_NOTHING. Source: [ADM-1], [ADM-5], [ADM-9], [ADM-14],
 * [CTL-7].
 */
unsigned lbp_admin_route(
	const struct lbp_admin_request *request, struct lbp_admin_wish *wish);

/*
 * Returns true if a process of this user may use the admin socket of a server
 * that runs as own. Source: [CTL-4].
 */
bool lbp_admin_may_control(uint32_t user, uint32_t own);

/*
 * Returns when to close the oldest of len open connections, accepted at
 * oldest_ns, whatever it does; LBP_NEVER: there is none. Source: [ADM-6],
 * [ADM-7].
 */
uint64_t lbp_admin_close_due(uint32_t len, uint64_t oldest_ns);

/*
 * Returns for how many milliseconds to wait at now_ns, rounded up: until
 * close_ns, when the oldest connection is to be closed (LBP_NEVER: not at all);
 * until retry_ns, when connections may be accepted again, unless that is past;
 * and no longer than most_ms. -1: for as long as it takes. Source: [ADM-6],
 * [ADM-7].
 */
int lbp_admin_wait_ms(uint64_t now_ns, uint64_t close_ns, uint64_t retry_ns,
	uint64_t most_ms);

/* What decides whether connections are to be sent here. */
struct lbp_admin_readiness {
	bool is_starting;      /* nothing is in force yet */
	bool is_draining;      /* a signal came */
	const char *waits_for; /* an app without an upstream; NULL: none */
};

/* Room for what it says of any app, and the final NUL. */
#define LBP_ADMIN_SAYS_MAX 128

/*
 * Writes the answer to /readyz, a line, to buf, which has LBP_ADMIN_SAYS_MAX
 * bytes; an app's id is cut to 64 bytes. Returns the HTTP status: 200 or 503.
 * Source: [ADM-2], [ADM-3].
 */
unsigned lbp_admin_readyz(
	const struct lbp_admin_readiness *readiness, char *buf);

/* Returns true if one more connection may be accepted. Source: [ADM-7]. */
bool lbp_admin_has_room(uint32_t len);

#endif
