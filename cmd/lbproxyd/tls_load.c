/* Contexts from the files that the configuration names. [SRV-3]. */
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "server/hello.h"
#include "tls_alpn.h"
#include "tls_bio.h"
#include "tls_cas.h"
#include "tls_groups.h"
#include "tls_identity.h"
#include "tls_judge.h"
#include "tls_list.h"
#include "tls_path.h"
#include "tls_private.h"
#include "tls_resume.h"
#include "tls_verify.h"

#define ACCEPTED_CAS "a PEM file with one or more CA certificates"

/*
 * Buffers are held only while in use; writes may be partial. The chain that is
 * sent is the one in the file: otherwise OpenSSL would look for the rest of it
 * among the clients' CAs, in every handshake.
 */
static void set_modes(SSL_CTX *ctx)
{
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS |
				      SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_COMPRESSION |
					 SSL_OP_NO_TICKET);
	SSL_CTX_set_read_ahead(ctx, 1);
}

struct tls_server *tls_server_new(
	const struct lbp_config *config, int dir_fd, struct problems *problems)
{
	const struct tls_identity identity = {
		.certificate_key = "tls.certificate",
		.private_key_key = "tls.private_key",
		.certificate = &config->certificate,
		.private_key = &config->private_key,
		.role = TLS_JUDGE_SERVER,
	};
	struct tls_server *server = calloc(1, sizeof(*server));
	unsigned before = problems->count;
	const X509 *leaf;

	if (server != NULL && tls_bio_init() && tls_path_init()) {
		server->ctx = SSL_CTX_new(TLS_server_method());
		server->trust = trust_new();
	}
	if (server == NULL || server->ctx == NULL || server->trust == NULL) {
		problem(problems, config->certificate.pos, "out of memory");
		tls_server_free(server);
		return NULL;
	}
	SSL_CTX_set_min_proto_version(server->ctx,
		config->min_version == LBP_TLS_1_3 ? TLS1_3_VERSION
						   : TLS1_2_VERSION);
	SSL_CTX_set_options(server->ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	set_modes(server->ctx);
	tls_resume_install(server);
	tls_alpn_use(server->ctx);
	/* No client has a ticket that allows early data. [SRV-145]. */
	SSL_CTX_set_recv_max_early_data(server->ctx, 0);
	SSL_CTX_set_max_cert_list(server->ctx, LBP_CERTS_BYTES_MAX);
	tls_use_identity(server->ctx, &identity, dir_fd, problems);
	tls_use_cas(server, config, dir_fd, problems);
	leaf = SSL_CTX_get0_certificate(server->ctx);
	tls_list_use_ciphers(server->ctx, config,
		leaf != NULL ? X509_get0_pubkey(leaf) : NULL, problems);
	tls_use_groups(server->ctx, config, problems);
	if (!tls_use_signatures(server->ctx))
		problem(problems, config->certificate.pos, "out of memory");
	tls_verify_install(server);
	if (problems->count == before)
		return server;
	tls_server_free(server);
	return NULL;
}

void tls_server_free(struct tls_server *server)
{
	if (server == NULL)
		return;
	SSL_CTX_free(server->ctx);
	trust_free(server->trust);
	free(server);
}

static void use_upstream_ca(SSL_CTX *ctx, const struct lbp_config_text *path,
	int dir_fd, struct problems *problems)
{
	const struct tls_file file = {
		.key = "app.upstream.ca",
		.path = path,
		.dir_fd = dir_fd,
		.problems = problems,
		.kinds = TLS_FILE_CERTS,
		.accepted = ACCEPTED_CAS,
	};
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	char why[TLS_JUDGE_WHY_MAX];
	struct tls_parts cas;
	size_t i;

	if (!tls_file_read(&file, &cas))
		return;
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	for (i = 0; i < cas.len; i++) {
		const struct tls_part *part = &cas.items[i];

		if (!tls_judge_strength(ctx, part->cert, why))
			tls_file_problem(&file,
				"has a certificate on line %u %s", part->line,
				why);
		else if (X509_STORE_add_cert(store, part->cert) != 1)
			tls_file_problem(&file, "cannot be used: %s",
				tls_file_reason("unknown reason"));
		else
			tls_judge_warn_signer(&file, part);
	}
	tls_judge_warn_last(&file, &cas);
	tls_parts_release(&cas);
}

static bool is_ip_address(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET, text, &address) == 1 ||
	       inet_pton(AF_INET6, text, &address) == 1;
}

struct tls_client *tls_client_new(const struct lbp_config_upstream *upstream,
	int dir_fd, struct problems *problems)
{
	const struct tls_identity identity = {
		.certificate_key = "app.upstream.certificate",
		.private_key_key = "app.upstream.private_key",
		.certificate = &upstream->certificate,
		.private_key = &upstream->private_key,
		.role = TLS_JUDGE_CLIENT,
	};
	struct tls_client *client = calloc(1, sizeof(*client));
	unsigned before = problems->count;

	if (client != NULL)
		atomic_init(&client->holders, 1);
	if (client != NULL && tls_bio_init()) {
		client->ctx = SSL_CTX_new(TLS_client_method());
		client->server_name = strdup(upstream->server_name.ptr);
	}
	if (client == NULL || client->ctx == NULL ||
		client->server_name == NULL) {
		problem(problems, upstream->url.pos, "out of memory");
		tls_client_free(client);
		return NULL;
	}
	client->is_name = !is_ip_address(client->server_name);
	SSL_CTX_set_min_proto_version(client->ctx, TLS1_2_VERSION);
	set_modes(client->ctx);
	if (!tls_use_upstream_groups(client->ctx))
		problem(problems, upstream->url.pos, "out of memory");
	SSL_CTX_set_verify(client->ctx, SSL_VERIFY_PEER, NULL);
	use_upstream_ca(client->ctx, &upstream->ca, dir_fd, problems);
	if (upstream->certificate.ptr != NULL) {
		tls_use_identity(client->ctx, &identity, dir_fd, problems);
	}
	if (problems->count == before)
		return client;
	tls_client_free(client);
	return NULL;
}

struct tls_client *tls_client_hold(struct tls_client *client)
{
	if (client != NULL)
		atomic_fetch_add(&client->holders, 1);
	return client;
}

void tls_client_free(struct tls_client *client)
{
	if (client == NULL || atomic_fetch_sub(&client->holders, 1) > 1)
		return;
	SSL_CTX_free(client->ctx);
	free(client->server_name);
	free(client);
}
