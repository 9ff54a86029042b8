/* The server: listening sockets, worker threads and signals. */
#ifndef SERVER_H
#define SERVER_H

#include "snapshot.h"

/*
 * Serves a snapshot, and those that take its place, until a signal ends the
 * server. The snapshot is the server's then. Returns the exit status.
 */
int server_run(struct snapshot *snapshot);

#endif
