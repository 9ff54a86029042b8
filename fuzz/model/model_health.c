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

void model_health_start(struct model_health *model)
{
	model->len = 0;
	model->up = true;
	model->lost = false;
	model->from = 0;
	model->open = 0;
	model->last = NULL;
}

bool model_health_is_up(const struct model_health *model)
{
	return model->up && !model->lost;
}

bool model_health_is_checking(const struct model_health *model)
{
	return model->open > 0;
}

uint64_t model_health_next(const struct model_health *model)
{
	__extension__ unsigned __int128 due = model->options.interval_ns;

	due = due * model->i / model->n + model->start_ns;
	/* The first place in the interval that the last check left free. */
	if (model->last != NULL)
		due += ((model->last->time_ns - due) /
				       model->options.interval_ns +
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

/* A new life begins at each change. */
static enum lbp_health_change turn(struct model_health *model)
{
	uint32_t at = model->len - 1;

	if (!model->options.enabled || model->lost)
		return LBP_HEALTH_SAME;
	if (model->up ? failures_before(model, model->from, at) <
				model->options.fall
		      : successes_before(model, model->from, at) <
				model->options.rise)
		return LBP_HEALTH_SAME;
	model->up = !model->up;
	model->from = model->len;
	return model->up ? LBP_HEALTH_UP : LBP_HEALTH_DOWN;
}

static enum lbp_health_change append(struct model_health *model,
	enum model_health_kind kind, uint64_t time_ns)
{
	struct model_health_event *event = &model->log[model->len++];

	*event = (struct model_health_event){kind, time_ns};
	if (kind == MODEL_TAKEN) {
		model->open++;
		model->last = event;
	}
	if (kind == MODEL_CHECK_OK || kind == MODEL_CHECK_FAILED)
		model->open--;
	return turn(model);
}

enum lbp_health_change model_health_set_address(
	struct model_health *model, bool has_address)
{
	bool was_up = model_health_is_up(model);

	if (model->lost != has_address)
		return LBP_HEALTH_SAME;
	model->lost = !has_address;
	model->up = true;
	model->from = model->len;
	if (has_address)
		return LBP_HEALTH_UP;
	return was_up ? LBP_HEALTH_DOWN : LBP_HEALTH_SAME;
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
