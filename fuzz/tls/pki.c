/* The replaceable generator is OpenSSL 1.1's interface. */
#define OPENSSL_API_COMPAT 0x10100000L

#include "pki.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "session.h"

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

#define SIGNS     "critical,digitalSignature"
#define CLIENT    "clientAuth"
#define UNTRUSTED PKI_FAULT(LBP_REASON_UNTRUSTED)
#define USAGE     PKI_FAULT(LBP_REASON_WRONG_USAGE)
#define BAD       PKI_FAULT(LBP_REASON_BAD_CERTIFICATE)
#define DAY       86400L
#define LIFE      PKI_CERT_FROM, PKI_CERT_LIFE

const struct pki_plan pki_plans[PKI_KINDS] = {
	[PKI_GOOD] = {"0A01", LIFE, SIGNS, CLIENT, 0, NULL},
	[PKI_OTHER] = {"00FF02", LIFE, SIGNS, CLIENT, 0,
		"DNS:*.corp.example,URI:" PKI_URI ",email:a@corp.example,"
		"DNS:" PKI_DNS ",IP:::1"},
	[PKI_NO_EKU] = {"0A03", LIFE, SIGNS, NULL, 0, NULL},
	[PKI_SHORT] = {"0A04", PKI_CERT_FROM, PKI_SHORT_LIFE, SIGNS, CLIENT, 0,
		NULL},
	[PKI_STOLEN] = {"0A01", LIFE, SIGNS, CLIENT, 0, NULL},
	[PKI_FOREIGN] = {"0A01", LIFE, SIGNS, CLIENT, UNTRUSTED, NULL},
	[PKI_IMPOSTOR] = {"0A01", LIFE, SIGNS, CLIENT, UNTRUSTED, NULL},
	[PKI_SELF] = {"0A01", LIFE, SIGNS, CLIENT, UNTRUSTED, NULL},
	[PKI_INDIRECT] = {"0A01", LIFE, SIGNS, CLIENT, UNTRUSTED, NULL},
	[PKI_CA] = {"0A00", PKI_CERT_FROM, PKI_CA_LIFE, NULL, NULL,
		UNTRUSTED | USAGE, NULL},
	[PKI_EXPIRED] = {"0A05", -2 * DAY, -DAY, SIGNS, CLIENT, 0, NULL},
	[PKI_FUTURE] = {"0A06", 2 * DAY, PKI_CERT_LIFE, SIGNS, CLIENT, 0, NULL},
	[PKI_REVOKED] = {"0A07", LIFE, SIGNS, CLIENT, 0, NULL},
	[PKI_SERVER_EKU] = {"0A08", LIFE, SIGNS, "serverAuth", USAGE, NULL},
	[PKI_NO_SIGNING] = {"0A09", LIFE, "critical,nonRepudiation", CLIENT,
		USAGE, NULL},
	[PKI_ZERO] = {"00", LIFE, SIGNS, CLIENT, BAD, NULL},
	[PKI_NEGATIVE] = {"-0A0A", LIFE, SIGNS, CLIENT, BAD, NULL},
	[PKI_LONG] = {"010000000000000000000000000000000000000A01", LIFE, SIGNS,
		CLIENT, BAD, NULL},
	[PKI_NONE] = {"0A0C", LIFE, NULL, NULL,
		PKI_FAULT(LBP_REASON_NO_CERTIFICATE), NULL},
};

time_t pki_now = PKI_START;

static time_t set_back; /* seconds, in all */

static uint64_t random_state;

/* The program's own, which the C library's gives way to. */
time_t time(time_t *out)
{
	if (out != NULL)
		*out = pki_now;
	return pki_now;
}

void pki_set_clock(time_t now)
{
	if (now < pki_now)
		set_back += pki_now - now;
	pki_now = now;
}

time_t pki_uptime(void)
{
	return pki_now + set_back;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	*ts = (struct timespec){.tv_sec = pki_uptime()};
	return 0;
}

/* Splitmix64, which has no bad seed. */
static int draw(unsigned char *buf, int len)
{
	for (int i = 0; i < len; i++) {
		uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		buf[i] = (unsigned char)(z >> 32);
	}
	return 1;
}

static int is_ready(void)
{
	return 1;
}

void pki_seed(uint64_t seed)
{
	static const RAND_METHOD method = {
		.bytes = draw, .pseudorand = draw, .status = is_ready};

	random_state = seed;
	if (RAND_get_rand_method() != &method)
		RAND_set_rand_method(&method);
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "pki: %s failed\n", what);
	abort();
}

static void set_serial(X509 *cert, const char *hex)
{
	BIGNUM *number = NULL;

	must(BN_hex2bn(&number, hex) > 0, "BN_hex2bn");
	must(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL,
		"BN_to_ASN1_INTEGER");
	BN_free(number);
}

static void set_name(X509_NAME *name, const char *text)
{
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		     (const unsigned char *)text, -1, -1, 0) == 1,
		"X509_NAME_add_entry_by_txt");
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *text)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	if (text == NULL)
		return;
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_nconf_nid(NULL, &ctx, nid, text);
	must(extension != NULL, text);
	must(X509_add_ext(cert, extension, -1) == 1, "X509_add_ext");
	X509_EXTENSION_free(extension);
}

/* issuer NULL: it is its own. */
static struct pki_cert issue(const struct pki_plan *plan, const char *name,
	bool is_ca, const struct pki_cert *issuer)
{
	struct pki_cert made = {.cert = X509_new(), .key = EVP_EC_gen("P-256")};

	must(made.cert != NULL && made.key != NULL, "EVP_EC_gen");
	if (issuer == NULL)
		issuer = &made;
	X509_set_version(made.cert, X509_VERSION_3);
	set_serial(made.cert, plan->serial);
	ASN1_TIME_set(X509_getm_notBefore(made.cert), PKI_START + plan->from);
	ASN1_TIME_set(X509_getm_notAfter(made.cert), PKI_START + plan->until);
	X509_set_pubkey(made.cert, made.key);
	set_name(X509_get_subject_name(made.cert), name);
	X509_set_issuer_name(made.cert, X509_get_subject_name(issuer->cert));
	add_extension(made.cert, issuer->cert, NID_basic_constraints,
		is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	add_extension(made.cert, issuer->cert, NID_key_usage,
		is_ca ? "critical,keyCertSign,cRLSign" : plan->key_usage);
	add_extension(made.cert, issuer->cert, NID_ext_key_usage,
		plan->ext_key_usage);
	add_extension(
		made.cert, issuer->cert, NID_subject_key_identifier, "hash");
	add_extension(
		made.cert, issuer->cert, NID_subject_alt_name, plan->names);
	must(X509_sign(made.cert, issuer->key, EVP_sha256()) > 0, "X509_sign");
	return made;
}

/* A certificate's key without its private part: another stands there. */
static EVP_PKEY *unmatched_key(EVP_PKEY *key, EVP_PKEY *other)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params;
	unsigned char point[256];
	EVP_PKEY *made = NULL;
	BIGNUM *number = NULL;
	size_t len = 0;

	EVP_PKEY_get_bn_param(other, OSSL_PKEY_PARAM_PRIV_KEY, &number);
	EVP_PKEY_get_octet_string_param(
		key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len);
	OSSL_PARAM_BLD_push_utf8_string(
		build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
	OSSL_PARAM_BLD_push_octet_string(
		build, OSSL_PKEY_PARAM_PUB_KEY, point, len);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number);
	params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_fromdata_init(ctx);
	must(EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_KEYPAIR, params) == 1,
		"EVP_PKEY_fromdata");
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(number);
	EVP_PKEY_CTX_free(ctx);
	return made;
}

static void list_revoked(X509_CRL *crl, X509 *cert)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *when = ASN1_TIME_set(NULL, PKI_START + PKI_CRL_FROM);

	X509_REVOKED_set_revocationDate(entry, when);
	X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(cert));
	must(X509_CRL_add0_revoked(crl, entry) == 1, "X509_CRL_add0_revoked");
	ASN1_TIME_free(when);
}

static X509_CRL *make_crl(const struct pki *pki, bool is_grown)
{
	ASN1_TIME *when = ASN1_TIME_set(NULL, PKI_START + PKI_CRL_FROM);
	X509_CRL *crl = X509_CRL_new();

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(pki->ca.cert));
	X509_CRL_set1_lastUpdate(crl, when);
	ASN1_TIME_set(when, PKI_START + PKI_CRL_LIFE);
	X509_CRL_set1_nextUpdate(crl, when);
	ASN1_TIME_free(when);
	list_revoked(crl, pki->certs[PKI_REVOKED].cert);
	if (is_grown)
		list_revoked(crl, pki->certs[PKI_OTHER].cert);
	must(X509_CRL_sign(crl, pki->ca.key, EVP_sha256()) > 0,
		"X509_CRL_sign");
	return crl;
}

static void cert_release(struct pki_cert *cert)
{
	X509_free(cert->cert);
	EVP_PKEY_free(cert->key);
	X509_free(cert->intermediate);
	*cert = (struct pki_cert){0};
}

/* The kinds that are not simply issued by our CA. */
static void make_special(struct pki *pki)
{
	const struct pki_plan *ca_plan = &pki_plans[PKI_CA];
	struct pki_cert impostor = issue(ca_plan, "lbproxy CA", true, NULL);
	struct pki_cert middle =
		issue(&pki_plans[PKI_NONE], "intermediate", true, &pki->ca);
	struct pki_cert *certs = pki->certs;

	pki->other_ca = issue(ca_plan, "other CA", true, NULL);
	certs[PKI_FOREIGN] =
		issue(&pki_plans[PKI_FOREIGN], "client", false, &pki->other_ca);
	certs[PKI_IMPOSTOR] =
		issue(&pki_plans[PKI_IMPOSTOR], "client", false, &impostor);
	certs[PKI_SELF] = issue(&pki_plans[PKI_SELF], "client", false, NULL);
	certs[PKI_INDIRECT] =
		issue(&pki_plans[PKI_INDIRECT], "client", false, &middle);
	certs[PKI_INDIRECT].intermediate = middle.cert;
	X509_up_ref(middle.cert);
	certs[PKI_OTHER].intermediate = pki->ca.cert;
	X509_up_ref(pki->ca.cert);
	certs[PKI_CA] = pki->ca;
	X509_up_ref(pki->ca.cert);
	EVP_PKEY_up_ref(pki->ca.key);
	certs[PKI_STOLEN].cert = certs[PKI_GOOD].cert;
	X509_up_ref(certs[PKI_GOOD].cert);
	certs[PKI_STOLEN].key =
		unmatched_key(certs[PKI_GOOD].key, certs[PKI_OTHER].key);
	cert_release(&impostor);
	cert_release(&middle);
}

void pki_make(struct pki *pki)
{
	static const struct pki_plan server = {
		"0A0B", LIFE, SIGNS, "serverAuth", 0, NULL};

	*pki = (struct pki){0};
	pki_seed(1);
	pki->ca = issue(&pki_plans[PKI_CA], "lbproxy CA", true, NULL);
	pki->server = issue(&server, "localhost", false, &pki->ca);
	for (int kind = 0; kind < PKI_NONE; kind++) {
		if (kind < PKI_STOLEN || kind > PKI_CA)
			pki->certs[kind] = issue(
				&pki_plans[kind], "client", false, &pki->ca);
	}
	make_special(pki);
	pki->crl = make_crl(pki, false);
	pki->grown_crl = make_crl(pki, true);
}

void pki_release(struct pki *pki)
{
	for (int kind = 0; kind < PKI_KINDS; kind++)
		cert_release(&pki->certs[kind]);
	cert_release(&pki->server);
	cert_release(&pki->other_ca);
	cert_release(&pki->ca);
	X509_CRL_free(pki->crl);
	X509_CRL_free(pki->grown_crl);
}

/* Keeps what was written to a BIO as a file; ends the BIO. */
static int keep(BIO *bio, char *path)
{
	int fd = memfd_create("pki", MFD_CLOEXEC);
	char *text;
	long len = BIO_get_mem_data(bio, &text);

	must(fd >= 0 && write(fd, text, (size_t)len) == len, "memfd");
	snprintf(path, PKI_PATH_MAX, "/proc/self/fd/%d", fd);
	BIO_free(bio);
	return fd;
}

static int keep_cert(X509 *cert, char *path)
{
	BIO *bio = BIO_new(BIO_s_mem());

	must(PEM_write_bio_X509(bio, cert) == 1, "PEM_write_bio_X509");
	return keep(bio, path);
}

static int keep_key(EVP_PKEY *key, char *path)
{
	BIO *bio = BIO_new(BIO_s_mem());

	must(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1,
		"PEM_write_bio_PrivateKey");
	return keep(bio, path);
}

static int keep_crl(X509_CRL *crl, char *path)
{
	BIO *bio = BIO_new(BIO_s_mem());

	must(PEM_write_bio_X509_CRL(bio, crl) == 1, "PEM_write_bio_X509_CRL");
	return keep(bio, path);
}

void pki_open_files(const struct pki *pki, struct pki_files *files)
{
	files->fds[0] = keep_crl(pki->crl, files->crl);
	files->fds[1] = keep_cert(pki->server.cert, files->certificate);
	files->fds[2] = keep_key(pki->server.key, files->private_key);
	files->fds[3] = keep_cert(pki->ca.cert, files->client_ca);
	files->fds[4] = keep_key(pki->certs[PKI_GOOD].key, files->client_key);
	files->fds[5] = keep_crl(pki->grown_crl, files->grown_crl);
	files->fds[6] = keep_cert(pki->other_ca.cert, files->other_ca);
}

void pki_close_files(struct pki_files *files)
{
	for (size_t i = 0; i < sizeof(files->fds) / sizeof(*files->fds); i++)
		close(files->fds[i]);
}
