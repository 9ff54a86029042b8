/*
 * The algorithms that OpenSSL has here. To find the code for a key, OpenSSL
 * before 3.2 goes through all of them, again for each certificate; so it gets
 * only those that are needed, from a provider that passes on OpenSSL's own.
 * [SRV-330], [SRV-331].
 */
#ifndef TLS_PROVIDER_H
#define TLS_PROVIDER_H

#include <openssl/crypto.h>
#include <stdbool.h>

/* Turns it off, if it is set to anything but the empty text. [SRV-331]. */
#define TLS_PROVIDER_OFF "LBPROXY_DEFAULT_PROVIDER"

/*
 * Returns true if this OpenSSL finds anew how to decode a key, each time, as
 * those before 3.2 do; later ones remember it.
 */
static inline bool tls_decoding_is_slow(void)
{
	return OpenSSL_version_num() < 0x30200000UL;
}

/*
 * Offers only what is needed, where that is cheaper and nobody has said what
 * else to use; further calls do nothing. To be called by the first thread,
 * before any algorithm is fetched. False: out of memory.
 */
bool tls_provider_use(void);

/*
 * In which the algorithms that are offered find others; NULL: in the default
 * one, as if there were no provider of ours.
 */
struct ossl_lib_ctx_st *tls_provider_context(void);

/* What OpenSSL uses in this process: "lbproxy" or "openssl". */
const char *tls_provider_name(void);

#endif
