/*
 * Which lines of a configuration decide about somebody, for lbproxyctl explain.
 * Who it is and whether that may enter is decided by the access list; this only
 * finds out what that goes by. Source: SPEC.md [EXP-1] to [EXP-6].
 */
#ifndef LBP_EXPLAIN_H
#define LBP_EXPLAIN_H

#include "reason.h"
#include "server/config.h"
#include "server/policy.h"
#include "server/toml.h"

/* What is said of each reason. */
struct lbp_explain_reason {
	const char *meaning; /* a sentence without its dot */
	const char *ids;     /* requirements of SPEC.md, "SES-2, ACL-2" */
};

/* Both are static. */
const struct lbp_explain_reason *lbp_explain_reason(enum lbp_reason reason);

/* The reason with this text; LBP_REASON_NONE: there is none, or it is that. */
enum lbp_reason lbp_explain_reason_of(const char *text);

/* Where a client's name is listed. */
struct lbp_explain_listed {
	uint32_t client; /* of the configuration; LBP_NONE: nobody lists it */
	struct lbp_config_pos pos;
};

struct lbp_explain_listed lbp_explain_name(const struct lbp_config *config,
	const struct lbp_policy *policy, const struct lbp_name *name);

/* What is decided, and where it says so. */
struct lbp_explain_verdict {
	enum lbp_reason reason; /* LBP_REASON_NONE: it is let in */
	uint32_t client;        /* of the configuration; LBP_NONE: nobody */
	/* Of what decides; line 0: nothing in the configuration does. */
	struct lbp_config_pos pos;
};

/*
 * Who has these names, at least one, by the access list of a policy that was
 * made of the configuration and of nothing else. pos is that of the first name
 * that is listed.
 */
struct lbp_explain_verdict lbp_explain_identify(const struct lbp_config *config,
	const struct lbp_policy *policy, const struct lbp_name *names,
	size_t name_len);

/* May a client use an app? pos is in its `apps`. */
struct lbp_explain_verdict lbp_explain_authorize(
	const struct lbp_config *config, const struct lbp_policy *policy,
	uint32_t client, uint32_t app);

/* A client's grant of an app; NULL: it has none. */
const struct lbp_config_grant *lbp_explain_grant(
	const struct lbp_config *config, uint32_t client, uint32_t app);

/* What a reason is about. */
struct lbp_explain_about {
	uint32_t app;                         /* LBP_NONE: not known */
	uint32_t ca;                          /* that issued; else 0 */
	const struct lbp_config_grant *grant; /* NULL: there is none */
};

/*
 * The place of the key to which a reason goes back. root is the table of the
 * configuration's own file. Line 0: it is a default, or no key decides.
 */
struct lbp_config_pos lbp_explain_place(const struct lbp_config *config,
	const struct lbp_toml_table *root, enum lbp_reason reason,
	const struct lbp_explain_about *about);

/* The key, as in messages; NULL: no key decides. */
const char *lbp_explain_key(enum lbp_reason reason);

#endif
