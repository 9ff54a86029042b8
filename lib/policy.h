/*
 * A configuration put to work: one access list and the applications over it.
 *
 * Clients and applications are numbered as the configuration lists them.
 * Source: SPEC.md [POL-*].
 */
#ifndef LBP_POLICY_H
#define LBP_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acl.h"
#include "app.h"
#include "config.h"
#include "err.h"

struct lbp_policy {
	struct lbp_acl *acl;
	struct lbp_app **apps; /* app_len of them, as in the configuration */
	size_t app_len;
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

/* Ends a policy that no session uses any more; an empty one is allowed. */
void lbp_policy_release(struct lbp_policy *policy);

/*
 * The most descriptors that a server with this many workers and listening
 * sockets can need at once for a configuration. Source: [POL-2].
 */
uint64_t lbp_policy_descriptors(
	const struct lbp_config *config, uint32_t workers, uint32_t listeners);

/*
 * The event loop to use where descriptors can be needed and select can watch
 * those below select_max: "auto" is select while they fit, else epoll.
 * LBP_ERR_RANGE: the configuration asks for select and they do not fit; *out
 * is as before. Source: [POL-3].
 */
LBP_MUST_CHECK enum lbp_err lbp_policy_event_loop(
	const struct lbp_config *config, uint64_t descriptors,
	uint64_t select_max, enum lbp_event_loop *out);

#endif
