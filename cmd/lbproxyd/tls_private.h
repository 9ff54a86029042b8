/* What the files that include OpenSSL share. */
#ifndef TLS_PRIVATE_H
#define TLS_PRIVATE_H

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tls.h"
#include "tls_cache.h"
#include "tls_trust.h"

struct tls_server {
	SSL_CTX *ctx;
	struct trust *trust;
	struct cache *cache;
};

struct tls_client {
	SSL_CTX *ctx;
	char *server_name;
	bool is_name; /* and not an IP address: send it as SNI */
};

/* Before any TLS begins, and again if it likes. False: out of memory. */
bool tls_bio_init(void);

/* Puts the SSL of tls, which has begun, on a socket. False: out of memory. */
bool tls_bio_use(struct tls *tls, int fd);

/* Puts the judgement of client certificates into the server's context. */
void tls_verify_install(struct tls_server *server);

/* Sets the groups of [tls]; a bad name is a problem at its key. [SRV-62]. */
void tls_use_groups(SSL_CTX *ctx, const struct lbp_config *config,
	struct problems *problems);

/* The signatures towards clients, [SRV-63]; false: out of memory. */
bool tls_use_signatures(SSL_CTX *ctx);

/* The groups towards upstreams, [SRV-62]; false: out of memory. */
bool tls_use_upstream_groups(SSL_CTX *ctx);

/* Lets a trusted certificate of any curve sign, in TLS 1.2. [SRV-63]. */
void tls_allow_key(SSL *ssl);

/*
 * Looks at a client's message before OpenSSL does, and spoils what is too much
 * for a stranger to ask; tls then knows why. [SRV-64], [SRV-65].
 */
void tls_check_message(
	struct tls *tls, int version, const uint8_t *message, size_t len);

/* Puts the server's cache into its context. [SRV-68]. */
void tls_resume_install(struct tls_server *server);

/* Begins a connection that may resume, or is over with its handshake. */
void tls_resume_begin(struct tls *tls, struct tls_server *server);
void tls_resume_handshaken(struct tls *tls);

/* Bytes are about to go down: a ticket may go with them. [SRV-71]. */
void tls_resume_send_ticket(struct tls *tls);

/* The canonical serial of a certificate; an error if it has none. */
LBP_MUST_CHECK enum lbp_err tls_serial_of(
	const X509 *cert, struct lbp_serial *serial);

#endif
