/* Headers of the PROXY protocol, written piece by piece for the tests. */
#ifndef LBP_TEST_PROXY_TEXT_H
#define LBP_TEST_PROXY_TEXT_H

#include <string.h>

#include "server/proxy.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

/* The contents of a text without its NUL. */
#define BYTES(text) (text), sizeof(text) - 1

struct proxy_text {
	uint8_t bytes[4096];
	size_t len;
};

static inline void proxy_put(
	struct proxy_text *text, const void *bytes, size_t len)
{
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
}

/* Starts with the 16 bytes of version 2: it has len more. */
static inline void proxy_start(
	struct proxy_text *text, unsigned command, unsigned family, size_t len)
{
	const uint8_t rest[4] = {(uint8_t)command, (uint8_t)family,
		(uint8_t)(len >> 8), (uint8_t)len};

	text->len = 0;
	proxy_put(text, BYTES(SIGNATURE));
	proxy_put(text, rest, sizeof(rest));
}

#endif
