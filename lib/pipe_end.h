/*
 * How a pipe ends: the end of its source is passed on to its sink after the
 * bytes before it. Source: SPEC.md [FLW-*].
 */
#ifndef LBP_PIPE_END_H
#define LBP_PIPE_END_H

#include <stdbool.h>

#include "base.h"
#include "err.h"

LBP_BEGIN_DECLS

struct lbp_pipe;

/*
 * Records a clean end of the source. LBP_ERR_STATE: it had ended before;
 * nothing changes. Source: [FLW-4], [FLW-7].
 */
enum lbp_err lbp_pipe_end(struct lbp_pipe *pipe);

/*
 * Returns true if the end is to be passed on to the sink now: the source has
 * ended cleanly and the pipe is empty. Source: [FLW-4].
 */
bool lbp_pipe_end_is_due(const struct lbp_pipe *pipe);

/*
 * Records that the end was passed on to the sink. LBP_ERR_STATE: it was not
 * due; nothing changes. Source: [FLW-4], [FLW-7].
 */
enum lbp_err lbp_pipe_end_passed(struct lbp_pipe *pipe);

/*
 * Records an unclean end of the source: the pipe takes no more bytes, and no
 * end follows those it holds, even if a clean one was read before.
 * LBP_ERR_STATE: a clean end was passed on already, or the pipe was cut
 * before; nothing changes. Source: [SES-25].
 */
enum lbp_err lbp_pipe_cut(struct lbp_pipe *pipe);

/*
 * Returns true if the source has ended, cleanly or not, and everything that it
 * sent was passed on. Source: [SES-25].
 */
bool lbp_pipe_is_spent(const struct lbp_pipe *pipe);

LBP_END_DECLS

#endif
