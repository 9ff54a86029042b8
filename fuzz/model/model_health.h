/* The health of lib/health.h once more, replayed from a plain log. */
#ifndef LBP_MODEL_HEALTH_H
#define LBP_MODEL_HEALTH_H

#include "core/health_state.h"

#define MODEL_HEALTH_EVENTS 256

enum model_health_kind {
	MODEL_TAKEN,
	MODEL_DIAL_OK,
	MODEL_DIAL_FAILED,
	MODEL_CHECK_OK,
	MODEL_CHECK_FAILED,
};

struct model_health_event {
	enum model_health_kind kind;
	uint64_t time_ns; /* of MODEL_TAKEN */
};

struct model_health {
	struct lbp_health_options options;
	uint64_t start_ns;
	uint32_t i;
	uint32_t n;
	struct model_health_event log[MODEL_HEALTH_EVENTS];
	uint32_t len;
	/* What the log says so far: */
	bool up;
	uint32_t from; /* the first event since the last change of up */
	bool lost;     /* it has no address */
	int open;      /* checks taken and without a result */
	const struct model_health_event *last; /* check that was taken */
};

/* Empties the log; the members above it are set before. */
void model_health_start(struct model_health *model);

/* At most MODEL_HEALTH_EVENTS calls of these three follow the start. */
bool model_health_take(struct model_health *model, uint64_t now_ns);
enum lbp_health_change model_health_dialed(struct model_health *model, bool ok);
enum lbp_health_change model_health_checked(
	struct model_health *model, bool ok);

/* This one is no event of the log: a new life begins. */
enum lbp_health_change model_health_set_address(
	struct model_health *model, bool has_address);

bool model_health_is_up(const struct model_health *model);
bool model_health_is_checking(const struct model_health *model);

/* What lbp_health_due should say. */
uint64_t model_health_due(const struct model_health *model);

/* The due time behind it, which is there during a check too. */
uint64_t model_health_next(const struct model_health *model);

#endif
