#include "capacity.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "log.h"

/* A resource that has not run out for this long has recovered. [SRV-142]. */
#define RECOVERED_NS LBP_NS_PER_S

void capacity_init(struct capacity *capacity, uint32_t max, uint32_t max_loose,
	void (*freed)(void *user), void *user)
{
	int i;

	atomic_init(&capacity->max, max);
	capacity->max_loose = max_loose;
	atomic_init(&capacity->used, 0);
	atomic_init(&capacity->loose, 0);
	atomic_init(&capacity->wanted, false);
	for (i = 0; i < CAPACITY_CAUSES; i++)
		atomic_init(&capacity->exhausted_ns[i], 0);
	capacity->freed = freed;
	capacity->user = user;
}

bool capacity_take(struct capacity *capacity)
{
	uint32_t used = atomic_load(&capacity->used);

	do {
		if (used >= capacity->max)
			return false;
	} while (!atomic_compare_exchange_weak(
		&capacity->used, &used, used + 1));
	return true;
}

static void tell_who_waits(struct capacity *capacity)
{
	if (atomic_load(&capacity->wanted) &&
		atomic_exchange(&capacity->wanted, false))
		capacity->freed(capacity->user);
}

void capacity_resize(struct capacity *capacity, uint32_t max)
{
	atomic_store(&capacity->max, max);
	/* There may be room now. */
	tell_who_waits(capacity);
}

void capacity_give(struct capacity *capacity)
{
	atomic_fetch_sub(&capacity->used, 1);
	tell_who_waits(capacity);
}

void capacity_add_loose(struct capacity *capacity)
{
	atomic_fetch_add(&capacity->loose, 1);
}

void capacity_remove_loose(struct capacity *capacity)
{
	/* At half, not each time, as waking takes a system call. */
	if (atomic_fetch_sub(&capacity->loose, 1) == capacity->max_loose / 2)
		tell_who_waits(capacity);
}

static bool has_room(struct capacity *capacity)
{
	return atomic_load(&capacity->used) < capacity->max &&
	       atomic_load(&capacity->loose) < capacity->max_loose;
}

bool capacity_want(struct capacity *capacity)
{
	if (has_room(capacity))
		return true;
	atomic_store(&capacity->wanted, true);
	/* Some may have been freed before wanted was set. */
	return has_room(capacity);
}

static enum capacity_cause cause_of(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
		return CAPACITY_DESCRIPTORS;
	case EADDRNOTAVAIL:
	case EADDRINUSE:
	case EAGAIN:
		return CAPACITY_PORTS;
	default:
		return CAPACITY_OTHER;
	}
}

void capacity_exhausted(struct capacity *capacity, const char *what, int error)
{
	uint64_t now = clock_now_ns();
	uint64_t last =
		atomic_exchange(&capacity->exhausted_ns[cause_of(error)], now);

	/* Another thread may have looked at the clock later. */
	if (last == 0 || now > last + RECOVERED_NS)
		log_error(LBP_LOG_ERROR, what, strerror(error));
}
