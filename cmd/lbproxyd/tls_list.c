#include "tls_list.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

/* What TLS 1.2 offers if the configuration does not say. [SRV-144]. */
#define DEFAULT_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

/* Where OpenSSL ends a name. */
#define CIPHER_SEPARATORS ":;, "
#define SUITE_SEPARATORS  ":"

/*
 * Words that may select no cipher in this build of OpenSSL; excluding them is
 * not an error.
 */
static const char *const retired[] = {"3DES", "aDSS", "ADH", "AECDH", "aGOST",
	"aGOST01", "aGOST12", "aNULL", "ARIA", "ARIA128", "ARIA256", "ARIAGCM",
	"CAMELLIA", "CAMELLIA128", "CAMELLIA256", "CBC", "DES", "DSS", "EDH",
	"eNULL", "EXP", "EXPORT", "EXPORT40", "EXPORT56", "FZA", "GOST94",
	"GOST89MAC", "IDEA", "kDHd", "kDHE", "kDHr", "kDHEPSK", "kECDHEPSK",
	"kEDH", "kGOST", "kPSK", "kRSA", "kRSAPSK", "kSRP", "KRB5", "LOW",
	"MD5", "MEDIUM", "NULL", "PSK", "RC2", "RC4", "SEED", "SHA1", "SRP",
	"SSLv2", "SSLv3"};

bool tls_list_next(
	const char **at, const char *separators, char item[TLS_LIST_ITEM_MAX])
{
	size_t len;

	*at += strspn(*at, separators);
	len = strcspn(*at, separators);
	if (len == 0)
		return false;
	snprintf(item, TLS_LIST_ITEM_MAX, "%.*s", (int)len, *at);
	*at += len;
	return true;
}

/* Returns true if the cipher works with a certificate's key (NULL: any). */
static bool fits(const SSL_CIPHER *cipher, const EVP_PKEY *pkey)
{
	int exchange = SSL_CIPHER_get_kx_nid(cipher);
	int needed = SSL_CIPHER_get_auth_nid(cipher);
	bool is_rsa;

	/* We have no finite-field parameters and no pre-shared keys. */
	if (exchange != NID_kx_ecdhe && exchange != NID_kx_rsa)
		return false;
	if (pkey == NULL)
		return needed == NID_auth_rsa || needed == NID_auth_ecdsa;
	is_rsa = EVP_PKEY_is_a(pkey, "RSA");
	/* RSA-PSS keys can only sign. */
	if (EVP_PKEY_is_a(pkey, "RSA-PSS"))
		return needed == NID_auth_rsa && exchange == NID_kx_ecdhe;
	return needed == (is_rsa ? NID_auth_rsa : NID_auth_ecdsa);
}

/* Returns true if a list leaves a TLS 1.2 cipher that works with this key. */
static bool selects(SSL_CTX *ctx, const char *list, const EVP_PKEY *pkey)
{
	STACK_OF(SSL_CIPHER) *ciphers = NULL;
	bool found = false;
	SSL *ssl = NULL;
	int i;

	if (SSL_CTX_set_cipher_list(ctx, list) == 1)
		ssl = SSL_new(ctx);
	if (ssl != NULL)
		ciphers = SSL_get1_supported_ciphers(ssl);
	for (i = 0; i < sk_SSL_CIPHER_num(ciphers) && !found; i++)
		found = fits(sk_SSL_CIPHER_value(ciphers, i), pkey);
	sk_SSL_CIPHER_free(ciphers);
	SSL_free(ssl);
	return found;
}

/* Returns true for the name of any cipher, even a weak one. */
static bool is_known(SSL_CTX *ctx, const char *name)
{
	char list[TLS_LIST_ITEM_MAX + 16];
	size_t i;

	for (i = 0; i < sizeof(retired) / sizeof(retired[0]); i++) {
		if (strcmp(name, retired[i]) == 0)
			return true;
	}
	snprintf(list, sizeof(list), "%s:@SECLEVEL=0", name);
	return SSL_CTX_set_cipher_list(ctx, list) == 1;
}

/* Why an item has no effect, or not the expected one; NULL: it is fine. */
static const char *judge_item(SSL_CTX *ctx, const char *item)
{
	if (strlen(item) >= TLS_LIST_ITEM_MAX - 1)
		return "is not the name of a cipher";
	if (strcmp(item, "@STRENGTH") == 0)
		return NULL;
	if (strchr(item, '@') != NULL)
		return "is not accepted here";
	if (strchr("!-+", item[0]) != NULL)
		return is_known(ctx, item + 1) ? NULL
					       : "excludes an unknown cipher";
	if (selects(ctx, item, NULL))
		return NULL;
	return is_known(ctx, item) ? "has no cipher that this server can use"
				   : "is not the name of a TLS 1.2 cipher";
}

static void judge_ciphers(SSL_CTX *ctx, const struct lbp_config *config,
	const EVP_PKEY *pkey, struct problems *problems)
{
	const struct lbp_config_text *list = &config->ciphers;
	unsigned before = problems->count;
	char item[TLS_LIST_ITEM_MAX];
	const char *at = list->ptr;
	const char *why;

	while (tls_list_next(&at, CIPHER_SEPARATORS, item)) {
		why = judge_item(ctx, item);
		if (why != NULL)
			problem(problems, list->pos,
				"tls.ciphers: '%s' %s; accepted: OpenSSL names "
				"of TLS 1.2 ciphers, joined by colons",
				item, why);
	}
	if (problems->count == before && !selects(ctx, list->ptr, NULL))
		problem(problems, list->pos,
			"tls.ciphers: '%s' leaves no cipher; accepted: OpenSSL "
			"names of TLS 1.2 ciphers, joined by colons",
			list->ptr);
	else if (problems->count == before && pkey != NULL &&
		 config->min_version == LBP_TLS_1_2 &&
		 !selects(ctx, list->ptr, pkey))
		problem(problems, list->pos,
			"tls.ciphers: '%s' leaves no cipher for the key of "
			"tls.certificate; accepted: some with %s",
			list->ptr,
			EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA ||
					EVP_PKEY_get_base_id(pkey) ==
						EVP_PKEY_RSA_PSS
				? "RSA"
				: "ECDSA");
}

static void judge_suites(SSL_CTX *ctx, const struct lbp_config_text *list,
	struct problems *problems)
{
	char item[TLS_LIST_ITEM_MAX];
	const char *at = list->ptr;
	bool any = false;

	while (tls_list_next(&at, SUITE_SEPARATORS, item)) {
		any = true;
		if (strncmp(item, "TLS_", 4) != 0 ||
			SSL_CTX_set_ciphersuites(ctx, item) != 1)
			problem(problems, list->pos,
				"tls.ciphersuites: '%s' is not a TLS 1.3 "
				"cipher suite; accepted: names of TLS 1.3 "
				"cipher suites, joined by colons",
				item);
	}
	if (!any)
		problem(problems, list->pos,
			"tls.ciphersuites: '%s' has no cipher suite; accepted: "
			"names of TLS 1.3 cipher suites, joined by colons",
			list->ptr);
}

/* Makes a context for trying lists, with TLS 1.2 only. */
static SSL_CTX *make_trial(void)
{
	SSL_CTX *trial = SSL_CTX_new(TLS_server_method());

	if (trial != NULL)
		SSL_CTX_set_max_proto_version(trial, TLS1_2_VERSION);
	return trial;
}

void tls_list_use_ciphers(SSL_CTX *ctx, const struct lbp_config *config,
	const EVP_PKEY *pkey, struct problems *problems)
{
	const char *list = config->ciphers.ptr;
	const char *suites = config->ciphersuites.ptr;
	unsigned before = problems->count;
	SSL_CTX *trial = NULL;

	if (list != NULL || suites != NULL) {
		trial = make_trial();
		if (trial == NULL) {
			problem(problems, config->certificate.pos,
				"out of memory");
			return;
		}
	}
	if (list != NULL)
		judge_ciphers(trial, config, pkey, problems);
	if (suites != NULL)
		judge_suites(trial, &config->ciphersuites, problems);
	SSL_CTX_free(trial);
	ERR_clear_error();
	if (problems->count != before)
		return;
	if (SSL_CTX_set_cipher_list(
		    ctx, list != NULL ? list : DEFAULT_CIPHERS) != 1 ||
		(suites != NULL && SSL_CTX_set_ciphersuites(ctx, suites) != 1))
		problem(problems, config->certificate.pos,
			"cannot set the ciphers: out of memory");
}
