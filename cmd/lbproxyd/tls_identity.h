/*
 * A certificate chain and its private key, by which we prove to a peer who we
 * are. [SRV-74], [SRV-77].
 */
#ifndef TLS_IDENTITY_H
#define TLS_IDENTITY_H

#include <openssl/ssl.h>

#include "problem.h"
#include "server/config.h"
#include "tls_judge.h"

struct tls_identity {
	const char *certificate_key; /* the keys' names */
	const char *private_key_key;
	const struct lbp_config_text *certificate;
	const struct lbp_config_text *private_key;
	enum tls_judge_role role;
};

/*
 * Puts an identity into a context; relative paths are looked up in the
 * directory open as dir_fd. Each fault is printed at the place of its key.
 */
void tls_use_identity(SSL_CTX *ctx, const struct tls_identity *identity,
	int dir_fd, struct problems *problems);

#endif
