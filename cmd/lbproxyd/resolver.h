/*
 * Resolves the names of upstreams again, in the background, since that may
 * block for long. [SRV-114], [SRV-143].
 */
#ifndef RESOLVER_H
#define RESOLVER_H

#include "served.h"

struct resolver;

/*
 * Makes a thread that will resolve the names of a snapshot, whose applications
 * are or will be these. *out is the resolver, or NULL if none is needed. False:
 * an `error` event said why.
 */
bool resolver_prepare(struct resolver **out, const struct snapshot *snapshot,
	struct served_app *const *apps);

/*
 * Marks the upstreams without an address as down, once the snapshot is in
 * force, and lets the thread begin. NULL is allowed.
 */
void resolver_begin(struct resolver *resolver);

/*
 * Stops it, whether or not it has begun. The thread may still be waiting for an
 * answer, which it will discard. NULL is allowed.
 */
void resolver_stop(struct resolver *resolver);

#endif
