/*
 * Whether keys, certificates and revocation lists can be used as configured.
 * What cannot is an error at its key; what soon cannot is a warning. [SRV-74],
 * [SRV-75], [SRV-77] to [SRV-79].
 */
#ifndef TLS_JUDGE_H
#define TLS_JUDGE_H

#include <openssl/ssl.h>

#include "tls_file.h"

/* Room for the reason of a refusal. */
#define TLS_JUDGE_WHY_MAX 160

/* What a certificate is for. */
enum tls_judge_role {
	TLS_JUDGE_SERVER, /* proves our identity to clients */
	TLS_JUDGE_CLIENT, /* proves our identity to an upstream */
};

/*
 * Each returns true, or false with the reason in why, phrased to follow "has a
 * certificate in line 1 " and the like.
 */

/* Can TLS sign, or verify signatures, with this key? */
bool tls_judge_key(const EVP_PKEY *pkey, char why[TLS_JUDGE_WHY_MAX]);

/* Can client certificates be verified with this CA certificate? */
bool tls_judge_ca(SSL_CTX *ctx, X509 *ca, char why[TLS_JUDGE_WHY_MAX]);

/* Is the key as strong as the context demands? */
bool tls_judge_strength(SSL_CTX *ctx, X509 *cert, char why[TLS_JUDGE_WHY_MAX]);

/* Did next issue cert? */
bool tls_judge_issuer(X509 *cert, X509 *next, char why[TLS_JUDGE_WHY_MAX]);

/* Is it a complete list of this CA (NULL: of some), covering all it issued? */
bool tls_judge_crl(X509_CRL *crl, X509 *ca, char why[TLS_JUDGE_WHY_MAX]);

/*
 * Why a certificate that names the CA as its issuer was not issued by it; NULL:
 * nothing but perhaps the signature says so.
 */
const char *tls_judge_why_untrusted(X509 *ca, X509 *cert);

/* The same for a peer whose chain lacks an issuer, and all trusted CAs. */
const char *tls_judge_why_unverified(SSL *ssl);

/*
 * Warns, through the file's problems, of certificates in a chain that expire,
 * and of a leaf that is not meant for its role.
 */
void tls_judge_warn_chain(const struct tls_file *file,
	const struct tls_parts *chain, enum tls_judge_role role);

/* Warns of a CA certificate that may not sign others. */
void tls_judge_warn_signer(
	const struct tls_file *file, const struct tls_part *part);

/* Warns of the expiry of whichever certificate or list expires last. */
void tls_judge_warn_last(
	const struct tls_file *file, const struct tls_parts *parts);

#endif
