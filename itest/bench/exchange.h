/*
 * The protocol between load and upstream: a request is a header of two
 * numbers, big-endian, then `up` bytes; its answer is `down` bytes. The next
 * request follows on the same connection after the answer.
 */
#ifndef LBP_BENCH_EXCHANGE_H
#define LBP_BENCH_EXCHANGE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum {
	EXCHANGE_HEADER_BYTES = 16
};

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
