/*
 * The figures of a running server, as somebody has gathered them: what the
 * admin port shows. All pointers are the gatherer's. Source: SPEC.md [ADM-*].
 */
#ifndef LBP_FIGURES_H
#define LBP_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/app_look.h"
#include "reason.h"
#include "server/metrics.h"
#include "server/session_id.h"
#include "server/times.h"

/* What workers count, since the start. All is uint64_t, so that it adds up. */
struct lbp_counts {
	uint64_t accepted; /* connections */
	uint64_t admitted; /* sessions */
	uint64_t ended[LBP_REASONS];
	uint64_t rejected[LBP_REASONS];
	uint64_t bytes_up;
	uint64_t bytes_down;
	struct lbp_times full; /* handshakes, from accept on */
	struct lbp_times resumed;
	struct lbp_times connects; /* to upstreams, their TLS included */
	struct lbp_times lag;      /* of timers */
};

/* How many numbers that is, and which one a field is. */
#define LBP_COUNTS (sizeof(struct lbp_counts) / sizeof(uint64_t))
#define LBP_COUNT_AT(field)                                                    \
	(offsetof(struct lbp_counts, field) / sizeof(uint64_t))

struct lbp_process_figures {
	uint64_t descriptors;
	uint64_t max_descriptors;
	uint64_t resident_bytes;
	uint64_t virtual_bytes;
	uint64_t cpu_ns;
	int64_t started_s; /* since 1970, like all seconds here */
};

/* Room for why an upstream is up or down, and the final NUL; cut to that. */
#define LBP_CAUSE_MAX 160

struct lbp_app_figures {
	const char *id;
	bool is_ready;
	uint64_t admitted;
	uint64_t ended;
	uint64_t refused_concurrent;
	uint64_t refused_rate;
};

struct lbp_upstream_figures {
	const char *app;
	const char *url;
	struct lbp_upstream_look look; /* without its name and user */
	bool has_changed;              /* its health, since it was added: */
	uint64_t changed_s;
	char cause[LBP_CAUSE_MAX];
};

struct lbp_client_figures {
	const char *app;
	const char *id;
	struct lbp_client_look look;
};

struct lbp_reject_figures {
	uint64_t at_ms; /* since 1970 */
	bool is_stranger;
	enum lbp_reason reason;
	const char *app;
	const char *peer;
	const char *client; /* NULL: unknown, likewise its serial */
	const char *serial;
};

/*
 * Sorts rejects, the newest first, and keeps at most max of strangers and as
 * many of clients, so that neither hide the others. Returns how many are left.
 * Source: [ADM-24].
 */
size_t lbp_rejects_latest(
	struct lbp_reject_figures *items, size_t len, size_t max);

enum lbp_expiring_kind {
	LBP_EXPIRING_CERTIFICATE,
	LBP_EXPIRING_CA,
	LBP_EXPIRING_CRL,
};

struct lbp_expiring {
	enum lbp_expiring_kind kind;
	const char *key;  /* of the configuration: "tls.client_ca" */
	const char *file; /* as it stands there */
	uint32_t line;    /* of the file */
	int64_t until_s;
};

/*
 * Sorts what expires, by kind, key, file and line, and leaves out what is
 * there already, as a file may be named often; of several times the earliest
 * counts. Returns how many are left. Source: [ADM-16].
 */
size_t lbp_expiring_sort(struct lbp_expiring *items, size_t len);

/* A session that was admitted, and has not ended. */
struct lbp_session_figures {
	struct lbp_session_id id;
	const char *app;
	const char *client;
	const char *serial;
	const char *peer;
	const char *upstream; /* NULL: none was chosen yet */
	uint64_t since_s;     /* when it was accepted */
	uint64_t bytes_up;
	uint64_t bytes_down;
};

struct lbp_figures {
	const char *version;
	const char *event_loop;
	uint64_t now_s; /* since 1970, as all that ends in _s */
	uint64_t generation;
	uint32_t workers;
	bool is_draining;
	bool is_ready;
	uint32_t connections;
	uint32_t sessions;
	uint32_t max_sessions;
	struct lbp_process_figures process;
	struct lbp_counts counts; /* of all workers */
	const struct lbp_app_figures *apps;
	size_t app_len;
	const struct lbp_upstream_figures *upstreams; /* in the apps' order */
	size_t upstream_len;
	const struct lbp_client_figures
		*clients; /* as many as were asked for */
	size_t client_len;
	uint64_t clients_left_out; /* beyond those, with sessions or admissions
				    */
	const struct lbp_reject_figures *rejects; /* the newest first */
	size_t reject_len;
	const struct lbp_expiring *expiring;
	size_t expiring_len;
};

/* Writes all of them as metrics. Source: [ADM-10] to [ADM-14]. */
void lbp_figures_metrics(
	const struct lbp_figures *figures, struct lbp_metrics *metrics);

struct lbp_json;

/* Writes all of them as the JSON of /status. Source: [ADM-20] to [ADM-25]. */
void lbp_figures_status(
	const struct lbp_figures *figures, struct lbp_json *json);

/* Writes a client's, an object as /status has it. Source: [ADM-22]. */
void lbp_figures_client(
	const struct lbp_client_figures *client, struct lbp_json *json);

/* Room for what the next one writes, whatever its texts are. */
#define LBP_FIGURES_SESSION_MAX 8192

/* Writes a session's, an object. Source: [CTL-11]. */
void lbp_figures_session(
	const struct lbp_session_figures *session, struct lbp_json *json);

#endif
