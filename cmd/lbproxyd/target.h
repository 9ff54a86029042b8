/*
 * Upstreams as sessions and checks see them. All of it is counted, since they
 * outlive the configuration that named it; any thread may hold and release.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stdatomic.h>
#include <stdbool.h>

#include "address.h"
#include "server/figures.h"
#include "tls.h"

/* Where to connect to, and how. Immutable once others see it. */
struct target {
	atomic_uint holders;
	char *url;                  /* as configured */
	struct addresses addresses; /* none: its name has none by now */
	struct tls_client *tls;     /* held; NULL: plain TCP */
};

/* Makes a target without addresses, held once; NULL: out of memory. */
struct target *target_new(const char *url);

/* The same with other addresses, which it takes over, even if it fails. */
struct target *target_moved(
	const struct target *target, struct addresses *addresses);

/* Holds it once more, and returns it. */
struct target *target_hold(struct target *target);

/* Releases what was held; NULL is allowed. */
void target_release(struct target *target);

/* How an upstream's health changed last; behind the lock as well. */
struct note {
	bool has_changed; /* since it was added */
	uint64_t changed_s;
	char cause[LBP_CAUSE_MAX];
};

/*
 * What the library has as the user of an upstream: its target, which may be
 * replaced. Held while the upstream has its number.
 */
struct place {
	atomic_uint holders;
	struct note *note;     /* owned; it goes on with the next place */
	struct target *target; /* held; behind the lock of its application */
};

/* Makes a place for a target, which it takes over; NULL: out of memory. */
struct place *place_new(struct target *target);
struct place *place_hold(struct place *place);
void place_release(struct place *place); /* NULL is allowed */

#endif
