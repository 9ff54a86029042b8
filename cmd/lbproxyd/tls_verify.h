/* How a client's certificate is judged inside the handshake. */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include <openssl/x509_vfy.h>

#include "tls.h"

/*
 * Judges what was shown in a full handshake of the connection that store is
 * about; for OpenSSL, which takes 1 for accepted and 0 for refused, and for
 * lbproxyctl. The connection's reason and detail say why.
 */
int tls_verify(X509_STORE_CTX *store, void *arg);

/* Makes the server's context judge client certificates. [SRV-9], [SRV-10]. */
void tls_verify_install(struct tls_server *server);

#endif
