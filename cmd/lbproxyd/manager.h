/*
 * What the server tells the service manager, and when: that it is ready, that
 * it reloads, that it stops, how it is, and that it lives. It is the main
 * thread's; without a service manager all of this does nothing. [SVC-*].
 */
#ifndef MANAGER_H
#define MANAGER_H

#include "notify.h"
#include "server/service.h"
#include "watchdog.h"

/* Alarms that it takes of the crew's loop. */
#define MANAGER_ALARMS 2

struct manager {
	struct crew *crew;
	struct notify notify;
	struct watchdog watchdog;
	struct lbp_service service; /* as it was told last */
	char status[LBP_SERVICE_STATUS_MAX];
	struct alarm report; /* of a status that has changed */
	uint64_t drain_ends_ns;
};

/*
 * Begins with a crew that is made, and must outlive it. manager_release must be
 * called, once no thread of the crew runs.
 */
void manager_init(struct manager *manager, struct crew *crew);
void manager_release(struct manager *manager);

/* What is in force from now on: so many applications, and a generation. */
void manager_serves(struct manager *manager, size_t apps, uint64_t generation);

/* All threads run, and these listeners are open. [SVC-1]. */
void manager_ready(struct manager *manager, const struct listeners *listeners);

/*
 * Has the service manager keep these listeners, those of the crew that it does
 * not keep yet, and let go of those of before that do not stay. [ACT-4].
 */
void manager_keep(struct manager *manager, const struct listeners *listeners,
	const struct listeners *before);

/* Has it let go of the listener at an address. */
void manager_forget(struct manager *manager, const union address *address);

/*
 * A reload has begun; it has ended, and what is in force was said before, or
 * was refused. [SVC-2].
 */
void manager_reloading(struct manager *manager);
void manager_reloaded(struct manager *manager, bool ok);

/* The drain has begun. [SVC-3]. */
void manager_stopping(struct manager *manager);

#endif
