/*
 * One attempt to reach an upstream: each of its addresses in turn, then TLS
 * if the upstream wants it. Sessions and health checks dial alike.
 */
#ifndef DIAL_H
#define DIAL_H

#include "snapshot.h"
#include "stream.h"

enum dial_result {
	DIAL_PENDING, /* call dial_ready when the stream is ready */
	DIAL_DONE,    /* the stream is connected, TLS included */
	DIAL_FAILED,  /* the upstream's fault; the stream is closed */
	DIAL_LOCAL,   /* our own: errno says what ran out; closed */
};

struct dial {
	const struct target *target;
	size_t next; /* of the target's addresses */
	bool connected;
};

/* Starts on a closed stream. */
enum dial_result dial_start(struct dial *dial, const struct target *target,
	struct stream *stream, struct poller *poller);

/* Goes on when the stream is ready. */
enum dial_result dial_ready(
	struct dial *dial, struct stream *stream, struct poller *poller);

#endif
