/*
 * Whether OpenSSL ran out of memory. Its errors often do not say so: what
 * follows looks like a bad certificate or a peer that broke the protocol.
 * [SRV-160].
 */
#ifndef TLS_MEMORY_H
#define TLS_MEMORY_H

#include <stdbool.h>

/*
 * Makes OpenSSL allocate by way of this module. False: it had allocated
 * something already, and continues as before.
 */
bool tls_memory_init(void);

/*
 * Loads all algorithms. OpenSSL would do so when it first needs one of a kind,
 * and if memory ran out then, never again in the life of the process. False:
 * out of memory. [SRV-161].
 */
bool tls_memory_load_algorithms(void);

/* Begins anew in this thread. */
void tls_memory_forget(void);

/* Returns true if an allocation in this thread has failed since then. */
bool tls_memory_ran_out(void);

#endif
