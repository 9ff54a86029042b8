/*
 * All that one configuration file stands for, ready to be served: the typed
 * configuration, TLS contexts and resolved addresses. Immutable once loaded.
 * served.h puts it to work.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "networks.h"
#include "notice.h"
#include "server/config.h"
#include "session.h"
#include "target.h"
#include "texts.h"
#include "tls.h"

/* What connections and checks of an application take from it. */
struct snapshot_settings {
	struct lbp_session_timeouts timeouts;
	uint64_t lifetime_ns;  /* of a session; 0: off */
	uint64_t keepalive_ns; /* of a session's peers; 0: off */
	uint64_t check_timeout_ns;
	struct lbp_alpn alpn;
	bool takes_unclean_end;
	bool keeps_expired; /* sessions, once their certificates have */
	bool sends_proxy_header;
	struct networks *accept_proxy; /* held */
};

struct snapshot_app {
	/* The users of its upstreams are their places. */
	struct lbp_config_app *config;
	struct addresses *listen; /* config->listen_len of them */
	struct snapshot_settings settings;
};

struct snapshot {
	struct lbp_config *config;
	struct tls_server *tls;
	struct addresses admin;    /* none: there is no admin port */
	char *admin_socket;        /* its path; NULL: there is none */
	struct snapshot_app *apps; /* config->app_len of them */
	uint32_t workers;
	uint32_t inherited;             /* descriptors, not counting 0 to 2 */
	uint32_t listeners;             /* sockets to listen on */
	uint64_t descriptors;           /* most that may be open at once */
	enum lbp_event_loop event_loop; /* not auto */
	uint32_t handshakes;            /* most that may be in progress */
	struct notices notices;         /* warnings; the main thread's */
	struct texts texts;             /* kept with server.watch */
	/* With server.watch: what the files that it names had in them just
	 * before they were read. */
	uint64_t content;
};

/* The place of an upstream of a configuration that was loaded. */
static inline struct place *snapshot_place(
	const struct lbp_config_upstream *upstream)
{
	return upstream->user;
}

/*
 * Reads a configuration file and all files that it names; opens no port. file
 * must live as long as the snapshot; inherited is what process_inherited
 * counted at the start. NULL: say, or standard error if that is NULL, was told
 * each fault. [SRV-2] to [SRV-4].
 */
struct snapshot *snapshot_load(const char *file, uint32_t inherited,
	void (*say)(const char *file, struct lbp_config_pos pos,
		const char *message));

/* The same with the configuration's texts as the last one had them. [WAT-5]. */
struct snapshot *snapshot_load_again(const struct snapshot *last,
	void (*say)(const char *file, struct lbp_config_pos pos,
		const char *message));

/* What the files that it names have in them now. */
uint64_t snapshot_look(const struct snapshot *snapshot);

/* How many bytes they have; fails as content_bytes does. */
bool snapshot_file_bytes(const struct snapshot *snapshot, uint64_t *bytes);

/*
 * Adds a notice for each name that has no address now; for `--check`. [SRV-95].
 */
void snapshot_warn(struct snapshot *snapshot);

/*
 * Frees the texts of its files, which take as much memory as the configuration,
 * unless server.watch needs them: no places in them will be shown.
 */
static inline void snapshot_shrink(struct snapshot *snapshot)
{
	if (snapshot->config->watch_ns == 0)
		texts_drop(&snapshot->texts);
}

/* Frees a snapshot, which no thread may still use; NULL is allowed. */
void snapshot_free(struct snapshot *snapshot);

#endif
