/* Active health checks. [SRV-27]. */
#ifndef CHECK_H
#define CHECK_H

#include "capacity.h"
#include "loop.h"
#include "snapshot.h"

struct checker;

/* The checks that one thread carries out. */
struct checkers {
	struct loop *loop;
	struct capacity *capacity;
	struct checker *items; /* one for each application, len of them */
	size_t len;
};

/*
 * Takes over the checks of the applications that fall to the worker of this
 * number. False with errno set: out of memory; release is still due.
 */
bool checkers_init(struct checkers *checkers, struct loop *loop,
	struct capacity *capacity, struct snapshot *snapshot, uint32_t number);

/* Ends them, the running ones unanswered. */
void checkers_release(struct checkers *checkers);

#endif
