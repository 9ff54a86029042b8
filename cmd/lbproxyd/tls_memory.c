#include "tls_memory.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stddef.h>
#include <stdlib.h>

#include "tls_provider.h"

static _Thread_local bool ran_out;

static void *noted(void *ptr, size_t size)
{
	if (ptr == NULL && size > 0)
		ran_out = true;
	return ptr;
}

static void *take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return noted(malloc(size), size);
}

static void *take_again(void *ptr, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return noted(realloc(ptr, size), size);
}

static void give(void *ptr, const char *file, int line)
{
	(void)file;
	(void)line;
	free(ptr);
}

/*
 * What OpenSSL has ends with the process: it cannot free all of it while there
 * is no memory.
 */
bool tls_memory_init(void)
{
	return CRYPTO_set_mem_functions(take, take_again, give) == 1 &&
	       OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) == 1;
}

/* To list all of a kind in a context means to load them. */
#define LOADER(kind)                                                           \
	static void see_##kind(__typeof__(kind) *one, void *arg)               \
	{                                                                      \
		(void)one;                                                     \
		(void)arg;                                                     \
	}                                                                      \
	static void load_##kind(OSSL_LIB_CTX *context)                         \
	{                                                                      \
		kind##_do_all_provided(context, see_##kind, NULL);             \
	}

LOADER(EVP_MD)
LOADER(EVP_CIPHER)
LOADER(EVP_MAC)
LOADER(EVP_KDF)
LOADER(EVP_RAND)
LOADER(EVP_KEYMGMT)
LOADER(EVP_KEYEXCH)
LOADER(EVP_SIGNATURE)
LOADER(EVP_ASYM_CIPHER)
LOADER(EVP_KEM)

static void (*const loaders[])(OSSL_LIB_CTX *context) = {
	load_EVP_MD,
	load_EVP_CIPHER,
	load_EVP_MAC,
	load_EVP_KDF,
	load_EVP_RAND,
	load_EVP_KEYMGMT,
	load_EVP_KEYEXCH,
	load_EVP_SIGNATURE,
	load_EVP_ASYM_CIPHER,
	load_EVP_KEM,
};

static bool load_context(OSSL_LIB_CTX *context)
{
	EVP_MD *any;
	size_t i;

	/* Listing crashes where the first fetch failed. */
	any = EVP_MD_fetch(context, "SHA256", NULL);
	if (any == NULL)
		return false;
	EVP_MD_free(any);
	for (i = 0; i < sizeof(loaders) / sizeof(*loaders) && !ran_out; i++)
		loaders[i](context);
	return !ran_out;
}

bool tls_memory_load_algorithms(void)
{
	tls_memory_forget();
	/* Makes the default context; where that failed, using it crashes. */
	(void)OSSL_LIB_CTX_set0_default(NULL);
	if (ran_out || !tls_provider_use() || !load_context(NULL))
		return false;
	return tls_provider_context() == NULL ||
	       load_context(tls_provider_context());
}

void tls_memory_forget(void)
{
	ran_out = false;
}

bool tls_memory_ran_out(void)
{
	return ran_out;
}
