/*
 * The protocol between load and upstream: a request is a header of two
 * numbers, big-endian, then `up` bytes; its answer is `down` bytes. The next
 * request follows on the same connection after the answer. Both count the
 * bytes of each from 0 and send those of a pattern, which whoever receives
 * them compares.
 */
#ifndef LBP_BENCH_EXCHANGE_H
#define LBP_BENCH_EXCHANGE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum {
	EXCHANGE_HEADER_BYTES = 16,
	BLOCK_BYTES = 65536,   /* at most this much at once */
	PATTERN_BYTES = 65521, /* after these the same ones again: a prime */
	PATTERN_ROOM = PATTERN_BYTES + BLOCK_BYTES
};

/* Fills PATTERN_ROOM bytes, so that a block may start at any of the pattern's.
 */
static inline void pattern_fill(unsigned char *pattern)
{
	for (uint32_t i = 0; i < PATTERN_ROOM; i++) {
		uint32_t at = i % PATTERN_BYTES;

		pattern[i] = (unsigned char)(at * 167 + (at >> 8) * 59);
	}
}

/* The bytes that follow the first `done`. */
static inline const unsigned char *pattern_at(
	const unsigned char *pattern, uint64_t done)
{
	return pattern + done % PATTERN_BYTES;
}

static inline void exchange_write(
	unsigned char *header, uint64_t up, uint64_t down)
{
	up = htobe64(up);
	down = htobe64(down);
	memcpy(header, &up, sizeof(up));
	memcpy(header + sizeof(up), &down, sizeof(down));
}

static inline void exchange_read(
	const unsigned char *header, uint64_t *up, uint64_t *down)
{
	memcpy(up, header, sizeof(*up));
	memcpy(down, header + sizeof(*up), sizeof(*down));
	*up = be64toh(*up);
	*down = be64toh(*down);
}

#endif
