#include "model_timers.h"

#include <string.h>

void model_timers_start(struct model_timers *model, uint32_t cap)
{
	model->cap = cap;
	model->len = 0;
	memset(model->last, 0, sizeof(model->last));
}

static void append(
	struct model_timers *model, uint32_t timer, bool armed, uint64_t due_ns)
{
	model->log[model->len++] =
		(struct model_timers_event){timer, armed, due_ns};
	model->last[timer] = model->len;
}

/* Does an arming still hold: has nothing later happened to its timer? */
static bool holds(const struct model_timers *model, uint32_t event)
{
	return model->log[event].armed &&
	       model->last[model->log[event].timer] == event + 1;
}

/* The event that armed the timer which is due first; len if there is none. */
static uint32_t first_due(const struct model_timers *model)
{
	uint32_t first = model->len;

	for (uint32_t i = 0; i < model->len; i++) {
		if (holds(model, i) &&
			(first == model->len ||
				model->log[i].due_ns <
					model->log[first].due_ns))
			first = i;
	}
	return first;
}

bool model_timers_is_armed(const struct model_timers *model, uint32_t timer)
{
	return model->last[timer] > 0 && holds(model, model->last[timer] - 1);
}

uint32_t model_timers_armed(const struct model_timers *model)
{
	uint32_t armed = 0;

	for (uint32_t i = 0; i < model->len; i++)
		armed += holds(model, i);
	return armed;
}

uint64_t model_timers_due(const struct model_timers *model)
{
	uint32_t first = first_due(model);

	return first < model->len ? model->log[first].due_ns : LBP_NEVER;
}

enum lbp_err model_timers_arm(
	struct model_timers *model, uint32_t timer, uint64_t due_ns)
{
	if (!model_timers_is_armed(model, timer) &&
		model_timers_armed(model) >= model->cap)
		return LBP_ERR_RANGE;
	append(model, timer, true, due_ns);
	return LBP_OK;
}

void model_timers_disarm(struct model_timers *model, uint32_t timer)
{
	append(model, timer, false, 0);
}

uint32_t model_timers_take(struct model_timers *model, uint64_t now_ns)
{
	uint32_t first = first_due(model);
	uint32_t timer;

	if (first == model->len || model->log[first].due_ns > now_ns)
		return LBP_NONE;
	timer = model->log[first].timer;
	model_timers_disarm(model, timer);
	return timer;
}
