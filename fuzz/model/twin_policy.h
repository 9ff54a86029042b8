/*
 * A policy and a model of it side by side. The model knows applications,
 * clients and upstreams by their names and has no numbers of its own for
 * clients: it only remembers which one each got.
 */
#ifndef LBP_TWIN_POLICY_H
#define LBP_TWIN_POLICY_H

#include "bytes.h"
#include "server/policy.h"
#include "twin_app.h"

#define TWIN_POLICY_APPS      3
#define TWIN_POLICY_CLIENTS   4
#define TWIN_POLICY_UPSTREAMS 4

/* What a configuration says, with names as numbers from 0. */
struct twin_policy_config {
	uint32_t app_len;
	uint8_t apps[TWIN_POLICY_APPS]; /* names, app_len of them in order */
	struct model_app_config of[TWIN_POLICY_APPS]; /* by name */
	uint32_t client_len;
	uint8_t clients[TWIN_POLICY_CLIENTS]; /* names, client_len of them */
};

/* Faults that a configuration may be given, each refused. */
enum twin_policy_fault {
	TWIN_POLICY_NO_FAULT,
	TWIN_POLICY_TOO_MANY, /* upstreams */
	TWIN_POLICY_NO_UPSTREAM,
	TWIN_POLICY_WEIGHTLESS,
	TWIN_POLICY_SAME_URL,
	TWIN_POLICY_NO_INTERVAL,
	TWIN_POLICY_SAME_SERIAL, /* only with two clients */
	TWIN_POLICY_FAULTS
};

struct twin_policy {
	struct lbp_policy policy;
	struct twin_policy_config config; /* of the last reload */
	bool there[TWIN_POLICY_APPS];
	struct twin_app apps[TWIN_POLICY_APPS];
	uint32_t numbers[TWIN_POLICY_CLIENTS]; /* LBP_NONE: has none */
};

/* What a reload left behind: applications that are retired. */
struct twin_policy_left {
	struct lbp_policy policy;
	uint32_t app_len;
	struct twin_app apps[TWIN_POLICY_APPS];
	uint32_t numbers[TWIN_POLICY_CLIENTS];
};

/* Draws a configuration. */
void twin_policy_draw(struct twin_policy_config *config, struct bytes *bytes);

/* Makes both from a configuration. */
void twin_policy_make(struct twin_policy *twin,
	const struct twin_policy_config *config, uint64_t now_ns);

/* Reloads both; what is left goes to *left. */
void twin_policy_reload(struct twin_policy *twin,
	const struct twin_policy_config *config, uint64_t now_ns,
	struct twin_policy_left *left);

/*
 * A reload that is prepared and not committed: refused with a fault, given
 * up without. Neither changes anything.
 */
void twin_policy_try(struct twin_policy *twin,
	const struct twin_policy_config *config, uint64_t now_ns,
	enum twin_policy_fault fault);

/* Compares what can be seen of both. */
void twin_policy_check(const struct twin_policy *twin);
void twin_policy_left_check(const struct twin_policy_left *left);

/* Whose number it is: an index of numbers; TWIN_POLICY_CLIENTS if nobody's. */
uint32_t twin_policy_owner(
	const uint32_t numbers[TWIN_POLICY_CLIENTS], uint32_t number);

/* Gives everything back, of which nothing is then open, and ends both. */
void twin_policy_end(struct twin_policy *twin);
void twin_policy_left_end(struct twin_policy_left *left);

#endif
