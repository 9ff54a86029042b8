#include "model_limiter.h"

/* The time of an event: the latest one given up to it. */
static uint64_t time_of(const struct model_limiter *model, uint32_t event)
{
	uint64_t latest = 0;

	for (uint32_t i = 0; i <= event && i < model->len; i++) {
		if (model->log[i].time_ns > latest)
			latest = model->log[i].time_ns;
	}
	return latest;
}

uint64_t model_limiter_clock(const struct model_limiter *model)
{
	return time_of(model, MODEL_LIMITER_EVENTS);
}

uint32_t model_limiter_open(const struct model_limiter *model)
{
	uint32_t admitted = 0;
	uint32_t released = 0;

	for (uint32_t i = 0; i < model->len; i++) {
		admitted += model->log[i].kind == MODEL_ADMITTED;
		released += model->log[i].kind == MODEL_RELEASED;
	}
	return admitted - released;
}

/* How many of the admissions at or after an event are in [t, t + window)? */
static uint32_t admitted_from(
	const struct model_limiter *model, uint32_t from, uint64_t t)
{
	uint32_t count = 0;
	uint64_t latest = time_of(model, from);

	for (uint32_t i = from; i < model->len; i++) {
		if (model->log[i].time_ns > latest)
			latest = model->log[i].time_ns;
		if (model->log[i].kind == MODEL_ADMITTED &&
			latest - t < model->limits.window_ns)
			count++;
	}
	return count;
}

uint32_t model_limiter_densest(const struct model_limiter *model)
{
	uint32_t densest = 0;

	for (uint32_t i = 0; i < model->len; i++) {
		uint32_t count = admitted_from(model, i, time_of(model, i));

		if (count > densest)
			densest = count;
	}
	return densest;
}

/* Would there be too many in the window that ends with one more now? */
static int breaks_rate(const struct model_limiter *model, uint64_t now_ns)
{
	uint32_t recent = 1;
	uint64_t latest = 0;

	for (uint32_t i = 0; i < model->len; i++) {
		const struct model_limiter_event *event = &model->log[i];

		if (event->time_ns > latest)
			latest = event->time_ns;
		recent += event->kind == MODEL_ADMITTED &&
			  now_ns - latest < model->limits.window_ns;
	}
	return model->limits.connections != 0 &&
	       recent > model->limits.connections;
}

enum lbp_err model_limiter_admit(struct model_limiter *model, uint64_t now_ns)
{
	struct model_limiter_event *event = &model->log[model->len];
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
	event->time_ns = now_ns;
	event->kind = err == LBP_OK ? MODEL_ADMITTED : MODEL_REFUSED;
	model->len++;
	return err;
}

enum lbp_err model_limiter_release(struct model_limiter *model)
{
	if (model_limiter_open(model) == 0)
		return LBP_ERR_STATE;
	model->log[model->len].time_ns = 0;
	model->log[model->len++].kind = MODEL_RELEASED;
	return LBP_OK;
}

uint32_t model_limiter_last(
	const struct model_limiter *model, uint64_t *times, uint32_t max)
{
	uint32_t found = 0;

	for (uint32_t i = model->len; i > 0 && found < max; i--) {
		if (model->log[i - 1].kind == MODEL_ADMITTED)
			times[found++] = time_of(model, i - 1);
	}
	for (uint32_t i = 0; i < found / 2; i++) {
		uint64_t time = times[i];

		times[i] = times[found - 1 - i];
		times[found - 1 - i] = time;
	}
	return found;
}
