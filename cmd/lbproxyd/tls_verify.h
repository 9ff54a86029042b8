/* How a client's certificate is judged inside the handshake. */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include <openssl/x509.h>

#include "serial.h"
#include "tls.h"

/* Makes the server's context judge client certificates. [SRV-9], [SRV-10]. */
void tls_verify_install(struct tls_server *server);

/* The canonical serial of a certificate; an error if it has none. */
LBP_MUST_CHECK enum lbp_err tls_serial_of(
	const X509 *cert, struct lbp_serial *serial);

#endif
