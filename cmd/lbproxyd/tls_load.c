/* Contexts from the files that the configuration names. [SRV-3]. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tls_private.h"

/* Sessions kept for resumption, and for how long. [SRV-12]. */
#define CACHE_SESSIONS   4096
#define CACHE_LIFETIME_S 3600

/* What TLS 1.2 offers if the configuration does not say. [SRV-8]. */
#define DEFAULT_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

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

/* Opens a file that a key names; NULL: the problem was printed. */
static BIO *open_file(const char *key, const struct lbp_config_text *path,
	int dir_fd, struct problems *problems)
{
	int fd = openat(dir_fd, path->ptr, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	BIO *bio;

	if (file == NULL) {
		problem(problems, path->pos,
			"%s: cannot open '%s': %s; accepted: a PEM file", key,
			path->ptr, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	bio = BIO_new_fp(file, BIO_CLOSE);
	if (bio == NULL) {
		fclose(file);
		problem(problems, path->pos, "%s: out of memory", key);
	}
	ERR_clear_error();
	return bio;
}

static void use_chain(SSL_CTX *ctx, const char *key,
	const struct lbp_config_text *path, int dir_fd,
	struct problems *problems)
{
	BIO *bio = open_file(key, path, dir_fd, problems);
	X509 *cert = NULL;

	if (bio == NULL)
		return;
	cert = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);
	if (cert == NULL || SSL_CTX_use_certificate(ctx, cert) != 1) {
		problem(problems, path->pos,
			"%s: '%s' has no certificate that can be used (%s); "
			"accepted: a PEM file with the chain, leaf first",
			key, path->ptr, reason());
		goto out;
	}
	X509_free(cert);
	while ((cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) !=
		NULL) {
		if (SSL_CTX_add0_chain_cert(ctx, cert) != 1) {
			problem(problems, path->pos, "%s: '%s': %s", key,
				path->ptr, reason());
			goto out;
		}
	}
out:
	X509_free(cert);
	BIO_free(bio);
}

static void use_key(SSL_CTX *ctx, const char *key,
	const struct lbp_config_text *path, int dir_fd,
	struct problems *problems)
{
	BIO *bio = open_file(key, path, dir_fd, problems);
	EVP_PKEY *pkey;

	if (bio == NULL)
		return;
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	if (pkey == NULL)
		problem(problems, path->pos,
			"%s: '%s' has no private key that can be used (%s); "
			"accepted: a PEM file with a key without passphrase",
			key, path->ptr, reason());
	else if (SSL_CTX_get0_certificate(ctx) != NULL &&
		 (SSL_CTX_use_PrivateKey(ctx, pkey) != 1 ||
			 SSL_CTX_check_private_key(ctx) != 1))
		problem(problems, path->pos,
			"%s: '%s' does not belong to the certificate; "
			"accepted: the private key of its leaf",
			key, path->ptr);
	EVP_PKEY_free(pkey);
	BIO_free(bio);
}

/* Exactly one CA: a second one would be a second name space of serials. */
static void use_client_ca(struct tls_server *server,
	const struct lbp_config_text *path, int dir_fd,
	struct problems *problems)
{
	BIO *bio = open_file("tls.client_ca", path, dir_fd, problems);
	X509 *ca, *second;

	if (bio == NULL)
		return;
	ca = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	second = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	if (ca == NULL || second != NULL)
		problem(problems, path->pos,
			"tls.client_ca: '%s' has %s; accepted: a PEM file "
			"with exactly one CA certificate",
			path->ptr,
			second != NULL ? "more than one certificate"
				       : "no certificate");
	else if (X509_check_ca(ca) == 0)
		problem(problems, path->pos,
			"tls.client_ca: '%s' is not a CA's certificate; "
			"accepted: a PEM file with exactly one CA certificate",
			path->ptr);
	else if (X509_STORE_add_cert(SSL_CTX_get_cert_store(server->ctx), ca) !=
			 1 ||
		 SSL_CTX_add_client_CA(server->ctx, ca) != 1 ||
		 X509_up_ref(ca) != 1 || !trust_set_ca(server->trust, ca))
		problem(problems, path->pos, "tls.client_ca: '%s': %s",
			path->ptr, reason());
	X509_free(ca);
	X509_free(second);
	BIO_free(bio);
}

/* [SRV-66]: what a list says is looked up in the server's trust. */
static void use_crl(struct tls_server *server,
	const struct lbp_config_text *path, int dir_fd,
	struct problems *problems)
{
	X509 *ca = server->trust->ca;
	BIO *bio = open_file("tls.crl", path, dir_fd, problems);
	X509_CRL *crl;

	if (bio == NULL)
		return;
	crl = PEM_read_bio_X509_CRL(bio, NULL, no_passphrase, NULL);
	if (crl == NULL)
		problem(problems, path->pos,
			"tls.crl: '%s' has no revocation list (%s); "
			"accepted: a PEM file with the CA's CRL",
			path->ptr, reason());
	else if (ca != NULL && X509_CRL_verify(crl, X509_get0_pubkey(ca)) != 1)
		problem(problems, path->pos,
			"tls.crl: '%s' was not issued by tls.client_ca; "
			"accepted: a PEM file with that CA's CRL",
			path->ptr);
	else if (ca != NULL && (X509_get_key_usage(ca) & KU_CRL_SIGN) == 0)
		problem(problems, path->pos,
			"tls.crl: the key usage of tls.client_ca does not "
			"allow it to sign lists; accepted: a list of a CA "
			"with cRLSign, or no list");
	else if (!trust_add_crl(server->trust, crl))
		problem(problems, path->pos,
			"tls.crl: '%s' has times that cannot be read, or there "
			"is no memory for it",
			path->ptr);
	X509_CRL_free(crl);
	BIO_free(bio);
}

static void use_ciphers(SSL_CTX *ctx, const struct lbp_config *config,
	struct problems *problems)
{
	const char *list = config->ciphers.ptr;
	const char *suites = config->ciphersuites.ptr;

	if (SSL_CTX_set_cipher_list(
		    ctx, list != NULL ? list : DEFAULT_CIPHERS) != 1)
		problem(problems, config->ciphers.pos,
			"tls.ciphers: no cipher of '%s' can be used; "
			"accepted: OpenSSL names of TLS 1.2 ciphers, joined "
			"by colons",
			list);
	if (suites != NULL && SSL_CTX_set_ciphersuites(ctx, suites) != 1)
		problem(problems, config->ciphersuites.pos,
			"tls.ciphersuites: '%s' names an unknown one; "
			"accepted: names of TLS 1.3 suites, joined by colons",
			suites);
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

/* A stateful cache: no ticket carries an identity out of our hands. */
static void set_resumption(SSL_CTX *ctx)
{
	static const unsigned char context[] = "lbproxyd";

	SSL_CTX_set_session_id_context(ctx, context, sizeof(context) - 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
	SSL_CTX_sess_set_cache_size(ctx, CACHE_SESSIONS);
	SSL_CTX_set_timeout(ctx, CACHE_LIFETIME_S);
	/* It is sent with the first bytes that go down. [SRV-71]. */
	SSL_CTX_set_num_tickets(ctx, 0);
}

struct tls_server *tls_server_new(
	const struct lbp_config *config, int dir_fd, struct problems *problems)
{
	struct tls_server *server = calloc(1, sizeof(*server));
	unsigned before = problems->count;

	if (server != NULL) {
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
	set_resumption(server->ctx);
	use_chain(server->ctx, "tls.certificate", &config->certificate, dir_fd,
		problems);
	use_key(server->ctx, "tls.private_key", &config->private_key, dir_fd,
		problems);
	/* The one CA is trusted as it is, even if another issued it. */
	X509_STORE_set_flags(
		SSL_CTX_get_cert_store(server->ctx), X509_V_FLAG_PARTIAL_CHAIN);
	use_client_ca(server, &config->client_ca, dir_fd, problems);
	if (config->crl.ptr != NULL)
		use_crl(server, &config->crl, dir_fd, problems);
	trust_seal(server->trust);
	use_ciphers(server->ctx, config, problems);
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
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	BIO *bio = open_file("ca", path, dir_fd, problems);
	unsigned n = 0;
	X509 *cert;

	if (bio == NULL)
		return;
	while ((cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) !=
		NULL) {
		if (X509_STORE_add_cert(store, cert) == 1)
			n++;
		X509_free(cert);
	}
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	if (n == 0)
		problem(problems, path->pos,
			"ca: '%s' has no certificate (%s); accepted: a PEM "
			"file with one or more CA certificates",
			path->ptr, reason());
	BIO_free(bio);
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
	struct tls_client *client = calloc(1, sizeof(*client));
	unsigned before = problems->count;

	if (client != NULL) {
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
		use_chain(client->ctx, "certificate", &upstream->certificate,
			dir_fd, problems);
		use_key(client->ctx, "private_key", &upstream->private_key,
			dir_fd, problems);
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
