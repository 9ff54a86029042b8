/* The limiter of lib/limiter.h once more, read from a plain log. */
#ifndef LBP_MODEL_LIMITER_H
#define LBP_MODEL_LIMITER_H

#include "limiter.h"

#define MODEL_LIMITER_EVENTS 512

enum model_limiter_kind {
	MODEL_REFUSED,
	MODEL_ADMITTED,
	MODEL_RELEASED,
};

struct model_limiter_event {
	uint64_t time_ns; /* the latest one given up to the event */
	enum model_limiter_kind kind;
};

struct model_limiter {
	struct lbp_limits limits;
	struct model_limiter_event log[MODEL_LIMITER_EVENTS];
	uint32_t len;
	uint32_t admitted; /* events of a kind in the log */
	uint32_t released;
};

/* Empties the log. */
void model_limiter_start(
	struct model_limiter *model, const struct lbp_limits *limits);

/* Other limits decide from now on. */
void model_limiter_set_limits(
	struct model_limiter *model, const struct lbp_limits *limits);

/* At most MODEL_LIMITER_EVENTS calls of these two follow the start. */
enum lbp_err model_limiter_admit(struct model_limiter *model, uint64_t now_ns);
enum lbp_err model_limiter_release(struct model_limiter *model);

/* The latest time of any attempt. */
uint64_t model_limiter_clock(const struct model_limiter *model);

uint32_t model_limiter_open(const struct model_limiter *model);

/*
 * The times of the last admissions, oldest first, as many as fit max entries;
 * returns how many.
 */
uint32_t model_limiter_last(
	const struct model_limiter *model, uint64_t *times, uint32_t max);

/*
 * The most sessions admitted in any window: [LIM-2] as it is written, over
 * the whole log; O(n^2).
 */
uint32_t model_limiter_densest(const struct model_limiter *model);

#endif
