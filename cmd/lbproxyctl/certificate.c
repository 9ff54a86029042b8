#include "certificate.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lbproxyd/file.h"
#include "../lbproxyd/tls_private.h"
#include "../lbproxyd/tls_resume.h"
#include "../lbproxyd/tls_verify.h"
#include "server/hello.h"

/* The certificates of a file, the client's first; NULL: there are none. */
static STACK_OF(X509) * read_all(const struct file *file)
{
	BIO *bio = BIO_new_mem_buf(file->text, (int)file->len);
	STACK_OF(X509) *all = sk_X509_new_null();
	X509 *cert;

	while (bio != NULL && all != NULL &&
		(cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (sk_X509_push(all, cert) <= 0)
			X509_free(cert);
	}
	BIO_free(bio);
	ERR_clear_error();
	if (sk_X509_num(all) > 0)
		return all;
	sk_X509_free(all);
	return NULL;
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
	if (all == NULL)
		snprintf(why, CERTIFICATE_WHY_MAX,
			"the file has no certificate; accepted: a PEM file "
			"with the "
			"client's certificate, then those of intermediates");
	return all;
}

static void put_length(unsigned char **at, size_t len)
{
	*(*at)++ = (unsigned char)(len >> 16);
	*(*at)++ = (unsigned char)(len >> 8);
	*(*at)++ = (unsigned char)len;
}

/*
 * The body of the message that a client would send, as RFC 8446 has it; its
 * length is 0 if memory ran out.
 */
static size_t write_message(STACK_OF(X509) * all, unsigned char **out)
{
	size_t len = 4;
	unsigned char *at;
	int i;

	for (i = 0; i < sk_X509_num(all); i++)
		len += 5 + (size_t)i2d_X509(sk_X509_value(all, i), NULL);
	*out = at = malloc(len);
	if (at == NULL)
		return 0;
	*at++ = 0;
	put_length(&at, len - 4);
	for (i = 0; i < sk_X509_num(all); i++) {
		X509 *cert = sk_X509_value(all, i);

		put_length(&at, (size_t)i2d_X509(cert, NULL));
		i2d_X509(cert, &at);
		*at++ = 0;
		*at++ = 0;
	}
	return len;
}

/* [SRV-64], [SRV-65]. */
static bool is_sendable(STACK_OF(X509) * all)
{
	unsigned char *message;
	size_t len = write_message(all, &message);
	bool ok = len > 0 && lbp_certs_check(message, len, true) == LBP_OK;

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
static bool prepare(X509_STORE_CTX *store, SSL *ssl, STACK_OF(X509) * all)
{
	SSL_CTX *ctx = SSL_get_SSL_CTX(ssl);
	X509_VERIFY_PARAM *param;

	if (X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(ctx),
		    sk_X509_value(all, 0), all) != 1 ||
		X509_STORE_CTX_set_ex_data(store,
			SSL_get_ex_data_X509_STORE_CTX_idx(), ssl) != 1 ||
		X509_STORE_CTX_set_default(store, "ssl_client") != 1)
		return false;
	param = X509_STORE_CTX_get0_param(store);
	X509_VERIFY_PARAM_set_auth_level(param, SSL_get_security_level(ssl));
	return X509_VERIFY_PARAM_set1(param, SSL_get0_param(ssl)) == 1;
}

/* A connection without a socket, with a session that is being made. */
static bool begin(struct tls *tls, struct tls_server *server)
{
	SSL_SESSION *session = SSL_SESSION_new();
	bool ok;

	tls->ssl = SSL_new(server->ctx);
	ok = tls->ssl != NULL && session != NULL &&
	     SSL_set_app_data(tls->ssl, tls) == 1 &&
	     SSL_set_session(tls->ssl, session) == 1;
	SSL_SESSION_free(session);
	if (!ok)
		return false;
	tls_resume_begin(tls, server);
	tls->identify = identified;
	SSL_set_accept_state(tls->ssl);
	return true;
}

static uint32_t ca_of(const struct trust *trust, X509 *leaf)
{
	const struct trust_ca *ca = trust_issuer_of(trust, leaf);

	return ca == NULL ? 0 : (uint32_t)(ca - trust->cas);
}

/* False: out of memory. */
static bool judge(struct certificate *certificate, struct tls_server *server,
	STACK_OF(X509) * all)
{
	X509_STORE_CTX *store = X509_STORE_CTX_new();
	struct tls *tls = &certificate->tls;
	bool ok = store != NULL && begin(tls, server) &&
		  prepare(store, tls->ssl, all);

	if (ok) {
		(void)tls_verify(store, NULL);
		certificate->reason = tls->reason;
		certificate->detail = tls->detail;
	}
	X509_STORE_CTX_free(store);
	return ok;
}

bool certificate_judge(struct certificate *certificate,
	struct tls_server *server, const char *path)
{
	STACK_OF(X509) * all;
	bool ok = true;

	memset(certificate, 0, sizeof(*certificate));
	all = load(path, certificate->why);
	if (all == NULL)
		return false;
	certificate->ca = ca_of(server->trust, sk_X509_value(all, 0));
	if (!is_sendable(all)) {
		certificate->reason = LBP_REASON_BAD_CERTIFICATE;
		certificate->detail = "too many certificates, or a key that is "
				      "not accepted";
	} else if (!judge(certificate, server, all)) {
		snprintf(certificate->why, CERTIFICATE_WHY_MAX,
			"it cannot be judged: out of memory");
		certificate_release(certificate);
		ok = false;
	}
	sk_X509_pop_free(all, X509_free);
	return ok;
}

void certificate_release(struct certificate *certificate)
{
	tls_release(&certificate->tls);
}
