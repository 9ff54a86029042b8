/*
 * A worker: one thread with its own loop, sessions and health checks.
 * Everything here belongs to that thread but worker_wake.
 */
#ifndef WORKER_H
#define WORKER_H

#include <pthread.h>

#include "check.h"
#include "conn.h"
#include "listen.h"

enum phase {
	PHASE_SERVING,
	PHASE_DRAINING, /* no new connections; sessions may finish */
	PHASE_STOPPING, /* sessions end now */
};

/* What the server tells its workers, and they share. */
struct orders {
	_Atomic(enum phase) phase;
	_Atomic(uint64_t) drain_until_ns; /* valid from PHASE_DRAINING on */
	atomic_uint listening; /* workers that have not stopped to listen */
	struct listeners listeners;
	struct capacity capacity;
	struct snapshot *snapshot;
};

struct acceptor;

struct worker {
	struct orders *orders;
	pthread_t thread;
	struct loop loop;
	struct watch wake;
	int wake_write;             /* the other end of the pipe */
	struct acceptor *acceptors; /* one for each listening socket */
	bool listening;             /* until the drain */
	struct alarm retry;         /* to accept again after a shortage */
	struct alarm drain;
	struct checkers checkers;
	struct conns conns;
};

/*
 * Makes the worker of this number; the listeners are open, the thread is not
 * started. False: an `error` event said why; worker_release is still due.
 */
bool worker_init(struct worker *worker, struct orders *orders, uint32_t number);
void worker_release(struct worker *worker);

/* Serves until the server drains and no session is left. */
void worker_run(struct worker *worker);

/* Makes the worker look at its orders; any thread may call it. */
void worker_wake(struct worker *worker);

#endif
