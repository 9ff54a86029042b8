/*
 * The admin port and the admin socket: what operators and their tools ask a
 * running server, and what they have it do. It is
 * the main thread's, which tells it what is in force; what it answers, and in
 * which thread, is its own business. [ADM-*].
 */
#ifndef ADMIN_H
#define ADMIN_H

#include <pthread.h>

#include "control.h"
#include "control_socket.h"
#include "crew.h"
#include "http.h"
#include "snapshot.h"
#include "view.h"

/* The sockets it listens on, and what serves them. */
struct admin_port {
	union address *addresses; /* len of them */
	int *fds;                 /* http's */
	size_t len;
	bool is_local;
	struct http *http; /* NULL: there is no admin port */
};

/* The admin socket, and what serves it. */
struct admin_socket {
	struct control_socket file;
	struct control_asker *asker;
	struct http *http; /* NULL: there is none */
};

struct admin {
	struct crew *crew;
	struct control control;
	struct admin_port port;
	struct admin_socket socket;
	pthread_mutex_t lock; /* of the view; never across a system call */
	struct view *view;    /* held; NULL: nothing is in force yet */
};

/* What a reload prepares. */
struct admin_change {
	struct admin_port port;
	bool keeps_port; /* it stays as it is, and port is empty */
	struct admin_socket socket;
	bool keeps_socket; /* likewise */
	struct view *view;
};

/*
 * Begins without a port, over a crew that must outlive it; control.ask_reload
 * and control.user must be set.
 */
void admin_init(struct admin *admin, struct crew *crew);

/*
 * Prepares the admin port of a snapshot, whose applications were prepared as
 * served says; addresses that it has not yet are listened on from now on.
 * False: an `error` event said why. admin_change_release must be called in any
 * case.
 */
bool admin_prepare(struct admin_change *change, struct admin *admin,
	const struct served_change *served, const struct snapshot *snapshot,
	uint64_t generation);
void admin_change_release(struct admin_change *change);

/* Closes the port that is left in the change, and not yet the socket. */
void admin_change_close_port(struct admin_change *change);

/* Shows what was prepared from now on; what it had is left in the change. */
void admin_commit(struct admin *admin, struct admin_change *change);

/* Answers nothing any more. To be called before the crew is released. */
void admin_stop(struct admin *admin);

/* Lets go of all, once the crew has been released. */
void admin_release(struct admin *admin);

#endif
