/* What the contexts of TLS are made of, for the files that include OpenSSL. */
#ifndef TLS_PRIVATE_H
#define TLS_PRIVATE_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "tls.h"
#include "tls_cache.h"
#include "tls_trust.h"

struct tls_server {
	SSL_CTX *ctx;
	struct trust *trust;
	struct cache *cache; /* not its own */
};

struct tls_client {
	atomic_uint holders;
	SSL_CTX *ctx;
	STACK_OF(X509) * cas; /* those that it trusts, as the file has them */
	char *server_name;
	bool is_name; /* server_name is no IP address: send it as SNI */
};

/*
 * Buffers are held only while in use; writes may be partial. The chain that is
 * sent is the one in the file: otherwise OpenSSL would look for the rest of it
 * among the clients' CAs, in every handshake.
 */
void tls_use_modes(SSL_CTX *ctx);

#endif
