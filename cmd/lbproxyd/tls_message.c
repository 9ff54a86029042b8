/*
 * Checks a client's messages before OpenSSL parses them. OpenSSL decodes
 * whatever it gets, at 0.1 ms for each certificate and without bound for some
 * keys, and offers no way to reject a message before that. So a message that
 * demands too much is corrupted, and OpenSSL rejects it as malformed. [SRV-64],
 * [SRV-65]. Certificates that are not needed are hidden from it. [SRV-67].
 */
#include "tls_message.h"

#include <openssl/ssl.h>
#include <string.h>

#include "server/hello.h"
#include "tls_provider.h"
#include "tls_trust.h"

#define HEADER 4

/*
 * The bytes are OpenSSL's own, in a buffer of this connection. It has hashed
 * them for the handshake already.
 */
static uint8_t *ours(const void *message)
{
	return (uint8_t *)message;
}

/* Makes all lengths in a message wrong. */
static void spoil(const void *message, size_t len)
{
	memset(ours(message), 0xff, len < 64 ? len : 64);
}

static void refuse(struct tls *tls, enum lbp_reason reason, const char *detail,
	const uint8_t *message, size_t len)
{
	tls->reason = reason;
	tls->detail = detail;
	spoil(message + HEADER, len - HEADER);
}

static void check_hello(struct tls *tls, const uint8_t *message, size_t len)
{
	if (lbp_hello_check(message + HEADER, len - HEADER) != LBP_OK)
		refuse(tls, LBP_REASON_HANDSHAKE_FAILED,
			"the ClientHello offers too much or is malformed",
			message, len);
}

static void check_certs(struct tls *tls, const uint8_t *message, size_t len)
{
	bool is_tls13 = SSL_version(tls->ssl) == TLS1_3_VERSION;
	enum lbp_err err =
		lbp_certs_check(message + HEADER, len - HEADER, is_tls13);

	if (err == LBP_ERR_RANGE)
		refuse(tls, LBP_REASON_BAD_CERTIFICATE,
			"too many certificates, or a key that is not accepted",
			message, len);
	else if (err != LBP_OK)
		refuse(tls, LBP_REASON_BAD_CERTIFICATE, "no certificate in DER",
			message, len);
	/* Later versions might want to know the extension that hides them. */
	else if (is_tls13 && tls_decoding_is_slow() &&
		 !trust_has_chains(tls->trust))
		lbp_certs_hide_others(ours(message) + HEADER, len - HEADER);
}

void tls_check_message(
	struct tls *tls, int version, const uint8_t *message, size_t len)
{
	if (version == SSL2_VERSION)
		spoil(message, len); /* such hellos were sent with SSL 3.0 */
	else if (len >= HEADER && message[0] == SSL3_MT_CLIENT_HELLO)
		check_hello(tls, message, len);
	else if (len >= HEADER && message[0] == SSL3_MT_CERTIFICATE)
		check_certs(tls, message, len);
}
