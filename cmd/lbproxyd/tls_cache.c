#include "tls_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "clock.h"
#include "server/sources.h"

/* A place, as lbp_sources counts them, and the session that has it. */
struct slot {
	SSL_SESSION *session; /* NULL: free */
	struct lbp_ticket ticket;
	struct cache_entry entry;
	uint32_t next; /* in its bucket */
};

struct cache {
	pthread_mutex_t lock;
	struct lbp_sources *shares; /* whose session is evicted */
	uint32_t len;
	struct slot *slots;
	uint32_t *buckets; /* len of each: the first slot, or LBP_NONE */
};

struct cache *cache_new(uint32_t sessions)
{
	/* Strangers cannot choose the numbers of clients. */
	static const uint64_t seed[2] = {0};
	struct cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		return NULL;
	pthread_mutex_init(&cache->lock, NULL);
	cache->slots = calloc(sessions, sizeof(*cache->slots));
	cache->buckets = malloc(sessions * sizeof(*cache->buckets));
	if (cache->slots == NULL || cache->buckets == NULL ||
		lbp_sources_new(&cache->shares, sessions, seed) != LBP_OK) {
		cache_free(cache);
		return NULL;
	}
	cache->len = sessions;
	memset(cache->buckets, 0xff, sessions * sizeof(*cache->buckets));
	return cache;
}

/* This server chooses ids at random, so any part of one is a good hash. */
static uint32_t *bucket_of(
	struct cache *cache, const unsigned char *id, size_t len)
{
	uint32_t hash = 0;

	memcpy(&hash, id, len < sizeof(hash) ? len : sizeof(hash));
	return &cache->buckets[hash % cache->len];
}

static bool has_id(const struct slot *slot, const unsigned char *id, size_t len)
{
	unsigned own_len;
	const unsigned char *own = SSL_SESSION_get_id(slot->session, &own_len);

	return own_len == len && memcmp(own, id, len) == 0;
}

/* Finds the link to the slot with this id; it is LBP_NONE if there is none. */
static uint32_t *link_of(
	struct cache *cache, const unsigned char *id, size_t len)
{
	uint32_t *link = bucket_of(cache, id, len);

	while (*link != LBP_NONE && !has_id(&cache->slots[*link], id, len))
		link = &cache->slots[*link].next;
	return link;
}

static uint32_t *link_of_session(
	struct cache *cache, const SSL_SESSION *session)
{
	unsigned len;
	const unsigned char *id = SSL_SESSION_get_id(session, &len);

	return link_of(cache, id, len);
}

/* Frees the slot of a link, but not its place. */
static void empty(struct cache *cache, uint32_t *link)
{
	struct slot *slot = &cache->slots[*link];

	*link = slot->next;
	SSL_SESSION_free(slot->session);
	slot->session = NULL;
}

static void forget(struct cache *cache, uint32_t *link)
{
	struct lbp_ticket ticket = cache->slots[*link].ticket;

	empty(cache, link);
	(void)lbp_sources_leave(cache->shares, ticket);
}

static void keep(struct cache *cache, SSL_SESSION *session,
	const struct cache_entry *entry)
{
	const struct lbp_source share = {.high = entry->client};
	uint32_t *link;
	struct lbp_ticket ticket, evicted;
	struct slot *slot;

	lbp_sources_enter(cache->shares, &share, &ticket, &evicted);
	if (evicted.order != 0)
		empty(cache, link_of_session(cache,
				     cache->slots[evicted.place].session));
	link = link_of_session(cache, session);
	slot = &cache->slots[ticket.place];
	*slot = (struct slot){session, ticket, *entry, *link};
	*link = ticket.place;
}

void cache_put(struct cache *cache, SSL_SESSION *session,
	const struct cache_entry *entry)
{
	pthread_mutex_lock(&cache->lock);
	if (*link_of_session(cache, session) == LBP_NONE) {
		(void)SSL_SESSION_up_ref(session);
		keep(cache, session, entry);
	}
	pthread_mutex_unlock(&cache->lock);
}

SSL_SESSION *cache_find(struct cache *cache, const unsigned char *id,
	size_t len, uint64_t now_ns, uint64_t era, uint64_t *full_ns)
{
	SSL_SESSION *found = NULL;
	struct slot *slot;
	uint32_t *link;

	pthread_mutex_lock(&cache->lock);
	link = link_of(cache, id, len);
	if (*link != LBP_NONE) {
		slot = &cache->slots[*link];
		*full_ns = slot->entry.full_ns;
		if (now_ns - *full_ns >= CACHE_LIFETIME_S * LBP_NS_PER_S ||
			slot->entry.era != era) {
			forget(cache, link);
		} else {
			found = slot->session;
			(void)SSL_SESSION_up_ref(found);
		}
	}
	pthread_mutex_unlock(&cache->lock);
	return found;
}

void cache_drop(struct cache *cache, const SSL_SESSION *session)
{
	uint32_t *link;

	pthread_mutex_lock(&cache->lock);
	link = link_of_session(cache, session);
	if (*link != LBP_NONE && cache->slots[*link].session == session)
		forget(cache, link);
	pthread_mutex_unlock(&cache->lock);
}

void cache_purge(struct cache *cache,
	bool (*is_unfit)(
		const SSL_SESSION *session, uint64_t era, const void *user),
	const void *user)
{
	uint32_t i;

	pthread_mutex_lock(&cache->lock);
	for (i = 0; i < cache->len; i++) {
		uint32_t *link = &cache->buckets[i];

		while (*link != LBP_NONE) {
			struct slot *slot = &cache->slots[*link];

			if (is_unfit(slot->session, slot->entry.era, user))
				forget(cache, link);
			else
				link = &slot->next;
		}
	}
	pthread_mutex_unlock(&cache->lock);
}

void cache_clear(struct cache *cache)
{
	uint32_t i;

	pthread_mutex_lock(&cache->lock);
	for (i = 0; i < cache->len; i++) {
		while (cache->buckets[i] != LBP_NONE)
			forget(cache, &cache->buckets[i]);
	}
	pthread_mutex_unlock(&cache->lock);
}

void cache_free(struct cache *cache)
{
	if (cache == NULL)
		return;
	cache_clear(cache);
	lbp_sources_free(cache->shares);
	free(cache->slots);
	free(cache->buckets);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}
