/*
 * Who is this client? A certificate is judged inside the handshake, so that
 * whoever is refused gets a fatal alert. [SRV-9] to [SRV-12].
 */
#include <openssl/x509_vfy.h>
#include <string.h>

#include "tls_private.h"

enum lbp_err tls_serial_of(const X509 *cert, struct lbp_serial *serial)
{
	const ASN1_INTEGER *number = X509_get0_serialNumber(cert);
	const uint8_t *octets = ASN1_STRING_get0_data(number);
	int len = ASN1_STRING_length(number);
	uint8_t content[LBP_SERIAL_MAX + 1] = {0};

	/*
	 * OpenSSL keeps the magnitude and the sign apart; a zero octet in
	 * front makes it the DER content of the same positive number.
	 */
	if (ASN1_STRING_type(number) == V_ASN1_NEG_INTEGER || len < 0 ||
		len > LBP_SERIAL_MAX)
		return LBP_ERR_RANGE;
	memcpy(content + 1, octets, (size_t)len);
	return lbp_serial_from_der(serial, content, (size_t)len + 1);
}

static enum lbp_reason reason_of(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return LBP_REASON_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return LBP_REASON_NOT_YET_VALID;
	case X509_V_ERR_CERT_REVOKED:
		return LBP_REASON_REVOKED;
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
		return LBP_REASON_CRL_EXPIRED;
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
	/* The one CA's list is there: another CA issued this one. */
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_INVALID_CA:
		return LBP_REASON_UNTRUSTED;
	case X509_V_ERR_OUT_OF_MEM:
		return LBP_REASON_INTERNAL;
	default:
		return LBP_REASON_BAD_CERTIFICATE;
	}
}

static bool identify(struct tls *tls, const X509 *cert)
{
	struct lbp_serial serial;

	if (tls_serial_of(cert, &serial) != LBP_OK) {
		tls->reason = LBP_REASON_BAD_CERTIFICATE;
		return false;
	}
	return tls->identify(tls->user, &serial);
}

/* Judges the certificate of a full handshake: 1 to go on, 0 to refuse. */
static int verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *tls = SSL_get_app_data(ssl);
	STACK_OF(X509) * chain;

	(void)arg;
	if (X509_verify_cert(store) != 1) {
		int error = X509_STORE_CTX_get_error(store);

		tls->reason = reason_of(error);
		tls->detail = X509_verify_cert_error_string(error);
		return 0;
	}
	/* The leaf and the CA, and nothing between them. [SRV-9]. */
	chain = X509_STORE_CTX_get0_chain(store);
	if (sk_X509_num(chain) != 2) {
		tls->reason = LBP_REASON_UNTRUSTED;
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_CHAIN_TOO_LONG);
		return 0;
	}
	if (identify(tls, sk_X509_value(chain, 0)))
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

/* Is now after from and before to (NULL: without end)? Not, if unreadable. */
static enum lbp_reason judge_times(const ASN1_TIME *from, const ASN1_TIME *to,
	enum lbp_reason early, enum lbp_reason late)
{
	if (X509_cmp_current_time(from) >= 0)
		return early;
	if (to != NULL && X509_cmp_current_time(to) <= 0)
		return late;
	return LBP_REASON_NONE;
}

static enum lbp_reason judge_life(const X509 *cert)
{
	return judge_times(X509_get0_notBefore(cert), X509_get0_notAfter(cert),
		LBP_REASON_NOT_YET_VALID, LBP_REASON_EXPIRED);
}

/* What may have changed about a certificate since its session was cached. */
static enum lbp_reason judge_again(
	const struct tls_server *server, const X509 *cert)
{
	X509_CRL *crl = server->crl;
	X509_REVOKED *entry;
	enum lbp_reason reason = judge_life(cert);

	if (reason == LBP_REASON_NONE)
		reason = judge_life(server->ca);
	if (reason != LBP_REASON_NONE || crl == NULL)
		return reason;
	reason = judge_times(X509_CRL_get0_lastUpdate(crl),
		X509_CRL_get0_nextUpdate(crl), LBP_REASON_CRL_EXPIRED,
		LBP_REASON_CRL_EXPIRED);
	if (reason != LBP_REASON_NONE)
		return reason;
	return X509_CRL_get0_by_serial(
		       crl, &entry, X509_get0_serialNumber(cert)) == 1
		       ? LBP_REASON_REVOKED
		       : LBP_REASON_NONE;
}

/*
 * Called in each handshake once it is known whether it resumes a session,
 * with or without a server name: the one place where OpenSSL lets a resumed
 * session be refused with an alert. [SRV-12].
 */
static int vet_resumed(SSL *ssl, int *alert, void *arg)
{
	const struct tls_server *server = arg;
	struct tls *tls = SSL_get_app_data(ssl);
	const X509 *cert;

	if (!SSL_session_reused(ssl))
		return SSL_TLSEXT_ERR_NOACK;
	cert = SSL_SESSION_get0_peer(SSL_get_session(ssl));
	if (cert == NULL) {
		*alert = SSL_AD_ACCESS_DENIED;
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	tls->reason = judge_again(server, cert);
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

void tls_verify_install(struct tls_server *server)
{
	SSL_CTX_set_verify(server->ctx,
		SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(server->ctx, verify, NULL);
	SSL_CTX_set_tlsext_servername_callback(server->ctx, vet_resumed);
	SSL_CTX_set_tlsext_servername_arg(server->ctx, server);
}
