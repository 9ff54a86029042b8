/*
 * OpenSSL's way to the socket. OpenSSL gets bytes or is told to retry, and
 * nothing else: TCP's end and errors are recorded in struct tls. OpenSSL would
 * take them for a protocol violation, send an alert that says so, and drop the
 * TLS session from its cache. [SRV-84]
 */
#include "tls_bio.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "tls_message.h"

/* What a record costs of the budget, besides its bytes. [SRV-87]. */
#define RECORD_COST 1024
/* Records without data, in a row. [SRV-88]. */
#define EMPTY_RECORDS_MAX 32

static BIO_METHOD *method;

static struct tls *tls_of(BIO *bio)
{
	return BIO_get_data(bio);
}

/* Not now; tls has the reason. */
static int retry_later(BIO *bio, int flags)
{
	BIO_set_flags(bio, flags | BIO_FLAGS_SHOULD_RETRY);
	return -1;
}

/*
 * Later there may be records of handshakes that are encrypted: with TLS 1.2. A
 * second hello comes in the last of these states.
 */
static bool awaits_hello(const struct tls *tls)
{
	switch (SSL_get_state(tls->ssl)) {
	case TLS_ST_BEFORE:
	case TLS_ST_SR_CLNT_HELLO:
	case TLS_ST_EARLY_DATA:
		return tls->cache != NULL;
	default:
		return false;
	}
}

/* OpenSSL makes room for a message once it has its length. [SRV-346]. */
static void limit_hello(struct tls *tls, char *bytes, size_t len)
{
	if (awaits_hello(tls))
		lbp_hello_length_limit(&tls->length, (uint8_t *)bytes, len);
}

static int bio_read(BIO *bio, char *buf, int len)
{
	struct tls *tls = tls_of(bio);
	size_t most = (size_t)len < tls->budget ? (size_t)len : tls->budget;
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (tls->is_flood || most == 0) {
		tls->is_starved = true;
		return retry_later(bio, BIO_FLAGS_READ);
	}
	if (tls->is_drained)
		return retry_later(bio, BIO_FLAGS_READ);
	do {
		n = recv(tls->fd, buf, most, 0);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		tls->budget -= (size_t)n;
		tls->is_drained = (size_t)n < most;
		limit_hello(tls, buf, (size_t)n);
		return (int)n;
	}
	if (n == 0)
		tls->has_ended = true;
	else if (errno != EAGAIN)
		tls->error = errno;
	return retry_later(bio, BIO_FLAGS_READ);
}

/*
 * After an error, pretends to write, so that reading can continue. What goes
 * out with what follows is one packet less for both sides.
 */
static int bio_write(BIO *bio, const char *buf, int len)
{
	struct tls *tls = tls_of(bio);
	int flags = MSG_NOSIGNAL | (tls->has_more ? MSG_MORE : 0);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (tls->error != 0)
		return len;
	do {
		n = send(tls->fd, buf, (size_t)len, flags);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN)
		return retry_later(bio, BIO_FLAGS_WRITE);
	tls->error = errno;
	return len;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	(void)bio;
	(void)num;
	(void)ptr;
	/* There is no buffer to flush; other commands are not supported. */
	return cmd == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

bool tls_bio_init(void)
{
	BIO_METHOD *made;

	if (method != NULL)
		return true;
	made = BIO_meth_new(
		BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "socket");
	if (made == NULL)
		return false;
	BIO_meth_set_read(made, bio_read);
	BIO_meth_set_write(made, bio_write);
	BIO_meth_set_ctrl(made, bio_ctrl);
	BIO_meth_set_create(made, bio_create);
	method = made;
	return true;
}

/*
 * OpenSSL calls this with the header of each record before it reads the rest,
 * and with each message before it parses it.
 */
static void note_record(int is_write, int version, int type, const void *buf,
	size_t len, SSL *ssl, void *arg)
{
	struct tls *tls = arg;

	(void)ssl;
	if (!is_write && type != SSL3_RT_HEADER && tls->cache != NULL &&
		!tls->is_open)
		tls_check_message(tls, version, buf, len);
	if (is_write || type != SSL3_RT_HEADER)
		return;
	tls->budget -= tls->budget < RECORD_COST ? tls->budget : RECORD_COST;
	tls->empty_records += tls->is_open;
	if (tls->empty_records > EMPTY_RECORDS_MAX)
		tls->is_flood = true;
}

bool tls_bio_use(struct tls *tls, int fd)
{
	BIO *bio = BIO_new(method);

	if (bio == NULL)
		return false;
	BIO_set_data(bio, tls);
	tls->fd = fd;
	SSL_set_bio(tls->ssl, bio, bio);
	SSL_set_msg_callback(tls->ssl, note_record);
	SSL_set_msg_callback_arg(tls->ssl, tls);
	return true;
}
