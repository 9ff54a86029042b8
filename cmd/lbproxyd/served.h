/*
 * What is served, over all reloads: the policy in force, and its applications.
 *
 *   snapshot      one configuration and what it names, immutable. The main
 *     |           thread loads it, and frees it when all threads have turned
 *     |           to the next one
 *     v
 *   served        the policy that the snapshots leave behind one another
 *     |
 *     +- served_app    one for each application: its counts behind a lock, and
 *     |    ^           what a connection needs of the configuration. Held by
 *     |    |           served until a reload removes the application, by each
 *     |    |           of its listeners, by its checks, and by each of its
 *     |    |           connections: the last one out frees it
 *     |  conn          keeps its timeouts and its target from the beginning
 *     |    |
 *     |    v
 *     +- target        one for each upstream, by its number in the library:
 *                      held while it has the number, and by the connections
 *                      to it
 *
 * So a connection points into no snapshot, and old ones cost nothing.
 */
#ifndef SERVED_H
#define SERVED_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/policy.h"
#include "session.h"
#include "snapshot.h"
#include "target.h"

/* A policy, in force or what is left of it; held by its applications. */
struct served_policy {
	atomic_uint holders;
	struct lbp_policy policy;
};

/* What is counted of an application's connections. */
struct served_counts {
	uint64_t admitted;
	uint64_t ended; /* of those */
	uint64_t refused_concurrent;
	uint64_t refused_rate;
};

struct served_app {
	atomic_uint holders;
	/* The library's, which stays; to ask for it would take the lock. */
	const char *id;
	struct lbp_app *app;
	uint32_t worker; /* the one that carries out its checks, */
	bool is_checked; /* and has begun to: the main thread's, */
	uint32_t checks; /* like the upstreams it has room for */
	/* Of all below. Never across a system call, but see report_health.c. */
	pthread_mutex_t lock;
	/* Held: it has the app, and the ids of its clients. */
	struct served_policy *policy;
	struct snapshot_settings settings; /* for new connections and checks */
	struct served_counts counts;
	bool is_removed; /* by a reload; who still sees it waits for nothing */
	/* Taken under the lock, and kept while a change of health is logged. */
	pthread_mutex_t lines;
};

/* The main thread's. */
struct served {
	struct served_policy *policy; /* in force; held */
	struct served_app **apps;     /* app_len of them, each held */
	size_t app_len;
	uint32_t worker_len;
	uint32_t next_worker; /* gets the checks of the next new one */
};

/* A reload that is being prepared, and then what it has left to be freed. */
struct served_change {
	struct served_policy *policy; /* the next one, then the last */
	struct served_app **apps;     /* as served will have them */
	size_t app_len;
	uint32_t next_worker;
	bool is_committed;
};

/* Returns true if the application is ready, or removed. */
bool served_app_is_ready(struct served_app *app);

/*
 * Begins with nothing, for so many workers. False: out of memory;
 * served_release must still be called.
 */
bool served_init(struct served *served, uint32_t worker_len);

/*
 * Prepares that a snapshot is served, beside what is served now. False: out of
 * memory. served_change_release must be called in any case.
 */
bool served_prepare(struct served_change *change, const struct served *served,
	const struct snapshot *snapshot);

/* How many upstream numbers an application of it will have. */
uint32_t served_change_upstreams(const struct served_change *change, size_t i);

/*
 * Puts in force what was prepared for this snapshot. What no connection needs
 * any more is left in the change. It cannot fail.
 */
void served_commit(struct served *served, struct served_change *change,
	const struct snapshot *snapshot);
void served_change_release(struct served_change *change);

/* Lets go of everything; connections may still hold their applications. */
void served_release(struct served *served);

struct served_app *served_app_hold(struct served_app *app);
void served_app_release(struct served_app *app); /* NULL is allowed */

/* The target of an upstream in use, held for the caller. Takes the lock. */
struct target *served_app_target(struct served_app *app, uint32_t upstream);

#endif
