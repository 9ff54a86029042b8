/*
 * TLS sessions that may be resumed, of clients that were let in. OpenSSL's own
 * cache would keep those of refused ones too, one client's instead of all
 * others', and each for an hour from its last handshake. [SRV-68] to [SRV-70].
 *
 * Shared by all threads.
 */
#ifndef TLS_CACHE_H
#define TLS_CACHE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

/* For how long a session is kept from its full handshake. */
#define CACHE_LIFETIME_S 3600

struct cache;

/* For so many sessions, 1 to LBP_SOURCES_MAX; NULL: out of memory. */
struct cache *cache_new(uint32_t sessions);
void cache_free(struct cache *cache);

/*
 * Keeps a session of this client's, to which it takes a reference of its own,
 * and which began with a full handshake at full_ns. If there is no room it
 * takes the place of the oldest of the client that has the most. One of an id
 * that is kept already is left out.
 */
void cache_put(struct cache *cache, SSL_SESSION *session, uint32_t client,
	uint64_t full_ns);

/*
 * The session of this id, with a reference for the caller, and when its full
 * handshake was; NULL: none, or it is too old by now_ns.
 */
SSL_SESSION *cache_find(struct cache *cache, const unsigned char *id,
	size_t len, uint64_t now_ns, uint64_t *full_ns);

/* Forgets this very session, if it is there. */
void cache_drop(struct cache *cache, const SSL_SESSION *session);

/* Forgets all. */
void cache_clear(struct cache *cache);

#endif
