/* The timers of lib/timers.h once more, read from a plain log. */
#ifndef LBP_MODEL_TIMERS_H
#define LBP_MODEL_TIMERS_H

#include "timers.h"

#define MODEL_TIMERS_EVENTS 512
/* Timers are numbered from 0 and less; LBP_NONE: no timer. */
#define MODEL_TIMERS_MAX 64

struct model_timers_event {
	uint32_t timer;
	bool armed; /* or else disarmed or taken */
	uint64_t due_ns;
};

struct model_timers {
	uint32_t cap;
	struct model_timers_event log[MODEL_TIMERS_EVENTS];
	uint32_t len;
	uint32_t last[MODEL_TIMERS_MAX]; /* events up to a timer's last one */
};

/* Empties the log. */
void model_timers_start(struct model_timers *model, uint32_t cap);

/* At most MODEL_TIMERS_EVENTS calls of these three follow the start. */
enum lbp_err model_timers_arm(
	struct model_timers *model, uint32_t timer, uint64_t due_ns);
void model_timers_disarm(struct model_timers *model, uint32_t timer);
uint32_t model_timers_take(struct model_timers *model, uint64_t now_ns);

bool model_timers_is_armed(const struct model_timers *model, uint32_t timer);
uint32_t model_timers_armed(const struct model_timers *model);
uint64_t model_timers_due(const struct model_timers *model);

#endif
