/*
 * The places of handshakes in progress, which all workers share, and who is
 * evicted when there are too many. [SRV-40].
 */
#ifndef HANDSHAKES_H
#define HANDSHAKES_H

#include <pthread.h>

#include "address.h"
#include "mailbox.h"
#include "server/sources.h"

struct evictions;

/* One connection's place, while it has one. */
struct handshake {
	struct lbp_ticket ticket; /* order 0: it has no place */
	struct evictions *evictions;
	bool heard;   /* it has sent something */
	bool evicted; /* and in the list; like next, behind the lock */
	struct handshake *next;
};

/* A worker's evicted handshakes that it has not been told of yet. */
struct evictions {
	struct mail mail; /* tells the worker, whose handler it calls */
	struct mailbox *mailbox;
	struct handshake *first; /* behind the lock */
};

struct handshakes {
	pthread_mutex_t lock; /* never across a system call */
	struct lbp_sources *sources;
	struct handshake **places; /* the holder of each */
};

/*
 * Makes max free places. False with errno set: release must still be called.
 */
bool handshakes_init(struct handshakes *handshakes, uint32_t max);

/* No handshake may have a place. */
void handshakes_release(struct handshakes *handshakes);

/* Any worker may call these, for its own handshakes. */

/*
 * Gives a place to a new handshake, whose worker is told through evictions if
 * it loses it. False: another handshake, of any worker, was evicted for it, and
 * that one's worker was told.
 */
bool handshakes_enter(struct handshakes *handshakes,
	struct handshake *handshake, struct evictions *evictions,
	const union address *peer);

/*
 * Counts a handshake that has a place as a new one from this peer, which has
 * sent nothing yet. No other one loses its place for that. [PRX-33].
 */
void handshakes_move(struct handshakes *handshakes, struct handshake *handshake,
	const union address *peer);

/* Notes that a client has sent something; further calls do nothing. [SRC-3]. */
void handshakes_heard(
	struct handshakes *handshakes, struct handshake *handshake);

/*
 * Returns a handshake's place. False: the handshake had been evicted; its
 * worker will no longer be told.
 */
bool handshakes_leave(
	struct handshakes *handshakes, struct handshake *handshake);

/* Takes the next evicted handshake off the list; NULL: there is none. */
struct handshake *handshakes_next_evicted(
	struct handshakes *handshakes, struct evictions *evictions);

#endif
