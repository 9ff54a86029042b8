/*
 * Names that had no address at the start are asked for again in the
 * background, as whoever asks may have to wait for long. [SRV-114].
 */
#ifndef RESOLVER_H
#define RESOLVER_H

#include "snapshot.h"

struct resolver;

/*
 * Takes the upstreams without an address out of service, and starts a thread
 * that gets them one, if there are any: *out is the resolver or NULL. False:
 * an `error` event said why.
 */
bool resolver_start(struct resolver **out, struct snapshot *snapshot);

/*
 * Does not touch the snapshot any more from then on; the thread may still
 * wait for an answer, which it will throw away. NULL is allowed.
 */
void resolver_stop(struct resolver *resolver);

#endif
