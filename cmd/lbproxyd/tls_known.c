#include "tls_known.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WORDS (TLS_KNOWN_DIGEST / sizeof(uint64_t))

/*
 * Each digest has one place. A place that two threads write at once may have
 * words of both: that is the digest of nothing, as is a place without any.
 */
struct known {
	_Atomic(uint64_t) places[TLS_KNOWN_MAX][WORDS];
};

struct known *known_new(void)
{
	return calloc(1, sizeof(struct known));
}

void known_free(struct known *known)
{
	free(known);
}

/* Returns the number of the place. */
static size_t split(
	const unsigned char digest[TLS_KNOWN_DIGEST], uint64_t words[WORDS])
{
	memcpy(words, digest, TLS_KNOWN_DIGEST);
	return words[0] % TLS_KNOWN_MAX;
}

bool known_has(
	const struct known *known, const unsigned char digest[TLS_KNOWN_DIGEST])
{
	uint64_t words[WORDS];
	size_t place = split(digest, words);
	size_t i;

	for (i = 0; i < WORDS; i++) {
		if (atomic_load_explicit(&known->places[place][i],
			    memory_order_relaxed) != words[i])
			return false;
	}
	return true;
}

void known_add(
	struct known *known, const unsigned char digest[TLS_KNOWN_DIGEST])
{
	uint64_t words[WORDS];
	size_t place = split(digest, words);
	size_t i;

	for (i = 0; i < WORDS; i++)
		atomic_store_explicit(&known->places[place][i], words[i],
			memory_order_relaxed);
}
