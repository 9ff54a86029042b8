/*
 * One session's two sockets: turns what happens on them into the session's
 * events, and carries out its duties.
 */
#ifndef CONN_H
#define CONN_H

#include <stdatomic.h>

#include "capacity.h"
#include "dial.h"
#include "handshakes.h"
#include "loop.h"
#include "session.h"
#include "snapshot.h"
#include "stream.h"

struct conn;

/* All connections of one thread. */
struct conns {
	uint32_t number; /* the worker's, for the log */
	struct loop *loop;
	struct capacity *capacity;
	struct handshakes *handshakes;
	struct evictions evictions;
	struct snapshot *snapshot;
	struct alarm sums; /* of what the log does not tell of one by one */
	struct conn *all;
	struct conn *again;  /* those with work left from the last turn */
	struct conn *buried; /* ended; freed when no handler runs */
	/* How many there are or will be: conns_expect. */
	_Atomic(uint32_t) load;
};

struct conn {
	struct conns *conns;
	struct served_app *app;
	struct lbp_session *session; /* in the same block */
	struct lbp_name name;        /* the client's, for the session */
	struct alarm alarm;          /* the session's deadline */
	struct stream client;
	struct stream upstream;
	struct dial dial;
	struct handshake place; /* until it is let in */
	struct job handshake;   /* with the client, then with the upstream */
	union address peer;
	uint64_t accepted_ns;
	const char *tls;   /* version, once the handshake is done */
	const char *cause; /* what was wrong with the last upstream; static */
	bool resumed;
	bool is_again;  /* in the list of those */
	bool is_paused; /* its handshake, until the alarm rings */
	struct conn *prev;
	struct conn *next;
	struct conn *again_next;
};

/*
 * Starts without a connection, for a thread with this loop and mailbox; all
 * others must outlive it.
 */
void conns_init(struct conns *conns, struct loop *loop, struct mailbox *mailbox,
	struct capacity *capacity, struct handshakes *handshakes,
	struct snapshot *snapshot);

/*
 * Counts a connection from now on that conn_start will get; any thread may
 * call it.
 */
void conns_expect(struct conns *conns);

/* Those that are expected and those that have not ended. Any thread. */
uint32_t conns_load(const struct conns *conns);

/*
 * Starts a connection on an accepted socket, which it takes over, and which is
 * expected and counted as one without a place.
 */
void conn_start(struct conns *conns, struct served_app *app, int fd,
	const union address *peer);

/* Ends all of them for this reason. */
void conns_stop(struct conns *conns, enum lbp_reason reason);

/*
 * To be called after each turn of the loop: goes on with those that gave way
 * to others, and frees those that ended.
 */
void conns_turn(struct conns *conns);

#endif
