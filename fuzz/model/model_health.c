#include "model_health.h"

#include <stddef.h>

static bool is_failure(const struct model_health *model, uint32_t at)
{
	return model->log[at].kind == MODEL_DIAL_FAILED ||
	       model->log[at].kind == MODEL_CHECK_FAILED;
}

/* Failures up to an event, back to a success or to the event `from`. */
static uint32_t failures_before(
	const struct model_health *model, uint32_t from, uint32_t at)
{
	uint32_t count = 0;

	for (uint32_t i = at + 1; i-- > from;) {
		if (model->log[i].kind == MODEL_DIAL_OK ||
			model->log[i].kind == MODEL_CHECK_OK)
			break;
		count += is_failure(model, i);
	}
	return count;
}

/* Successful checks up to an event, back to a failure or to `from`. */
static uint32_t successes_before(
	const struct model_health *model, uint32_t from, uint32_t at)
{
	uint32_t count = 0;

	for (uint32_t i = at + 1; i-- > from;) {
		if (is_failure(model, i))
			break;
		count += model->log[i].kind == MODEL_CHECK_OK;
	}
	return count;
}

/* The state after the first len events; a new life begins at each change. */
static bool up_after(const struct model_health *model, uint32_t len)
{
	uint32_t from = 0;
	bool up = true;

	for (uint32_t at = 0; model->options.enabled && at < len; at++) {
		if (up ? failures_before(model, from, at) < model->options.fall
		       : successes_before(model, from, at) <
					model->options.rise)
			continue;
		up = !up;
		from = at + 1;
	}
	return up;
}

bool model_health_is_up(const struct model_health *model)
{
	return up_after(model, model->len);
}

bool model_health_is_checking(const struct model_health *model)
{
	int open = 0;

	for (uint32_t i = 0; i < model->len; i++) {
		if (model->log[i].kind == MODEL_TAKEN)
			open++;
		if (model->log[i].kind == MODEL_CHECK_OK ||
			model->log[i].kind == MODEL_CHECK_FAILED)
			open--;
	}
	return open > 0;
}

uint64_t model_health_next(const struct model_health *model)
{
	__extension__ unsigned __int128 due = model->options.interval_ns;
	const struct model_health_event *last = NULL;

	due = due * model->i / model->n + model->start_ns;
	for (uint32_t i = 0; i < model->len; i++) {
		if (model->log[i].kind == MODEL_TAKEN)
			last = &model->log[i];
	}
	/* The first place in the interval that the last check left free. */
	if (last != NULL)
		due += ((last->time_ns - due) / model->options.interval_ns +
			       1) *
		       model->options.interval_ns;
	return due < LBP_NEVER ? (uint64_t)due : LBP_NEVER;
}

uint64_t model_health_due(const struct model_health *model)
{
	if (!model->options.enabled || model_health_is_checking(model))
		return LBP_NEVER;
	return model_health_next(model);
}

static enum lbp_health_change append(struct model_health *model,
	enum model_health_kind kind, uint64_t time_ns)
{
	bool was_up = model_health_is_up(model);
	bool is_up;

	model->log[model->len++] = (struct model_health_event){kind, time_ns};
	is_up = model_health_is_up(model);
	if (was_up == is_up)
		return LBP_HEALTH_SAME;
	return is_up ? LBP_HEALTH_UP : LBP_HEALTH_DOWN;
}

bool model_health_take(struct model_health *model, uint64_t now_ns)
{
	if (model_health_due(model) == LBP_NEVER ||
		model_health_due(model) > now_ns)
		return false;
	append(model, MODEL_TAKEN, now_ns);
	return true;
}

enum lbp_health_change model_health_dialed(struct model_health *model, bool ok)
{
	return append(model, ok ? MODEL_DIAL_OK : MODEL_DIAL_FAILED, 0);
}

enum lbp_health_change model_health_checked(struct model_health *model, bool ok)
{
	if (!model_health_is_checking(model))
		return LBP_HEALTH_SAME;
	return append(model, ok ? MODEL_CHECK_OK : MODEL_CHECK_FAILED, 0);
}
