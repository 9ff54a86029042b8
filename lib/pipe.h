/*
 * One direction of a relay: a bounded ring of bytes followed by an end of
 * stream, which is passed on after them.
 *
 * A pipe borrows its ring from the caller only while it holds bytes, so that
 * an idle relay needs no buffers. It moves no bytes itself: the caller reads
 * into the span from lbp_pipe_room and writes out the span from lbp_pipe_data.
 * Source: SPEC.md [FLW-*].
 */
#ifndef LBP_PIPE_H
#define LBP_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "pipe_end.h"

LBP_BEGIN_DECLS

enum lbp_pipe_state {
	LBP_PIPE_OPEN,   /* the source may send more */
	LBP_PIPE_ENDING, /* the source has ended, its end is not passed on */
	LBP_PIPE_ENDED,  /* the end was passed on */
	LBP_PIPE_CUT,    /* the source ended uncleanly: no end to pass on */
};

/* All fields are private; tests may read them. */
struct lbp_pipe {
	uint8_t *ring; /* cap bytes, borrowed; NULL without one */
	uint32_t cap;
	uint32_t head; /* of the oldest byte */
	uint32_t len;
	enum lbp_pipe_state state;
	uint64_t delivered; /* bytes */
};

/* Initializes a pipe: open, empty, without a ring. */
void lbp_pipe_init(struct lbp_pipe *pipe);

/*
 * Returns true if the pipe could take more bytes from its source, once it has
 * a ring. Source: [FLW-2].
 */
bool lbp_pipe_wants_read(const struct lbp_pipe *pipe);

/* Returns true if the pipe holds bytes for its sink. Source: [FLW-3]. */
bool lbp_pipe_wants_write(const struct lbp_pipe *pipe);

/*
 * Lends the pipe a ring of cap bytes, at least 1. It remains the caller's,
 * who must not touch it until lbp_pipe_return or lbp_pipe_discard hands it
 * back. LBP_ERR_STATE: the pipe has a ring; nothing changes.
 */
enum lbp_err lbp_pipe_lend(struct lbp_pipe *pipe, uint8_t *ring, uint32_t cap);

/*
 * Hands the ring back if the pipe is empty; NULL if it is not, or has no
 * ring. Source: [FLW-6].
 */
uint8_t *lbp_pipe_return(struct lbp_pipe *pipe);

/*
 * Hands the ring back (NULL without one), whatever it holds: those bytes are
 * lost, and the pipe must not be used again.
 */
uint8_t *lbp_pipe_discard(struct lbp_pipe *pipe);

/*
 * Returns the free space that can be filled in one go, *len bytes, valid until
 * the next call that changes the pipe. NULL, and *len is 0, if the pipe has no
 * ring, no room, or its source has ended.
 */
uint8_t *lbp_pipe_room(struct lbp_pipe *pipe, size_t *len);

/*
 * Records that the first n bytes of lbp_pipe_room were filled. LBP_ERR_STATE:
 * the source has ended; LBP_ERR_RANGE: there is less room than n bytes. On
 * error nothing changes. Source: [FLW-1], [FLW-7].
 */
enum lbp_err lbp_pipe_filled(struct lbp_pipe *pipe, size_t n);

/*
 * Returns the oldest bytes that can be written in one go, *len of them, valid
 * until the next call that changes the pipe. NULL, and *len is 0, if the pipe
 * is empty.
 */
const uint8_t *lbp_pipe_data(const struct lbp_pipe *pipe, size_t *len);

/*
 * Records that the first n bytes of lbp_pipe_data were written.
 * LBP_ERR_RANGE: there were fewer than n; nothing changes.
 * Source: [FLW-1], [FLW-8].
 */
enum lbp_err lbp_pipe_drained(struct lbp_pipe *pipe, size_t n);

/* Returns true if all invariants hold. For tests and fuzz targets. */
bool lbp_pipe_validate(const struct lbp_pipe *pipe);

LBP_END_DECLS

#endif
