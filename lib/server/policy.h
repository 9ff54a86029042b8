/*
 * A configuration put to work: one access list and the applications over it.
 *
 * Clients are numbered as the configuration lists them, and keep their number
 * over a reload: see lbp_policy_next. Source: SPEC.md [POL-*].
 */
#ifndef LBP_POLICY_H
#define LBP_POLICY_H

#include <stdbool.h>
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

/*
 * Connections that are between accept and the place of a handshake, or between
 * the loss of that place and their end, for each worker at most. [POL-2].
 */
#define LBP_LOOSE_PER_WORKER 8

/*
 * The most descriptors that a server with this many workers and listening
 * sockets can have at once for a configuration, with those, beside the three
 * standard ones, that it inherited. Source: [POL-2].
 */
uint64_t lbp_policy_descriptors(const struct lbp_config *config,
	uint32_t workers, uint32_t listeners, uint32_t inherited);

/*
 * Up to here "auto" is select. With 10 open descriptors, of one session, a
 * round trip costs 17.7 us with select and 17.4 us with epoll; with 16, of
 * four, 22 and 16; with 40, of 16, 31 and 16; with 768, of 380, 322 and 15
 * (itest/bench/pollers). As [POL-2] counts, one session may need 32, some of
 * which are a reserve.
 */
#define LBP_AUTO_SELECT_MAX 40

/*
 * The event loop to use where descriptors, as lbp_policy_descriptors counts
 * them, can be needed and select can watch select_max: "auto" is select up to
 * LBP_AUTO_SELECT_MAX of them that fit, else epoll. LBP_ERR_RANGE: the
 * configuration asks for select, and they do not fit even with a single
 * handshake at a time; *out is as before. Source: [POL-3].
 */
LBP_MUST_CHECK enum lbp_err lbp_policy_event_loop(
	const struct lbp_config *config, uint64_t descriptors,
	uint64_t select_max, enum lbp_event_loop *out);

/*
 * How many handshakes may be in progress at once with an event loop that
 * lbp_policy_event_loop chose for the same numbers: max_handshakes, or with
 * select those that fit, at least one. Source: [POL-6].
 */
uint32_t lbp_policy_handshakes(const struct lbp_config *config,
	enum lbp_event_loop loop, uint64_t descriptors, uint64_t select_max);

#endif
