/* How a client's certificate is judged inside the handshake. */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include "tls.h"

/* Makes the server's context judge client certificates. [SRV-9], [SRV-10]. */
void tls_verify_install(struct tls_server *server);

#endif
