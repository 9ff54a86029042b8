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

/*
 * What a worker turns to at a reload. Made by the main thread, which keeps it
 * until the worker says that it is done.
 */
struct worker_change {
	struct mail order;
	struct mail *done; /* posted to reply_to when it is carried out */
	struct mailbox *reply_to;
	struct worker *worker;
	struct tls_server *tls;
	struct checkers_change checks;
	uint32_t conn_alarms;
	/* Room for alarms, if more is needed; then the room it had. */
	struct lbp_heap_node **alarms;
	uint32_t alarm_cap;
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
	uint32_t max_handshakes; /* in progress, of all workers together */
	/* Written by its thread: */
	uint32_t conn_alarms; /* the most that its connections ever may have */
	uint32_t alarm_cap;
};

/*
 * Makes the worker with this number, for now without applications; its thread
 * is not started. False: an `error` event said why; worker_release must still
 * be called.
 */
bool worker_init(struct worker *worker, const struct snapshot *snapshot,
	struct capacity *capacity, struct handshakes *handshakes,
	uint32_t number);
void worker_release(struct worker *worker);

/*
 * Prepares what this worker needs for a snapshot, whose applications were
 * prepared as served says. False: out of memory. worker_change_release must be
 * called in any case.
 */
bool worker_prepare(struct worker_change *change, const struct worker *worker,
	const struct served_change *served, const struct snapshot *snapshot);
void worker_change_release(struct worker_change *change);

/*
 * Turns to what was prepared, once it was put in force. To be called in its
 * thread, or before that is started.
 */
void worker_adopt(struct worker *worker, struct worker_change *change);

/* Serves until told to drain and no session is left. */
void worker_run(struct worker *worker);

/* Serves an accepted connection; to be called in its thread. */
void worker_serve(struct worker *worker, const struct handover *handover);

/* Any thread may call these. */

/*
 * Hands an accepted connection over to a worker, which then owns its socket and
 * frees the message. Not to be called after worker_drain or worker_stop.
 */
void worker_hand_over(struct worker *worker, struct handover *handover);

/* The connections that it has or that are on their way to it. [SRV-53]. */
uint32_t worker_load(const struct worker *worker);

/* Tells it to carry out a change, and to say when it is done. */
void worker_order(struct worker *worker, struct worker_change *change);

/* Tells it to end when its sessions have, but by this time. Call it once. */
void worker_drain(struct worker *worker, uint64_t until_ns);

/* Tells it to end its sessions and itself now, after or without a drain. */
void worker_stop(struct worker *worker);

#endif
