/* The balancer of lib/core/balancer.h once more, replayed from a plain log. */
#ifndef LBP_MODEL_BALANCER_H
#define LBP_MODEL_BALANCER_H

#include "core/balancer.h"

#define MODEL_BALANCER_EVENTS 256

enum model_balancer_kind {
	MODEL_CHOSEN,
	MODEL_GIVEN_BACK,
	MODEL_MADE_ELIGIBLE,
	MODEL_MADE_INELIGIBLE,
};

struct model_balancer_event {
	enum model_balancer_kind kind;
	uint32_t upstream;
};

/* What the log says of one upstream. */
struct model_upstream {
	uint32_t open;
	uint32_t weight;
	uint32_t chosen; /* how many choices up to its last one; 0: none */
	bool eligible;
};

struct model_balancer {
	uint32_t upstream_len;
	uint32_t weights[LBP_UPSTREAMS_MAX];
	struct model_balancer_event log[MODEL_BALANCER_EVENTS];
	uint32_t len;
	/* Where the replay is: */
	struct model_upstream state[LBP_UPSTREAMS_MAX];
	uint32_t replayed; /* events */
	uint32_t choices;
};

/* Empties the log; upstream_len and weights are set before. */
void model_balancer_start(struct model_balancer *model);

/* Replays what is new in the log; upstream_len entries. */
const struct model_upstream *model_balancer_state(struct model_balancer *model);

/* At most MODEL_BALANCER_EVENTS calls of these three follow the start. */
enum lbp_err model_balancer_choose(
	struct model_balancer *model, const uint8_t *tried, uint32_t *out);
enum lbp_err model_balancer_release(
	struct model_balancer *model, uint32_t upstream);
enum lbp_err model_balancer_set_eligible(
	struct model_balancer *model, uint32_t upstream, bool eligible);

/* The sign of a / b - c / d, by the Euclidean algorithm; b and d are not 0. */
int model_compare_fractions(uint64_t a, uint64_t b, uint64_t c, uint64_t d);

#endif
