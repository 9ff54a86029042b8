#include "timers.h"

#include <stddef.h>

#include "core/heap.h"

void lbp_timers_init(
	struct lbp_timers *timers, struct lbp_heap_node **heap, uint32_t cap)
{
	lbp_heap_init(&timers->heap, heap, cap);
	timers->orders = 0;
}

void lbp_timer_init(struct lbp_timer *timer)
{
	*timer = (struct lbp_timer){.node = {.at = -1}};
}

bool lbp_timer_is_armed(const struct lbp_timer *timer)
{
	return lbp_heap_has(&timer->node);
}

uint64_t lbp_timer_due(const struct lbp_timer *timer)
{
	return timer->node.key;
}

enum lbp_err lbp_timers_arm(
	struct lbp_timers *timers, struct lbp_timer *timer, uint64_t due_ns)
{
	if (!lbp_timer_is_armed(timer) && timers->heap.len == timers->heap.cap)
		return LBP_ERR_RANGE;
	lbp_heap_set(&timers->heap, &timer->node, due_ns, timers->orders++);
	return LBP_OK;
}

void lbp_timers_disarm(struct lbp_timers *timers, struct lbp_timer *timer)
{
	if (lbp_timer_is_armed(timer))
		lbp_heap_remove(&timers->heap, &timer->node);
}

uint64_t lbp_timers_due(const struct lbp_timers *timers)
{
	const struct lbp_heap_node *first = lbp_heap_first(&timers->heap);

	return first != NULL ? first->key : LBP_NEVER;
}

struct lbp_timer *lbp_timers_take(struct lbp_timers *timers, uint64_t now_ns)
{
	struct lbp_heap_node *first = lbp_heap_first(&timers->heap);

	if (first == NULL || first->key > now_ns)
		return NULL;
	lbp_heap_remove(&timers->heap, first);
	return (struct lbp_timer *)first;
}

bool lbp_timers_validate(const struct lbp_timers *timers)
{
	if (!lbp_heap_validate(&timers->heap))
		return false;
	/*@ loop invariant 0 <= at <= timers->heap.len;
	  @ loop invariant \forall integer i; 0 <= i < at ==>
	  @ 	timers->heap.nodes[i]->tie < timers->orders;
	  @ loop assigns at;
	  @ loop variant timers->heap.len - at;
	  @*/
	for (uint32_t at = 0; at < timers->heap.len; at++) {
		if (timers->heap.nodes[at]->tie >= timers->orders)
			return false;
	}
	return true;
}
