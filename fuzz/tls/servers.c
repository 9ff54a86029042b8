#include "servers.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

static struct pki pki;
static struct tls_server *servers[SERVERS];
/* By what they judge before a reload and after it. */
static struct tls_server *lists[2];   /* a CRL, and a longer one */
static struct tls_server *ca_sets[2]; /* two CAs, and but one without chains */
static bool is_grown;

static struct tls_server *make_server_of(const struct pki_files *files,
	struct lbp_config_ca *cas, size_t len, enum lbp_tls_version version)
{
	struct problems problems = {.file = "fuzz"};
	struct lbp_config config = {
		.certificate.ptr = files->certificate,
		.private_key.ptr = files->private_key,
		.cas = cas,
		.ca_len = len,
		.min_version = version,
		.groups.ptr = "X25519:P-256",
	};
	struct tls_server *server = tls_server_new(&config, -1, &problems);

	struct cache *cache = tls_cache_new();

	if (server == NULL || cache == NULL)
		abort();
	tls_server_follow(server, cache, NULL);
	return server;
}

/* crl: its file, or NULL for none. */
static struct tls_server *make_server(const struct pki_files *files,
	const char *crl, enum lbp_tls_version version)
{
	struct lbp_config_ca ca = {
		.file.ptr = files->client_ca, .crl.ptr = crl};

	return make_server_of(files, &ca, 1, version);
}

static struct tls_server *make_server_with_cas(const struct pki_files *files)
{
	struct lbp_config_ca both[] = {
		{.id.ptr = "ours", .file.ptr = files->client_ca, .chain = true},
		{.id.ptr = "other", .file.ptr = files->other_ca}};

	return make_server_of(files, both, 2, LBP_TLS_1_2);
}

static bool has_lists(unsigned server)
{
	return server != SERVER_PLAIN && server != SERVER_CAS;
}

static struct tls_server **judges_of(unsigned server)
{
	return server == SERVER_CAS ? ca_sets : lists;
}

void servers_start(void)
{
	struct pki_files files;

	if (servers[0] != NULL)
		return;
	pki_make(&pki);
	pki_open_files(&pki, &files);
	servers[SERVER_PLAIN] = make_server(&files, NULL, LBP_TLS_1_2);
	servers[SERVER_CRL] = make_server(&files, files.crl, LBP_TLS_1_2);
	servers[SERVER_13] = make_server(&files, files.crl, LBP_TLS_1_3);
	servers[SERVER_RETRY] = make_server(&files, files.crl, LBP_TLS_1_2);
	lists[0] = make_server(&files, files.crl, LBP_TLS_1_2);
	lists[1] = make_server(&files, files.grown_crl, LBP_TLS_1_2);
	servers[SERVER_CAS] = make_server_with_cas(&files);
	ca_sets[0] = make_server_with_cas(&files);
	ca_sets[1] = make_server(&files, NULL, LBP_TLS_1_2);
	for (unsigned i = 0; i < SERVERS; i++) {
		if (i == SERVER_PLAIN)
			continue;
		trust_free(servers[i]->trust);
		servers[i]->trust = judges_of(i)[0]->trust;
	}
	SSL_CTX_set1_groups_list(servers[SERVER_RETRY]->ctx, "P-256");
	pki_close_files(&files);
}

void servers_reload(bool grown)
{
	if (grown == is_grown)
		return;
	is_grown = grown;
	for (unsigned i = 0; i < SERVERS; i++) {
		if (i != SERVER_PLAIN)
			servers[i]->trust = judges_of(i)[grown]->trust;
	}
}

unsigned servers_draw(uint8_t drawn)
{
	return drawn >= 0xc0 ? SERVER_CAS : drawn % SERVER_CAS;
}

struct tls_server *servers_get(unsigned server)
{
	return servers[server];
}

const struct pki_cert *servers_cert(enum pki_kind kind)
{
	return &pki.certs[kind];
}

/* What is wrong whatever the time. */
static unsigned lasting_faults(enum pki_kind kind, unsigned server)
{
	if (server == SERVER_CAS && !is_grown &&
		(kind == PKI_FOREIGN || kind == PKI_INDIRECT))
		return 0;
	return pki_plans[kind].faults;
}

unsigned servers_faults_of(enum pki_kind kind, unsigned server, time_t now)
{
	const struct pki_plan *plan = &pki_plans[kind];
	const struct pki_plan *ca = &pki_plans[PKI_CA];
	unsigned faults = lasting_faults(kind, server);

	if (now < PKI_START + plan->from || now < PKI_START + ca->from)
		faults |= PKI_FAULT(LBP_REASON_NOT_YET_VALID);
	if (now >= PKI_START + plan->until || now >= PKI_START + ca->until)
		faults |= PKI_FAULT(LBP_REASON_EXPIRED);
	if (!has_lists(server) || kind == PKI_NONE)
		return faults;
	if (kind == PKI_REVOKED || (kind == PKI_OTHER && is_grown))
		faults |= PKI_FAULT(LBP_REASON_REVOKED);
	if (now < PKI_START + PKI_CRL_FROM || now >= PKI_START + PKI_CRL_LIFE)
		faults |= PKI_FAULT(LBP_REASON_CRL_EXPIRED);
	return faults;
}

/* Under which issuer its serial is unique. */
static uint64_t issuer_of(enum pki_kind kind)
{
	switch (kind) {
	case PKI_FOREIGN:
		return trust_number(pki.other_ca.cert);
	case PKI_INDIRECT:
		return TRUST_NO_ISSUER;
	default:
		return trust_number(pki.ca.cert);
	}
}

enum pki_kind servers_kind_of(unsigned server, const struct lbp_name *name)
{
	for (enum pki_kind kind = 0; kind < PKI_NONE; kind++) {
		const char *hex = pki_plans[kind].serial;
		struct lbp_serial want;

		if (lasting_faults(kind, server) == 0 &&
			issuer_of(kind) == name->issued.issuer &&
			lbp_serial_from_hex(&want, hex, strlen(hex)) ==
				LBP_OK &&
			lbp_serial_compare(&name->issued.serial, &want) == 0)
			return kind;
	}
	return PKI_NONE;
}

bool servers_has_names(
	enum pki_kind kind, const struct lbp_name *names, size_t len)
{
	if (names[0].kind != LBP_NAME_ISSUED)
		return false;
	if (kind != PKI_OTHER)
		return len == 1;
	return len == 3 && names[1].kind == LBP_NAME_URI &&
	       strcmp(names[1].text, PKI_URI) == 0 &&
	       names[2].kind == LBP_NAME_DNS &&
	       strcmp(names[2].text, PKI_DNS) == 0;
}

void servers_flush(void)
{
	for (int i = 0; i < SERVERS; i++)
		cache_clear(servers[i]->cache);
}
