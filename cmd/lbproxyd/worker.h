/*
 * A worker: one thread with its own loop, sessions and health checks, all of
 * which belong to that thread. Other threads send orders to its mailbox, and
 * they are carried out in that order.
 */
#ifndef WORKER_H
#define WORKER_H

#include <pthread.h>

#include "check.h"
#include "conn.h"
#include "mailbox.h"

/* An accepted connection on its way to a worker. */
struct handover {
	struct mail mail;
	struct worker *worker;
	struct served_app *app;
	int fd;
	union address peer;
};

struct worker {
	pthread_t thread;
	struct loop loop;
	struct mailbox mailbox;
	struct mail drain_order;
	uint64_t drain_until_ns; /* valid with the order */
	struct mail stop_order;
	bool draining; /* no more connections will come */
	struct alarm drain;
	struct checkers checkers;
	struct conns conns;
};

/*
 * Makes the worker with this number; its thread is not started. False: an
 * `error` event said why; worker_release must still be called.
 */
bool worker_init(struct worker *worker, struct snapshot *snapshot,
	struct capacity *capacity, struct handshakes *handshakes,
	uint32_t number);
void worker_release(struct worker *worker);

/* Serves until told to drain and no session is left. */
void worker_run(struct worker *worker);

/* Any thread may call these. */

/*
 * Hands an accepted connection over to a worker, which then owns its socket and
 * frees the message. Not to be called after worker_drain or worker_stop.
 */
void worker_hand_over(struct worker *worker, struct handover *handover);

/* The connections that it has or that are on their way to it. [SRV-53]. */
uint32_t worker_load(const struct worker *worker);

/* Tells it to end when its sessions have, but by this time. Call it once. */
void worker_drain(struct worker *worker, uint64_t until_ns);

/* Tells it to end its sessions and itself now, after or without a drain. */
void worker_stop(struct worker *worker);

#endif
