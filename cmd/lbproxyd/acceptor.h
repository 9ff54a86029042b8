/*
 * The acceptor: one thread that owns the listening sockets, accepts while there
 * is room, and hands each connection over to the worker with the fewest.
 */
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include "capacity.h"
#include "listen.h"
#include "worker.h"

struct acceptor;

/* The watch on a listening socket. */
struct entrance {
	struct watch watch; /* first, so that its address is the entrance's */
	struct acceptor *acceptor;
	struct listener *listener;
};

struct acceptor {
	pthread_t thread;
	struct loop loop;
	struct poller *open;   /* watches the mailbox and the entrances */
	struct poller *closed; /* watches the mailbox only */
	struct mailbox mailbox;
	struct watch closed_mailbox; /* of the mailbox, in closed */
	struct mail room;            /* a place has become free */
	struct mail stop_order;
	bool stopped;
	struct alarm retry; /* after resources ran out */
	struct capacity *capacity;
	struct listeners *listeners;
	struct entrance *entrances; /* one for each listener */
	struct handover *spare;     /* for the next connection, or NULL */
	struct worker *workers;     /* worker_len of them */
	uint32_t worker_len;
	uint32_t *loads; /* scratch space: one for each worker */
	uint32_t last;   /* the worker that got the last connection */
};

/*
 * Makes an acceptor for open listeners, which it closes when told to stop;
 * workers, capacity and listeners must outlive it. Its thread is not started.
 * False: an `error` event said why; acceptor_release must still be called.
 */
bool acceptor_init(struct acceptor *acceptor, struct snapshot *snapshot,
	struct capacity *capacity, struct listeners *listeners,
	struct worker *workers);
void acceptor_release(struct acceptor *acceptor);

/* Accepts until told to stop, and then closes the listeners. */
void acceptor_run(struct acceptor *acceptor);

/* Any thread may call these. */

/* Tells the acceptor that a place that it waits for has become free. */
void acceptor_has_room(struct acceptor *acceptor);

/* Tells the acceptor to stop. */
void acceptor_stop(struct acceptor *acceptor);

#endif
