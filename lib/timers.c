#include "timers.h"

#include <stddef.h>

#define NOT_ARMED UINT32_MAX

/* Is a due before b? A strict total order. */
static bool goes_before(const struct lbp_timer *a, const struct lbp_timer *b)
{
	if (a->due_ns != b->due_ns)
		return a->due_ns < b->due_ns;
	return a->order < b->order;
}

static void put(struct lbp_timers *timers, uint32_t at, struct lbp_timer *timer)
{
	timers->heap[at] = timer;
	timer->at = at;
}

static void sift_up(struct lbp_timers *timers, uint32_t at)
{
	struct lbp_timer *moving = timers->heap[at];

	while (at > 0) {
		uint32_t parent = (at - 1) / 2;

		if (!goes_before(moving, timers->heap[parent]))
			break;
		put(timers, at, timers->heap[parent]);
		at = parent;
	}
	put(timers, at, moving);
}

/* The least child of a place; the place itself if it has none. */
static uint32_t least_child(const struct lbp_timers *timers, uint32_t at)
{
	uint64_t left = 2 * (uint64_t)at + 1;
	uint32_t child = (uint32_t)left;

	if (left >= timers->len)
		return at;
	if (left + 1 < timers->len &&
		goes_before(timers->heap[child + 1], timers->heap[child]))
		child++;
	return child;
}

static void sift_down(struct lbp_timers *timers, uint32_t at)
{
	struct lbp_timer *moving = timers->heap[at];

	for (;;) {
		uint32_t child = least_child(timers, at);

		if (child == at || !goes_before(timers->heap[child], moving))
			break;
		put(timers, at, timers->heap[child]);
		at = child;
	}
	put(timers, at, moving);
}

void lbp_timers_init(
	struct lbp_timers *timers, struct lbp_timer **heap, uint32_t cap)
{
	*timers = (struct lbp_timers){.heap = heap, .cap = cap};
}

void lbp_timer_init(struct lbp_timer *timer)
{
	*timer = (struct lbp_timer){.at = NOT_ARMED};
}

bool lbp_timer_is_armed(const struct lbp_timer *timer)
{
	return timer->at != NOT_ARMED;
}

enum lbp_err lbp_timers_arm(
	struct lbp_timers *timers, struct lbp_timer *timer, uint64_t due_ns)
{
	if (!lbp_timer_is_armed(timer)) {
		if (timers->len == timers->cap)
			return LBP_ERR_RANGE;
		put(timers, timers->len++, timer);
	}
	timer->due_ns = due_ns;
	timer->order = timers->orders++;
	sift_up(timers, timer->at);
	sift_down(timers, timer->at);
	return LBP_OK;
}

void lbp_timers_disarm(struct lbp_timers *timers, struct lbp_timer *timer)
{
	struct lbp_timer *last;
	uint32_t at = timer->at;

	if (!lbp_timer_is_armed(timer))
		return;
	last = timers->heap[--timers->len];
	timer->at = NOT_ARMED;
	if (last == timer)
		return;
	put(timers, at, last);
	sift_up(timers, at);
	sift_down(timers, last->at);
}

uint64_t lbp_timers_due(const struct lbp_timers *timers)
{
	return timers->len > 0 ? timers->heap[0]->due_ns : UINT64_MAX;
}

struct lbp_timer *lbp_timers_take(struct lbp_timers *timers, uint64_t now_ns)
{
	struct lbp_timer *first;

	if (timers->len == 0 || timers->heap[0]->due_ns > now_ns)
		return NULL;
	first = timers->heap[0];
	lbp_timers_disarm(timers, first);
	return first;
}

bool lbp_timers_validate(const struct lbp_timers *timers)
{
	if (timers->len > timers->cap)
		return false;
	for (uint32_t at = 0; at < timers->len; at++) {
		const struct lbp_timer *timer = timers->heap[at];

		if (timer->at != at || timer->order >= timers->orders)
			return false;
		if (at > 0 && !goes_before(timers->heap[(at - 1) / 2], timer))
			return false;
	}
	return true;
}
