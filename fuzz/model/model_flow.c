#include "model_flow.h"

#include <string.h>

#include "oracle.h"

static void check_error(const struct lbp_pipe *pipe,
	const struct lbp_pipe *before, enum lbp_err got, enum lbp_err want)
{
	ORACLE("FLW-7", got == want, "%s instead of %s", lbp_err_text(got),
		lbp_err_text(want));
	ORACLE("FLW-7",
		got == LBP_OK || memcmp(pipe, before, sizeof(*pipe)) == 0,
		"an illegal call changed the pipe");
}

enum lbp_err model_pipe_fill(
	struct model_pipe *model, struct lbp_pipe *pipe, size_t n)
{
	struct lbp_pipe before = *pipe;
	enum lbp_err want = LBP_OK;
	enum lbp_err got;
	size_t room;
	uint8_t *to = lbp_pipe_room(pipe, &room);

	for (size_t i = 0; i < n && i < room; i++)
		to[i] = model_flow_byte(model->key, model->in + i);
	got = lbp_pipe_filled(pipe, n);
	if (model->ended)
		want = LBP_ERR_STATE;
	else if (n > room)
		want = LBP_ERR_RANGE;
	else
		model->in += n;
	check_error(pipe, &before, got, want);
	return got;
}

enum lbp_err model_pipe_drain(
	struct model_pipe *model, struct lbp_pipe *pipe, size_t n)
{
	struct lbp_pipe before = *pipe;
	enum lbp_err want = LBP_OK;
	enum lbp_err got;
	size_t len;
	const uint8_t *from = lbp_pipe_data(pipe, &len);

	for (size_t i = 0; i < n && i < len; i++)
		ORACLE("FLW-1",
			from[i] == model_flow_byte(model->key, model->out + i),
			"byte %zu of %zu is another one", i, len);
	got = lbp_pipe_drained(pipe, n);
	if (n > len)
		want = LBP_ERR_RANGE;
	check_error(pipe, &before, got, want);
	if (want == LBP_OK) {
		model->out += n;
		model->delivered += n;
	}
	return got;
}

enum lbp_err model_pipe_end(struct model_pipe *model, struct lbp_pipe *pipe)
{
	struct lbp_pipe before = *pipe;
	enum lbp_err got = lbp_pipe_end(pipe);

	check_error(pipe, &before, got, model->ended ? LBP_ERR_STATE : LBP_OK);
	model->ended = true;
	return got;
}

static bool end_is_due(const struct model_pipe *model)
{
	return model->ended && !model->is_cut && !model->end_passed &&
	       model->in == model->out;
}

enum lbp_err model_pipe_pass(struct model_pipe *model, struct lbp_pipe *pipe)
{
	struct lbp_pipe before = *pipe;
	enum lbp_err got = lbp_pipe_end_passed(pipe);
	enum lbp_err want = end_is_due(model) ? LBP_OK : LBP_ERR_STATE;

	ORACLE("FLW-4", got == want, "%s instead of %s", lbp_err_text(got),
		lbp_err_text(want));
	check_error(pipe, &before, got, want);
	if (want == LBP_OK)
		model->end_passed = true;
	return got;
}

enum lbp_err model_pipe_cut(struct model_pipe *model, struct lbp_pipe *pipe)
{
	struct lbp_pipe before = *pipe;
	enum lbp_err got = lbp_pipe_cut(pipe);
	bool is_late = model->end_passed || model->is_cut;

	ORACLE("SES-25", (got == LBP_OK) == !is_late, "%s", lbp_err_text(got));
	check_error(pipe, &before, got, is_late ? LBP_ERR_STATE : LBP_OK);
	model->ended = true;
	model->is_cut = !model->end_passed;
	return got;
}

/* The spans are in the ring and as large as they may and have to be. */
static void check_spans(const struct model_pipe *model, struct lbp_pipe *pipe)
{
	uint64_t held = model->in - model->out;
	size_t room, len;
	const uint8_t *to = lbp_pipe_room(pipe, &room);
	const uint8_t *from = lbp_pipe_data(pipe, &len);

	ORACLE("FLW-2", room <= model->cap - held, "too much room");
	ORACLE("FLW-2", room == 0 || to + room <= pipe->ring + model->cap,
		"the room is beyond the ring");
	ORACLE("FLW-2", (room > 0) == (!model->ended && held < model->cap),
		"room for %zu of %u bytes", room, model->cap);
	ORACLE("FLW-1", len <= held && (len > 0) == (held > 0),
		"%zu bytes to write", len);
	ORACLE("FLW-1", len == 0 || from + len <= pipe->ring + model->cap,
		"the data are beyond the ring");
}

void model_pipe_check(const struct model_pipe *model, struct lbp_pipe *pipe)
{
	uint64_t held = model->in - model->out;

	ORACLE("FLW-2", held <= model->cap && lbp_pipe_validate(pipe),
		"a ring of %u holds %u", model->cap, pipe->len);
	ORACLE("FLW-2",
		lbp_pipe_wants_read(pipe) ==
			(!model->ended &&
				(model->cap == 0 || held < model->cap)),
		"wants to read: %d", lbp_pipe_wants_read(pipe));
	ORACLE("FLW-3", lbp_pipe_wants_write(pipe) == (held > 0),
		"wants to write: %d", lbp_pipe_wants_write(pipe));
	ORACLE("FLW-4", lbp_pipe_end_is_due(pipe) == end_is_due(model),
		"the end is due: %d", lbp_pipe_end_is_due(pipe));
	ORACLE("SES-25",
		lbp_pipe_is_spent(pipe) ==
			(model->end_passed || (model->is_cut && held == 0)),
		"spent: %d", lbp_pipe_is_spent(pipe));
	ORACLE("FLW-8", pipe->delivered == model->delivered,
		"another count of bytes");
	check_spans(model, pipe);
}
