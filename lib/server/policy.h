/*
 * A configuration put to work: one access list and the applications over it.
 *
 * Clients are numbered as the configuration lists them, and keep their number
 * over a reload. Source: SPEC.md [POL-*].
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
	/* Before a commit: which app each one continues; LBP_NONE: it is new.
	 */
	uint32_t *origins;
	/* Private: ids of removed clients, by number, client_len. */
	char **former;
};

/*
 * Makes the policy of a configuration in *policy, which the caller releases;
 * it keeps no pointer into the configuration. now_ns is the time from which
 * health checks are spread. LBP_ERR_NOMEM, or an error of lbp_acl_new or
 * lbp_app_new: the configuration is not one that lbp_config_parse returned. On
 * error *policy is empty and needs no release. Source: [POL-1].
 */
LBP_MUST_CHECK enum lbp_err lbp_policy_init(struct lbp_policy *policy,
	const struct lbp_config *config, uint64_t now_ns);

/*
 * Prepares a reload, by the rules of reload.h: makes in *next what policy,
 * which may be empty, is to become; pass it to lbp_policy_commit, or to
 * lbp_policy_release to give up. Apps and clients are known again by their ids,
 * upstreams by their urls. Fails as lbp_policy_init does, or as
 * lbp_app_prepare. Source: [POL-4].
 */
LBP_MUST_CHECK enum lbp_err lbp_policy_prepare(struct lbp_policy *next,
	const struct lbp_policy *policy, const struct lbp_config *config,
	uint64_t now_ns);

/*
 * Commits a reload: policy becomes *next, which lbp_policy_prepare made for it.
 * Hold the locks of all applications: it is short, whatever is counted, because
 * clients that stay are not visited ([APP-27]). Those applications that were
 * removed are retired and left in *next, with all else that is no longer
 * needed; release it after their last session, without the locks, because that
 * may take its time. Source: [POL-4].
 */
void lbp_policy_commit(struct lbp_policy *policy, struct lbp_policy *next);

/*
 * The id of the client with a number, the policy's; NULL if none has it. Of a
 * retired application's sessions it is what lbp_policy_commit left in *next
 * that has the ids.
 */
const char *lbp_policy_client_id(
	const struct lbp_policy *policy, uint32_t client);

/* Releases a policy that no session refers to any more, or an empty one. */
void lbp_policy_release(struct lbp_policy *policy);

#endif
