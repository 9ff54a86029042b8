/*
 * A worker: one thread with its own loop, sessions and health checks. All of
 * it belongs to that thread; other threads give it orders, which come through
 * its mailbox and are carried out in their order.
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
	bool draining; /* no connection will come any more */
	struct alarm drain;
	struct checkers checkers;
	struct conns conns;
};

/*
 * Makes the worker of this number, whose thread is not started. False: an
 * `error` event said why; worker_release is still due.
 */
bool worker_init(struct worker *worker, struct snapshot *snapshot,
	struct capacity *capacity, struct handshakes *handshakes,
	uint32_t number);
void worker_release(struct worker *worker);

/* Serves until it has been told to drain and no session is left. */
void worker_run(struct worker *worker);

/* What any thread may call: */

/*
 * Hands an accepted connection over to a worker, which takes over its socket
 * and frees the message. Not after worker_drain or worker_stop.
 */
void worker_hand_over(struct worker *worker, struct handover *handover);

/* Connections that it has or that are on their way to it. [SRV-53]. */
uint32_t worker_load(const struct worker *worker);

/* Orders it to end when its sessions have, at the latest at this time. Once. */
void worker_drain(struct worker *worker, uint64_t until_ns);

/* Orders it to end its sessions now, and itself. After or without a drain. */
void worker_stop(struct worker *worker);

#endif
