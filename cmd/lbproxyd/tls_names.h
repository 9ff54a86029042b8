/* By what a client's certificate names it. [SRV-10], [SRV-180]. */
#ifndef TLS_NAMES_H
#define TLS_NAMES_H

#include <openssl/x509.h>

#include "tls.h"

/*
 * Makes the names of a connection those of a certificate: its serial under this
 * issuer, then its URIs and DNS names. Those that it had before go to *before,
 * which the caller frees with OPENSSL_free once nobody refers to them; NULL:
 * there were none. LBP_REASON_NONE, or why it cannot be known by this
 * certificate: then its names stay as they were, and *before is NULL.
 */
enum lbp_reason tls_names_take(struct tls *tls, const X509 *cert,
	uint64_t issuer, struct lbp_name **before);

/* Frees the names of a connection. */
void tls_names_release(struct tls *tls);

#endif
