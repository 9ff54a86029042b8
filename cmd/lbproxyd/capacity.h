/*
 * What all workers share of the server's capacity: places for sessions that
 * were let in, how many connections have no place, and whether resources ran
 * out. Any thread may call these.
 */
#ifndef CAPACITY_H
#define CAPACITY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum capacity_cause {
	CAPACITY_DESCRIPTORS,
	CAPACITY_SELECT, /* descriptors that it can watch */
	CAPACITY_PORTS,  /* local ones, to dial from */
	CAPACITY_OTHER,  /* memory, for the most part */
	CAPACITY_CAUSES,
};

struct capacity {
	uint32_t max; /* sessions */
	atomic_uint used;
	/*
	 * Connections that are on their way to their worker, or to their end
	 * after another handshake took their place.
	 */
	uint32_t max_loose;
	atomic_uint loose;
	atomic_bool wanted; /* somebody waits for a place */
	/* When each cause was last met. */
	_Atomic(uint64_t) exhausted_ns[CAPACITY_CAUSES];
	/* Called when there is room again that somebody waits for. */
	void (*freed)(void *user);
	void *user;
};

void capacity_init(struct capacity *capacity, uint32_t max, uint32_t max_loose,
	void (*freed)(void *user), void *user);

/* Takes a place for one more session, if there is one. [SRV-20]. */
bool capacity_take(struct capacity *capacity);

/* Gives a place back. */
void capacity_give(struct capacity *capacity);

/* One more connection has no place, or one less. [SRV-42]. */
void capacity_add_loose(struct capacity *capacity);
void capacity_remove_loose(struct capacity *capacity);

/*
 * Is there room to accept a connection: a place for a session, and not too many
 * without a place? If not, freed will be called when there is, unless there
 * was in the meantime, which is an answer of true.
 */
bool capacity_want(struct capacity *capacity);

/* Logs that a resource ran out, once per cause until it has recovered.
 * [SRV-142]. */
void capacity_exhausted(struct capacity *capacity, const char *what, int error);

#endif
