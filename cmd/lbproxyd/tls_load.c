/* The context towards clients, from the files that [tls] names. [SRV-3]. */
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

void tls_use_modes(SSL_CTX *ctx)
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
	tls_use_modes(server->ctx);
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
