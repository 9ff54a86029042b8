/* Which key exchange groups and signatures a handshake may use. */
#ifndef TLS_GROUPS_H
#define TLS_GROUPS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "problem.h"
#include "server/config.h"

/* Sets the groups of [tls]; a bad name is a problem at its key. [SRV-100]. */
void tls_use_groups(SSL_CTX *ctx, const struct lbp_config *config,
	struct problems *problems);

/* Sets the signatures towards clients. False: out of memory. [SRV-63]. */
bool tls_use_signatures(SSL_CTX *ctx);

/* Sets the groups towards upstreams. False: out of memory. [SRV-101]. */
bool tls_use_upstream_groups(SSL_CTX *ctx);

/* Lets a trusted certificate of any curve sign in TLS 1.2. [SRV-63]. */
void tls_allow_key(SSL *ssl);

#endif
