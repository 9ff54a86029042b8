/* Contexts from the files that the configuration names. [SRV-3]. */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>

#include "server/hello.h"
#include "tls_bio.h"
#include "tls_groups.h"
#include "tls_judge.h"
#include "tls_list.h"
#include "tls_private.h"
#include "tls_resume.h"
#include "tls_verify.h"

/* TLS sessions that may be resumed at most. [SRV-69]. */
#define CACHE_SESSIONS 4096

#define ACCEPTED_CHAIN                                                         \
	"a PEM file with the certificates of a chain, leaf first, each "       \
	"issued "                                                              \
	"by the next"
#define ACCEPTED_KEY                                                           \
	"a PEM file with one private key without passphrase: RSA of 2048 "     \
	"bits "                                                                \
	"or more, ECDSA on P-256, P-384 or P-521, Ed25519 or Ed448"
#define ACCEPTED_CA  "a PEM file with exactly one CA certificate"
#define ACCEPTED_CRL "a PEM file with whole revocation lists of tls.client_ca"
#define ACCEPTED_CAS "a PEM file with one or more CA certificates"

/* A certificate chain and its key, and what it is for. */
struct identity {
	const char *certificate_key; /* the keys' names */
	const char *private_key_key;
	const struct lbp_config_text *certificate;
	const struct lbp_config_text *private_key;
	enum tls_judge_role role;
};

/* OpenSSL's reason for the last failure, as short as it has it. */
static const char *reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text != NULL ? text : "unknown reason";
}

/* A private key that needs a passphrase is a fault, not a question. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* Certificate and key may be in one file, which both keys name. */
static bool is_combined(const struct identity *identity, int dir_fd)
{
	struct stat one, other;

	return fstatat(dir_fd, identity->certificate->ptr, &one, 0) == 0 &&
	       fstatat(dir_fd, identity->private_key->ptr, &other, 0) == 0 &&
	       one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* Puts a certificate into a context: the leaf, or one above it. */
static bool use_certificate(SSL_CTX *ctx, const struct tls_file *file,
	const struct tls_parts *chain, size_t i)
{
	const struct tls_part *part = &chain->items[i];
	char why[TLS_JUDGE_WHY_MAX];

	ERR_clear_error();
	if (!tls_judge_key(X509_get0_pubkey(part->cert), why)) {
		tls_file_problem(file, "has a certificate in line %u %s",
			part->line, why);
		return false;
	}
	if (i == 0 ? SSL_CTX_use_certificate(ctx, part->cert) == 1
		   : SSL_CTX_add1_chain_cert(ctx, part->cert) == 1)
		return true;
	tls_file_problem(file,
		"has a certificate in line %u that cannot be used: %s",
		part->line, reason());
	return false;
}

static bool is_in_order(
	const struct tls_file *file, const struct tls_parts *chain, size_t i)
{
	const struct tls_part *part = &chain->items[i];
	char why[TLS_JUDGE_WHY_MAX];
	size_t k;

	for (k = 0; k < i; k++) {
		if (X509_cmp(chain->items[k].cert, part->cert) != 0)
			continue;
		tls_file_problem(file,
			"has the certificate of line %u again in line %u",
			chain->items[k].line, part->line);
		return false;
	}
	if (i == 0 ||
		tls_judge_issuer(chain->items[i - 1].cert, part->cert, why))
		return true;
	tls_file_problem(file,
		"has a certificate in line %u that did not issue the one "
		"before it: %s",
		part->line, why);
	return false;
}

static bool use_chain(SSL_CTX *ctx, const struct identity *identity, int dir_fd,
	struct problems *problems)
{
	const struct tls_file file = {
		.key = identity->certificate_key,
		.path = identity->certificate,
		.dir_fd = dir_fd,
		.problems = problems,
		.kinds = TLS_FILE_CERTS,
		.others = is_combined(identity, dir_fd) ? TLS_FILE_KEYS : 0,
		.accepted = ACCEPTED_CHAIN,
	};
	struct tls_parts chain;
	bool ok = true;
	size_t i;

	if (!tls_file_read(&file, &chain))
		return false;
	for (i = 0; i < chain.len && ok; i++)
		ok = is_in_order(&file, &chain, i) &&
		     use_certificate(ctx, &file, &chain, i);
	if (ok)
		tls_judge_warn_chain(&file, &chain, identity->role);
	tls_parts_release(&chain);
	return ok;
}

/* leaf is NULL if there is none that the key could belong to. */
static void use_key(SSL_CTX *ctx, const struct identity *identity,
	const X509 *leaf, int dir_fd, struct problems *problems)
{
	const struct tls_file file = {
		.key = identity->private_key_key,
		.path = identity->private_key,
		.dir_fd = dir_fd,
		.problems = problems,
		.kinds = TLS_FILE_KEYS,
		.others = is_combined(identity, dir_fd) ? TLS_FILE_CERTS : 0,
		.accepted = ACCEPTED_KEY,
	};
	char why[TLS_JUDGE_WHY_MAX];
	const struct tls_part *part;
	struct tls_parts keys;

	if (!tls_file_read(&file, &keys))
		return;
	part = &keys.items[0];
	if (keys.len > 1)
		tls_file_problem(&file, "has another private key in line %u",
			keys.items[1].line);
	else if (!tls_judge_key(part->pkey, why))
		tls_file_problem(&file, "has a private key in line %u %s",
			part->line, why);
	else if (leaf != NULL && X509_check_private_key(leaf, part->pkey) != 1)
		tls_file_problem(&file,
			"does not belong to %s, whose leaf has "
			"another key",
			identity->certificate_key);
	else if (leaf != NULL && SSL_CTX_use_PrivateKey(ctx, part->pkey) != 1)
		tls_file_problem(&file, "cannot be used: %s", reason());
	tls_parts_release(&keys);
}

static void use_identity(SSL_CTX *ctx, const struct identity *identity,
	int dir_fd, struct problems *problems)
{
	bool has_chain = use_chain(ctx, identity, dir_fd, problems);

	use_key(ctx, identity, has_chain ? SSL_CTX_get0_certificate(ctx) : NULL,
		dir_fd, problems);
}

/* Exactly one CA: a second one would be a second name space of serials. */
static void use_client_ca(struct tls_server *server,
	const struct lbp_config_text *path, int dir_fd,
	struct problems *problems)
{
	const struct tls_file file = {
		.key = "tls.client_ca",
		.path = path,
		.dir_fd = dir_fd,
		.problems = problems,
		.kinds = TLS_FILE_CERTS,
		.accepted = ACCEPTED_CA,
	};
	char why[TLS_JUDGE_WHY_MAX];
	struct tls_parts cas;
	X509 *ca;

	if (!tls_file_read(&file, &cas))
		return;
	ca = cas.items[0].cert;
	if (cas.len > 1) {
		tls_file_problem(&file, "has another certificate in line %u",
			cas.items[1].line);
	} else if (!tls_judge_ca(server->ctx, ca, why)) {
		tls_file_problem(&file, "has a certificate in line %u %s",
			cas.items[0].line, why);
	} else if (X509_STORE_add_cert(
			   SSL_CTX_get_cert_store(server->ctx), ca) != 1 ||
		   SSL_CTX_add_client_CA(server->ctx, ca) != 1 ||
		   X509_up_ref(ca) != 1 || !trust_set_ca(server->trust, ca)) {
		tls_file_problem(&file, "cannot be used: %s", reason());
	} else {
		tls_judge_warn_last(&file, &cas);
	}
	tls_parts_release(&cas);
}

/* [SRV-66]: what a list says is looked up in the server's trust. */
static void use_crl(struct tls_server *server,
	const struct lbp_config_text *path, int dir_fd,
	struct problems *problems)
{
	const struct tls_file file = {
		.key = "tls.crl",
		.path = path,
		.dir_fd = dir_fd,
		.problems = problems,
		.kinds = TLS_FILE_CRLS,
		.accepted = ACCEPTED_CRL,
	};
	X509 *ca = server->trust->ca;
	char why[TLS_JUDGE_WHY_MAX];
	struct tls_parts crls;
	size_t i;

	if (!tls_file_read(&file, &crls))
		return;
	/* Whose lists they are cannot be said without the CA. */
	for (i = 0; i < crls.len && ca != NULL; i++) {
		const struct tls_part *part = &crls.items[i];

		if (!tls_judge_crl(part->crl, ca, why))
			tls_file_problem(&file,
				"has a revocation list in line %u %s",
				part->line, why);
		else if (!trust_add_crl(server->trust, part->crl))
			tls_file_problem(&file,
				"has times in line %u that cannot be read, or "
				"there is no memory for it",
				part->line);
	}
	tls_judge_warn_last(&file, &crls);
	tls_parts_release(&crls);
}

/*
 * Buffers are held only while in use; writes may be cut anywhere. The chain
 * that is sent is the one in the file: OpenSSL would else look for the rest
 * of it among the clients' CAs, in each handshake anew.
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
	SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
}

struct tls_server *tls_server_new(
	const struct lbp_config *config, int dir_fd, struct problems *problems)
{
	const struct identity identity = {
		.certificate_key = "tls.certificate",
		.private_key_key = "tls.private_key",
		.certificate = &config->certificate,
		.private_key = &config->private_key,
		.role = TLS_JUDGE_SERVER,
	};
	struct tls_server *server = calloc(1, sizeof(*server));
	unsigned before = problems->count;
	const X509 *leaf;

	if (server != NULL && tls_bio_init()) {
		server->ctx = SSL_CTX_new(TLS_server_method());
		server->trust = trust_new();
		server->cache = cache_new(CACHE_SESSIONS);
	}
	if (server == NULL || server->ctx == NULL || server->trust == NULL ||
		server->cache == NULL) {
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
	/* Nobody was given anything to send early data with. [SRV-145]. */
	SSL_CTX_set_recv_max_early_data(server->ctx, 0);
	SSL_CTX_set_max_cert_list(server->ctx, LBP_CERTS_BYTES_MAX);
	use_identity(server->ctx, &identity, dir_fd, problems);
	/* The one CA is trusted as it is, even if another issued it. */
	X509_STORE_set_flags(
		SSL_CTX_get_cert_store(server->ctx), X509_V_FLAG_PARTIAL_CHAIN);
	use_client_ca(server, &config->client_ca, dir_fd, problems);
	if (config->crl.ptr != NULL)
		use_crl(server, &config->crl, dir_fd, problems);
	trust_seal(server->trust);
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
	/* What is freed with the context may still ask the cache. */
	SSL_CTX_free(server->ctx);
	cache_free(server->cache);
	trust_free(server->trust);
	free(server);
}

bool tls_server_revokes(
	const struct tls_server *server, const struct lbp_serial *serial)
{
	return trust_revokes(server->trust, serial);
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
				"has a certificate in line %u %s", part->line,
				why);
		else if (X509_STORE_add_cert(store, part->cert) != 1)
			tls_file_problem(&file, "cannot be used: %s", reason());
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
	const struct identity identity = {
		.certificate_key = "app.upstream.certificate",
		.private_key_key = "app.upstream.private_key",
		.certificate = &upstream->certificate,
		.private_key = &upstream->private_key,
		.role = TLS_JUDGE_CLIENT,
	};
	struct tls_client *client = calloc(1, sizeof(*client));
	unsigned before = problems->count;

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
		use_identity(client->ctx, &identity, dir_fd, problems);
	}
	if (problems->count == before)
		return client;
	tls_client_free(client);
	return NULL;
}

void tls_client_free(struct tls_client *client)
{
	if (client == NULL)
		return;
	SSL_CTX_free(client->ctx);
	free(client->server_name);
	free(client);
}
