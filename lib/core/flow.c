#include "flow.h"

void lbp_pipe_init(struct lbp_pipe *pipe)
{
	*pipe = (struct lbp_pipe){.state = LBP_PIPE_OPEN};
	/*@ assert pipe->ring == \null && pipe->cap == 0 &&
	  @ 	pipe->head == 0 && pipe->len == 0;
	  @*/
}

bool lbp_pipe_wants_read(const struct lbp_pipe *pipe)
{
	return pipe->state == LBP_PIPE_OPEN &&
	       (pipe->ring == NULL || pipe->len < pipe->cap);
}

bool lbp_pipe_wants_write(const struct lbp_pipe *pipe)
{
	return pipe->len > 0;
}

enum lbp_err lbp_pipe_lend(struct lbp_pipe *pipe, uint8_t *ring, uint32_t cap)
{
	if (pipe->ring != NULL)
		return LBP_ERR_STATE;
	pipe->ring = ring;
	pipe->cap = cap;
	return LBP_OK;
}

uint8_t *lbp_pipe_return(struct lbp_pipe *pipe)
{
	return pipe->len > 0 ? NULL : lbp_pipe_discard(pipe);
}

uint8_t *lbp_pipe_discard(struct lbp_pipe *pipe)
{
	uint8_t *ring = pipe->ring;

	pipe->ring = NULL;
	pipe->cap = 0;
	pipe->head = 0;
	pipe->len = 0;
	return ring;
}

uint8_t *lbp_pipe_room(struct lbp_pipe *pipe, size_t *len)
{
	uint32_t to_end, tail;

	*len = 0;
	if (pipe->state != LBP_PIPE_OPEN || pipe->len == pipe->cap)
		return NULL;
	to_end = pipe->cap - pipe->head;
	if (pipe->len < to_end) {
		tail = pipe->head + pipe->len;
		*len = pipe->cap - tail;
	} else {
		tail = pipe->len - to_end;
		*len = pipe->head - tail;
	}
	return pipe->ring + tail;
}

enum lbp_err lbp_pipe_filled(struct lbp_pipe *pipe, size_t n)
{
	size_t room;

	if (pipe->state != LBP_PIPE_OPEN)
		return LBP_ERR_STATE;
	lbp_pipe_room(pipe, &room);
	if (n > room)
		return LBP_ERR_RANGE;
	pipe->len += (uint32_t)n;
	return LBP_OK;
}

const uint8_t *lbp_pipe_data(const struct lbp_pipe *pipe, size_t *len)
{
	uint32_t to_end = pipe->cap - pipe->head;

	*len = pipe->len < to_end ? pipe->len : to_end;
	return pipe->len > 0 ? pipe->ring + pipe->head : NULL;
}

enum lbp_err lbp_pipe_drained(struct lbp_pipe *pipe, size_t n)
{
	size_t data;

	lbp_pipe_data(pipe, &data);
	if (n > data)
		return LBP_ERR_RANGE;
	pipe->len -= (uint32_t)n;
	pipe->head += (uint32_t)n;
	/* An empty ring starts over, so that its whole room is one span. */
	if (pipe->len == 0 || pipe->head == pipe->cap)
		pipe->head = 0;
	pipe->delivered += n;
	return LBP_OK;
}

enum lbp_err lbp_pipe_end(struct lbp_pipe *pipe)
{
	if (pipe->state != LBP_PIPE_OPEN)
		return LBP_ERR_STATE;
	pipe->state = LBP_PIPE_ENDING;
	return LBP_OK;
}

bool lbp_pipe_end_is_due(const struct lbp_pipe *pipe)
{
	return pipe->state == LBP_PIPE_ENDING && pipe->len == 0;
}

enum lbp_err lbp_pipe_end_passed(struct lbp_pipe *pipe)
{
	if (!lbp_pipe_end_is_due(pipe))
		return LBP_ERR_STATE;
	pipe->state = LBP_PIPE_ENDED;
	return LBP_OK;
}

enum lbp_err lbp_pipe_cut(struct lbp_pipe *pipe)
{
	if (pipe->state != LBP_PIPE_OPEN && pipe->state != LBP_PIPE_ENDING)
		return LBP_ERR_STATE;
	pipe->state = LBP_PIPE_CUT;
	return LBP_OK;
}

bool lbp_pipe_is_spent(const struct lbp_pipe *pipe)
{
	return pipe->state == LBP_PIPE_ENDED ||
	       (pipe->state == LBP_PIPE_CUT && pipe->len == 0);
}

bool lbp_pipe_validate(const struct lbp_pipe *pipe)
{
	if ((pipe->ring == NULL) != (pipe->cap == 0))
		return false;
	if (pipe->len > pipe->cap)
		return false;
	if (pipe->head >= pipe->cap && pipe->head != 0)
		return false;
	return pipe->state != LBP_PIPE_ENDED || pipe->len == 0;
}

void lbp_flow_init(struct lbp_flow *flow)
{
	lbp_pipe_init(&flow->pipes[LBP_UP]);
	lbp_pipe_init(&flow->pipes[LBP_DOWN]);
}

bool lbp_flow_is_done_with(
	const struct lbp_flow *flow, enum lbp_direction source)
{
	enum lbp_pipe_state from = flow->pipes[source].state;
	enum lbp_pipe_state to =
		flow->pipes[source == LBP_UP ? LBP_DOWN : LBP_UP].state;

	return (from == LBP_PIPE_ENDING || from == LBP_PIPE_ENDED) &&
	       to == LBP_PIPE_ENDED;
}

bool lbp_flow_is_finished(const struct lbp_flow *flow)
{
	return flow->pipes[LBP_UP].state == LBP_PIPE_ENDED &&
	       flow->pipes[LBP_DOWN].state == LBP_PIPE_ENDED;
}
