/*
 * One session's two sockets: turns what happens on them into the session's
 * events, and carries out its duties.
 */
#ifndef CONN_H
#define CONN_H

#include "balancer.h"
#include "dial.h"
#include "session.h"
#include "stream.h"
#include "worker.h"

enum conn_side {
	CONN_CLIENT,
	CONN_UPSTREAM,
};

struct conn {
	struct worker *worker;
	struct served_app *app;
	struct lbp_session session;
	struct alarm alarm; /* the session's deadline */
	struct stream client;
	struct stream upstream;
	struct dial dial;
	union address peer;
	uint64_t accepted_ns;
	const char *tls; /* version, once the handshake is done */
	bool resumed;
	bool is_again; /* in the worker's list of those */
	struct conn *prev;
	struct conn *next;
	struct conn *again_next;
	uint8_t tried[]; /* the session's */
};

/*
 * Starts on an accepted socket, for which a place was reserved; both are
 * given back when it ends.
 */
void conn_start(struct worker *worker, struct served_app *app, int fd,
	const union address *peer);

/* Ends it for this reason. */
void conn_stop(struct conn *conn, enum lbp_reason reason);

/* Goes on with a relay that gave way to others. */
void conn_go_on(struct conn *conn);

/*
 * Moves what bytes can be moved. True: *event happened and is to be stepped.
 */
bool conn_relay(struct conn *conn, struct lbp_event *event);

/* The log lines of a session's end and of an upstream's change. */
void conn_report(const struct conn *conn, uint64_t now_ns);
void report_health(const struct served_app *app, uint32_t upstream,
	enum lbp_health_change change);

#endif
