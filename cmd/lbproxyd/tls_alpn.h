/* The protocol that is spoken over TLS with clients (ALPN). */
#ifndef TLS_ALPN_H
#define TLS_ALPN_H

#include <openssl/ssl.h>

/* Has each connection of a server's context asked for its choice. */
void tls_alpn_use(SSL_CTX *ctx);

#endif
