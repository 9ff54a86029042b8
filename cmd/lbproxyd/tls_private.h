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
	char *server_name;
	bool is_name; /* server_name is no IP address: send it as SNI */
};

#endif
