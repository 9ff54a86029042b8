/*
 * A TLS peer that sends records as no library would: after an honest handshake
 * it takes the keys and writes record after record itself. For itests, which
 * compile it.
 *
 * usage: flood connect PORT VERSION KIND COUNT CA CERTIFICATE KEY
 *        flood accept  PORT VERSION KIND COUNT CERTIFICATE KEY
 *
 * VERSION is 1.2 or 1.3. KIND says what is sent COUNT times; see kinds below.
 * To accept, it prints "listening" and takes one connection. It ends with 0
 * when all is sent or the connection has broken, whatever was said.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

enum {
	ALERT = 21,
	HANDSHAKE = 22,
	DATA = 23,
	KEY_LEN = 16,
	SECRET_LEN = 32,
	TAG_LEN = 16
};

static struct {
	bool is_13;
	bool is_server;
	uint8_t secret[SECRET_LEN]; /* of TLS 1.3 */
	uint8_t key[KEY_LEN];
	uint8_t iv[12]; /* of TLS 1.2 the first four only */
	uint64_t seq;
	int fd;
	uint8_t out[65536]; /* not written yet */
	size_t out_len;
} peer;

struct kind {
	const char *name;
	uint8_t type;
	uint8_t content[40];
	size_t len;
	unsigned data_after; /* a byte of data after so many; 0: never */
};

static const struct kind kinds[] = {
	{"update", HANDSHAKE, {24, 0, 0, 1, 0}, 5, 0},
	{"update-asked", HANDSHAKE, {24, 0, 0, 1, 1}, 5, 0},
	{"update-and-data", HANDSHAKE, {24, 0, 0, 1, 0}, 5, 20},
	{"empty", DATA, {0}, 0, 0},
	{"warning", ALERT, {1, 90}, 2, 0},
	{"hello", HANDSHAKE, {1, 0, 0, 0}, 4, 0},
	{"byte", DATA, {'x'}, 1, 0},
	{"ticket", HANDSHAKE,
		{4, 0, 0, 15, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 'x', 0, 0},
		19, 0},
};

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "flood: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

/* What broke the connection is the other side's business. */
static void flush(void)
{
	size_t done = 0;

	while (done < peer.out_len) {
		ssize_t n =
			write(peer.fd, peer.out + done, peer.out_len - done);

		if (n <= 0)
			exit(0);
		done += (size_t)n;
	}
	peer.out_len = 0;
}

static void derive(
	const char *kdf_name, OSSL_PARAM *params, uint8_t *out, size_t len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, kdf_name, NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);

	if (ctx == NULL || EVP_KDF_derive(ctx, out, len, params) != 1)
		die("cannot derive keys");
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

/* HKDF-Expand-Label of RFC 8446, 7.1, without a context. */
static void expand(const char *label, uint8_t *out, size_t len)
{
	uint8_t info[64];
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	size_t label_len = strlen(label);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_construct_utf8_string(
			OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_KEY, peer.secret, SECRET_LEN),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_INFO, info, label_len + 10),
		OSSL_PARAM_construct_end()};

	info[0] = 0;
	info[1] = (uint8_t)len;
	info[2] = (uint8_t)(label_len + 6);
	memcpy(info + 3, "tls13 ", 6);
	memcpy(info + 9, label, label_len);
	info[9 + label_len] = 0;
	derive("HKDF", params, out, len);
}

static void use_secret(void)
{
	expand("key", peer.key, KEY_LEN);
	expand("iv", peer.iv, sizeof(peer.iv));
	peer.seq = 0;
}

static void update_secret(void)
{
	uint8_t next[SECRET_LEN];

	expand("traffic upd", next, SECRET_LEN);
	memcpy(peer.secret, next, SECRET_LEN);
	use_secret();
}

static void note_secret(const SSL *ssl, const char *line)
{
	const char *want = peer.is_server ? "SERVER_TRAFFIC_SECRET_0 "
					  : "CLIENT_TRAFFIC_SECRET_0 ";
	const char *hex;

	(void)ssl;
	if (strncmp(line, want, strlen(want)) != 0)
		return;
	hex = strrchr(line, ' ') + 1;
	for (size_t i = 0; i < SECRET_LEN; i++)
		sscanf(hex + 2 * i, "%2hhx", &peer.secret[i]);
}

/* The keys of TLS 1.2: RFC 5246, 6.3. */
static void use_master(SSL *ssl)
{
	uint8_t master[48], seed[64], block[2 * KEY_LEN + 8];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(
			OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_SECRET, master, sizeof(master)),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_SEED, (char *)"key expansion", 13),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_SEED, seed, sizeof(seed)),
		OSSL_PARAM_construct_end()};

	SSL_SESSION_get_master_key(
		SSL_get_session(ssl), master, sizeof(master));
	SSL_get_server_random(ssl, seed, 32);
	SSL_get_client_random(ssl, seed + 32, 32);
	derive("TLS1-PRF", params, block, sizeof(block));
	memcpy(peer.key, block + (peer.is_server ? KEY_LEN : 0), KEY_LEN);
	memcpy(peer.iv, block + 2 * KEY_LEN + (peer.is_server ? 4 : 0), 4);
	peer.seq = 1; /* Finished was the first. */
}

/* Returns where the tag ends. */
static uint8_t *seal(const uint8_t *nonce, const uint8_t *aad, int aad_len,
	const uint8_t *in, int len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	if (ctx == NULL ||
		EVP_EncryptInit_ex(
			ctx, EVP_aes_128_gcm(), NULL, peer.key, nonce) != 1 ||
		EVP_EncryptUpdate(ctx, NULL, &n, aad, aad_len) != 1 ||
		EVP_EncryptUpdate(ctx, out, &n, in, len) != 1 ||
		EVP_EncryptFinal_ex(ctx, out + len, &n) != 1 ||
		EVP_CIPHER_CTX_ctrl(
			ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN, out + len) != 1)
		die("cannot encrypt");
	EVP_CIPHER_CTX_free(ctx);
	return out + len + TAG_LEN;
}

static void put_seq(uint8_t *out)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(peer.seq >> (56 - 8 * i));
}

static void put_header(uint8_t *out, uint8_t type, size_t len)
{
	out[0] = type;
	out[1] = out[2] = 3;
	out[3] = (uint8_t)(len >> 8);
	out[4] = (uint8_t)len;
}

static void send_13(uint8_t type, const uint8_t *content, size_t len)
{
	uint8_t *out = peer.out + peer.out_len;
	uint8_t inner[64], nonce[12] = {0};

	memcpy(inner, content, len);
	inner[len++] = type;
	put_seq(nonce + 4);
	for (int i = 0; i < 12; i++)
		nonce[i] ^= peer.iv[i];
	put_header(out, DATA, len + TAG_LEN);
	seal(nonce, out, 5, inner, (int)len, out + 5);
	peer.out_len += 5 + len + TAG_LEN;
}

static void send_12(uint8_t type, const uint8_t *content, size_t len)
{
	uint8_t *out = peer.out + peer.out_len;
	uint8_t nonce[12], aad[13];

	memcpy(nonce, peer.iv, 4);
	put_seq(nonce + 4);
	put_seq(aad);
	put_header(aad + 8, type, len);
	put_header(out, type, 8 + len + TAG_LEN);
	put_seq(out + 5);
	seal(nonce, aad, sizeof(aad), content, (int)len, out + 13);
	peer.out_len += 13 + len + TAG_LEN;
}

static void send_record(uint8_t type, const uint8_t *content, size_t len)
{
	if (peer.out_len > sizeof(peer.out) - 256)
		flush();
	if (peer.is_13)
		send_13(type, content, len);
	else
		send_12(type, content, len);
	peer.seq++;
	if (type == HANDSHAKE && content[0] == 24)
		update_secret();
}

static int take_connection(uint16_t port, bool accepts)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;

	if (fd < 0)
		die("no socket");
	if (!accepts) {
		if (connect(fd, (struct sockaddr *)&in, sizeof(in)) != 0)
			die("cannot connect");
		return fd;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) != 0 ||
		listen(fd, 16) != 0)
		die("cannot listen");
	puts("listening");
	fflush(stdout);
	return accept(fd, NULL, NULL);
}

static SSL_CTX *make_context(const char *cert, const char *key)
{
	int version = peer.is_13 ? TLS1_3_VERSION : TLS1_2_VERSION;
	SSL_CTX *ctx = SSL_CTX_new(
		peer.is_server ? TLS_server_method() : TLS_client_method());

	if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		die("cannot use the certificate");
	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES128-GCM-SHA256");
	SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
	SSL_CTX_set_options(ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_keylog_callback(ctx, note_secret);
	return ctx;
}

static void shake_hands(SSL_CTX *ctx)
{
	SSL *ssl = SSL_new(ctx);

	SSL_set_fd(ssl, peer.fd);
	if (peer.is_server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	if (SSL_do_handshake(ssl) != 1)
		die("no handshake");
	if (peer.is_13)
		use_secret();
	else
		use_master(ssl);
}

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	die("no such kind");
}

static void flood(const struct kind *kind, unsigned long count)
{
	static const uint8_t data[] = {'x'};

	for (unsigned long i = 1; i <= count; i++) {
		send_record(kind->type, kind->content, kind->len);
		if (kind->data_after > 0 && i % kind->data_after == 0)
			send_record(DATA, data, sizeof(data));
	}
	flush();
}

int main(int argc, char **argv)
{
	const struct kind *kind;
	char byte;

	if (argc < 8)
		die("bad usage");
	signal(SIGPIPE, SIG_IGN);
	peer.is_server = strcmp(argv[1], "accept") == 0;
	peer.is_13 = strcmp(argv[3], "1.3") == 0;
	kind = find_kind(argv[4]);
	peer.fd = take_connection((uint16_t)atoi(argv[2]), peer.is_server);
	shake_hands(make_context(
		argv[peer.is_server ? 6 : 7], argv[peer.is_server ? 7 : 8]));
	flood(kind, strtoul(argv[5], NULL, 10));
	/* Until the other side ends it. */
	while (read(peer.fd, &byte, 1) > 0)
		continue;
	return 0;
}
