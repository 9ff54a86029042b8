#include "certificate.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lbproxyd/file.h"
#include "../lbproxyd/tls_memory.h"
#include "../lbproxyd/tls_private.h"
#include "../lbproxyd/tls_resume.h"
#include "../lbproxyd/tls_verify.h"
#include "memory.h"
#include "server/hello.h"

/* The certificates of a file, the client's first. */
static STACK_OF(X509) * read_all(const struct file *file)
{
	BIO *bio = need(BIO_new_mem_buf(file->text, (int)file->len));
	STACK_OF(X509) *all = need(sk_X509_new_null());
	X509 *cert;

	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (sk_X509_push(all, cert) <= 0)
			out_of_memory();
	}
	BIO_free(bio);
	ERR_clear_error();
	return all;
}

static STACK_OF(X509) * load(const char *path, char *why)
{
	struct file file;
	STACK_OF(X509) * all;

	if (!file_read_regular(&file, AT_FDCWD, path)) {
		snprintf(why, CERTIFICATE_WHY_MAX,
			"the file cannot be read: %s", file.why);
		return NULL;
	}
	all = read_all(&file);
	file_release(&file);
	if (sk_X509_num(all) > 0)
		return all;
	sk_X509_free(all);
	snprintf(why, CERTIFICATE_WHY_MAX,
		"the file has no certificate; accepted: a PEM file with the "
		"client's certificate, then those of intermediates");
	return NULL;
}

static void put_length(unsigned char **at, size_t len)
{
	*(*at)++ = (unsigned char)(len >> 16);
	*(*at)++ = (unsigned char)(len >> 8);
	*(*at)++ = (unsigned char)len;
}

/* The body of the message that a client would send, as RFC 8446 has it. */
static unsigned char *write_message(STACK_OF(X509) * all, size_t *len)
{
	unsigned char *message, *at;
	int i;

	*len = 4;
	for (i = 0; i < sk_X509_num(all); i++)
		*len += 5 + (size_t)i2d_X509(sk_X509_value(all, i), NULL);
	message = at = need(malloc(*len));
	*at++ = 0;
	put_length(&at, *len - 4);
	for (i = 0; i < sk_X509_num(all); i++) {
		X509 *cert = sk_X509_value(all, i);

		put_length(&at, (size_t)i2d_X509(cert, NULL));
		i2d_X509(cert, &at);
		*at++ = 0;
		*at++ = 0;
	}
	return message;
}

/* [SRV-64], [SRV-65]. */
static bool is_sendable(STACK_OF(X509) * all)
{
	size_t len;
	unsigned char *message = write_message(all, &len);
	bool ok = lbp_certs_check(message, len, true) == LBP_OK;

	free(message);
	return ok;
}

/* Takes note of who it is; whether that is welcome is asked later. */
static bool identified(
	void *user, const struct lbp_name *names, size_t name_len)
{
	(void)user, (void)names, (void)name_len;
	return true;
}

/* As libssl prepares the verification of a client's certificate. */
static void prepare(X509_STORE_CTX *store, SSL *ssl, STACK_OF(X509) * all)
{
	SSL_CTX *ctx = SSL_get_SSL_CTX(ssl);
	X509_VERIFY_PARAM *param;

	if (X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(ctx),
		    sk_X509_value(all, 0), all) != 1 ||
		X509_STORE_CTX_set_ex_data(
			store, SSL_get_ex_data_X509_STORE_CTX_idx(), ssl) != 1)
		out_of_memory();
	/* Neither has anything to allocate. */
	(void)X509_STORE_CTX_set_default(store, "ssl_client");
	param = X509_STORE_CTX_get0_param(store);
	X509_VERIFY_PARAM_set_auth_level(param, SSL_get_security_level(ssl));
	(void)X509_VERIFY_PARAM_set1(param, SSL_get0_param(ssl));
}

/* A connection without a socket, with a session that is being made. */
static void begin(struct tls *tls, struct tls_server *server)
{
	SSL_SESSION *session = need(SSL_SESSION_new());

	tls->ssl = need(SSL_new(server->ctx));
	if (SSL_set_app_data(tls->ssl, tls) != 1)
		out_of_memory();
	/* Fails only for another version of TLS than the context's. */
	(void)SSL_set_session(tls->ssl, session);
	SSL_SESSION_free(session);
	tls_resume_begin(tls, server);
	tls->identify = identified;
	SSL_set_accept_state(tls->ssl);
}

static uint32_t ca_of(const struct trust *trust, X509 *leaf)
{
	const struct trust_ca *ca = trust_issuer_of(trust, leaf);

	return ca == NULL ? 0 : (uint32_t)(ca - trust->cas);
}

static void judge(struct certificate *certificate, struct tls_server *server,
	STACK_OF(X509) * all)
{
	X509_STORE_CTX *store = need(X509_STORE_CTX_new());
	struct tls *tls = &certificate->tls;

	begin(tls, server);
	prepare(store, tls->ssl, all);
	(void)tls_verify(store, NULL);
	certificate->reason = tls->reason;
	certificate->detail = tls->detail;
	X509_STORE_CTX_free(store);
}

bool certificate_judge(struct certificate *certificate,
	struct tls_server *server, const char *path)
{
	STACK_OF(X509) * all;

	memset(certificate, 0, sizeof(*certificate));
	tls_memory_forget();
	all = load(path, certificate->why);
	if (all != NULL && is_sendable(all)) {
		judge(certificate, server, all);
	} else {
		certificate->reason = LBP_REASON_BAD_CERTIFICATE;
		certificate->detail = "too many certificates, or a key that is "
				      "not accepted";
	}
	/* What OpenSSL had no memory for looks like a bad certificate. */
	if (tls_memory_ran_out())
		out_of_memory();
	if (all == NULL)
		return false;
	certificate->ca = ca_of(server->trust, sk_X509_value(all, 0));
	sk_X509_pop_free(all, X509_free);
	return true;
}

void certificate_release(struct certificate *certificate)
{
	tls_release(&certificate->tls);
}
