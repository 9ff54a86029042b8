/*
 * Can TLS do with a key, a certificate or a revocation list what it is
 * configured for? What it can't is an error at its key, and what it may not
 * long do is a warning. [SRV-74], [SRV-75], [SRV-77] to [SRV-79].
 */
#ifndef TLS_JUDGE_H
#define TLS_JUDGE_H

#include <openssl/ssl.h>

#include "tls_file.h"

/* Room for why something is refused. */
#define TLS_JUDGE_WHY_MAX 160

/* What a certificate is for. */
enum tls_judge_role {
	TLS_JUDGE_SERVER, /* it proves who we are to clients */
	TLS_JUDGE_CLIENT, /* and this to an upstream */
};

/*
 * Each returns true, or false with why not in *why, as it goes on after "has
 * a certificate in line 1 " and the like.
 */

/* Can TLS sign with this key, or check what was signed with it? */
bool tls_judge_key(const EVP_PKEY *pkey, char why[TLS_JUDGE_WHY_MAX]);

/* Is a CA's certificate one that clients can be judged by? */
bool tls_judge_ca(SSL_CTX *ctx, X509 *ca, char why[TLS_JUDGE_WHY_MAX]);

/* Is a key at least as strong as the context wants it? */
bool tls_judge_strength(SSL_CTX *ctx, X509 *cert, char why[TLS_JUDGE_WHY_MAX]);

/* Did next issue cert? */
bool tls_judge_issuer(X509 *cert, X509 *next, char why[TLS_JUDGE_WHY_MAX]);

/* Is it a whole list of this CA's, about all that it issued? ca: not NULL. */
bool tls_judge_crl(X509_CRL *crl, X509 *ca, char why[TLS_JUDGE_WHY_MAX]);

/*
 * Why the CA did not issue a certificate that names it as its issuer, in
 * words; NULL: nothing speaks against it but perhaps the signature.
 */
const char *tls_judge_why_untrusted(X509 *ca, X509 *cert);

/* The same of a peer whose chain lacks an issuer, and of all its CAs. */
const char *tls_judge_why_unverified(SSL *ssl);

/*
 * Warnings, kept with the file's problems: the life of each certificate of a
 * chain, and whether the leaf may be used so.
 */
void tls_judge_warn_chain(const struct tls_file *file,
	const struct tls_parts *chain, enum tls_judge_role role);

/* A CA's certificate that may not sign others. */
void tls_judge_warn_signer(
	const struct tls_file *file, const struct tls_part *part);

/* The life of whichever certificate or list of a file ends last. */
void tls_judge_warn_last(
	const struct tls_file *file, const struct tls_parts *parts);

#endif
