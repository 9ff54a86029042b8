/*
 * The bookkeeping of a relay: a pipe for each direction. Source: SPEC.md
 * [FLW-*].
 */
#ifndef LBP_FLOW_H
#define LBP_FLOW_H

#include <stdbool.h>

#include "pipe.h"

LBP_BEGIN_DECLS

enum lbp_direction {
	LBP_UP,   /* client to upstream */
	LBP_DOWN, /* upstream to client */
};

struct lbp_flow {
	struct lbp_pipe pipes[2]; /* by enum lbp_direction */
};

/* Initializes a flow: both directions open, empty, without a ring. */
void lbp_flow_init(struct lbp_flow *flow);

/*
 * Returns true if the side whose own bytes go in direction source is done: it
 * has ended cleanly and the other side's end was passed on to it, so that
 * nothing is lost if its connection fails now. Source: [SES-27].
 */
bool lbp_flow_is_done_with(
	const struct lbp_flow *flow, enum lbp_direction source);

/* Returns true if both ends were passed on. Source: [FLW-5]. */
bool lbp_flow_is_finished(const struct lbp_flow *flow);

LBP_END_DECLS

#ifdef __FRAMAC__
#include "proof/flow.h"
#endif

#endif
