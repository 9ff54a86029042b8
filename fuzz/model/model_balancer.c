#include "model_balancer.h"

#include <stddef.h>

int model_compare_fractions(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	if (a / b != c / d)
		return a / b < c / d ? -1 : 1;
	a %= b;
	c %= d;
	if (a == 0 || c == 0)
		return (a != 0) - (c != 0);
	/* Of two proper fractions the one with the greater inverse is less. */
	return model_compare_fractions(d, c, b, a);
}

void model_balancer_start(struct model_balancer *model)
{
	model->len = 0;
	model->replayed = 0;
	model->choices = 0;
	for (uint32_t i = 0; i < model->upstream_len; i++)
		model->state[i] = (struct model_upstream){
			.weight = model->weights[i], .eligible = true};
}

static void replay(struct model_balancer *model, uint32_t event)
{
	struct model_upstream *up = &model->state[model->log[event].upstream];

	switch (model->log[event].kind) {
	case MODEL_CHOSEN:
		up->open++;
		up->chosen = ++model->choices;
		break;
	case MODEL_GIVEN_BACK:
		up->open--;
		break;
	case MODEL_MADE_ELIGIBLE:
		up->eligible = true;
		break;
	case MODEL_MADE_INELIGIBLE:
		up->eligible = false;
		break;
	}
}

const struct model_upstream *model_balancer_state(struct model_balancer *model)
{
	while (model->replayed < model->len)
		replay(model, model->replayed++);
	return model->state;
}

static void append(struct model_balancer *model, enum model_balancer_kind kind,
	uint32_t upstream)
{
	model->log[model->len++] =
		(struct model_balancer_event){kind, upstream};
}

/* Is b to be preferred to a, which has the lower number? */
static bool is_better(
	const struct model_upstream *b, const struct model_upstream *a)
{
	int order =
		model_compare_fractions(b->open, b->weight, a->open, a->weight);

	return order < 0 || (order == 0 && b->chosen < a->chosen);
}

enum lbp_err model_balancer_choose(
	struct model_balancer *model, const uint8_t *tried, uint32_t *out)
{
	const struct model_upstream *state = model_balancer_state(model);
	uint32_t best = LBP_NONE;

	for (uint32_t i = 0; i < model->upstream_len; i++) {
		if (!state[i].eligible ||
			(tried != NULL && lbp_tried_has(tried, i)))
			continue;
		if (best == LBP_NONE || is_better(&state[i], &state[best]))
			best = i;
	}
	if (best == LBP_NONE)
		return LBP_ERR_NO_UPSTREAM;
	append(model, MODEL_CHOSEN, best);
	*out = best;
	return LBP_OK;
}

enum lbp_err model_balancer_release(
	struct model_balancer *model, uint32_t upstream)
{
	if (upstream >= model->upstream_len)
		return LBP_ERR_RANGE;
	if (model_balancer_state(model)[upstream].open == 0)
		return LBP_ERR_STATE;
	append(model, MODEL_GIVEN_BACK, upstream);
	return LBP_OK;
}

enum lbp_err model_balancer_set_eligible(
	struct model_balancer *model, uint32_t upstream, bool eligible)
{
	if (upstream >= model->upstream_len)
		return LBP_ERR_RANGE;
	append(model, eligible ? MODEL_MADE_ELIGIBLE : MODEL_MADE_INELIGIBLE,
		upstream);
	return LBP_OK;
}
