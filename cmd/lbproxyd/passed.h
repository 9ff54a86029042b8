/* Listening sockets that a service manager passes. [ACT-1] to [ACT-3]. */
#ifndef PASSED_H
#define PASSED_H

#include "listen.h"
#include "manager.h"
#include "snapshot.h"

struct passed_one;

struct passed {
	size_t len;
	struct passed_one *items; /* len of them */
	char *names;              /* as the environment had them, or NULL */
	bool has_failed;          /* out of memory */
};

/*
 * Looks at what was passed, and clears the environment of it; before the server
 * opens anything that stays open, since a number may be that of no descriptor
 * yet. passed_release must be called.
 */
void passed_look(struct passed *passed);
void passed_release(struct passed *passed);

/*
 * Takes those of them that listen where a snapshot does, as if they had been
 * open before; closes the others, each with a line that says why. *listeners
 * must be empty, and is the caller's. False: out of memory, as an `error` event
 * said.
 */
bool passed_take(const struct passed *passed, struct listeners *listeners,
	struct manager *manager, const struct snapshot *snapshot);

#endif
