#include "tls_provider.h"

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <stdlib.h>
#include <string.h>

#define NAME "lbproxy"

/*
 * The first names of the algorithms that are passed on, each between two
 * spaces. Keys are those that certificates of peers or CAs may have; X25519 and
 * X448 can also be read, so that a file with one is told what is wrong with it.
 * DH and EC have the other groups that tls.groups may name. Ciphers are those
 * of OpenSSL's TLS suites, which tls.ciphers may name. Digests are those of
 * signatures, weak ones too: that they are refused is for others to say. libssl
 * needs HMAC as a key and a signature as well.
 */
static const struct offer {
	int operation;
	const char *names; /* NULL: all of them */
} offers[] = {
	{OSSL_OP_DIGEST, " MD5 MD5-SHA1 SHA1 SHA2-224 SHA2-256 SHA2-384 "
			 "SHA2-512 SHA2-512/224 SHA2-512/256 SHA3-224 SHA3-256 "
			 "SHA3-384 SHA3-512 SHAKE-128 SHAKE-256 "},
	{OSSL_OP_CIPHER, " NULL AES-128-GCM AES-256-GCM AES-128-CCM "
			 "AES-256-CCM AES-128-CBC AES-256-CBC "
			 "AES-128-CBC-HMAC-SHA1 AES-256-CBC-HMAC-SHA1 "
			 "AES-128-CBC-HMAC-SHA256 AES-256-CBC-HMAC-SHA256 "
			 "ChaCha20-Poly1305 ARIA-128-GCM ARIA-256-GCM "
			 "CAMELLIA-128-CBC CAMELLIA-256-CBC "},
	{OSSL_OP_MAC, " HMAC "},
	{OSSL_OP_KDF, " HKDF TLS13-KDF TLS1-PRF "},
	{OSSL_OP_RAND, NULL},
	{OSSL_OP_KEYMGMT,
		" RSA RSA-PSS EC ED25519 ED448 X25519 X448 DH DSA HMAC "},
	{OSSL_OP_KEYEXCH, " ECDH X25519 X448 DH "},
	{OSSL_OP_SIGNATURE, " RSA ECDSA ED25519 ED448 DSA HMAC "},
	{OSSL_OP_ASYM_CIPHER, " RSA "},
	{OSSL_OP_DECODER, " RSA RSA-PSS EC ED25519 ED448 X25519 X448 DSA "},
};

#define OFFERS (sizeof(offers) / sizeof(offers[0]))

/* The provider whose algorithms are passed on, in a context of its own. */
static OSSL_LIB_CTX *inner;
static OSSL_PROVIDER *whole;
/* What each offer comes to; NULL: not there. */
static OSSL_ALGORITHM *offered[OFFERS];
static OSSL_PROVIDER *ours;
static bool is_decided;

static bool is_listed(const char *list, const char *name, size_t len)
{
	const char *at = list;

	while ((at = strchr(at, ' ')) != NULL) {
		at++;
		if (strncmp(at, name, len) == 0 && at[len] == ' ')
			return true;
	}
	return false;
}

/* Certificates and keys come in DER, and in no form of one algorithm's own. */
static bool decodes_file(const OSSL_ALGORITHM *decoder)
{
	const char *form = decoder->property_definition;

	return strstr(form, "input=der") != NULL &&
	       (strstr(form, "structure=SubjectPublicKeyInfo") != NULL ||
		       strstr(form, "structure=PrivateKeyInfo") != NULL ||
		       strstr(form, "structure=type-specific") != NULL);
}

static bool is_needed(const struct offer *offer, const OSSL_ALGORITHM *one)
{
	const char *names = one->algorithm_names;

	if (offer->names == NULL)
		return true;
	return is_listed(offer->names, names, strcspn(names, ":")) &&
	       (offer->operation != OSSL_OP_DECODER || decodes_file(one));
}

/* False: out of memory. */
static bool select_offer(size_t i)
{
	int no_cache;
	const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(
		whole, offers[i].operation, &no_cache);
	size_t n = 0;
	size_t len = 0;

	while (all != NULL && all[len].algorithm_names != NULL)
		len++;
	offered[i] = OPENSSL_zalloc((len + 1) * sizeof(**offered));
	if (offered[i] == NULL)
		return false;
	for (; len > 0; len--, all++) {
		if (is_needed(&offers[i], all))
			offered[i][n++] = *all;
	}
	return true;
}

static void release(void)
{
	size_t i;

	for (i = 0; i < OFFERS; i++) {
		OPENSSL_free(offered[i]);
		offered[i] = NULL;
	}
	if (whole != NULL)
		OSSL_PROVIDER_unload(whole);
	whole = NULL;
	OSSL_LIB_CTX_free(inner);
	inner = NULL;
}

/* --- what OpenSSL calls ------------------------------------------------- */

static const OSSL_ALGORITHM *query(void *context, int operation, int *no_cache)
{
	size_t i;

	(void)context;
	*no_cache = 0;
	for (i = 0; i < OFFERS; i++) {
		if (offers[i].operation == operation)
			return offered[i];
	}
	return NULL;
}

/* Of the groups of TLS. */
static int get_capabilities(void *context, const char *capability,
	OSSL_CALLBACK *callback, void *arg)
{
	(void)context;
	return OSSL_PROVIDER_get_capabilities(whole, capability, callback, arg);
}

/* There is none for the end: what is offered stays until the process ends. */
static const OSSL_DISPATCH functions[] = {
	{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
	{OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))get_capabilities},
	{0, NULL},
};

/*
 * The algorithms are OpenSSL's own, made in the context of the whole provider:
 * it is what they are given, and what they find others in.
 */
static int start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
	const OSSL_DISPATCH **out, void **context)
{
	size_t i;

	(void)handle;
	(void)in;
	inner = OSSL_LIB_CTX_new();
	if (inner != NULL)
		whole = OSSL_PROVIDER_load(inner, "default");
	for (i = 0; i < OFFERS && whole != NULL; i++) {
		if (!select_offer(i))
			break;
	}
	if (whole == NULL || i < OFFERS) {
		release();
		return 0;
	}
	*out = functions;
	*context = OSSL_PROVIDER_get0_provider_ctx(whole);
	return 1;
}

/* --- whether it is used ------------------------------------------------- */

static int count_one(OSSL_PROVIDER *provider, void *count)
{
	(void)provider;
	++*(unsigned *)count;
	return 1;
}

/*
 * Once a provider was loaded OpenSSL adds none by itself; if there is another
 * one, its configuration says so.
 */
static bool is_alone(void)
{
	unsigned count = 0;

	return OSSL_PROVIDER_do_all(NULL, count_one, &count) == 1 && count == 1;
}

static bool is_wanted(void)
{
	const char *off = getenv(TLS_PROVIDER_OFF);

	return (off == NULL || *off == '\0') && tls_decoding_is_slow();
}

bool tls_provider_use(void)
{
	if (is_decided)
		return true;
	if (is_wanted()) {
		if (OSSL_PROVIDER_add_builtin(NULL, NAME, start) != 1)
			return false;
		ours = OSSL_PROVIDER_load(NULL, NAME);
		if (ours == NULL)
			return false;
		if (!is_alone()) {
			OSSL_PROVIDER_unload(ours);
			ours = NULL;
			release();
		}
	}
	is_decided = true;
	return true;
}

OSSL_LIB_CTX *tls_provider_context(void)
{
	return inner;
}

const char *tls_provider_name(void)
{
	return ours != NULL ? NAME : "openssl";
}
