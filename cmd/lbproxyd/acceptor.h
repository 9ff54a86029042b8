/*
 * The acceptor: one thread that owns the listening sockets, accepts while
 * there is room, and hands each connection over to the worker with the fewest.
 */
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include "capacity.h"
#include "listen.h"
#include "worker.h"

struct acceptor;

/* The watch on a listening socket. */
struct entrance {
	struct watch watch; /* first: a ready watch is its entrance */
	struct acceptor *acceptor;
	struct listener *listener;
};

struct acceptor {
	pthread_t thread;
	struct loop loop;
	struct poller *open;   /* waits for the mailbox and the entrances, */
	struct poller *closed; /* and this one for the mailbox only */
	struct mailbox mailbox;
	struct watch closed_mailbox; /* the mailbox's in the latter */
	struct mail room;            /* a place became free */
	struct mail stop_order;
	bool stopped;
	struct alarm retry; /* after a shortage */
	struct capacity *capacity;
	struct listeners *listeners;
	struct entrance *entrances; /* one for each of the listeners */
	struct handover *spare;     /* for the next connection, or NULL */
	struct worker *workers;     /* worker_len of them, */
	uint32_t worker_len;
	uint32_t *loads; /* room for theirs, */
	uint32_t last;   /* and who got the last connection */
};

/*
 * Makes it for listeners that are open, and that it closes when it is told to
 * stop; workers, capacity and listeners must outlive it. Its thread is not
 * started. False: an `error` event said why; acceptor_release is still due.
 */
bool acceptor_init(struct acceptor *acceptor, struct snapshot *snapshot,
	struct capacity *capacity, struct listeners *listeners,
	struct worker *workers);
void acceptor_release(struct acceptor *acceptor);

/* Accepts until it is told to stop; then the listeners are closed. */
void acceptor_run(struct acceptor *acceptor);

/* What any thread may call: */

/* Tells it that a place that it waits for has become free. */
void acceptor_has_room(struct acceptor *acceptor);

/* Orders it to stop. */
void acceptor_stop(struct acceptor *acceptor);

#endif
