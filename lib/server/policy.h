/*
 * A configuration put to work: one access list and the applications over it.
 *
 * Clients are numbered as the configuration lists them, and keep their number
 * over a reload: see lbp_policy_next. Source: SPEC.md [POL-*].
 */
#ifndef LBP_POLICY_H
#define LBP_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "acl.h"
#include "app.h"
#include "err.h"
#include "server/config.h"

/* All is to be read only. */
struct lbp_policy {
	struct lbp_acl *acl;
	struct lbp_app **apps; /* app_len of them, as in the configuration */
	size_t app_len;
	char **clients; /* ids by number, client_len; NULL: nobody has it */
	size_t client_len;
	/* Private: which app each one replaces when it is adopted. */
	uint32_t *origins;
	/* Private: ids of those who are no more, by number, client_len. */
	char **former;
};

/*
 * Makes the policy of a configuration in *policy, which the caller ends with
 * lbp_policy_release; it keeps no pointer into the configuration. now_ns is
 * the time from which health checks are spread. LBP_ERR_RANGE: the
 * configuration is not one that lbp_config_parse returned. LBP_ERR_NOMEM. On
 * error *policy is empty and needs no release. Source: [POL-1].
 */
LBP_MUST_CHECK enum lbp_err lbp_policy_init(struct lbp_policy *policy,
	const struct lbp_config *config, uint64_t now_ns);

/*
 * The first half of a reload: makes in *next what policy is to become, as
 * lbp_policy_init would, but that apps and clients of the same id and
 * upstreams of the same url are known to be the same. LBP_ERR_RANGE also as of
 * lbp_app_next. policy may be an empty one. It stays as it is; other threads
 * may use its applications meanwhile, but no other reload may run. *next goes
 * to lbp_policy_adopt or lbp_policy_release. Source: [POL-4].
 */
LBP_MUST_CHECK enum lbp_err lbp_policy_next(struct lbp_policy *next,
	const struct lbp_policy *policy, const struct lbp_config *config,
	uint64_t now_ns);

/*
 * The second half: policy becomes *next, which lbp_policy_next made of it. The
 * applications that stay are where they were and go on with their state; those
 * that were removed are retired. *next then has the latter and all else that
 * is not needed any more, and goes to lbp_policy_release once no session uses
 * a retired application. The caller holds the locks of all applications; then
 * every session is to step LBP_EVENT_RELOADED. This cannot fail.
 * Source: [POL-4].
 */
void lbp_policy_adopt(struct lbp_policy *policy, struct lbp_policy *next);

/*
 * The id of a client by its number, the policy's; NULL if there is none, as in
 * an empty policy. For
 * sessions of a retired application it is what lbp_policy_adopt left in *next
 * that has the ids.
 */
const char *lbp_policy_client_id(
	const struct lbp_policy *policy, uint32_t client);

/* Ends a policy that no session uses any more; an empty one is allowed. */
void lbp_policy_release(struct lbp_policy *policy);

#endif
