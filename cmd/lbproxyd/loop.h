/*
 * One thread's event loop: descriptors, alarms and buffers. Everything here
 * belongs to that thread.
 */
#ifndef LOOP_H
#define LOOP_H

#include "poller.h"
#include "queue.h"
#include "timers.h"

/* Of one direction of one session. [SRV-18]. */
#define RING_BYTES (64 * 1024)

/* Steps of handshakes in one turn: each may cost as much as 1 MB relayed. */
#define HANDSHAKES_PER_TURN 4

/* A timer that knows what to do. */
struct alarm {
	struct lbp_timer timer; /* first: a taken timer is its alarm */
	void (*fire)(struct alarm *alarm);
};

struct ring;

struct loop {
	struct poller *poller;
	struct lbp_timers timers;
	struct lbp_timer **timer_heap;
	/* Handshakes that can go on, and will when it is their turn. [SRV-107].
	 */
	struct queue handshakes;
	struct ring *rings; /* free ones */
	unsigned ring_len;
};

/*
 * Makes a loop with room for so many alarms. False with errno set: it is
 * empty, and loop_release is allowed.
 */
bool loop_init(struct loop *loop, enum lbp_event_loop kind, uint32_t alarm_cap);
void loop_release(struct loop *loop);

/* Starts an alarm that is not armed. */
void alarm_init(struct alarm *alarm, void (*fire)(struct alarm *));

/* Arms an alarm, or moves it; it fires once. */
void loop_arm(struct loop *loop, struct alarm *alarm, uint64_t due_ns);
void loop_disarm(struct loop *loop, struct alarm *alarm);

/*
 * Waits for descriptors or alarms, or not at all if handshakes wait for their
 * turn, calls the handlers, and then goes on with a few handshakes. False with
 * errno set: the poller failed.
 */
bool loop_turn(struct loop *loop, bool wait);

/* A ring of RING_BYTES bytes, or NULL; given back to the same loop. */
uint8_t *loop_take_ring(struct loop *loop);
void loop_give_ring(struct loop *loop, uint8_t *bytes);

#endif
