/* Active health checks. [SRV-27]. */
#ifndef CHECK_H
#define CHECK_H

#include "capacity.h"
#include "loop.h"
#include "served.h"

struct checker;
struct check;

/* The health checks that one thread carries out. */
struct checkers {
	struct loop *loop;
	struct capacity *capacity;
	struct checker *first; /* one for each application */
	struct checker *ended; /* freed when no handler runs */
};

/* What the checks of one application need after a reload. */
struct checker_room {
	struct served_app *app; /* held */
	struct checker *fresh;  /* NULL: it has one */
	struct check **checks;  /* one for each upstream; those it has: NULL */
	uint32_t len;
};

/*
 * Which applications one thread is to check. Made by the main thread, so that
 * no memory can be missing in the middle of a reload.
 */
struct checkers_change {
	struct checker_room *rooms; /* len of them */
	size_t len;
};

/* Starts without checks. */
void checkers_init(struct checkers *checkers, struct loop *loop,
	struct capacity *capacity);

/*
 * Prepares the checks of the applications of this worker. False: out of
 * memory. checkers_change_release must be called in any case.
 */
bool checkers_prepare(struct checkers_change *change,
	const struct served_change *served, uint32_t worker);

/*
 * Takes over what was prepared, once it was put in force. Checks of
 * applications that stay go on; those of others end without a result.
 */
void checkers_adopt(struct checkers *checkers, struct checkers_change *change);
void checkers_change_release(struct checkers_change *change);

/* To be called after each turn of the loop: frees what has ended. */
void checkers_turn(struct checkers *checkers);

/* Ends all checks; those in progress have no result. */
void checkers_release(struct checkers *checkers);

#endif
