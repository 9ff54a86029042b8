/*
 * One direction of lib/flow.h once more, as two positions in the stream that
 * its source sends. Byte i of a stream has the value model_flow_byte(key, i).
 */
#ifndef LBP_MODEL_FLOW_H
#define LBP_MODEL_FLOW_H

#include "flow.h"

struct model_pipe {
	uint32_t key;
	uint64_t in;  /* bytes that entered */
	uint64_t out; /* bytes that left */
	uint32_t cap; /* of the ring; 0: it has none */
	bool ended;
	bool end_passed;
	bool is_cut;        /* ended, and not cleanly */
	uint64_t delivered; /* differs from out by what was discarded */
};

/* A byte of a stream that differs from its neighbours' and other streams'. */
static inline uint8_t model_flow_byte(uint32_t key, uint64_t i)
{
	return (uint8_t)((((uint32_t)i ^ key) * UINT32_C(0x9e3779b1)) >> 24);
}

/*
 * Fills the room of a pipe with the next n bytes of its stream, in both. What
 * lbp_pipe_filled says is compared with the model and returned.
 */
enum lbp_err model_pipe_fill(
	struct model_pipe *model, struct lbp_pipe *pipe, size_t n);

/* Takes out n bytes, in both, and compares them with the stream. */
enum lbp_err model_pipe_drain(
	struct model_pipe *model, struct lbp_pipe *pipe, size_t n);

/* The source ends, or the end is passed on, in both. */
enum lbp_err model_pipe_end(struct model_pipe *model, struct lbp_pipe *pipe);
enum lbp_err model_pipe_pass(struct model_pipe *model, struct lbp_pipe *pipe);

/* The source ends uncleanly, in both. */
enum lbp_err model_pipe_cut(struct model_pipe *model, struct lbp_pipe *pipe);

/* Compares what can be seen of a pipe with the model. */
void model_pipe_check(const struct model_pipe *model, struct lbp_pipe *pipe);

#endif
