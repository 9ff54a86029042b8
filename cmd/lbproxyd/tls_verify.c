/*
 * Judges a client's certificate inside the handshake, so that a refused client
 * gets a fatal alert. [SRV-9] to [SRV-12].
 */
#include "tls_verify.h"

#include <openssl/x509_vfy.h>

#include "server/expiry.h"
#include "tls_groups.h"
#include "tls_judge.h"
#include "tls_names.h"
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
static bool identify(struct tls *tls, const X509 *cert)
{
	struct lbp_name *before;
	bool is_welcome = false;

	tls->reason = tls_names_take(tls, cert, 0, &before);
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

/* What X509_verify_cert does not check of a chain that it verified. */
static enum lbp_reason judge_chain(
	const struct trust *trust, STACK_OF(X509) * chain)
{
	/* The leaf and the CA, and nothing between them. [SRV-9]. */
	if (sk_X509_num(chain) != 2)
		return LBP_REASON_UNTRUSTED;
	/* It may have been replaced since the handshake began. [RLD-6]. */
	if (!trust_is_same_ca(trust, sk_X509_value(chain, 1)))
		return LBP_REASON_UNTRUSTED;
	return trust_judge_revocation(trust, sk_X509_value(chain, 0));
}

/* The issuer's name is the CA's: says why it is another. [SRV-78]. */
static void explain_untrusted(struct tls *tls, X509 *ca, X509_STORE_CTX *store)
{
	const char *why = NULL;

	if (tls->reason == LBP_REASON_UNTRUSTED)
		why = tls_judge_why_untrusted(
			ca, X509_STORE_CTX_get0_cert(store));
	if (why != NULL)
		tls->detail = why;
}

/*
 * Judges the certificate of a full handshake; returns 1 to accept, 0 to refuse.
 * Cheap checks come first: names and usage, then the CA's signature, then the
 * revocation lists. [SRV-105].
 */
static int verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *tls = SSL_get_app_data(ssl);
	STACK_OF(X509) * chain;

	(void)arg;
	/* Of what the client sent, only the leaf is considered. */
	X509_STORE_CTX_set0_untrusted(store, NULL);
	if (X509_verify_cert(store) != 1) {
		int error = X509_STORE_CTX_get_error(store);

		tls->reason = reason_of(error);
		tls->detail = X509_verify_cert_error_string(error);
		explain_untrusted(tls, tls->trust->ca, store);
		return 0;
	}
	chain = X509_STORE_CTX_get0_chain(store);
	tls->reason = judge_chain(tls->trust, chain);
	if (tls->reason != LBP_REASON_NONE) {
		X509_STORE_CTX_set_error(store, error_of(tls->reason));
		return 0;
	}
	if (identify(tls, sk_X509_value(chain, 0))) {
		tls_allow_key(ssl);
		return 1;
	}
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

/*
 * Called in each handshake, with or without a server name, once it is known
 * whether it resumes a session: the only place where OpenSSL lets us refuse a
 * resumed session with an alert. [SRV-98].
 */
static int vet_resumed(SSL *ssl, int *alert, void *arg)
{
	struct tls *tls = SSL_get_app_data(ssl);
	const X509 *cert;

	(void)arg;
	if (!SSL_session_reused(ssl))
		return SSL_TLSEXT_ERR_NOACK;
	cert = SSL_SESSION_get0_peer(SSL_get_session(ssl));
	tls->reason = cert == NULL ? LBP_REASON_BAD_CERTIFICATE
				   : trust_judge(tls->trust, cert);
	if (tls->reason != LBP_REASON_NONE) {
		*alert = tls->reason == LBP_REASON_REVOKED
				 ? SSL_AD_CERTIFICATE_REVOKED
				 : SSL_AD_CERTIFICATE_EXPIRED;
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	if (identify(tls, cert))
		return SSL_TLSEXT_ERR_NOACK;
	*alert = SSL_AD_ACCESS_DENIED;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int64_t tls_trusted_until(const struct tls *tls)
{
	const X509 *cert = SSL_get0_peer_certificate(tls->ssl);

	return cert == NULL ? LBP_EXPIRY_NEVER : trust_until(tls->trust, cert);
}

enum lbp_reason tls_renew(struct tls *tls, const struct tls_server *server)
{
	bool is_new_ca = tls->trust->era != server->trust->era;
	X509 *cert = SSL_get0_peer_certificate(tls->ssl);

	tls->trust = server->trust;
	if (cert == NULL)
		return LBP_REASON_NONE;
	if (is_new_ca && !trust_issued(tls->trust, cert))
		return LBP_REASON_UNTRUSTED;
	return trust_judge(tls->trust, cert);
}

void tls_verify_install(struct tls_server *server)
{
	SSL_CTX_set_verify(server->ctx,
		SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(server->ctx, verify, NULL);
	SSL_CTX_set_tlsext_servername_callback(server->ctx, vet_resumed);
}
