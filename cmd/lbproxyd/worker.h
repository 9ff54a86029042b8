/*
 * A worker: one thread with its own loop, timers, sessions and buffers.
 * Everything here belongs to that thread but worker_wake.
 */
#ifndef WORKER_H
#define WORKER_H

#include <pthread.h>

#include "clock.h"
#include "poller.h"
#include "server.h"
#include "timers.h"

/* Of one direction of one session. [SRV-18]. */
#define RING_BYTES (64 * 1024)

/* A timer that knows what to do. */
struct alarm {
	struct lbp_timer timer; /* first: a taken timer is its alarm */
	void (*fire)(struct alarm *alarm);
};

/* A worker's watch on a listening socket. */
struct acceptor {
	struct watch watch;
	struct worker *worker;
	struct listener *listener;
};

struct conn;
struct checker;
struct ring;

struct worker {
	struct server *server;
	uint32_t number;
	pthread_t thread;
	struct poller *poller;
	struct lbp_timers timers;
	struct lbp_timer **timer_heap;

	struct watch wake;
	int wake_write; /* the other end of the pipe */

	struct acceptor *acceptors; /* one for each listening socket */
	bool listening;             /* until the drain */
	struct alarm retry;         /* to accept again after a shortage */
	struct alarm drain;

	struct checker *checkers; /* of this worker's applications */
	size_t checker_len;

	struct conn *conns;  /* all of them */
	struct conn *again;  /* those with work left from the last turn */
	struct conn *buried; /* ended; freed when no handler runs */

	struct ring *rings; /* free ones */
	unsigned ring_len;
};

/*
 * Makes a worker of a server whose listeners are open; the thread is not
 * started. False: an `error` event said why; worker_release is still due.
 */
bool worker_init(struct worker *worker, struct server *server, uint32_t number,
	uint32_t timer_cap);
void worker_release(struct worker *worker);

/* The thread: serves until the server drains and no session is left. */
void *worker_main(void *worker);

/* Makes the worker look at the server's state; any thread may call it. */
void worker_wake(struct worker *worker);

/* Arms an alarm, or moves it; it fires once. */
void worker_arm(struct worker *worker, struct alarm *alarm, uint64_t due_ns);
void worker_disarm(struct worker *worker, struct alarm *alarm);

/* A ring of RING_BYTES bytes, or NULL; given back to the same worker. */
uint8_t *worker_take_ring(struct worker *worker);
void worker_give_ring(struct worker *worker, uint8_t *ring);

#endif
