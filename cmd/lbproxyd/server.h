/* The server: listening sockets, worker threads and signals. */
#ifndef SERVER_H
#define SERVER_H

#include "snapshot.h"

/*
 * Serves a snapshot, which stays the caller's, until a signal ends the server.
 * Returns the exit status.
 */
int server_run(struct snapshot *snapshot);

#endif
