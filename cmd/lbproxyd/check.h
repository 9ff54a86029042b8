/* Active health checks. [SRV-27]. */
#ifndef CHECK_H
#define CHECK_H

#include "capacity.h"
#include "loop.h"
#include "snapshot.h"

struct checker;

/* The health checks that one thread carries out. */
struct checkers {
	struct loop *loop;
	struct capacity *capacity;
	struct checker *items; /* one for each application, len of them */
	size_t len;
};

/*
 * Takes over the checks of the applications assigned to the worker with this
 * number. False with errno set: out of memory; release must still be called.
 */
bool checkers_init(struct checkers *checkers, struct loop *loop,
	struct capacity *capacity, struct snapshot *snapshot, uint32_t number);

/* Ends all checks; those in progress have no result. */
void checkers_release(struct checkers *checkers);

#endif
