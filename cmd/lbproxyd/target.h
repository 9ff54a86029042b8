/*
 * An upstream as a configuration has it: its addresses, and how to connect to
 * it. Counted, since sessions outlive the configuration that named it; any
 * thread may hold and release one.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stdatomic.h>
#include <stdbool.h>

#include "address.h"
#include "tls.h"

struct target {
	atomic_uint holders;
	char *url; /* as configured */
	/*
	 * Written only before has_addresses is set: when the snapshot is
	 * loaded, or by the resolver. [SRV-94].
	 */
	struct addresses addresses;
	atomic_bool has_addresses;
	struct tls_client *tls; /* NULL: plain TCP */
};

/* Makes a target without addresses, held once; NULL: out of memory. */
struct target *target_new(const char *url);

/* Holds it once more, and returns it. */
struct target *target_hold(struct target *target);

/* Releases what was held; NULL is allowed. */
void target_release(struct target *target);

#endif
