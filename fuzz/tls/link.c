#include "link.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "../oracle.h"
#include "pki.h"

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);

/* The number of the server's socket: no descriptor has it. */
#define LINK_FD 100000
/* What a read of data may take of the socket: less than a record may have. */
#define READ_BUDGET 3000

static struct link *accepted;

/* More turns than any connection needs: without progress it ends before. */
#define TURNS_MAX 1000000

static void note_alert(const SSL *ssl, int where, int value)
{
	struct link *link = SSL_get_app_data(ssl);

	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT)
		link->alert = value;
}

/* OpenSSL's pair of BIOs leaves errors that a socket would not. */
static ssize_t result_of(const BIO *bio, int n)
{
	ERR_pop_to_mark();
	if (n > 0)
		return n;
	if (!BIO_should_retry(bio))
		return 0;
	errno = EAGAIN;
	return -1;
}

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
	ssize_t n;

	if (fd != LINK_FD || flags != 0)
		abort();
	ERR_set_mark();
	n = result_of(
		accepted->inner, BIO_read(accepted->inner, buf, (int)len));
	ORACLE("SRV-344", !accepted->was_short, "it asks for %zu more", len);
	accepted->was_short = n > 0 && (size_t)n < len;
	if (n > 0)
		accepted->taken += (size_t)n;
	return n;
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
	ssize_t n;

	if (fd != LINK_FD || (flags & ~MSG_MORE) != MSG_NOSIGNAL)
		abort();
	accepted->has_more = (flags & MSG_MORE) != 0;
	ERR_set_mark();
	n = result_of(
		accepted->inner, BIO_write(accepted->inner, buf, (int)len));
	if (n != 0)
		return n;
	errno = EPIPE;
	return -1;
}

static enum lbp_alpn_choice ignore(void *user, const uint8_t *offered,
	size_t len, struct lbp_alpn_name *chosen)
{
	(void)user, (void)offered, (void)len, (void)chosen;
	return LBP_ALPN_IGNORED;
}

bool link_accept(struct link *link, struct tls_server *server, size_t buffer,
	size_t chunk)
{
	link->chunk = chunk;
	link->io = IO_WANT_READ;
	link->tls.choose = ignore;
	if (!tls_accept(&link->tls, server, LINK_FD))
		return false;
	if (BIO_new_bio_pair(&link->inner, buffer, &link->outer, buffer) != 1)
		abort();
	accepted = link;
	return true;
}

void link_connect(struct link *link, SSL *client)
{
	link->client = client;
	link->client_in = BIO_new(BIO_s_mem());
	link->client_out = BIO_new(BIO_s_mem());
	SSL_set_bio(client, link->client_in, link->client_out);
	SSL_set_app_data(client, link);
	SSL_set_info_callback(client, note_alert);
	SSL_set_connect_state(client);
}

static void client_read(struct link *link)
{
	uint8_t buf[4096];
	size_t n;

	while (SSL_read_ex(link->client, buf, sizeof(buf), &n) == 1) {
		for (size_t i = 0; i < n; i++) {
			if (buf[i] != link_byte(link->down_got))
				link->down_garbled = true;
			link->down_got++;
		}
	}
	switch (SSL_get_error(link->client, 0)) {
	case SSL_ERROR_WANT_READ:
		break;
	case SSL_ERROR_ZERO_RETURN:
		link->client_ended = true;
		break;
	default:
		link->client_failed = true;
		break;
	}
}

static void drive_client(struct link *link)
{
	int rc;

	if (link->client_failed)
		return;
	if (ERR_peek_error() != 0)
		ERR_clear_error();
	rc = SSL_do_handshake(link->client);
	/* What it says from here on may be an alert, encrypted as data are. */
	if (rc == 1 && link->up_needed == 0)
		link->up_needed =
			link->up.sent_len + BIO_ctrl_pending(link->client_out);
	if (rc == 1)
		client_read(link);
	else if (SSL_get_error(link->client, rc) != SSL_ERROR_WANT_READ)
		link->client_failed = true;
}

static size_t next_chunk(const struct link *link, const struct wire *wire)
{
	size_t left = wire->out_len - wire->given;

	return left < link->chunk ? left : link->chunk;
}

static bool carry_up(struct link *link)
{
	struct wire *wire = &link->up;
	uint8_t buf[4096];
	bool moved = false;
	size_t chunk;
	int n;

	while ((n = BIO_read(link->client_out, buf, sizeof(buf))) > 0) {
		wire_push(wire, buf, (size_t)n);
		moved = true;
	}
	chunk = next_chunk(link, wire);
	n = chunk == 0 ? 0
		       : BIO_write(link->outer, wire->out + wire->given,
				 (int)chunk);
	if (n > 0)
		wire->given += (size_t)n;
	return moved || n > 0;
}

static bool carry_down(struct link *link)
{
	struct wire *wire = &link->down;
	uint8_t buf[4096];
	bool moved = false;
	size_t chunk;
	int n;

	while ((n = BIO_read(link->outer, buf, sizeof(buf))) > 0) {
		if (link->client != NULL)
			wire_push(wire, buf, (size_t)n);
		moved = true;
	}
	if (moved) {
		pki_set_clock(pki_now + link->late_s);
		link->late_s = 0;
	}
	if (link->client == NULL)
		return moved;
	chunk = next_chunk(link, wire);
	if (chunk > 0)
		BIO_write(link->client_in, wire->out + wire->given, (int)chunk);
	wire->given += chunk;
	return moved || chunk > 0;
}

bool link_carry(struct link *link)
{
	bool moved = carry_down(link);

	if (link->client == NULL)
		return moved;
	drive_client(link);
	return carry_up(link) || moved;
}

void link_cut(struct link *link)
{
	BIO_shutdown_wr(link->outer);
}

/* OpenSSL keeps one queue of errors for all connections of a thread. */
void link_begin_call(struct link *link)
{
	link->was_short = false;
	if (link->others_fail)
		ERR_raise(ERR_LIB_SSL, SSL_R_BAD_PACKET);
}

static bool is_waiting(enum io io)
{
	return io == IO_WANT_READ || io == IO_WANT_WRITE || io == IO_YIELD;
}

void link_handshake(struct link *link)
{
	bool moved = true;

	for (unsigned i = 0; is_waiting(link->io) && moved; i++) {
		moved = link_carry(link);
		/* What this call writes, it does not depend on. */
		link->down_needed = link->down.sent_len;
		link_begin_call(link);
		link->io = tls_handshake(&link->tls);
		moved = moved || link->io == IO_WANT_WRITE;
		if (i > TURNS_MAX)
			abort();
	}
}

void link_check_refused(const struct link *link)
{
	ORACLE("SRV-9", link->io == IO_RESET, "result %d", link->io);
	ORACLE("SES-2",
		link->tls.reason >= LBP_REASON_HANDSHAKE_FAILED &&
			link->tls.reason <= LBP_REASON_BAD_CERTIFICATE,
		"reason %s", lbp_reason_text(link->tls.reason));
}

void link_settle(struct link *link)
{
	for (unsigned i = 0; link_carry(link); i++) {
		if (i > TURNS_MAX)
			abort();
	}
}

enum io link_read(struct link *link, size_t *len)
{
	uint8_t buf[777];
	bool moved = true;
	enum io io = IO_WANT_READ;
	size_t n;

	while (io == IO_OK || (is_waiting(io) && moved)) {
		moved = link_carry(link) || io == IO_YIELD;
		link_begin_call(link);
		link->taken = 0;
		link->tls.budget = READ_BUDGET;
		io = tls_read(&link->tls, buf, sizeof(buf), &n);
		ORACLE("SRV-87", link->taken <= READ_BUDGET,
			"%zu bytes of the socket", link->taken);
		for (size_t i = 0; io == IO_OK && i < n; i++, ++*len) {
			if (buf[i] != link_byte(*len))
				return IO_OK;
		}
	}
	return io;
}

enum io link_write(struct link *link, size_t len)
{
	static uint8_t buf[40000]; /* three records */
	bool moved = true;
	enum io io = IO_OK;
	size_t at = 0;
	size_t n;

	while (at < len && (io == IO_OK || (is_waiting(io) && moved))) {
		size_t part = len - at < sizeof(buf) ? len - at : sizeof(buf);

		for (size_t i = 0; i < part; i++)
			buf[i] = link_byte(at + i);
		link_begin_call(link);
		io = tls_write(&link->tls, buf, part, &n);
		at += io == IO_OK || io == IO_WANT_WRITE ? n : 0;
		ORACLE("SRV-147", io != IO_OK || !link->has_more,
			"what was written waits for more");
		moved = link_carry(link);
	}
	return io;
}

void link_release(struct link *link)
{
	tls_release(&link->tls);
	BIO_free(link->inner);
	BIO_free(link->outer);
	SSL_free(link->client);
}
