/*
 * TLS in place of tls.c: what it says to the server and asks of the socket is
 * what OpenSSL does, and wire.h has what it puts on the wire.
 */
#include "../../cmd/lbproxyd/tls.h"
#include "../../cmd/lbproxyd/tls_memory.h"
#include "../../cmd/lbproxyd/tls_provider.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "inside.h"
#include "server/fault.h"
#include "wire.h"

/* As tls_bio.c says. */
#define RECORD_COST       1024
#define EMPTY_RECORDS_MAX 32

enum phase {
	AWAITS_HELLO,
	AWAITS_CERTIFICATE,
	AWAITS_VERDICT, /* towards an upstream: whether it is any good */
	FLUSHES,        /* its last message, to be open then */
	OPEN,
	FAILED,
};

struct ssl_st {
	enum phase phase;
	/* The record that is being read. */
	uint8_t in[WIRE_RECORD_MAX];
	size_t in_len;
	/* Data of the last one that nobody has taken. */
	size_t data_at;
	size_t data_len;
	bool has_closed;
	uint8_t out[4 * WIRE_RECORD_MAX];
	size_t out_len;
	/* Data that were taken and not yet written, to be offered again. */
	uint8_t retry[WIRE_PAYLOAD_MAX];
	size_t retry_len;
	bool must_write; /* an answer, before it can read on */
	bool has_ca;     /* of upstreams */
	unsigned serial; /* of the peer's certificate; 0: none yet */
	/* Of the client's certificate: its serial, and perhaps a URI. */
	struct lbp_name names[2];
	size_t name_len;
	char uri[64];
};

/* The list "revoked-N.crl" revokes the serial N, and that of its renewal. */
struct trust {
	unsigned revoked; /* 0: nothing */
};

struct tls_server {
	struct trust trust;
};

/* All upstreams have certificates of one CA. */
struct tls_client {
	unsigned holders;
	bool has_ca;
};

/* Says so if there is none. */
static void *no_memory(void *memory, struct problems *problems)
{
	if (memory == NULL)
		problem(problems, (struct lbp_config_pos){1, 1, 0},
			"out of memory");
	return memory;
}

struct tls_server *tls_server_new(
	const struct lbp_config *config, int dir_fd, struct problems *problems)
{
	const char *crl = config->cas[0].crl.ptr;
	struct tls_server *server =
		no_memory(calloc(1, sizeof(*server)), problems);

	(void)dir_fd;
	if (server != NULL && crl != NULL)
		server->trust.revoked =
			(unsigned)atoi(crl + strlen("revoked-"));
	return server;
}

void tls_server_free(struct tls_server *server)
{
	free(server);
}

void tls_server_number(
	const struct tls_server *server, struct lbp_config *config)
{
	(void)server, (void)config;
}

bool tls_server_revokes(
	const struct tls_server *server, const struct lbp_config_serial *serial)
{
	(void)server, (void)serial;
	return false;
}

/* There is no resumption, so the cache is but a mark. */
struct cache {
	char unused;
};

struct cache *tls_cache_new(void)
{
	return calloc(1, sizeof(struct cache));
}

void tls_cache_free(struct cache *cache)
{
	free(cache);
}

void tls_cache_purge(struct cache *cache, const struct tls_server *server)
{
	(void)cache, (void)server;
}

void tls_server_follow(struct tls_server *server, struct cache *cache,
	const struct tls_server *before)
{
	(void)server, (void)cache, (void)before;
}

static enum lbp_reason judge(const struct tls *tls)
{
	unsigned serial = tls->ssl->serial;

	return serial != 0 && serial == tls->trust->revoked ? LBP_REASON_REVOKED
							    : LBP_REASON_NONE;
}

int64_t tls_trusted_until(const struct tls *tls)
{
	(void)tls;
	return INT64_MAX;
}

enum lbp_reason tls_renew(struct tls *tls, const struct tls_server *server)
{
	tls->trust = &server->trust;
	return judge(tls);
}

struct tls_client *tls_client_new(const struct lbp_config_upstream *upstream,
	int dir_fd, struct problems *problems)
{
	struct tls_client *client =
		no_memory(calloc(1, sizeof(*client)), problems);

	(void)dir_fd;
	if (client != NULL)
		client->has_ca = strcmp(upstream->ca.ptr, "ca.pem") == 0;
	return client;
}

bool tls_client_accepts(const struct tls_client *client,
	const struct tls_client *before, const struct tls *tls)
{
	ORACLE("RLD-22", before->has_ca && tls->is_open,
		"it is judged before it is known");
	return client->has_ca;
}

struct tls_client *tls_client_hold(struct tls_client *client)
{
	if (client != NULL)
		client->holders++;
	return client;
}

void tls_client_free(struct tls_client *client)
{
	if (client == NULL || client->holders-- > 0)
		return;
	free(client);
}

/* Only OpenSSL hides that memory ran out. */
bool tls_memory_init(void)
{
	return true;
}

bool tls_memory_load_algorithms(void)
{
	return true;
}

bool tls_memory_ran_out(void)
{
	return false;
}

const char *tls_provider_name(void)
{
	return "none";
}

/* --- the socket --- */

static bool is_ours(int error)
{
	return lbp_fault_of_socket(error) == LBP_FAULT_OURS;
}

static enum io broken(const struct tls *tls)
{
	return is_ours(tls->error) ? IO_INTERNAL : IO_RESET;
}

/* Writes what is left; after an error it only seems to. */
static enum io flush(struct tls *tls)
{
	struct ssl_st *ssl = tls->ssl;

	while (ssl->out_len > 0 && tls->error == 0) {
		ssize_t n = send(tls->fd, ssl->out, ssl->out_len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return IO_WANT_WRITE;
		if (n < 0) {
			tls->error = errno;
			break;
		}
		ssl->out_len -= (size_t)n;
		memmove(ssl->out, ssl->out + n, ssl->out_len);
	}
	ssl->out_len = 0;
	return IO_OK;
}

static void put(
	struct tls *tls, enum wire_type type, const void *payload, size_t len)
{
	struct ssl_st *ssl = tls->ssl;
	uint8_t *out = ssl->out + ssl->out_len;

	if (ssl->out_len + WIRE_HEADER + len > sizeof(ssl->out))
		abort();
	out[0] = (uint8_t)type;
	out[1] = (uint8_t)(len >> 8);
	out[2] = (uint8_t)len;
	if (len > 0)
		memcpy(out + WIRE_HEADER, payload, len);
	ssl->out_len += WIRE_HEADER + len;
}

/* How long the record is that is being read, as far as is known. */
static size_t wanted(const struct ssl_st *ssl)
{
	if (ssl->in_len < WIRE_HEADER)
		return WIRE_HEADER;
	return WIRE_HEADER + ((size_t)ssl->in[1] << 8 | ssl->in[2]);
}

/* Why there is no record. */
static enum io obstacle(const struct tls *tls)
{
	if (tls->is_flood)
		return IO_FLOOD;
	if (tls->is_starved)
		return IO_YIELD;
	if (tls->error != 0)
		return broken(tls);
	if (tls->has_ended)
		return tls->takes_unclean_end && tls->is_open ? IO_END
							      : IO_TRUNCATED;
	return IO_WANT_READ;
}

static bool read_some(struct tls *tls, size_t most)
{
	struct ssl_st *ssl = tls->ssl;
	ssize_t n;

	if (most > tls->budget)
		most = tls->budget;
	if (tls->is_flood || most == 0) {
		tls->is_starved = true;
		return false;
	}
	do {
		n = recv(tls->fd, ssl->in + ssl->in_len, most, 0);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		tls->budget -= (size_t)n;
		ssl->in_len += (size_t)n;
	} else if (n == 0) {
		tls->has_ended = true;
	} else if (errno != EAGAIN) {
		tls->error = errno;
	}
	return n > 0;
}

static void note_record(struct tls *tls)
{
	tls->budget -= tls->budget < RECORD_COST ? tls->budget : RECORD_COST;
	tls->empty_records += tls->is_open;
	if (tls->empty_records > EMPTY_RECORDS_MAX)
		tls->is_flood = true;
}

/* Reads a whole record; IO_RESET without an error: it is none. */
static enum io get(struct tls *tls)
{
	struct ssl_st *ssl = tls->ssl;

	while (ssl->in_len < wanted(ssl)) {
		size_t had = ssl->in_len;

		if (!read_some(tls, wanted(ssl) - had))
			return obstacle(tls);
		if (had < WIRE_HEADER && ssl->in_len == WIRE_HEADER)
			note_record(tls);
		if (wanted(ssl) > sizeof(ssl->in))
			return IO_RESET;
	}
	ssl->in_len = 0;
	ssl->data_at = WIRE_HEADER;
	ssl->data_len = 0;
	return IO_OK;
}

/* --- the handshake --- */

static bool start(struct tls *tls, int fd, enum phase phase)
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
	tls->fd = fd;
	tls->ssl = calloc(1, sizeof(struct ssl_st));
	if (tls->ssl != NULL)
		tls->ssl->phase = phase;
	return tls->ssl != NULL;
}

bool tls_accept(struct tls *tls, struct tls_server *server, int fd)
{
	tls->trust = &server->trust;
	return start(tls, fd, AWAITS_HELLO);
}

bool tls_connect(struct tls *tls, const struct tls_client *client, int fd)
{
	if (!start(tls, fd, AWAITS_VERDICT))
		return false;
	tls->ssl->has_ca = client->has_ca;
	put(tls, WIRE_HELLO, NULL, 0);
	return true;
}

/* Refuses the peer, with an alert as far as it can be written. */
static enum io refuse(
	struct tls *tls, enum lbp_reason reason, const char *detail)
{
	if (tls->reason == LBP_REASON_NONE)
		tls->reason = reason;
	tls->detail = detail;
	tls->ssl->phase = FAILED;
	put(tls, WIRE_ALERT, NULL, 0);
	(void)flush(tls);
	return IO_RESET;
}

/* What a certificate has after its verdict; false: no serial. */
static bool take_names(struct ssl_st *ssl, const uint8_t *from, size_t len)
{
	size_t serial_len = len > 0 ? from[0] : 0;
	struct lbp_serial serial;

	if (serial_len + 1 > len ||
		lbp_serial_from_der(&serial, from + 1, serial_len) != LBP_OK)
		return false;
	ssl->names[0] = lbp_name_of_issued(&serial, 0);
	ssl->name_len = 1;
	len -= serial_len + 1;
	if (len == 0 || len >= sizeof(ssl->uri))
		return true;
	memcpy(ssl->uri, from + 1 + serial_len, len);
	ssl->uri[len] = '\0';
	ssl->names[1] = lbp_name_of_uri(ssl->uri);
	ssl->name_len = 2;
	return true;
}

static unsigned last_octet(const struct lbp_name *name)
{
	return name->serial.octets[name->serial.len - 1];
}

static enum io judge_client(struct tls *tls)
{
	struct ssl_st *ssl = tls->ssl;
	size_t len = (size_t)ssl->in[1] << 8 | ssl->in[2];
	enum lbp_reason verdict;

	if (len == 0)
		return refuse(tls, LBP_REASON_NO_CERTIFICATE,
			"peer did not return a certificate");
	verdict = (enum lbp_reason)ssl->in[WIRE_HEADER];
	if (verdict != LBP_REASON_NONE)
		return refuse(tls, verdict, "it is not trusted");
	if (!take_names(ssl, ssl->in + WIRE_HEADER + 1, len - 1))
		return refuse(
			tls, LBP_REASON_BAD_CERTIFICATE, "its serial is none");
	ssl->serial = last_octet(&ssl->names[0]) % WIRE_RENEWED;
	if (judge(tls) != LBP_REASON_NONE)
		return refuse(tls, judge(tls), "it is revoked");
	if (!tls->identify(tls->user, ssl->names, ssl->name_len))
		return refuse(tls, LBP_REASON_HANDSHAKE_FAILED,
			"it may not use the application");
	put(tls, WIRE_FINISHED, NULL, 0);
	ssl->phase = FLUSHES;
	return IO_OK;
}

/* As tls_alpn.c does. */
static bool speaks_with(struct tls *tls)
{
	struct ssl_st *ssl = tls->ssl;
	size_t len = (size_t)ssl->in[1] << 8 | ssl->in[2];
	struct lbp_alpn_name chosen;

	return len == 0 || tls->choose(tls->user, ssl->in + WIRE_HEADER, len,
				   &chosen) != LBP_ALPN_NONE;
}

/* A message came: what follows from it. */
static enum io advance(struct tls *tls)
{
	struct ssl_st *ssl = tls->ssl;

	if (ssl->phase == AWAITS_HELLO && ssl->in[0] == WIRE_HELLO) {
		uint8_t good = 0;

		if (!speaks_with(tls))
			return refuse(tls, LBP_REASON_NO_PROTOCOL,
				"no application protocol");
		put(tls, WIRE_HELLO, &good, 1);
		ssl->phase = AWAITS_CERTIFICATE;
		return IO_OK;
	}
	if (ssl->phase == AWAITS_CERTIFICATE && ssl->in[0] == WIRE_CERTIFICATE)
		return judge_client(tls);
	if (ssl->phase == AWAITS_VERDICT && ssl->in[0] == WIRE_HELLO) {
		if (ssl->in[WIRE_HEADER] != 0 || !ssl->has_ca)
			return refuse(tls, LBP_REASON_HANDSHAKE_FAILED,
				"certificate verify failed");
		put(tls, WIRE_FINISHED, NULL, 0);
		ssl->phase = FLUSHES;
		return IO_OK;
	}
	if (ssl->in[0] == WIRE_NOTHING)
		return IO_OK;
	return refuse(tls, LBP_REASON_HANDSHAKE_FAILED, "unexpected message");
}

static enum io failed(struct tls *tls, enum io io)
{
	if (tls->reason == LBP_REASON_NONE)
		tls->reason = io == IO_INTERNAL ? LBP_REASON_INTERNAL
						: LBP_REASON_HANDSHAKE_FAILED;
	if (tls->detail == NULL)
		tls->detail = io == IO_TRUNCATED
				      ? "the peer closed the connection"
			      : tls->error != 0 ? strerror(tls->error)
						: "the handshake failed";
	return io == IO_INTERNAL ? io : IO_RESET;
}

enum io tls_handshake(struct tls *tls)
{
	struct ssl_st *ssl = tls->ssl;
	enum io io;

	ORACLE("SRV-8", ssl != NULL && !tls->is_open, "a handshake too many");
	for (;;) {
		io = flush(tls);
		if (io != IO_OK)
			return io;
		if (ssl->phase == FLUSHES)
			break;
		io = get(tls);
		if (io == IO_OK)
			io = advance(tls);
		if (io == IO_WANT_READ || io == IO_WANT_WRITE)
			return io;
		if (io != IO_OK)
			return failed(tls, io);
	}
	if (tls->error != 0 && is_ours(tls->error))
		return failed(tls, IO_INTERNAL);
	ssl->phase = OPEN;
	tls->is_open = true;
	return IO_OK;
}

/* --- data --- */

/* A record of an open connection; IO_OK: go on. */
static enum io take_record(struct tls *tls)
{
	struct ssl_st *ssl = tls->ssl;

	switch (ssl->in[0]) {
	case WIRE_DATA:
		ssl->data_len = (size_t)ssl->in[1] << 8 | ssl->in[2];
		return IO_OK;
	case WIRE_CLOSE:
		ssl->has_closed = true;
		return IO_END;
	case WIRE_UPDATE:
		/* After its own end OpenSSL answers nothing. */
		ssl->must_write = ssl->phase == OPEN;
		return IO_OK;
	case WIRE_NOTHING:
		return IO_OK;
	default:
		tls->detail = "unexpected record";
		return IO_RESET;
	}
}

static enum io answer(struct tls *tls)
{
	struct ssl_st *ssl = tls->ssl;
	enum io io;

	if (!ssl->must_write)
		return IO_OK;
	if (ssl->out_len == 0)
		put(tls, WIRE_NOTHING, NULL, 0);
	io = flush(tls);
	ssl->must_write = io != IO_OK;
	return io;
}

enum io tls_read(struct tls *tls, void *buf, size_t len, size_t *n)
{
	struct ssl_st *ssl = tls->ssl;
	enum io io = IO_OK;

	ORACLE("SRV-16", ssl != NULL && tls->is_open, "a read too early");
	tls->is_starved = false;
	if (ssl->has_closed)
		return IO_END;
	while (ssl->data_len == 0) {
		/* What is half written comes first. */
		if (ssl->retry_len == 0)
			io = answer(tls);
		if (io == IO_OK)
			io = get(tls);
		if (io == IO_OK)
			io = take_record(tls);
		if (io != IO_OK)
			return io;
	}
	*n = len < ssl->data_len ? len : ssl->data_len;
	memcpy(buf, ssl->in + ssl->data_at, *n);
	ssl->data_at += *n;
	ssl->data_len -= *n;
	tls->empty_records = 0;
	return tls->is_flood ? IO_FLOOD : IO_OK;
}

static enum io written(const struct tls *tls)
{
	return tls->error == 0 ? IO_OK : broken(tls);
}

enum io tls_write(struct tls *tls, const void *buf, size_t len, size_t *n)
{
	struct ssl_st *ssl = tls->ssl;
	enum io io;

	ORACLE("SRV-16", ssl != NULL && tls->is_open, "a write too early");
	/* OpenSSL refuses other bytes, and fewer, than it has taken. */
	ORACLE("SRV-16",
		len >= ssl->retry_len &&
			memcmp(buf, ssl->retry, ssl->retry_len) == 0,
		"other bytes than those that could not be written");
	if (ssl->retry_len == 0) {
		io = flush(tls);
		if (io != IO_OK)
			return io;
		ssl->retry_len =
			len < WIRE_PAYLOAD_MAX ? len : WIRE_PAYLOAD_MAX;
		memcpy(ssl->retry, buf, ssl->retry_len);
		put(tls, WIRE_DATA, buf, ssl->retry_len);
	}
	io = flush(tls);
	if (io != IO_OK)
		return io;
	*n = ssl->retry_len;
	ssl->retry_len = 0;
	return written(tls);
}

enum io tls_end(struct tls *tls)
{
	struct ssl_st *ssl = tls->ssl;
	enum io io;

	ORACLE("SRV-16", ssl != NULL && tls->is_open, "an end too early");
	if (ssl->phase == OPEN) {
		io = flush(tls);
		if (io != IO_OK)
			return io;
		put(tls, WIRE_CLOSE, NULL, 0);
		ssl->phase = FLUSHES;
		ssl->must_write = false;
	}
	io = flush(tls);
	return io == IO_OK ? written(tls) : io;
}

bool tls_has_pending(const struct tls *tls)
{
	return tls->ssl->data_len > 0;
}

void tls_admitted(struct tls *tls, uint32_t client)
{
	tls->client = client;
}

bool tls_is_resumed(const struct tls *tls)
{
	(void)tls;
	return false;
}

bool tls_describe(const struct tls *tls, struct tls_description *description)
{
	(void)tls;
	*description = (struct tls_description){.cipher = "TLS_TEST"};
	/* It allocates a part of the client's certificate. */
	return FAULT(ENOMEM) == 0;
}

const char *tls_version(const struct tls *tls)
{
	return tls->ssl == NULL ? NULL : "TLSv1.3";
}

void tls_release(struct tls *tls)
{
	free(tls->ssl);
	tls->ssl = NULL;
}
