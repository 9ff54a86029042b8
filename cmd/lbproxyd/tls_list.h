/*
 * Lists of names for OpenSSL, which ignores those that it does not know; so
 * each name is checked by itself. [SRV-76].
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
 * Copies the next item of the list at *at, and moves *at past it; empty items
 * are skipped. separators are the characters between items. False: there are no
 * more. An item that is too long is cut, and then is not a known name.
 */
bool tls_list_next(
	const char **at, const char *separators, char item[TLS_LIST_ITEM_MAX]);

/*
 * Sets the configured ciphers of TLS 1.2 and suites of TLS 1.3; each fault is
 * printed at its key. pkey is the certificate's, or NULL if there is no usable
 * one.
 */
void tls_list_use_ciphers(SSL_CTX *ctx, const struct lbp_config *config,
	const EVP_PKEY *pkey, struct problems *problems);

#endif
