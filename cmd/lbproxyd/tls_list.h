/*
 * Lists of names that go to OpenSSL, which passes over what it does not know:
 * each name is looked at by itself. [SRV-76].
 */
#ifndef TLS_LIST_H
#define TLS_LIST_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "problem.h"

/* Longer than any name that OpenSSL knows. */
#define TLS_LIST_ITEM_MAX 128

/*
 * Takes the next item of a list out of *at, and moves *at behind it; empty
 * ones are passed over. separators are the characters between items. False:
 * there is none. An item that is too long is cut, and is no name then.
 */
bool tls_list_next(
	const char **at, const char *separators, char item[TLS_LIST_ITEM_MAX]);

/*
 * Sets the ciphers of TLS 1.2 and the suites of TLS 1.3 as the configuration
 * has them; each fault is printed at its key. pkey is the certificate's, or
 * NULL if there is none that can be used.
 */
void tls_list_use_ciphers(SSL_CTX *ctx, const struct lbp_config *config,
	const EVP_PKEY *pkey, struct problems *problems);

#endif
