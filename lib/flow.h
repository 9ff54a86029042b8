/*
 * The relay's bookkeeping: two directions, each a bounded byte ring with an
 * end that is passed on after the bytes before it.
 *
 * A pipe borrows its ring from the caller while it holds bytes, so that an
 * idle relay needs no buffers. It moves no byte itself: the caller reads into
 * the span that lbp_pipe_room gives and writes from the one that
 * lbp_pipe_data gives. Source: SPEC.md [FLW-*].
 */
#ifndef LBP_FLOW_H
#define LBP_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum lbp_pipe_state {
	LBP_PIPE_OPEN,   /* the source may send more */
	LBP_PIPE_ENDING, /* the source has ended, its end is not passed on */
	LBP_PIPE_ENDED,  /* the end was passed on */
};

/* One direction. All fields are private; tests may read them. */
struct lbp_pipe {
	uint8_t *ring; /* cap bytes, borrowed; NULL without one */
	uint32_t cap;
	uint32_t head; /* of the oldest byte */
	uint32_t len;
	enum lbp_pipe_state state;
	uint64_t delivered; /* bytes */
};

enum lbp_direction {
	LBP_UP,   /* client to upstream */
	LBP_DOWN, /* upstream to client */
};

struct lbp_flow {
	struct lbp_pipe pipes[2]; /* by enum lbp_direction */
};

/* Starts a pipe: open, empty, without a ring. */
void lbp_pipe_init(struct lbp_pipe *pipe);

/* Could a read of the source be used, given a ring? [FLW-2]. */
bool lbp_pipe_wants_read(const struct lbp_pipe *pipe);

/* Are there bytes to write to the sink? [FLW-3]. */
bool lbp_pipe_wants_write(const struct lbp_pipe *pipe);

/*
 * Lends a ring of cap bytes (at least 1), which the pipe may use until
 * lbp_pipe_return gives it back. LBP_ERR_STATE: it has one; nothing changes.
 */
enum lbp_err lbp_pipe_lend(struct lbp_pipe *pipe, uint8_t *ring, uint32_t cap);

/* Gives the ring back if the pipe is empty, else NULL. [FLW-6]. */
uint8_t *lbp_pipe_return(struct lbp_pipe *pipe);

/*
 * Gives the ring back whatever is in it. The bytes are lost: the pipe is not
 * to be used again.
 */
uint8_t *lbp_pipe_discard(struct lbp_pipe *pipe);

/*
 * The free bytes that can be filled in one go; *len is 0 without a ring,
 * without room or after the end.
 */
uint8_t *lbp_pipe_room(struct lbp_pipe *pipe, size_t *len);

/*
 * Says that the first n bytes of lbp_pipe_room were filled. LBP_ERR_STATE:
 * the source has ended; LBP_ERR_RANGE: n is more than the room. Nothing
 * changes then. Source: [FLW-1], [FLW-7].
 */
enum lbp_err lbp_pipe_filled(struct lbp_pipe *pipe, size_t n);

/* The oldest bytes that can be written in one go; *len is 0 if none. */
const uint8_t *lbp_pipe_data(const struct lbp_pipe *pipe, size_t *len);

/*
 * Says that the first n bytes of lbp_pipe_data were written. LBP_ERR_RANGE:
 * n is more than those; nothing changes. Source: [FLW-1], [FLW-8].
 */
enum lbp_err lbp_pipe_drained(struct lbp_pipe *pipe, size_t n);

/*
 * The source ended cleanly. LBP_ERR_STATE: it had ended before; nothing
 * changes. Source: [FLW-4], [FLW-7].
 */
enum lbp_err lbp_pipe_end(struct lbp_pipe *pipe);

/* Is it time to pass the end on to the sink? [FLW-4]. */
bool lbp_pipe_end_is_due(const struct lbp_pipe *pipe);

/*
 * The end was passed on. LBP_ERR_STATE: it was not due; nothing changes.
 * Source: [FLW-4], [FLW-7].
 */
enum lbp_err lbp_pipe_end_passed(struct lbp_pipe *pipe);

/* Do all invariants hold? For tests and fuzz targets. */
bool lbp_pipe_validate(const struct lbp_pipe *pipe);

/* Starts a flow: both directions open, empty, without a ring. */
void lbp_flow_init(struct lbp_flow *flow);

/* Were both ends passed on? [FLW-5]. */
bool lbp_flow_is_finished(const struct lbp_flow *flow);

#endif
