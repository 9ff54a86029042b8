/*
 * One thread's event loop: descriptors, alarms and buffers. Everything here
 * belongs to that thread.
 */
#ifndef LOOP_H
#define LOOP_H

#include "counters.h"
#include "poller.h"
#include "queue.h"
#include "server/steps.h"
#include "timers.h"

/* The buffer of one direction of a session. [SRV-18]. */
#ifndef RING_BYTES
#define RING_BYTES (64 * 1024)
#endif

/* A timer that knows what to do. */
struct alarm {
	struct lbp_timer timer; /* first, so that its address is the alarm's */
	void (*fire)(struct alarm *alarm);
};

struct ring;

struct loop {
	struct poller *poller;
	struct lbp_timers timers;
	struct lbp_heap_node **timer_heap;
	/* Handshakes that can continue when their turn comes. [SRV-107]. */
	struct queue handshakes;
	struct lbp_steps steps; /* of them */
	struct ring *rings;     /* free ones */
	unsigned ring_len;
	struct counters *counters; /* of the lag of alarms; NULL: none */
};

/*
 * Makes a loop with room for alarm_cap alarms. False with errno set: it is
 * empty, and loop_release may be called.
 */
bool loop_init(struct loop *loop, enum lbp_event_loop kind, uint32_t alarm_cap);
void loop_release(struct loop *loop);

/*
 * Gives it room for more alarms, cap of them; *room gets the old room, to be
 * freed.
 */
void loop_swap_alarms(
	struct loop *loop, struct lbp_heap_node ***room, uint32_t cap);

/* Initializes an alarm, not armed. */
void alarm_init(struct alarm *alarm, void (*fire)(struct alarm *));

/* Arms or re-arms an alarm; it fires once. */
void loop_arm(struct loop *loop, struct alarm *alarm, uint64_t due_ns);
void loop_disarm(struct loop *loop, struct alarm *alarm);

/*
 * Waits for descriptors and alarms (unless handshakes are queued, or wait is
 * false, as there is more to be done), calls their handlers, and then continues
 * a few handshakes if it is their turn.
 */
void loop_turn(struct loop *loop, bool wait);

/* A buffer of RING_BYTES, or NULL; to be returned to the same loop. */
uint8_t *loop_take_ring(struct loop *loop);
void loop_give_ring(struct loop *loop, uint8_t *bytes);

#endif
