/*
 * The acceptor owns the listening sockets, accepts while there is room, and
 * hands each connection over to the worker with the fewest. It is a thread; but
 * beside a single worker it runs in that one's loop, which saves each
 * connection the way from thread to thread.
 */
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include "capacity.h"
#include "listen.h"
#include "worker.h"

/* The listeners that the next reload has. The main thread makes it. */
struct acceptor_change {
	struct mail order; /* for acceptor_adopt */
	struct mail *done; /* posted to reply_to when it is carried out */
	struct mailbox *reply_to;
	struct acceptor *acceptor;
	struct listeners listeners;
};

struct acceptor {
	pthread_t thread;
	struct loop own_loop; /* and mailbox: for a thread of its own */
	struct mailbox own_mailbox;
	struct loop *loop; /* where it runs: these, or those of the worker */
	struct mailbox *mailbox;
	struct poller *behind; /* watches the listeners; epoll's in any case */
	struct watch door;     /* of that one, in the loop; open to accept */
	struct mail room;      /* a place has become free */
	struct mail stop_order;
	struct mailbox *reply_to; /* valid with the order, like done */
	struct mail *done;
	bool stopped;
	struct alarm retry; /* after resources ran out */
	struct capacity *capacity;
	struct listeners listeners;
	struct handover *spare; /* for the next connection, or NULL */
	struct worker *workers; /* worker_len of them */
	uint32_t worker_len;
	uint32_t *loads; /* scratch space: one for each worker */
	uint32_t last;   /* the worker that got the last connection */
};

/*
 * Makes an acceptor without listeners; workers and capacity must outlive it. If
 * it is to have a thread, that is not started. False: an `error` event said
 * why; acceptor_release must still be called.
 */
bool acceptor_init(struct acceptor *acceptor, const struct snapshot *snapshot,
	struct capacity *capacity, struct worker *workers);

/* Closes its listeners, too. */
void acceptor_release(struct acceptor *acceptor);

/*
 * Turns to these listeners: those that it does not have yet are watched, those
 * that do not stay are closed. The change gets the list that it had. To be
 * called in its thread, or before that is started. False with errno set: one
 * cannot be watched.
 */
bool acceptor_adopt(struct acceptor *acceptor, struct acceptor_change *change);

/* Closes its listeners. To be called in its thread, or if none runs. */
void acceptor_close(struct acceptor *acceptor);

/* Whether acceptor_run is to be called, in a thread of its own. */
bool acceptor_has_thread(const struct acceptor *acceptor);

/* Accepts until told to stop. */
void acceptor_run(struct acceptor *acceptor);

/* Any thread may call these. */

/* Tells the acceptor that a place that it waits for has become free. */
void acceptor_has_room(struct acceptor *acceptor);

/*
 * Tells it to carry out a change, and to say when it is done. The main thread
 * keeps the change until then.
 */
void acceptor_order(struct acceptor *acceptor, struct acceptor_change *change);

/*
 * Tells the acceptor to close its listeners, and to say when that is done. Call
 * it once.
 */
void acceptor_stop(
	struct acceptor *acceptor, struct mailbox *reply_to, struct mail *done);

#endif
