/*
 * floor: what OpenSSL alone takes for the server's half of the benchmark's
 * work, client and server in one thread with memory between them: no proxy
 * that uses it can be below. Prints the nanoseconds of processor time of the
 * server's calls for one operation: a handshake with 16 bytes each way and a
 * clean end, or a byte, in records of 16 KiB.
 *
 * usage: floor DIRECTORY 1.2|1.3 full|resume|up|down COUNT
 * DIRECTORY has ca.pem, server.pem, server.key, client.pem and client.key.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

enum {
	RECORD_BYTES = 16384,
	SMALL_BYTES = 16
};

struct ends {
	SSL *server;
	SSL *client;
	uint64_t server_ns;
};

static SSL_SESSION *kept;
static unsigned char bytes[RECORD_BYTES];

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "floor: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static uint64_t cpu_ns(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
	return (uint64_t)at.tv_sec * 1000000000U + (uint64_t)at.tv_nsec;
}

static int keep(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(kept);
	kept = session;
	return 1;
}

static SSL_CTX *make_ctx(const char *directory, const char *who, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	char ca[4096], certificate[4096], key[4096];

	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", directory);
	(void)snprintf(
		certificate, sizeof(certificate), "%s/%s.pem", directory, who);
	(void)snprintf(key, sizeof(key), "%s/%s.key", directory, who);
	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, version) ||
		!SSL_CTX_set_max_proto_version(ctx, version) ||
		!SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384") ||
		!SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM+AES256") ||
		!SSL_CTX_set1_groups_list(ctx, "X25519:P-256") ||
		!SSL_CTX_load_verify_locations(ctx, ca, NULL) ||
		!SSL_CTX_use_certificate_chain_file(ctx, certificate) ||
		!SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) ||
		!SSL_CTX_set_session_id_context(
			ctx, (const unsigned char *)"floor", 5))
		die("TLS set-up");
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_verify(
		ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return ctx;
}

static void connect_ends(struct ends *ends, SSL_CTX *server, SSL_CTX *client)
{
	BIO *to_server = BIO_new(BIO_s_mem());
	BIO *to_client = BIO_new(BIO_s_mem());
	uint64_t began_ns = cpu_ns();

	ends->server = SSL_new(server);
	ends->server_ns += cpu_ns() - began_ns;
	ends->client = SSL_new(client);
	if (!to_server || !to_client || !ends->server || !ends->client)
		die("memory");
	(void)BIO_set_mem_eof_return(to_server, -1);
	(void)BIO_set_mem_eof_return(to_client, -1);
	(void)BIO_up_ref(to_server);
	(void)BIO_up_ref(to_client);
	SSL_set_bio(ends->server, to_server, to_client);
	SSL_set_bio(ends->client, to_client, to_server);
	SSL_set_accept_state(ends->server);
	SSL_set_connect_state(ends->client);
}

/* Whether it is done; asked at once, for both ends share what would say. */
static bool step(SSL *ssl)
{
	int ret = SSL_do_handshake(ssl);

	if (ret != 1 && SSL_get_error(ssl, ret) != SSL_ERROR_WANT_READ)
		die("handshake");
	return ret == 1;
}

static void shake_hands(struct ends *ends)
{
	bool done = false;

	while (!done) {
		uint64_t began_ns;

		done = step(ends->client);
		began_ns = cpu_ns();
		done = step(ends->server) && done;
		ends->server_ns += cpu_ns() - began_ns;
	}
}

static void move_up(struct ends *ends, size_t len)
{
	uint64_t began_ns;
	size_t n;

	if (SSL_write_ex(ends->client, bytes, len, &n) != 1)
		die("write");
	began_ns = cpu_ns();
	if (SSL_read_ex(ends->server, bytes, len, &n) != 1 || n != len)
		die("read");
	ends->server_ns += cpu_ns() - began_ns;
}

static void move_down(struct ends *ends, size_t len)
{
	uint64_t began_ns = cpu_ns();
	size_t n;

	if (SSL_write_ex(ends->server, bytes, len, &n) != 1)
		die("write");
	ends->server_ns += cpu_ns() - began_ns;
	if (SSL_read_ex(ends->client, bytes, len, &n) != 1 || n != len)
		die("read");
}

static void end(struct ends *ends)
{
	uint64_t began_ns;

	(void)SSL_shutdown(ends->client);
	began_ns = cpu_ns();
	(void)SSL_shutdown(ends->server);
	SSL_free(ends->server);
	ends->server_ns += cpu_ns() - began_ns;
	SSL_free(ends->client);
}

/* One connection; whether it resumed. */
static bool converse(
	struct ends *ends, SSL_CTX *server, SSL_CTX *client, bool resumes)
{
	bool resumed;

	connect_ends(ends, server, client);
	if (resumes && kept && !SSL_set_session(ends->client, kept))
		die("SSL_set_session");
	shake_hands(ends);
	resumed = SSL_session_reused(ends->client);
	move_up(ends, SMALL_BYTES);
	move_down(ends, SMALL_BYTES);
	end(ends);
	return resumed;
}

static void run_handshakes(struct ends *ends, SSL_CTX *server, SSL_CTX *client,
	bool resumes, uint64_t count)
{
	(void)converse(ends, server, client, false);
	ends->server_ns = 0;
	for (uint64_t i = 0; i < count; i++) {
		if (converse(ends, server, client, resumes) != resumes)
			die(resumes ? "not resumed" : "resumed");
	}
}

static void run_bytes(struct ends *ends, SSL_CTX *server, SSL_CTX *client,
	bool up, uint64_t count)
{
	connect_ends(ends, server, client);
	shake_hands(ends);
	move_up(ends, SMALL_BYTES);
	move_down(ends, SMALL_BYTES);
	ends->server_ns = 0;
	for (uint64_t i = 0; i < count; i += RECORD_BYTES) {
		if (up)
			move_up(ends, RECORD_BYTES);
		else
			move_down(ends, RECORD_BYTES);
	}
}

int main(int argc, char **argv)
{
	struct ends ends = {0};
	SSL_CTX *server, *client;
	uint64_t count = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;
	int version;

	if (count == 0) {
		(void)fprintf(stderr, "usage: floor DIRECTORY 1.2|1.3 "
				      "full|resume|up|down COUNT\n");
		return 2;
	}
	version = strcmp(argv[2], "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
	server = make_ctx(argv[1], "server", version);
	client = make_ctx(argv[1], "client", version);
	SSL_CTX_set_session_cache_mode(
		client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(client, keep);
	if (strcmp(argv[3], "up") == 0 || strcmp(argv[3], "down") == 0)
		run_bytes(&ends, server, client, argv[3][0] == 'u', count);
	else
		run_handshakes(&ends, server, client,
			strcmp(argv[3], "resume") == 0, count);
	(void)printf("%.4f\n", (double)ends.server_ns / (double)count);
	return 0;
}
