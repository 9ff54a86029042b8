/*
 * Resolves names that had no address at the start, in the background, since
 * that may block for long. [SRV-114].
 */
#ifndef RESOLVER_H
#define RESOLVER_H

#include "snapshot.h"

struct resolver;

/*
 * Marks the upstreams without an address as down, and starts a thread that
 * resolves their names. *out is the resolver, or NULL if none is needed. False:
 * an `error` event said why.
 */
bool resolver_start(struct resolver **out, struct snapshot *snapshot);

/*
 * After this call the snapshot is no longer used; the thread may still be
 * waiting for an answer, which it will discard. NULL is allowed.
 */
void resolver_stop(struct resolver *resolver);

#endif
