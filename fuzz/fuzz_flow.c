/*
 * A flow against its model, and the same stream cut in another way.
 *
 * Input: the capacity of the rings (a byte, plus 1), then operations: a byte,
 * whose lowest bit is the direction and the next three the operation, and
 * what it takes:
 *   0, 1 fill n bytes, or as many as fit (a byte)   2, 3 drain likewise
 *   4 the source ends   5 the end is passed on
 *   6 lend a ring   7 give the ring back, or (a byte of 0xff) discard it
 * A ring of exactly its size is the caller's, for the sanitizers.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "model/model_flow.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct run {
	struct bytes bytes;
	struct lbp_flow flow;
	struct model_pipe models[2];
	uint8_t *rings[2];
	uint32_t cap;
};

/* A byte's number, mostly bounded by what is possible. */
static size_t draw_amount(struct run *run, size_t possible)
{
	uint8_t n = bytes_u8(&run->bytes);

	return n < 0xf0 ? n % (possible + 1) : possible + n - 0xf0;
}

static void fill(struct run *run, unsigned i)
{
	struct lbp_pipe *pipe = &run->flow.pipes[i];
	size_t room;

	lbp_pipe_room(pipe, &room);
	model_pipe_fill(&run->models[i], pipe, draw_amount(run, room));
}

static void drain(struct run *run, unsigned i)
{
	struct lbp_pipe *pipe = &run->flow.pipes[i];
	size_t len;

	lbp_pipe_data(pipe, &len);
	model_pipe_drain(&run->models[i], pipe, draw_amount(run, len));
}

static void lend(struct run *run, unsigned i)
{
	struct lbp_pipe *pipe = &run->flow.pipes[i];
	struct lbp_pipe before = *pipe;
	enum lbp_err err = lbp_pipe_lend(pipe, run->rings[i], run->cap);

	ORACLE("FLW-6",
		err == (run->models[i].cap > 0 ? LBP_ERR_STATE : LBP_OK), "%s",
		lbp_err_text(err));
	ORACLE("FLW-7",
		err == LBP_OK || memcmp(&before, pipe, sizeof(before)) == 0,
		"a second ring changed the pipe");
	run->models[i].cap = run->cap;
}

static void give_back(struct run *run, unsigned i, bool discard)
{
	struct model_pipe *model = &run->models[i];
	struct lbp_pipe *pipe = &run->flow.pipes[i];
	uint8_t *want = model->cap > 0 ? run->rings[i] : NULL;
	uint8_t *got;

	if (!discard && model->in > model->out)
		want = NULL;
	got = discard ? lbp_pipe_discard(pipe) : lbp_pipe_return(pipe);
	ORACLE("FLW-6", got == want, "the ring is given back: %d", got != NULL);
	if (discard || want != NULL)
		model->cap = 0;
	if (discard)
		model->out = model->in;
}

static void check(struct run *run)
{
	bool finished = run->models[0].end_passed && run->models[1].end_passed;

	for (unsigned i = 0; i < 2; i++)
		model_pipe_check(&run->models[i], &run->flow.pipes[i]);
	ORACLE("FLW-5", lbp_flow_is_finished(&run->flow) == finished,
		"the flow is finished: %d", !finished);
}

static void operate(struct run *run)
{
	uint8_t what = bytes_u8(&run->bytes);
	unsigned i = what & 1;
	struct lbp_pipe *pipe = &run->flow.pipes[i];

	switch (what >> 1 & 7) {
	case 0:
	case 1:
		fill(run, i);
		break;
	case 2:
	case 3:
		drain(run, i);
		break;
	case 4:
		if (what >> 4 == 15)
			model_pipe_cut(&run->models[i], pipe);
		else
			model_pipe_end(&run->models[i], pipe);
		break;
	case 5:
		model_pipe_pass(&run->models[i], pipe);
		break;
	case 6:
		lend(run, i);
		break;
	case 7:
		give_back(run, i, bytes_u8(&run->bytes) == 0xff);
		break;
	}
}

/* Moves the whole input through a pipe, in pieces that the cuts give. */
static void chunk(const uint8_t *data, size_t len, struct bytes cuts,
	uint32_t cap, uint8_t *ring, uint8_t *out)
{
	struct lbp_pipe pipe;
	size_t in = 0;
	size_t done = 0;

	lbp_pipe_init(&pipe);
	lbp_pipe_lend(&pipe, ring, cap);
	while (done < len) {
		size_t n, most = 1 + bytes_below(&cuts, 8);
		uint8_t *to = lbp_pipe_room(&pipe, &n);
		const uint8_t *from;

		n = n < most ? n : most;
		n = n < len - in ? n : len - in;
		if (n > 0)
			memcpy(to, data + in, n);
		ORACLE("FLW-1", lbp_pipe_filled(&pipe, n) == LBP_OK,
			"a piece is refused");
		in += n;
		most = 1 + bytes_below(&cuts, 8);
		from = lbp_pipe_data(&pipe, &n);
		n = n < most ? n : most;
		memcpy(out + done, from, n);
		ORACLE("FLW-1", n > 0 && lbp_pipe_drained(&pipe, n) == LBP_OK,
			"nothing comes out");
		done += n;
	}
	ORACLE("FLW-8", pipe.delivered == len, "another count of bytes");
}

static void check_chunks(
	const uint8_t *data, size_t len, uint32_t cap, uint8_t *ring)
{
	uint8_t *out = malloc(len + 1);

	if (out == NULL)
		return;
	chunk(data, len, (struct bytes){data, len}, cap, ring, out);
	ORACLE("FLW-1", len == 0 || memcmp(out, data, len) == 0,
		"pieces in another order");
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct run run;

	memset(&run, 0, sizeof(run));
	run.bytes = (struct bytes){data, len};
	run.cap = 1 + (uint32_t)bytes_u8(&run.bytes);
	run.rings[0] = malloc(run.cap);
	run.rings[1] = malloc(run.cap);
	run.models[1].key = 1u << 31;
	if (run.rings[0] == NULL || run.rings[1] == NULL)
		goto out;
	lbp_flow_init(&run.flow);
	check(&run);
	while (run.bytes.len > 0) {
		operate(&run);
		check(&run);
	}
	check_chunks(data, len, run.cap, run.rings[0]);
out:
	free(run.rings[0]);
	free(run.rings[1]);
	return 0;
}
