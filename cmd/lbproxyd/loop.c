#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "server/memory.h"

/* Free rings kept: enough for a burst, not for the busiest time ever. */
#ifndef RINGS_KEPT
#define RINGS_KEPT 16
#endif

_Static_assert(RINGS_KEPT <= LBP_MEMORY_RINGS_KEPT, "memory.h says less");

/* A free ring's first bytes. */
struct ring {
	struct ring *next;
};

bool loop_init(struct loop *loop, enum lbp_event_loop kind, uint32_t alarm_cap)
{
	*loop = (struct loop){0};
	loop->timer_heap = calloc(alarm_cap, sizeof(struct lbp_heap_node *));
	if (loop->timer_heap == NULL)
		return false;
	lbp_timers_init(&loop->timers, loop->timer_heap, alarm_cap);
	loop->poller = poller_new(kind);
	return loop->poller != NULL;
}

void loop_release(struct loop *loop)
{
	struct ring *next;

	for (; loop->rings != NULL; loop->rings = next) {
		next = loop->rings->next;
		free(loop->rings);
	}
	free(loop->timer_heap);
	poller_free(loop->poller);
	*loop = (struct loop){0};
}

void loop_swap_alarms(
	struct loop *loop, struct lbp_heap_node ***room, uint32_t cap)
{
	struct lbp_timers before = loop->timers;
	struct lbp_heap_node **old = loop->timer_heap;
	struct lbp_timer *timer;

	loop->timer_heap = *room;
	*room = old;
	lbp_timers_init(&loop->timers, loop->timer_heap, cap);
	while ((timer = lbp_timers_take(&before, LBP_NEVER)) != NULL)
		(void)lbp_timers_arm(
			&loop->timers, timer, lbp_timer_due(timer));
}

void alarm_init(struct alarm *alarm, void (*fire)(struct alarm *))
{
	lbp_timer_init(&alarm->timer);
	alarm->fire = fire;
}

void loop_arm(struct loop *loop, struct alarm *alarm, uint64_t due_ns)
{
	/* The heap has room for all alarms. */
	(void)lbp_timers_arm(&loop->timers, &alarm->timer, due_ns);
}

void loop_disarm(struct loop *loop, struct alarm *alarm)
{
	lbp_timers_disarm(&loop->timers, &alarm->timer);
}

static int timeout_ms(const struct loop *loop)
{
	uint64_t due = lbp_timers_due(&loop->timers);
	uint64_t now, ms;

	if (due == LBP_NEVER)
		return -1;
	now = clock_now_ns();
	if (due <= now)
		return 0;
	/* Rounded up: waking early would only mean waiting once more. */
	ms = (due - now - 1) / LBP_NS_PER_MS + 1;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

static void fire_alarms(struct loop *loop)
{
	uint64_t now = clock_now_ns();
	struct lbp_timer *timer;

	while ((timer = lbp_timers_take(&loop->timers, now)) != NULL) {
		struct alarm *alarm = (struct alarm *)timer;

		if (loop->counters != NULL)
			counters_add_time(loop->counters, LBP_COUNT_AT(lag),
				now - lbp_timer_due(timer));
		alarm->fire(alarm);
	}
}

/* [SRV-43], [SRV-340], [SRV-341]. */
static void take_steps(struct loop *loop, bool is_ready)
{
	struct queue *handshakes = &loop->handshakes;
	bool is_turn = handshakes->first != NULL &&
		       lbp_steps_begin(&loop->steps, is_ready, clock_now_ns());

	while (is_turn) {
		queue_run_first(handshakes);
		is_turn = lbp_steps_go_on(&loop->steps, clock_now_ns()) &&
			  handshakes->first != NULL;
	}
	if (handshakes->first == NULL)
		lbp_steps_rest(&loop->steps);
}

void loop_turn(struct loop *loop, bool wait)
{
	bool is_idle = wait && loop->handshakes.first == NULL;
	int n = poller_wait(loop->poller, is_idle ? timeout_ms(loop) : 0);

	/* Nothing works without the poller; its failure is a bug. */
	if (n < 0) {
		log_error(LBP_LOG_ERROR, "the event loop failed",
			strerror(errno));
		abort();
	}
	fire_alarms(loop);
	take_steps(loop, n > 0 || !wait);
}

uint8_t *loop_take_ring(struct loop *loop)
{
	struct ring *ring = loop->rings;

	if (ring == NULL)
		return malloc(RING_BYTES);
	loop->rings = ring->next;
	loop->ring_len--;
	return (uint8_t *)ring;
}

void loop_give_ring(struct loop *loop, uint8_t *bytes)
{
	struct ring *ring = (struct ring *)(void *)bytes;

	if (loop->ring_len >= RINGS_KEPT) {
		free(ring);
		return;
	}
	ring->next = loop->rings;
	loop->rings = ring;
	loop->ring_len++;
}
