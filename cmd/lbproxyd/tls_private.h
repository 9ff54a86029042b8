/* What the files that include OpenSSL share. */
#ifndef TLS_PRIVATE_H
#define TLS_PRIVATE_H

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tls.h"

struct tls_server {
	SSL_CTX *ctx;
	X509 *ca;
	X509_CRL *crl; /* NULL: none */
};

struct tls_client {
	SSL_CTX *ctx;
	char *server_name;
	bool is_name; /* and not an IP address: send it as SNI */
};

/* Puts the judgement of client certificates into the server's context. */
void tls_verify_install(struct tls_server *server);

/* The canonical serial of a certificate; an error if it has none. */
LBP_MUST_CHECK enum lbp_err tls_serial_of(
	const X509 *cert, struct lbp_serial *serial);

#endif
