/*
 * Certificates whose signature was verified, by their digest. It belongs to one
 * trust, which does not change, so that none outlives the CA that signed it.
 * All threads share it without a lock. [SRV-333].
 */
#ifndef TLS_KNOWN_H
#define TLS_KNOWN_H

#include <stdbool.h>

#define TLS_KNOWN_DIGEST 32 /* of SHA-256 */
#define TLS_KNOWN_MAX    4096

struct known;

/* Makes an empty one; NULL: out of memory. */
struct known *known_new(void);
void known_free(struct known *known); /* NULL is allowed */

bool known_has(const struct known *known,
	const unsigned char digest[TLS_KNOWN_DIGEST]);

/* Adds one, in the place of another if need be. */
void known_add(
	struct known *known, const unsigned char digest[TLS_KNOWN_DIGEST]);

#endif
