#include "tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "server/fault.h"
#include "tls_bio.h"
#include "tls_judge.h"
#include "tls_memory.h"
#include "tls_names.h"
#include "tls_private.h"
#include "tls_resume.h"

static void begin(struct tls *tls)
{
	tls->reason = LBP_REASON_NONE;
	tls->detail = NULL;
	tls->is_open = false;
	tls->has_ended = false;
	tls->error = 0;
	tls->budget = TLS_HANDSHAKE_BUDGET;
	tls->is_starved = false;
	tls->is_flood = false;
	tls->empty_records = 0;
	tls->has_more = false;
	tls->cache = NULL;
	tls->length = (struct lbp_hello_length){0};
	tls->owes_ticket = false;
	tls->names = NULL;
	tls->name_len = 0;
}

bool tls_accept(struct tls *tls, struct tls_server *server, int fd)
{
	begin(tls);
	tls->ssl = SSL_new(server->ctx);
	if (tls->ssl == NULL)
		return false;
	if (!tls_bio_use(tls, fd) || SSL_set_app_data(tls->ssl, tls) != 1) {
		tls_release(tls);
		return false;
	}
	tls_resume_begin(tls, server);
	SSL_set_accept_state(tls->ssl);
	return true;
}

static bool set_server_name(SSL *ssl, const struct tls_client *client)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (!client->is_name)
		return X509_VERIFY_PARAM_set1_ip_asc(
			       param, client->server_name) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, client->server_name) == 1 &&
	       SSL_set_tlsext_host_name(ssl, client->server_name) == 1;
}

bool tls_connect(struct tls *tls, const struct tls_client *client, int fd)
{
	begin(tls);
	tls->ssl = SSL_new(client->ctx);
	if (tls->ssl == NULL)
		return false;
	if (!tls_bio_use(tls, fd) || !set_server_name(tls->ssl, client)) {
		tls_release(tls);
		return false;
	}
	SSL_set_app_data(tls->ssl, tls);
	SSL_set_connect_state(tls->ssl);
	return true;
}

/*
 * Before a call of OpenSSL that may read or write. SSL_get_error depends on the
 * error queue, so that must be empty first. Clearing it when it is empty takes
 * several times as long as checking.
 */
static void begin_call(struct tls *tls)
{
	tls->is_drained = false;
	tls_memory_forget();
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

static bool is_ours(int error)
{
	return lbp_fault_of_socket(error) == LBP_FAULT_OURS;
}

/* Why OpenSSL cannot read what it wants. */
static enum io obstacle(const struct tls *tls)
{
	if (tls->is_flood)
		return IO_FLOOD;
	if (tls->is_starved)
		return IO_YIELD;
	if (tls->error != 0)
		return is_ours(tls->error) ? IO_INTERNAL : IO_RESET;
	if (tls->has_ended)
		return tls->takes_unclean_end && tls->is_open ? IO_END
							      : IO_TRUNCATED;
	return IO_WANT_READ;
}

/* OpenSSL itself failed. */
static enum io failure(void)
{
	unsigned long error = ERR_peek_last_error();

	if (tls_memory_ran_out() ||
		ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
		return IO_INTERNAL;
	switch (error) {
	case ERR_PACK(ERR_LIB_SSL, 0, SSL_R_TOO_MANY_WARN_ALERTS):
	case ERR_PACK(ERR_LIB_SSL, 0, SSL_R_RECORD_TOO_SMALL):
		/* The latter means of no length, too often. */
		return IO_FLOOD;
	default:
		return IO_RESET;
	}
}

static enum io result_of(const struct tls *tls, int rc)
{
	switch (SSL_get_error(tls->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return obstacle(tls);
	case SSL_ERROR_WANT_WRITE:
		return IO_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return IO_END;
	default:
		return failure();
	}
}

/* What was written is lost if the socket failed meanwhile. */
static enum io written(const struct tls *tls)
{
	if (tls->error == 0)
		return IO_OK;
	return is_ours(tls->error) ? IO_INTERNAL : IO_RESET;
}

/* A failure that OpenSSL does not know of. */
static const char *what_happened(const struct tls *tls, enum io io)
{
	switch (io) {
	case IO_TRUNCATED:
		return "the peer closed the connection";
	case IO_YIELD:
		return "the handshake is too long";
	default:
		return tls->error != 0 ? strerror(tls->error) : NULL;
	}
}

/* The failure of a handshake, unless the certificate was the reason. */
static void explain(struct tls *tls, enum io io)
{
	unsigned long error = ERR_peek_last_error();
	long verdict = SSL_get_verify_result(tls->ssl);

	if (tls->detail == NULL &&
		verdict == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY)
		tls->detail = tls_judge_why_unverified(tls->ssl);
	if (tls->detail == NULL && verdict != X509_V_OK)
		tls->detail = X509_verify_cert_error_string(verdict);
	if (tls->detail == NULL)
		tls->detail = error != 0 ? ERR_reason_error_string(error)
					 : what_happened(tls, io);
	/* Without memory nobody can be judged. [SRV-160]. */
	if (io == IO_INTERNAL)
		tls->reason = LBP_REASON_INTERNAL;
	if (tls->reason != LBP_REASON_NONE)
		return;
	tls->reason = LBP_REASON_HANDSHAKE_FAILED;
	if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
		ERR_GET_REASON(error) ==
			SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
		tls->reason = LBP_REASON_NO_CERTIFICATE;
}

enum io tls_handshake(struct tls *tls)
{
	enum io io;
	int rc;

	begin_call(tls);
	rc = SSL_do_handshake(tls->ssl);
	io = rc == 1 ? written(tls) : result_of(tls, rc);
	/* A reset meanwhile is for the session to see. */
	if (rc == 1 && io != IO_INTERNAL) {
		tls->is_open = true;
		tls_resume_handshaken(tls);
		return IO_OK;
	}
	if (io == IO_WANT_READ || io == IO_WANT_WRITE)
		return io;
	explain(tls, io);
	return io == IO_INTERNAL ? io : IO_RESET;
}

enum io tls_read(struct tls *tls, void *buf, size_t len, size_t *n)
{
	enum io io;
	int rc;

	begin_call(tls);
	tls->is_starved = false;
	rc = SSL_read_ex(tls->ssl, buf, len, n);
	io = rc == 1 ? IO_OK : result_of(tls, rc);
	if (io == IO_RESET)
		tls->detail = ERR_reason_error_string(ERR_peek_last_error());
	if (io != IO_OK)
		return io;
	tls->empty_records = 0;
	return tls->is_flood ? IO_FLOOD : IO_OK;
}

/* Who only writes is not told of an end. */
static enum io result_of_write(const struct tls *tls, int rc)
{
	enum io io = result_of(tls, rc);

	return io == IO_END ? IO_RESET : io;
}

/*
 * One record. OpenSSL, asked for more, would go on to the next ones once it has
 * got rid of one that had to wait.
 */
static enum io write_record(
	struct tls *tls, const unsigned char *buf, size_t len, size_t *n)
{
	int rc;

	tls->has_more = len > SSL3_RT_MAX_PLAIN_LENGTH;
	rc = SSL_write_ex(tls->ssl, buf,
		tls->has_more ? SSL3_RT_MAX_PLAIN_LENGTH : len, n);
	tls->has_more = false;
	if (rc == 1)
		return IO_OK;
	*n = 0;
	return result_of_write(tls, rc);
}

enum io tls_write(struct tls *tls, const void *buf, size_t len, size_t *n)
{
	enum io io;
	size_t one;

	begin_call(tls);
	if (tls->owes_ticket)
		tls_resume_send_ticket(tls);
	*n = 0;
	do {
		io = write_record(
			tls, (const unsigned char *)buf + *n, len - *n, &one);
		*n += one;
	} while (io == IO_OK && *n < len && tls->error == 0);
	return io == IO_OK ? written(tls) : io;
}

enum io tls_end(struct tls *tls)
{
	int rc;

	begin_call(tls);
	tls->has_more = true;
	rc = SSL_shutdown(tls->ssl);
	tls->has_more = false;
	return rc >= 0 ? written(tls) : result_of_write(tls, rc);
}

bool tls_has_pending(const struct tls *tls)
{
	return SSL_has_pending(tls->ssl) == 1;
}

bool tls_is_resumed(const struct tls *tls)
{
	return SSL_session_reused(tls->ssl) == 1;
}

const char *tls_version(const struct tls *tls)
{
	return SSL_get_version(tls->ssl);
}

void tls_release(struct tls *tls)
{
	/*
	 * Otherwise OpenSSL would drop the TLS session of a connection that
	 * did not end cleanly. After a fatal alert it already has. [SRV-84].
	 */
	if (tls->ssl != NULL && tls->is_open)
		SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN);
	SSL_free(tls->ssl);
	tls->ssl = NULL;
	tls_names_release(tls);
}
