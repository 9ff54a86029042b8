/*
 * The places of handshakes in progress, which all workers share, and who loses
 * one when there are too many. [SRV-40].
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
	struct lbp_ticket ticket; /* its order is 0: it has none */
	struct evictions *evictions;
	bool heard;   /* it has sent something */
	bool evicted; /* and in their list; as next behind the lock */
	struct handshake *next;
};

/* Those of one worker that lost their places and were not told. */
struct evictions {
	struct mail mail; /* that there are some; its handler is the worker's */
	struct mailbox *mailbox;
	struct handshake *first; /* behind the lock */
};

struct handshakes {
	pthread_mutex_t lock; /* never across a system call */
	struct lbp_sources *sources;
	struct handshake **places; /* who has each */
};

/* Makes max free places. False with errno set: release is still due. */
bool handshakes_init(struct handshakes *handshakes, uint32_t max);

/* No handshake may have a place any more. */
void handshakes_release(struct handshakes *handshakes);

/* Whatever follows may be called by any worker for its own handshakes. */

/*
 * Gives a place to a new handshake, whose worker is told by these evictions if
 * it loses it. False: another one, of whatever worker, lost its own to it, and
 * that worker was told.
 */
bool handshakes_enter(struct handshakes *handshakes,
	struct handshake *handshake, struct evictions *evictions,
	const union address *peer);

/* Notes once that a handshake has sent something. [SRC-3]. */
void handshakes_heard(
	struct handshakes *handshakes, struct handshake *handshake);

/*
 * Gives the place of a handshake back, which has none afterwards. False: it
 * had been lost; of that nobody is told any more.
 */
bool handshakes_leave(
	struct handshakes *handshakes, struct handshake *handshake);

/* The next of those that lost their places, out of the list; or NULL. */
struct handshake *handshakes_next_evicted(
	struct handshakes *handshakes, struct evictions *evictions);

#endif
