/*
 * What is proved of flow.h, which includes this at its end for Frama-C alone.
 */
#ifndef LBP_PROOF_FLOW_H
#define LBP_PROOF_FLOW_H

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

/*@ requires \valid(pipe);
  @ assigns *pipe;
  @ ensures pipe_valid(pipe) && pipe->state == LBP_PIPE_OPEN;
  @ ensures pipe->ring == \null && pipe->len == 0 && pipe->delivered == 0;
  @*/
void lbp_pipe_init(struct lbp_pipe *pipe);

/*@ requires pipe_valid(pipe);
  @ assigns \nothing;
  @ ensures \result <==> pipe->state == LBP_PIPE_OPEN &&
  @ 	(pipe->ring == \null || pipe->len < pipe->cap);
  @*/
bool lbp_pipe_wants_read(const struct lbp_pipe *pipe);

/*@ requires pipe_valid(pipe);
  @ assigns \nothing;
  @ ensures \result <==> pipe->len > 0;
  @*/
bool lbp_pipe_wants_write(const struct lbp_pipe *pipe);

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

/*@ requires pipe_valid(pipe);
  @ assigns pipe->ring, pipe->cap, pipe->head, pipe->len;
  @ ensures pipe_valid(pipe) && pipe->ring == \null && pipe->len == 0;
  @ ensures \result == \old(pipe->ring);
  @*/
uint8_t *lbp_pipe_discard(struct lbp_pipe *pipe);

/*@ requires pipe_valid(pipe) && \valid(len) && \separated(pipe, len);
  @ assigns *len;
  @ ensures *len == pipe_room_len(pipe);
  @ ensures *len > 0 ==>
  @ 	\result == pipe->ring + pipe_place(pipe, pipe->len);
  @ ensures *len == 0 ==> \result == \null;
  @ ensures \valid(\result + (0 .. *len - 1));
  @*/
uint8_t *lbp_pipe_room(struct lbp_pipe *pipe, size_t *len);

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

/*@ requires pipe_valid(pipe) && \valid(len) && \separated(pipe, len);
  @ assigns *len;
  @ ensures *len == pipe_data_len(pipe);
  @ ensures *len > 0 <==> pipe->len > 0;
  @ ensures *len > 0 ==> \result == pipe->ring + pipe_place(pipe, 0);
  @ ensures \valid_read(\result + (0 .. *len - 1));
  @*/
const uint8_t *lbp_pipe_data(const struct lbp_pipe *pipe, size_t *len);

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

/*@ requires pipe_valid(pipe);
  @ assigns pipe->state;
  @ ensures pipe_valid(pipe);
  @ ensures \old(pipe->state) == LBP_PIPE_OPEN ==>
  @ 	\result == LBP_OK && pipe->state == LBP_PIPE_ENDING;
  @ ensures \old(pipe->state) != LBP_PIPE_OPEN ==>
  @ 	\result == LBP_ERR_STATE && pipe->state == \old(pipe->state);
  @*/
enum lbp_err lbp_pipe_end(struct lbp_pipe *pipe);

/*@ requires pipe_valid(pipe);
  @ assigns \nothing;
  @ ensures \result <==> pipe->state == LBP_PIPE_ENDING && pipe->len == 0;
  @*/
bool lbp_pipe_end_is_due(const struct lbp_pipe *pipe);

/*@ requires pipe_valid(pipe);
  @ assigns pipe->state;
  @ ensures pipe_valid(pipe);
  @ ensures \old(pipe->state == LBP_PIPE_ENDING && pipe->len == 0) ==>
  @ 	\result == LBP_OK && pipe->state == LBP_PIPE_ENDED;
  @ ensures !\old(pipe->state == LBP_PIPE_ENDING && pipe->len == 0) ==>
  @ 	\result == LBP_ERR_STATE && pipe->state == \old(pipe->state);
  @*/
enum lbp_err lbp_pipe_end_passed(struct lbp_pipe *pipe);

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

/*@ requires pipe_valid(pipe);
  @ assigns \nothing;
  @ ensures \result <==> pipe->state == LBP_PIPE_ENDED ||
  @ 	(pipe->state == LBP_PIPE_CUT && pipe->len == 0);
  @*/
bool lbp_pipe_is_spent(const struct lbp_pipe *pipe);

/*@ requires \valid_read(pipe);
  @ assigns \nothing;
  @ ensures \result <==> pipe_consistent(pipe);
  @*/
bool lbp_pipe_validate(const struct lbp_pipe *pipe);

/*@ requires \valid(flow);
  @ assigns *flow;
  @ ensures pipe_valid(&flow->pipes[LBP_UP]);
  @ ensures pipe_valid(&flow->pipes[LBP_DOWN]);
  @ ensures flow->pipes[LBP_UP].state == LBP_PIPE_OPEN;
  @ ensures flow->pipes[LBP_DOWN].state == LBP_PIPE_OPEN;
  @*/
void lbp_flow_init(struct lbp_flow *flow);

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

/*@ requires \valid_read(flow);
  @ assigns \nothing;
  @ ensures \result <==> flow->pipes[LBP_UP].state == LBP_PIPE_ENDED &&
  @ 	flow->pipes[LBP_DOWN].state == LBP_PIPE_ENDED; // [FLW-5]
  @*/
bool lbp_flow_is_finished(const struct lbp_flow *flow);

#endif
