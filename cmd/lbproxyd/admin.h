/*
 * The admin port: what operators and their tools ask a running server. It is
 * the main thread's, which tells it what is in force; what it answers, and in
 * which thread, is its own business. [ADM-*].
 */
#ifndef ADMIN_H
#define ADMIN_H

#include <pthread.h>

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

struct admin {
	const struct crew *crew;
	struct admin_port port;
	pthread_mutex_t lock; /* of the view; never across a system call */
	struct view *view;    /* held; NULL: nothing is in force yet */
};

/* What a reload prepares. */
struct admin_change {
	struct admin_port port;
	bool keeps_port; /* it stays as it is, and port is empty */
	struct view *view;
};

/* Begins without a port, over a crew that must outlive it. */
void admin_init(struct admin *admin, const struct crew *crew);

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

/* Shows what was prepared from now on; what it had is left in the change. */
void admin_commit(struct admin *admin, struct admin_change *change);

/* Answers nothing any more. To be called before the crew is released. */
void admin_stop(struct admin *admin);

#endif
