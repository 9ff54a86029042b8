/* The server: listening sockets, worker threads and signals. */
#ifndef SERVER_H
#define SERVER_H

#include <stdatomic.h>

#include "listen.h"
#include "snapshot.h"

struct worker;

enum server_phase {
	SERVER_SERVING,
	SERVER_DRAINING, /* no new connections; sessions may finish */
	SERVER_STOPPING, /* sessions end now */
};

struct server {
	struct snapshot *snapshot;
	struct listeners listeners;
	struct worker *workers; /* worker_len of them */
	uint32_t worker_len;
	int signal_fd; /* the pipe that signals and workers write to */

	_Atomic(enum server_phase) phase;
	_Atomic(uint64_t) drain_until_ns; /* valid from SERVER_DRAINING on */
	atomic_uint connections;          /* clients', over all workers */
	atomic_bool waiting;   /* some worker waits for connections to end */
	atomic_uint listening; /* workers that have not stopped to listen */
	_Atomic(uint64_t) exhausted_ns; /* when we last lacked resources */
};

/*
 * Serves a snapshot until a signal ends it; the exit status. The snapshot
 * stays the caller's.
 */
int server_run(struct snapshot *snapshot);

/* Takes a place for one more client connection, if there is one. [SRV-20]. */
bool server_reserve(struct server *server);

/* Gives a place back and wakes whoever waits for one. */
void server_release(struct server *server);

/* Logs that a resource ran out, once until it has recovered. [SRV-21]. */
void server_exhausted(struct server *server, const char *what, int error);

/* A worker does not listen any more; the last one closes the sockets. */
void server_stopped_listening(struct server *server);

#endif
