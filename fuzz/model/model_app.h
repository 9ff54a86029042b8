/*
 * One application of lib/app.h once more, with plain counts and full scans.
 * The names of upstreams are numbers from 1; 0 is none.
 */
#ifndef LBP_MODEL_APP_H
#define LBP_MODEL_APP_H

#include "app.h"
#include "core/balancer.h"

#define MODEL_APP_UPSTREAMS 8
#define MODEL_APP_CLIENTS   5
#define MODEL_APP_SERIALS   6
/* Kept admissions of a client; limits.connections is less. */
#define MODEL_APP_ADMISSIONS 64

struct model_app_upstream {
	uint8_t name; /* 0: nothing has this number */
	void *user;
	bool gone; /* removed by a reload, and not free when it was */
	uint32_t weight;
	uint32_t most; /* connections; 0: any number */
	bool backup;
	uint32_t open;
	uint64_t chosen; /* which choice was its last one; 0: none */
	bool down;
	bool lost; /* it has no address */
	bool checking;
	uint32_t failures; /* in a row */
	bool draining;
	uint32_t successes; /* of checks in a row, while down */
	uint64_t first_ns;  /* its place in the interval */
	uint64_t due_ns;
};

/* What a reload wants of an upstream. */
struct model_app_wanted {
	uint8_t name;
	uint32_t weight;
	uint32_t most;
	bool backup;
	void *user;
};

struct model_app_client {
	bool granted;
	struct lbp_limits limits;
	uint32_t open;
	uint64_t latest_ns;
	uint64_t times[MODEL_APP_ADMISSIONS]; /* admission i at i % size */
	uint64_t admissions;
	uint64_t forgotten; /* so many of them, at reloads */
	uint32_t room;      /* the highest rate since it was granted */
};

/* Whose serial, of this one octet, it is; LBP_NONE: nobody's. */
struct model_app_serial {
	uint8_t octet;
	uint32_t client;
};

struct model_app {
	uint32_t number; /* in the access list */
	uint32_t serial_len;
	struct model_app_serial serials[MODEL_APP_SERIALS];
	uint32_t client_len;
	struct model_app_client clients[MODEL_APP_CLIENTS];
	uint32_t upstream_len;
	struct model_app_upstream upstreams[MODEL_APP_UPSTREAMS];
	struct lbp_health_options health;
	uint64_t choices;
	bool retired;
};

/* The configuration that a reload brings. */
struct model_app_config {
	struct lbp_health_options health;
	uint32_t wanted_len;
	struct model_app_wanted wanted[MODEL_APP_UPSTREAMS];
	bool granted[MODEL_APP_CLIENTS];
	struct lbp_limits limits[MODEL_APP_CLIENTS];
	uint32_t owners[MODEL_APP_SERIALS]; /* LBP_NONE: nobody's any more */
};

/* Sets all but what was configured to how it is at the start. */
void model_app_start(struct model_app *model, uint64_t now_ns);

/* lbp_app_prepare and lbp_app_commit in one. */
void model_app_reload(struct model_app *model,
	const struct model_app_config *config, uint64_t now_ns);

/* lbp_app_retire. */
void model_app_retire(struct model_app *model);

/* Is there an upstream with this number that may be chosen, if it is up? */
bool model_app_serves(const struct model_app *model, uint32_t upstream);

/* These do as their namesakes in app.h; tried has a bit for each upstream. */
enum lbp_err model_app_identify(const struct model_app *model,
	const struct lbp_name *names, size_t len, uint32_t *client);
enum lbp_err model_app_admit(
	struct model_app *model, uint32_t client, uint64_t now_ns);
enum lbp_err model_app_leave(struct model_app *model, uint32_t client);
enum lbp_err model_app_choose(
	struct model_app *model, uint32_t tried, uint32_t *upstream);
enum lbp_err model_app_release(struct model_app *model, uint32_t upstream);
enum lbp_health_change model_app_dialed(
	struct model_app *model, uint32_t upstream, bool ok);
enum lbp_health_change model_app_checked(
	struct model_app *model, uint32_t upstream, bool ok);
void model_app_check_dropped(struct model_app *model, uint32_t upstream);
uint64_t model_app_check_due(const struct model_app *model);
enum lbp_err model_app_set_draining(
	struct model_app *model, uint32_t upstream, bool draining);

enum lbp_health_change model_app_set_address(
	struct model_app *model, uint32_t upstream, bool has_address);
bool model_app_is_ready(const struct model_app *model);

/* When a check of this upstream is due; LBP_NEVER if none will be. */
uint64_t model_app_due_of(const struct model_app *model, uint32_t upstream);

/* Takes the check of an upstream, which is due at now_ns. */
void model_app_take(
	struct model_app *model, uint32_t upstream, uint64_t now_ns);

/* How many kept admissions of a client are less than a window ago? */
uint32_t model_app_recent(
	const struct model_app_client *client, uint64_t now_ns);

#endif
