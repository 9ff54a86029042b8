/*
 * The server's capacity, which all workers share: places for admitted sessions,
 * how many connections have no place, and whether resources ran out. Any thread
 * may call these.
 */
#ifndef CAPACITY_H
#define CAPACITY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum capacity_cause {
	CAPACITY_DESCRIPTORS,
	CAPACITY_PORTS, /* local ports to dial from */
	CAPACITY_OTHER, /* mostly memory */
	CAPACITY_CAUSES,
};

struct capacity {
	atomic_uint max; /* sessions */
	atomic_uint used;
	/*
	 * Connections on their way to a worker, and those that were evicted
	 * but not yet closed.
	 */
	uint32_t max_loose;
	atomic_uint loose;
	atomic_bool wanted; /* somebody waits for a place */
	/* When each cause last occurred. */
	_Atomic(uint64_t) exhausted_ns[CAPACITY_CAUSES];
	/* Called when there is room that somebody waits for. */
	void (*freed)(void *user);
	void *user;
};

void capacity_init(struct capacity *capacity, uint32_t max, uint32_t max_loose,
	void (*freed)(void *user), void *user);

/* Changes how many sessions there may be; those that are stay. */
void capacity_resize(struct capacity *capacity, uint32_t max);

/* Takes a place for one more session, if there is one. [SRV-20]. */
bool capacity_take(struct capacity *capacity);

/* Returns a place. */
void capacity_give(struct capacity *capacity);

/* Counts one more, or one fewer, connection without a place. [SRV-42]. */
void capacity_add_loose(struct capacity *capacity);
void capacity_remove_loose(struct capacity *capacity);

/*
 * Returns true if there is room to accept a connection: a place for a session,
 * and not too many connections without one. Otherwise freed will be called when
 * there is.
 */
bool capacity_want(struct capacity *capacity);

/*
 * Logs that a resource ran out, once per cause until it has recovered.
 * [SRV-142].
 */
void capacity_exhausted(struct capacity *capacity, const char *what, int error);

#endif
