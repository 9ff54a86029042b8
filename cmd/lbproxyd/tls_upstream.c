/* Contexts towards upstreams, and by what upstreams are trusted. [SRV-14]. */
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "tls_bio.h"
#include "tls_file.h"
#include "tls_groups.h"
#include "tls_identity.h"
#include "tls_judge.h"
#include "tls_private.h"

#define ACCEPTED_CAS "a PEM file with one or more CA certificates"

static bool add_ca(struct tls_client *client, X509 *cert)
{
	if (X509_STORE_add_cert(SSL_CTX_get_cert_store(client->ctx), cert) !=
			1 ||
		sk_X509_push(client->cas, cert) <= 0)
		return false;
	(void)X509_up_ref(cert);
	return true;
}

static void use_ca(struct tls_client *client,
	const struct lbp_config_text *path, int dir_fd,
	struct problems *problems)
{
	const struct tls_file file = {
		.key = "app.upstream.ca",
		.path = path,
		.dir_fd = dir_fd,
		.problems = problems,
		.kinds = TLS_FILE_CERTS,
		.accepted = ACCEPTED_CAS,
	};
	char why[TLS_JUDGE_WHY_MAX];
	struct tls_parts cas;
	size_t i;

	if (!tls_file_read(&file, &cas))
		return;
	X509_STORE_set_flags(
		SSL_CTX_get_cert_store(client->ctx), X509_V_FLAG_PARTIAL_CHAIN);
	for (i = 0; i < cas.len; i++) {
		const struct tls_part *part = &cas.items[i];

		if (!tls_judge_strength(client->ctx, part->cert, why))
			tls_file_problem(&file,
				"has a certificate on line %u %s", part->line,
				why);
		else if (!add_ca(client, part->cert))
			tls_file_problem(&file, "cannot be used: %s",
				tls_file_reason("out of memory"));
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
		client->cas = sk_X509_new_null();
		client->server_name = strdup(upstream->server_name.ptr);
	}
	if (client == NULL || client->ctx == NULL || client->cas == NULL ||
		client->server_name == NULL) {
		problem(problems, upstream->url.pos, "out of memory");
		tls_client_free(client);
		return NULL;
	}
	client->is_name = !is_ip_address(client->server_name);
	SSL_CTX_set_min_proto_version(client->ctx, TLS1_2_VERSION);
	tls_use_modes(client->ctx);
	if (!tls_use_upstream_groups(client->ctx))
		problem(problems, upstream->url.pos, "out of memory");
	SSL_CTX_set_verify(client->ctx, SSL_VERIFY_PEER, NULL);
	use_ca(client, &upstream->ca, dir_fd, problems);
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
	sk_X509_pop_free(client->cas, X509_free);
	free(client->server_name);
	free(client);
}

/* --- whether an upstream is still trusted --- */

static bool have_same_trust(
	const struct tls_client *a, const struct tls_client *b)
{
	int len = sk_X509_num(a->cas);
	int i;

	if (strcmp(a->server_name, b->server_name) != 0 ||
		sk_X509_num(b->cas) != len)
		return false;
	for (i = 0; i < len; i++) {
		if (X509_cmp(sk_X509_value(a->cas, i),
			    sk_X509_value(b->cas, i)) != 0)
			return false;
	}
	return true;
}

static bool is_named(const struct tls_client *client, X509 *leaf)
{
	const char *name = client->server_name;

	return client->is_name ? X509_check_host(leaf, name, 0, 0, NULL) == 1
			       : X509_check_ip_asc(leaf, name, 0) == 1;
}

/* A CA that was renewed with its key is the same one. */
static bool has_ca(const struct tls_client *client, X509 *cert)
{
	int i;

	for (i = 0; i < sk_X509_num(client->cas); i++) {
		X509 *ca = sk_X509_value(client->cas, i);

		if (X509_NAME_cmp(X509_get_subject_name(ca),
			    X509_get_subject_name(cert)) == 0 &&
			X509_PUBKEY_eq(X509_get_X509_PUBKEY(ca),
				X509_get_X509_PUBKEY(cert)) == 1)
			return true;
	}
	return false;
}

bool tls_client_accepts(const struct tls_client *client,
	const struct tls_client *before, const struct tls *tls)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(tls->ssl);
	int i;

	if (client == before || have_same_trust(client, before))
		return true;
	if (!is_named(client, sk_X509_value(chain, 0)))
		return false;
	for (i = 0; i < sk_X509_num(chain); i++) {
		if (has_ca(client, sk_X509_value(chain, i)))
			return true;
	}
	return false;
}
