/*
 * Draws numbers from the bytes of a fuzz input. When they are used up, every
 * number drawn is 0, so that any input is a complete one.
 */
#ifndef LBP_FUZZ_BYTES_H
#define LBP_FUZZ_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *ptr; /* the rest: len bytes of the fuzzer's */
	size_t len;
};

static inline uint8_t bytes_u8(struct bytes *bytes)
{
	if (bytes->len == 0)
		return 0;
	bytes->len--;
	return *bytes->ptr++;
}

/* Big endian; takes n bytes, at most 8. */
static inline uint64_t bytes_uint(struct bytes *bytes, unsigned n)
{
	uint64_t value = 0;

	while (n-- > 0)
		value = value << 8 | bytes_u8(bytes);
	return value;
}

/* 0 to n - 1; n is at least 1. Takes one byte if n <= 256, else four. */
static inline uint32_t bytes_below(struct bytes *bytes, uint32_t n)
{
	return (uint32_t)bytes_uint(bytes, n <= 256 ? 1 : 4) % n;
}

static inline bool bytes_bool(struct bytes *bytes)
{
	return (bytes_u8(bytes) & 1) != 0;
}

/*
 * A time or a span: mostly a small one, where things meet, but also any up to
 * 2^64 - 1, or close to it. Takes one byte, and up to 8 more.
 */
static inline uint64_t bytes_time(struct bytes *bytes)
{
	uint8_t kind = bytes_u8(bytes);

	if (kind < 0xf0)
		return kind;
	if (kind < 0xff)
		return bytes_uint(bytes, 1 + kind % 8u);
	return UINT64_MAX - bytes_u8(bytes);
}

#endif
