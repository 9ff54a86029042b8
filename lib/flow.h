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

LBP_BEGIN_DECLS

enum lbp_pipe_state {
	LBP_PIPE_OPEN,   /* the source may send more */
	LBP_PIPE_ENDING, /* the source has ended, its end is not passed on */
	LBP_PIPE_ENDED,  /* the end was passed on */
	LBP_PIPE_CUT,    /* the source ended uncleanly: no end to pass on */
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

/*@ // The place in the ring of the k-th byte after the oldest.
  @ logic integer pipe_place(struct lbp_pipe *p, integer k) =
  @ 	p->head + k < p->cap ? p->head + k : p->head + k - p->cap;
  @
  @ // How many bytes can be filled or written in one go.
  @ logic integer pipe_room_len(struct lbp_pipe *p) =
  @ 	p->state != LBP_PIPE_OPEN ? 0
  @ 	: p->head + p->len < p->cap ? p->cap - p->head - p->len
  @ 	: p->cap - p->len;
  @ logic integer pipe_data_len(struct lbp_pipe *p) =
  @ 	\min(p->len, p->cap - p->head);
  @
  @ // What lbp_pipe_validate looks at.
  @ predicate pipe_consistent(struct lbp_pipe *p) =
  @ 	(p->ring == \null <==> p->cap == 0) &&
  @ 	p->len <= p->cap && // [FLW-2]
  @ 	(p->head < p->cap || p->head == 0) &&
  @ 	(p->state == LBP_PIPE_ENDED ==> p->len == 0); // [FLW-4]
  @
  @ predicate pipe_valid(struct lbp_pipe *p) =
  @ 	\valid(p) && \valid(p->ring + (0 .. p->cap - 1)) &&
  @ 	pipe_consistent(p);
  @*/

enum lbp_direction {
	LBP_UP,   /* client to upstream */
	LBP_DOWN, /* upstream to client */
};

struct lbp_flow {
	struct lbp_pipe pipes[2]; /* by enum lbp_direction */
};

/* Starts a pipe: open, empty, without a ring. */
/*@ requires \valid(pipe);
  @ assigns *pipe;
  @ ensures pipe_valid(pipe) && pipe->state == LBP_PIPE_OPEN;
  @ ensures pipe->ring == \null && pipe->len == 0 && pipe->delivered == 0;
  @*/
void lbp_pipe_init(struct lbp_pipe *pipe);

/* Could a read of the source be used, given a ring? [FLW-2]. */
/*@ requires pipe_valid(pipe);
  @ assigns \nothing;
  @ ensures \result <==> pipe->state == LBP_PIPE_OPEN &&
  @ 	(pipe->ring == \null || pipe->len < pipe->cap);
  @*/
bool lbp_pipe_wants_read(const struct lbp_pipe *pipe);

/* Are there bytes to write to the sink? [FLW-3]. */
/*@ requires pipe_valid(pipe);
  @ assigns \nothing;
  @ ensures \result <==> pipe->len > 0;
  @*/
bool lbp_pipe_wants_write(const struct lbp_pipe *pipe);

/*
 * Lends a ring of cap bytes (at least 1), which the pipe may use until
 * lbp_pipe_return gives it back. LBP_ERR_STATE: it has one; nothing changes.
 */
/*@ requires pipe_valid(pipe);
  @ requires cap >= 1 && \valid(ring + (0 .. cap - 1));
  @ assigns pipe->ring, pipe->cap;
  @ ensures pipe_valid(pipe);
  @ ensures \old(pipe->ring) == \null ==> \result == LBP_OK &&
  @ 	pipe->ring == ring && pipe->cap == cap;
  @ ensures \old(pipe->ring) != \null ==> \result == LBP_ERR_STATE &&
  @ 	pipe->ring == \old(pipe->ring) && pipe->cap == \old(pipe->cap);
  @*/
enum lbp_err lbp_pipe_lend(struct lbp_pipe *pipe, uint8_t *ring, uint32_t cap);

/* Gives the ring back if the pipe is empty, else NULL. [FLW-6]. */
/*@ requires pipe_valid(pipe);
  @ assigns pipe->ring, pipe->cap, pipe->head, pipe->len;
  @ ensures pipe_valid(pipe) && pipe->len == \old(pipe->len);
  @ ensures pipe->len == 0 ==>
  @ 	\result == \old(pipe->ring) && pipe->ring == \null;
  @ ensures pipe->len > 0 ==> \result == \null &&
  @ 	pipe->ring == \old(pipe->ring) &&
  @ 	pipe->cap == \old(pipe->cap) && pipe->head == \old(pipe->head);
  @*/
uint8_t *lbp_pipe_return(struct lbp_pipe *pipe);

/*
 * Gives the ring back whatever is in it. The bytes are lost: the pipe is not
 * to be used again.
 */
/*@ requires pipe_valid(pipe);
  @ assigns pipe->ring, pipe->cap, pipe->head, pipe->len;
  @ ensures pipe_valid(pipe) && pipe->ring == \null && pipe->len == 0;
  @ ensures \result == \old(pipe->ring);
  @*/
uint8_t *lbp_pipe_discard(struct lbp_pipe *pipe);

/*
 * The free bytes that can be filled in one go; NULL and *len 0 without a ring,
 * without room or after the end.
 */
/*@ requires pipe_valid(pipe) && \valid(len) && \separated(pipe, len);
  @ assigns *len;
  @ ensures *len == pipe_room_len(pipe);
  @ ensures *len > 0 ==>
  @ 	\result == pipe->ring + pipe_place(pipe, pipe->len);
  @ ensures *len == 0 ==> \result == \null;
  @ ensures \valid(\result + (0 .. *len - 1));
  @*/
uint8_t *lbp_pipe_room(struct lbp_pipe *pipe, size_t *len);

/*
 * Says that the first n bytes of lbp_pipe_room were filled. LBP_ERR_STATE:
 * the source has ended; LBP_ERR_RANGE: n is more than the room. Nothing
 * changes then. Source: [FLW-1], [FLW-7].
 */
/*@ requires pipe_valid(pipe);
  @ assigns pipe->len;
  @ ensures pipe_valid(pipe);
  @
  @ behavior ended:
  @ 	assumes pipe->state != LBP_PIPE_OPEN;
  @ 	assigns \nothing;
  @ 	ensures \result == LBP_ERR_STATE;
  @
  @ behavior too_many:
  @ 	assumes pipe->state == LBP_PIPE_OPEN;
  @ 	assumes n > pipe_room_len(pipe);
  @ 	assigns \nothing;
  @ 	ensures \result == LBP_ERR_RANGE;
  @
  @ behavior filled: // [FLW-1]: behind the others, which stay
  @ 	assumes pipe->state == LBP_PIPE_OPEN;
  @ 	assumes n <= pipe_room_len(pipe);
  @ 	ensures \result == LBP_OK;
  @ 	ensures pipe->len == \old(pipe->len) + n;
  @ 	ensures \forall integer k; 0 <= k < n ==>
  @ 		pipe_place(pipe, \old(pipe->len) + k) ==
  @ 		\old(pipe_place(pipe, pipe->len)) + k;
  @
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
enum lbp_err lbp_pipe_filled(struct lbp_pipe *pipe, size_t n);

/* The oldest bytes that can be written in one go; *len is 0 if none. */
/*@ requires pipe_valid(pipe) && \valid(len) && \separated(pipe, len);
  @ assigns *len;
  @ ensures *len == pipe_data_len(pipe);
  @ ensures *len > 0 <==> pipe->len > 0;
  @ ensures *len > 0 ==> \result == pipe->ring + pipe_place(pipe, 0);
  @ ensures \valid_read(\result + (0 .. *len - 1));
  @*/
const uint8_t *lbp_pipe_data(const struct lbp_pipe *pipe, size_t *len);

/*
 * Says that the first n bytes of lbp_pipe_data were written. LBP_ERR_RANGE:
 * n is more than those; nothing changes. Source: [FLW-1], [FLW-8].
 */
/*@ requires pipe_valid(pipe);
  @ requires pipe->delivered + pipe->len <= UINT64_MAX;
  @ assigns pipe->len, pipe->head, pipe->delivered;
  @ ensures pipe_valid(pipe);
  @
  @ behavior too_many:
  @ 	assumes n > pipe_data_len(pipe);
  @ 	assigns \nothing;
  @ 	ensures \result == LBP_ERR_RANGE;
  @
  @ behavior drained: // [FLW-1]: the oldest, and the others stay; [FLW-8]
  @ 	assumes n <= pipe_data_len(pipe);
  @ 	ensures \result == LBP_OK;
  @ 	ensures pipe->len == \old(pipe->len) - n;
  @ 	ensures pipe->delivered == \old(pipe->delivered) + n;
  @ 	ensures \forall integer k; 0 <= k < pipe->len ==>
  @ 		pipe_place(pipe, k) ==
  @ 		pipe_place{Pre}(pipe, n + k);
  @
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
enum lbp_err lbp_pipe_drained(struct lbp_pipe *pipe, size_t n);

/*
 * The source ended cleanly. LBP_ERR_STATE: it had ended before; nothing
 * changes. Source: [FLW-4], [FLW-7].
 */
/*@ requires pipe_valid(pipe);
  @ assigns pipe->state;
  @ ensures pipe_valid(pipe);
  @ ensures \old(pipe->state) == LBP_PIPE_OPEN ==>
  @ 	\result == LBP_OK && pipe->state == LBP_PIPE_ENDING;
  @ ensures \old(pipe->state) != LBP_PIPE_OPEN ==>
  @ 	\result == LBP_ERR_STATE && pipe->state == \old(pipe->state);
  @*/
enum lbp_err lbp_pipe_end(struct lbp_pipe *pipe);

/* Is it time to pass the end on to the sink? [FLW-4]. */
/*@ requires pipe_valid(pipe);
  @ assigns \nothing;
  @ ensures \result <==> pipe->state == LBP_PIPE_ENDING && pipe->len == 0;
  @*/
bool lbp_pipe_end_is_due(const struct lbp_pipe *pipe);

/*
 * The end was passed on. LBP_ERR_STATE: it was not due; nothing changes.
 * Source: [FLW-4], [FLW-7].
 */
/*@ requires pipe_valid(pipe);
  @ assigns pipe->state;
  @ ensures pipe_valid(pipe);
  @ ensures \old(pipe->state == LBP_PIPE_ENDING && pipe->len == 0) ==>
  @ 	\result == LBP_OK && pipe->state == LBP_PIPE_ENDED;
  @ ensures !\old(pipe->state == LBP_PIPE_ENDING && pipe->len == 0) ==>
  @ 	\result == LBP_ERR_STATE && pipe->state == \old(pipe->state);
  @*/
enum lbp_err lbp_pipe_end_passed(struct lbp_pipe *pipe);

/*
 * The source ended uncleanly: the pipe takes no more bytes, and what it holds
 * is not followed by a clean end, also if one was read before. LBP_ERR_STATE:
 * a clean end was passed on already, or it was cut before; nothing changes.
 * Source: [SES-25].
 */
/*@ requires pipe_valid(pipe);
  @ assigns pipe->state;
  @ ensures pipe_valid(pipe);
  @ ensures \old(pipe->state == LBP_PIPE_OPEN ||
  @ 	pipe->state == LBP_PIPE_ENDING) ==>
  @ 	\result == LBP_OK && pipe->state == LBP_PIPE_CUT;
  @ ensures !\old(pipe->state == LBP_PIPE_OPEN ||
  @ 	pipe->state == LBP_PIPE_ENDING) ==>
  @ 	\result == LBP_ERR_STATE && pipe->state == \old(pipe->state);
  @*/
enum lbp_err lbp_pipe_cut(struct lbp_pipe *pipe);

/*
 * Has the source said all that it will ever say, and was that passed on?
 * Source: [SES-25].
 */
/*@ requires pipe_valid(pipe);
  @ assigns \nothing;
  @ ensures \result <==> pipe->state == LBP_PIPE_ENDED ||
  @ 	(pipe->state == LBP_PIPE_CUT && pipe->len == 0);
  @*/
bool lbp_pipe_is_spent(const struct lbp_pipe *pipe);

/* Do all invariants hold? For tests and fuzz targets. */
/*@ requires \valid_read(pipe);
  @ assigns \nothing;
  @ ensures \result <==> pipe_consistent(pipe);
  @*/
bool lbp_pipe_validate(const struct lbp_pipe *pipe);

/* Starts a flow: both directions open, empty, without a ring. */
/*@ requires \valid(flow);
  @ assigns *flow;
  @ ensures pipe_valid(&flow->pipes[LBP_UP]);
  @ ensures pipe_valid(&flow->pipes[LBP_DOWN]);
  @ ensures flow->pipes[LBP_UP].state == LBP_PIPE_OPEN;
  @ ensures flow->pipes[LBP_DOWN].state == LBP_PIPE_OPEN;
  @*/
void lbp_flow_init(struct lbp_flow *flow);

/*
 * Is a side done: has it ended cleanly, and was the other's end passed on to
 * it? source is the direction of its own bytes. What becomes of its connection
 * then loses nothing. Source: [SES-27].
 */
/*@ requires \valid_read(flow);
  @ requires source == LBP_UP || source == LBP_DOWN;
  @ assigns \nothing;
  @ ensures \result <==>
  @ 	(flow->pipes[source].state == LBP_PIPE_ENDING ||
  @ 		flow->pipes[source].state == LBP_PIPE_ENDED) &&
  @ 	flow->pipes[1 - source].state == LBP_PIPE_ENDED;
  @*/
bool lbp_flow_is_done_with(
	const struct lbp_flow *flow, enum lbp_direction source);

/* Were both ends passed on? [FLW-5]. */
/*@ requires \valid_read(flow);
  @ assigns \nothing;
  @ ensures \result <==> flow->pipes[LBP_UP].state == LBP_PIPE_ENDED &&
  @ 	flow->pipes[LBP_DOWN].state == LBP_PIPE_ENDED; // [FLW-5]
  @*/
bool lbp_flow_is_finished(const struct lbp_flow *flow);

LBP_END_DECLS

#endif
