/*
 * All that one configuration file stands for, ready to serve: the typed
 * configuration, its policy, TLS contexts and resolved addresses. Immutable
 * once loaded, except for the applications' counts, which are behind locks, and
 * for addresses that could not be resolved then.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <pthread.h>
#include <stdatomic.h>

#include "address.h"
#include "notice.h"
#include "server/config.h"
#include "server/policy.h"
#include "tls.h"

/* The addresses of an upstream and how to connect to it. */
struct target {
	const char *url;
	/*
	 * Written only before has_addresses is set: when the snapshot is
	 * loaded, or by the resolver. [SRV-94].
	 */
	struct addresses addresses;
	atomic_bool has_addresses;
	struct tls_client *tls; /* NULL: plain TCP */
};

struct served_app {
	struct lbp_app *app;
	pthread_mutex_t lock; /* around app, never across a system call */
	const struct lbp_config_app *config;
	struct addresses *listen; /* config->listen_len of them */
	struct target *targets;   /* config->upstream_len of them */
};

struct snapshot {
	struct lbp_config *config;
	struct lbp_policy policy;
	struct tls_server *tls;
	struct served_app *apps; /* config->app_len of them */
	uint32_t workers;
	uint32_t inherited;             /* descriptors, not counting 0 to 2 */
	uint32_t listeners;             /* sockets to listen on */
	uint64_t descriptors;           /* most that may be open at once */
	enum lbp_event_loop event_loop; /* not auto */
	uint32_t handshakes;            /* most that may be in progress */
	struct notices notices;         /* warnings; the main thread's */
};

/*
 * Reads a configuration file and all files that it names; opens no port. file
 * must live as long as the snapshot; inherited is what process_inherited
 * counted at the start. NULL: each fault was printed as one line on standard
 * error. [SRV-2] to [SRV-4].
 */
struct snapshot *snapshot_load(const char *file, uint32_t inherited);

/*
 * Adds a notice for each name that has no address now; for `--check`. [SRV-95].
 */
void snapshot_warn(struct snapshot *snapshot);

/* Frees a snapshot, which no session may still use; NULL is allowed. */
void snapshot_free(struct snapshot *snapshot);

#endif
