/* The listening sockets, shared by all workers. [SRV-5], [SRV-30]. */
#ifndef LISTEN_H
#define LISTEN_H

#include "address.h"
#include "problem.h"
#include "snapshot.h"

struct listener {
	int fd;
	struct served_app *app;
	union address address;
};

struct listeners {
	struct listener *items; /* len of them */
	size_t len;
};

/*
 * Opens all listening sockets of a snapshot, to be closed with listeners_close.
 * False: an `error` event said why; none is open.
 */
bool listeners_open(struct listeners *listeners, struct snapshot *snapshot);

/*
 * Checks for listeners that conflict: the same address under two names, or an
 * address and the wildcard of its family. Each is a problem at its place.
 * False: out of memory. [CFG-40].
 */
bool listen_check(const struct snapshot *snapshot, struct problems *problems);

/* Closes the sockets; the list is kept until listeners_release. */
void listeners_close(struct listeners *listeners);
void listeners_release(struct listeners *listeners);

#endif
