/*
 * A TLS session's chain, kept with it, to be judged anew when it is resumed and
 * when the server's trust changes.
 */
#ifndef TLS_PATH_H
#define TLS_PATH_H

#include <openssl/ssl.h>

#include "tls_trust.h"

/* To be called before the first context is made. False: out of memory. */
bool tls_path_init(void);

/* Keeps a chain with a session, with references of its own. False: no memory.
 */
bool tls_path_set(SSL_SESSION *session, const struct trust_chain *chain);

/* Returns the chain of a session, which is the session's; NULL: it has none. */
const struct trust_chain *tls_path_of(const SSL_SESSION *session);

#endif
