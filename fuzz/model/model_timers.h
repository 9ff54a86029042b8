/* The timers of lib/timers.h once more, recomputed from a plain log. */
#ifndef LBP_MODEL_TIMERS_H
#define LBP_MODEL_TIMERS_H

#include "timers.h"

#define MODEL_TIMERS_EVENTS 512
/* "No timer"; timers are numbered from 0. */
#define MODEL_NO_TIMER UINT32_MAX

struct model_timers_event {
	uint32_t timer;
	bool armed; /* or else disarmed or taken */
	uint64_t due_ns;
};

struct model_timers {
	uint32_t cap;
	struct model_timers_event log[MODEL_TIMERS_EVENTS];
	uint32_t len;
};

/* At most MODEL_TIMERS_EVENTS calls of these three follow an empty log. */
enum lbp_err model_timers_arm(
	struct model_timers *model, uint32_t timer, uint64_t due_ns);
void model_timers_disarm(struct model_timers *model, uint32_t timer);
uint32_t model_timers_take(struct model_timers *model, uint64_t now_ns);

bool model_timers_is_armed(const struct model_timers *model, uint32_t timer);
uint32_t model_timers_armed(const struct model_timers *model);
uint64_t model_timers_due(const struct model_timers *model);

#endif
