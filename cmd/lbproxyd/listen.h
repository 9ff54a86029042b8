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
 * Opens every listening socket of a snapshot, or none: false, and an `error`
 * event said why. listeners_close ends them.
 */
bool listeners_open(struct listeners *listeners, struct snapshot *snapshot);

/*
 * Would two listeners be in each other's way: the same address under two
 * names, or one beside all addresses of its family? Each is a problem at its
 * place. False: out of memory. [CFG-40].
 */
bool listen_check(const struct snapshot *snapshot, struct problems *problems);

/* Closes the sockets; the list stays until listeners_release. */
void listeners_close(struct listeners *listeners);
void listeners_release(struct listeners *listeners);

#endif
