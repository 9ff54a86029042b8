/*
 * One session's two sockets: turns what happens on them into the session's
 * events, and carries out its duties.
 */
#ifndef CONN_H
#define CONN_H

#include <stdatomic.h>

#include "capacity.h"
#include "counters.h"
#include "dial.h"
#include "handshakes.h"
#include "loop.h"
#include "rejects.h"
#include "served.h"
#include "session.h"
#include "stream.h"

struct conn;

/* All connections of one thread. */
struct conns {
	uint32_t number; /* of the worker, for the log */
	struct counters counters;
	struct rejects rejects;
	struct loop *loop;
	struct capacity *capacity;
	struct handshakes *handshakes;
	struct evictions evictions;
	uint64_t started;       /* connections */
	uint64_t cut;           /* sessions that conns_stop ended */
	uint64_t shares;        /* the state of lbp_share_draw */
	struct tls_server *tls; /* for new connections */
	struct alarm sums;      /* when to log sums of strangers' attempts */
	/* Of the connection that is to be reported; empty: unknown. */
	char client_id[LBP_ID_MAX + 1];
	struct conn *all;
	struct conn *yielded; /* with work left from the last turn */
	struct conn *ended;   /* freed when no handler runs */
	/* How many there are or will be; see conns_expect. */
	_Atomic(uint32_t) load;
};

struct conn {
	struct conns *conns;
	uint64_t number;        /* of its thread's connections, from 1 on */
	struct served_app *app; /* held */
	struct target *target;  /* held: the upstream chosen last, or NULL */
	struct target *renewed; /* held: what a reload during its dial made
				 * of that, or NULL */
	struct lbp_session *session;          /* in the same block */
	struct lbp_session_timeouts timeouts; /* the session's */
	struct alarm alarm;                   /* the session's deadline */
	struct stream client;
	struct stream upstream;
	struct dial dial;
	struct handshake place;  /* until it is admitted */
	struct opening *opening; /* NULL: no PROXY header is awaited */
	struct job handshake;    /* with the client, then with the upstream */
	union address peer;      /* who connects, as far as is known */
	union address own;       /* and to whom; family 0: as the socket says */
	uint64_t accepted_ns;
	uint64_t dialed_ns;    /* when its last dial began */
	uint64_t keepalive_ns; /* of both sides; 0: off */
	uint64_t look_ns;      /* when to look at the peers; or LBP_NEVER */
	const char *tls;       /* version, once the handshake is complete */
	const char *cause;     /* why the last upstream failed; static */
	bool resumed;
	uint64_t judge_ns;       /* when the client's certificate expires */
	bool keeps_expired;      /* once the certificate has expired */
	bool sends_proxy_header; /* to its upstream */
	bool has_opening;        /* a PROXY header comes first */
	bool has_yielded;        /* in the list of those */
	bool is_kept_alive;      /* the kernel asks its peers */
	bool is_paused;          /* its handshake, until the alarm rings */
	struct conn *prev;
	struct conn *next;
	struct conn *yielded_next;
};

/*
 * Starts without connections, for the thread with this loop and mailbox. All
 * arguments must outlive conns.
 */
void conns_init(struct conns *conns, struct loop *loop, struct mailbox *mailbox,
	struct capacity *capacity, struct handshakes *handshakes);

/* Counts a connection before conn_start gets it; any thread may call this. */
void conns_expect(struct conns *conns);

/* How many are expected or have not ended; any thread may call this. */
uint32_t conns_load(const struct conns *conns);

/*
 * Starts a connection on an accepted socket. It takes over the socket and a
 * hold on the application. The connection must be expected, and counted as one
 * without a place.
 */
void conn_start(struct conns *conns, struct served_app *app, int fd,
	const union address *peer);

/*
 * Turns to this server's identity and trust; connections that the reload does
 * not leave their place end. [RLD-6].
 */
void conns_adopt(struct conns *conns, struct tls_server *tls);

/* Ends all connections for this reason. */
void conns_stop(struct conns *conns, enum lbp_reason reason);

/*
 * To be called after each turn of the loop: resumes connections that yielded,
 * and frees those that ended.
 */
void conns_turn(struct conns *conns);

#endif
