#include "model_limiter.h"

void model_limiter_start(
	struct model_limiter *model, const struct lbp_limits *limits)
{
	model->limits = *limits;
	model->len = 0;
	model->admitted = 0;
	model->released = 0;
}

void model_limiter_set_limits(
	struct model_limiter *model, const struct lbp_limits *limits)
{
	model->limits = *limits;
}

static void append(struct model_limiter *model, enum model_limiter_kind kind,
	uint64_t time_ns)
{
	uint64_t clock = model_limiter_clock(model);

	model->log[model->len++] = (struct model_limiter_event){
		time_ns > clock ? time_ns : clock, kind};
	model->admitted += kind == MODEL_ADMITTED;
	model->released += kind == MODEL_RELEASED;
}

uint64_t model_limiter_clock(const struct model_limiter *model)
{
	return model->len > 0 ? model->log[model->len - 1].time_ns : 0;
}

uint32_t model_limiter_open(const struct model_limiter *model)
{
	return model->admitted - model->released;
}

/* How many of the admissions at or after an event are in [t, t + window)? */
static uint32_t admitted_from(
	const struct model_limiter *model, uint32_t from, uint64_t t)
{
	uint32_t count = 0;

	for (uint32_t i = from; i < model->len; i++) {
		const struct model_limiter_event *event = &model->log[i];

		/* Times never go back. */
		if (event->time_ns - t >= model->limits.window_ns)
			break;
		count += event->kind == MODEL_ADMITTED;
	}
	return count;
}

uint32_t model_limiter_densest(const struct model_limiter *model)
{
	uint32_t densest = 0;

	for (uint32_t i = 0; i < model->len; i++) {
		uint32_t count = admitted_from(model, i, model->log[i].time_ns);

		if (count > densest)
			densest = count;
	}
	return densest;
}

/* Would there be too many in the window that ends with one more now? */
static int breaks_rate(const struct model_limiter *model, uint64_t now_ns)
{
	uint32_t recent = 1;

	for (uint32_t i = 0; i < model->len; i++) {
		const struct model_limiter_event *event = &model->log[i];

		recent += event->kind == MODEL_ADMITTED &&
			  now_ns - event->time_ns < model->limits.window_ns;
	}
	return model->limits.connections != 0 &&
	       recent > model->limits.connections;
}

enum lbp_err model_limiter_admit(struct model_limiter *model, uint64_t now_ns)
{
	const struct lbp_limits *limits = &model->limits;
	uint64_t clock = model_limiter_clock(model);
	enum lbp_err err = LBP_OK;

	if (clock < now_ns)
		clock = now_ns;
	if (limits->concurrent != 0 &&
		model_limiter_open(model) + 1 > limits->concurrent)
		err = LBP_ERR_CONCURRENT;
	else if (breaks_rate(model, clock))
		err = LBP_ERR_RATE;
	append(model, err == LBP_OK ? MODEL_ADMITTED : MODEL_REFUSED, now_ns);
	return err;
}

enum lbp_err model_limiter_release(struct model_limiter *model)
{
	if (model_limiter_open(model) == 0)
		return LBP_ERR_STATE;
	append(model, MODEL_RELEASED, 0);
	return LBP_OK;
}

uint32_t model_limiter_last(
	const struct model_limiter *model, uint64_t *times, uint32_t max)
{
	uint32_t found = 0;

	for (uint32_t i = model->len; i > 0 && found < max; i--) {
		if (model->log[i - 1].kind == MODEL_ADMITTED)
			times[found++] = model->log[i - 1].time_ns;
	}
	for (uint32_t i = 0; i < found / 2; i++) {
		uint64_t time = times[i];

		times[i] = times[found - 1 - i];
		times[found - 1 - i] = time;
	}
	return found;
}
