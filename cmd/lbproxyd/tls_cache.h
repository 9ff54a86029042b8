/*
 * The TLS sessions of admitted clients, which may be resumed. OpenSSL's own
 * cache would also keep those of refused clients, let one client evict all
 * others, and keep each for an hour after its last handshake. [SRV-68] to
 * [SRV-70].
 *
 * Shared by all threads.
 */
#ifndef TLS_CACHE_H
#define TLS_CACHE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

/* How long a session is kept after its full handshake. */
#define CACHE_LIFETIME_S 3600

struct cache;

/* Makes a cache for 1 to LBP_SOURCES_MAX sessions; NULL: out of memory. */
struct cache *cache_new(uint32_t sessions);
void cache_free(struct cache *cache);

/* What is kept beside a session. */
struct cache_entry {
	uint32_t client;  /* whose it is */
	uint64_t full_ns; /* when its full handshake was */
	uint64_t era;     /* of the trust that judged its certificate */
};

/*
 * Keeps a session, taking a reference of its own. If the cache is full, the
 * oldest session of the client with the most sessions is evicted. A session
 * whose id is already in the cache is ignored.
 */
void cache_put(struct cache *cache, SSL_SESSION *session,
	const struct cache_entry *entry);

/*
 * Returns the session with this id, with a reference for the caller, and when
 * its full handshake was; NULL: there is none, it is too old at now_ns, or of
 * another era.
 */
SSL_SESSION *cache_find(struct cache *cache, const unsigned char *id,
	size_t len, uint64_t now_ns, uint64_t era, uint64_t *full_ns);

/* Removes this very session, if it is there. */
void cache_drop(struct cache *cache, const SSL_SESSION *session);

/* Removes the sessions of which is_unfit says so. */
void cache_purge(struct cache *cache,
	bool (*is_unfit)(
		const SSL_SESSION *session, uint64_t era, const void *user),
	const void *user);

/* Removes all sessions. */
void cache_clear(struct cache *cache);

#endif
