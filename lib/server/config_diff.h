/*
 * What one configuration has that another one has not, for the log of a
 * reload. Source: SPEC.md [RLD-15].
 */
#ifndef LBP_CONFIG_DIFF_H
#define LBP_CONFIG_DIFF_H

#include "err.h"
#include "server/config.h"

/* Of things of one kind. */
struct lbp_config_count {
	uint32_t added;
	uint32_t removed;
	uint32_t changed; /* the same id or url, and other settings */
};

struct lbp_config_diff {
	struct lbp_config_count apps;
	struct lbp_config_count upstreams; /* of applications in both */
	struct lbp_config_count clients;
};

/*
 * Counts how after differs from before. An application has changed if anything
 * but its upstreams has; what a client is granted is the client's. On
 * LBP_ERR_NOMEM *diff is undefined.
 */
LBP_MUST_CHECK enum lbp_err lbp_config_diff(struct lbp_config_diff *diff,
	const struct lbp_config *before, const struct lbp_config *after);

#endif
