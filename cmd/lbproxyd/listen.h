/* The listening sockets. [SRV-5], [SRV-30]. */
#ifndef LISTEN_H
#define LISTEN_H

#include "address.h"
#include "poller.h"
#include "problem.h"
#include "served.h"

/*
 * The main thread opens and frees a listener; meanwhile it is the acceptor's,
 * except for what says otherwise.
 */
/* Who keeps a listener open beside the server. [ACT-4]. */
enum listener_keeper {
	LISTENER_OWN,    /* nobody */
	LISTENER_STORED, /* the service manager, for the server */
	LISTENER_LENT,   /* the service manager, as a unit of its own */
};

struct listener {
	struct watch watch; /* its socket */
	struct acceptor *acceptor;
	struct served_app *app;      /* held; of those that connect to it */
	struct served_app *next;     /* held: what app is to become */
	union address address;       /* does not change */
	bool stays;                  /* the reload in progress keeps it */
	enum listener_keeper keeper; /* the main thread's */
};

struct listeners {
	struct listener **items; /* len of them */
	size_t len;
};

/*
 * Opens the listening sockets of a snapshot, whose applications were prepared
 * as change says. Those of current that have the same address are used again.
 * False: an `error` event said why, for each; none is open that was not before.
 */
bool listeners_open(struct listeners *listeners,
	const struct listeners *current, const struct served_change *change,
	const struct snapshot *snapshot);

/*
 * Opens a socket that listens on an address. Returns -1 with errno set if it
 * cannot.
 */
int listen_open(const union address *address);

/*
 * Makes a listener of a socket that listens already: it does not block, is not
 * inherited, and has our backlog then. The socket is the listener's. NULL: out
 * of memory; the socket is closed.
 */
struct listener *listener_of(int fd, const union address *address);

/* Undoes listeners_open: closes and frees those that current has not. */
void listeners_undo(
	struct listeners *listeners, const struct listeners *current);

/*
 * Checks for listeners that conflict: the same address under two names, or an
 * address and the wildcard of its family. Each is a problem at its place.
 * False: out of memory. [CFG-40].
 */
bool listen_check(const struct snapshot *snapshot, struct problems *problems);

/* Closes the sockets; the list is kept until listeners_release. */
void listeners_close(const struct listeners *listeners);

/* Frees those that do not stay, whose sockets are closed, and the list. */
void listeners_release(struct listeners *listeners);

#endif
