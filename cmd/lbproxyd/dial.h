/*
 * One attempt to connect to an upstream: tries each of its addresses in turn,
 * then does the TLS handshake if the upstream is tls://. Sessions and health
 * checks dial in the same way. [SRV-92].
 */
#ifndef DIAL_H
#define DIAL_H

#include "snapshot.h"
#include "stream.h"

enum dial_result {
	DIAL_PENDING, /* call dial_ready, or dial_late at due_ns */
	DIAL_DONE,    /* the stream is connected, TLS included */
	DIAL_FAILED,  /* the upstream's fault; the stream is closed */
	DIAL_LOCAL,   /* our own fault; the stream is closed */
};

struct dial {
	const struct target *target;
	struct stream *stream;
	struct poller *poller;
	size_t len;  /* of the target's addresses; 0: none are known */
	size_t next; /* the next address to try */
	bool connected;
	bool failed; /* an address failed by the upstream's fault */
	int error;   /* errno of a failure by our own fault, or 0 */
	/* The deadlines of the current address and of the whole dial. */
	uint64_t due_ns;
	uint64_t end_ns;
	const char *cause; /* of the last failure; static text */
};

/* Starts on a closed stream, which must outlive the dial. */
enum dial_result dial_start(struct dial *dial, const struct target *target,
	struct stream *stream, struct poller *poller, uint64_t end_ns);

/* Continues when the stream is ready. */
enum dial_result dial_ready(struct dial *dial);

/* Gives up on an address at its deadline, and tries the next one. */
enum dial_result dial_late(struct dial *dial);

/* Why the dial fails if its deadline passes; static text. */
const char *dial_late_cause(const struct dial *dial);

#endif
