/*
 * Judges a client's certificate inside the handshake, so that a refused client
 * gets a fatal alert. [SRV-9] to [SRV-12].
 */
#include "tls_verify.h"

#include <openssl/evp.h>
#include <openssl/x509_vfy.h>

#include "server/expiry.h"
#include "tls_groups.h"
#include "tls_judge.h"
#include "tls_names.h"
#include "tls_path.h"
#include "tls_private.h"

static enum lbp_reason reason_of(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return LBP_REASON_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return LBP_REASON_NOT_YET_VALID;
	case X509_V_ERR_INVALID_PURPOSE:
		return LBP_REASON_WRONG_USAGE;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_INVALID_CA:
		return LBP_REASON_UNTRUSTED;
	case X509_V_ERR_OUT_OF_MEM:
		return LBP_REASON_INTERNAL;
	default:
		return LBP_REASON_BAD_CERTIFICATE;
	}
}

/* Asks who it is, and whether that is welcome. */
static bool identify(struct tls *tls, const struct trust_chain *chain)
{
	/* A serial is unique under one issuer, of which only CAs are known. */
	uint64_t issuer = chain->len == 1 ? chain->ca : TRUST_NO_ISSUER;
	struct lbp_name *before;
	bool is_welcome = false;

	tls->reason = tls_names_take(tls, chain->certs[0], issuer, &before);
	if (tls->reason == LBP_REASON_NONE)
		is_welcome =
			tls->identify(tls->user, tls->names, tls->name_len);
	OPENSSL_free(before);
	return is_welcome;
}

/* The error from which OpenSSL derives the alert; default bad_certificate. */
static int error_of(enum lbp_reason reason)
{
	switch (reason) {
	case LBP_REASON_REVOKED:
		return X509_V_ERR_CERT_REVOKED;
	case LBP_REASON_CRL_EXPIRED:
		return X509_V_ERR_CRL_HAS_EXPIRED;
	case LBP_REASON_UNTRUSTED:
		return X509_V_ERR_CERT_CHAIN_TOO_LONG;
	default:
		return X509_V_ERR_CERT_REJECTED;
	}
}

/* Which chain OpenSSL has verified, up to a CA. False: none that may be. */
static bool take_chain(const struct trust *trust, STACK_OF(X509) * verified,
	struct trust_chain *chain)
{
	int top = sk_X509_num(verified) - 1;
	const struct trust_ca *ca;
	int i;

	/* A CA is not its own client. */
	if (top < 1 || top > LBP_CERTS_MAX)
		return false;
	ca = trust_find(trust, trust_number(sk_X509_value(verified, top)));
	if (ca == NULL)
		return false;
	*chain = (struct trust_chain){.ca = ca->number, .len = (unsigned)top};
	for (i = 0; i < top; i++)
		chain->certs[i] = sk_X509_value(verified, i);
	return true;
}

/*
 * Has OpenSSL look for one way up: directly to the CA that issued the leaf, or
 * through what the client sent to the CAs that allow that. [SRV-185].
 */
static void restrict_to(X509_STORE_CTX *store, const struct trust *trust,
	const struct trust_ca *issuer)
{
	if (issuer == NULL && trust_has_chains(trust)) {
		X509_STORE_CTX_set0_trusted_stack(store, trust->chains);
		return;
	}
	X509_STORE_CTX_set0_untrusted(store, NULL);
	X509_STORE_CTX_set0_trusted_stack(
		store, issuer != NULL ? issuer->alone : trust->all);
}

/* The issuer's name is the CA's: says why it is another. [SRV-78]. */
static void explain_untrusted(struct tls *tls, X509_STORE_CTX *store)
{
	const struct trust *trust = tls->trust;
	const char *why = NULL;
	size_t i;

	if (tls->reason != LBP_REASON_UNTRUSTED)
		return;
	for (i = 0; i < trust->len && why == NULL; i++)
		why = tls_judge_why_untrusted(
			trust->cas[i].cert, X509_STORE_CTX_get0_cert(store));
	if (why != NULL)
		tls->detail = why;
}

/* Takes note of a chain that is fine, and asks who it is. */
static enum lbp_reason admit_chain(
	struct tls *tls, SSL *ssl, const struct trust_chain *chain)
{
	if (!tls_path_set(SSL_get_session(ssl), chain))
		return LBP_REASON_INTERNAL;
	if (identify(tls, chain))
		return LBP_REASON_NONE;
	/* The session knows why, unless it was not asked. */
	return tls->reason != LBP_REASON_NONE ? tls->reason
					      : LBP_REASON_HANDSHAKE_FAILED;
}

/* Judges what was verified, and who it is. */
static enum lbp_reason judge_verified(
	struct tls *tls, SSL *ssl, STACK_OF(X509) * verified)
{
	struct trust_chain chain;
	enum lbp_reason reason;

	if (!take_chain(tls->trust, verified, &chain))
		return LBP_REASON_UNTRUSTED;
	reason = trust_judge_revocation(tls->trust, &chain);
	return reason == LBP_REASON_NONE ? admit_chain(tls, ssl, &chain)
					 : reason;
}

/* A leaf, and the CA that has issued it itself, if it is who it says. */
struct leaf {
	X509 *cert;
	const struct trust_ca *issuer; /* NULL: there is none */
	bool has_digest;
	unsigned char digest[TLS_KNOWN_DIGEST];
};

static void read_leaf(
	struct leaf *leaf, X509_STORE_CTX *store, const struct trust *trust)
{
	leaf->cert = X509_STORE_CTX_get0_cert(store);
	leaf->issuer = trust_issuer_of(trust, leaf->cert);
	leaf->has_digest =
		leaf->issuer != NULL &&
		X509_digest(leaf->cert, EVP_sha256(), leaf->digest, NULL) == 1;
}

/*
 * Returns true if OpenSSL need not verify the leaf again: it has found nothing
 * wrong with these bytes before, and what has changed since then, the time, has
 * made nothing wrong. If it has, OpenSSL says so. [SRV-333], [SRV-334].
 */
static bool is_known(const struct leaf *leaf, const struct trust *trust,
	struct trust_chain *chain)
{
	if (!leaf->has_digest || !known_has(trust->known, leaf->digest))
		return false;
	*chain = (struct trust_chain){
		.ca = leaf->issuer->number, .len = 1, .certs = {leaf->cert}};
	return trust_judge(trust, chain) == LBP_REASON_NONE;
}

/*
 * Cheap checks come first: names and usage, then the signatures, then the
 * revocation lists. [SRV-105]. False: OpenSSL has refused it, and has set an
 * error.
 */
static bool verify_leaf(X509_STORE_CTX *store, struct tls *tls, SSL *ssl,
	const struct leaf *leaf)
{
	restrict_to(store, tls->trust, leaf->issuer);
	if (X509_verify_cert(store) != 1) {
		int error = X509_STORE_CTX_get_error(store);

		tls->reason = reason_of(error);
		tls->detail = X509_verify_cert_error_string(error);
		explain_untrusted(tls, store);
		return false;
	}
	tls->reason =
		judge_verified(tls, ssl, X509_STORE_CTX_get0_chain(store));
	if (tls->reason == LBP_REASON_NONE && leaf->has_digest)
		known_add(tls->trust->known, leaf->digest);
	return true;
}

int tls_verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *tls = SSL_get_app_data(ssl);
	struct trust_chain chain;
	struct leaf leaf;

	(void)arg;
	read_leaf(&leaf, store, tls->trust);
	if (is_known(&leaf, tls->trust, &chain)) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		tls->reason = admit_chain(tls, ssl, &chain);
	} else if (!verify_leaf(store, tls, ssl, &leaf)) {
		return 0;
	}
	if (tls->reason == LBP_REASON_NONE) {
		tls_allow_key(ssl);
		return 1;
	}
	X509_STORE_CTX_set_error(store, error_of(tls->reason));
	return 0;
}

static int alert_of(enum lbp_reason reason)
{
	switch (reason) {
	case LBP_REASON_REVOKED:
		return SSL_AD_CERTIFICATE_REVOKED;
	case LBP_REASON_UNTRUSTED:
		return SSL_AD_UNKNOWN_CA;
	default:
		return SSL_AD_CERTIFICATE_EXPIRED;
	}
}

/*
 * Called in each handshake, with or without a server name, once it is known
 * whether it resumes a session: the only place where OpenSSL lets us refuse a
 * resumed session with an alert. [SRV-98].
 */
static int vet_resumed(SSL *ssl, int *alert, void *arg)
{
	struct tls *tls = SSL_get_app_data(ssl);
	const struct trust_chain *kept;

	(void)arg;
	if (!SSL_session_reused(ssl))
		return SSL_TLSEXT_ERR_NOACK;
	kept = tls_path_of(SSL_get_session(ssl));
	tls->reason = kept == NULL ? LBP_REASON_BAD_CERTIFICATE
				   : trust_judge(tls->trust, kept);
	if (tls->reason != LBP_REASON_NONE) {
		*alert = alert_of(tls->reason);
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	if (identify(tls, kept))
		return SSL_TLSEXT_ERR_NOACK;
	*alert = SSL_AD_ACCESS_DENIED;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static const struct trust_chain *chain_of(const struct tls *tls)
{
	const SSL_SESSION *session = SSL_get_session(tls->ssl);

	return session == NULL ? NULL : tls_path_of(session);
}

int64_t tls_trusted_until(const struct tls *tls)
{
	const struct trust_chain *chain = chain_of(tls);

	return chain == NULL ? LBP_EXPIRY_NEVER
			     : trust_until(tls->trust, chain);
}

enum lbp_reason tls_renew(struct tls *tls, const struct tls_server *server)
{
	const struct trust_chain *chain = chain_of(tls);

	tls->trust = server->trust;
	return chain == NULL ? LBP_REASON_NONE : trust_judge(tls->trust, chain);
}

void tls_verify_install(struct tls_server *server)
{
	SSL_CTX_set_verify(server->ctx,
		SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(server->ctx, tls_verify, NULL);
	SSL_CTX_set_tlsext_servername_callback(server->ctx, vet_resumed);
}
