/* The places of lib/server/sources.h once more, read from a plain log. */
#ifndef LBP_MODEL_SOURCES_H
#define LBP_MODEL_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_SOURCES_EVENTS 256

/* An address as a socket has it. */
struct model_address {
	bool is_ipv4;
	uint8_t bytes[16]; /* the first four if it is IPv4 */
};

/* A handshake that entered; the log has them in that order. */
struct model_handshake {
	struct model_address address;
	bool in_progress;
	bool heard;
};

struct model_sources {
	uint32_t cap;
	struct model_handshake log[MODEL_SOURCES_EVENTS];
	uint32_t len;
};

/* Of the same source? [SRC-1] */
bool model_sources_same(
	const struct model_address *a, const struct model_address *b);

/* How many handshakes of this source, or of all if NULL, are in progress. */
uint32_t model_sources_taken(
	const struct model_sources *model, const struct model_address *address);

/* How many sources have a handshake in progress. */
uint32_t model_sources_count(const struct model_sources *model);

/*
 * Enters one more handshake, of at most MODEL_SOURCES_EVENTS. Returns the index
 * of the one that lost its place, or MODEL_SOURCES_EVENTS.
 */
uint32_t model_sources_enter(
	struct model_sources *model, const struct model_address *address);

#endif
