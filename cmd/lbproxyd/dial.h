/*
 * One attempt to reach an upstream: each of its addresses in turn, then TLS
 * if the upstream wants it. Sessions and health checks dial alike. [SRV-92].
 */
#ifndef DIAL_H
#define DIAL_H

#include "snapshot.h"
#include "stream.h"

enum dial_result {
	DIAL_PENDING, /* dial_ready if the stream is, dial_late at due_ns */
	DIAL_DONE,    /* the stream is connected, TLS included */
	DIAL_FAILED,  /* the upstream's fault; the stream is closed */
	DIAL_LOCAL,   /* our own fault; the stream is closed */
};

struct dial {
	const struct target *target;
	struct stream *stream;
	struct poller *poller;
	size_t len;  /* of the target's addresses, if it has any now */
	size_t next; /* of these */
	bool connected;
	bool failed; /* some address did, by the upstream's fault */
	int error;   /* for want of what of ours one did, an errno; or 0 */
	/* The time of the current address, and of the whole dial. */
	uint64_t due_ns;
	uint64_t end_ns;
	const char *cause; /* of the last failure, in words; static */
};

/* Starts on a closed stream, which must outlive the dial. */
enum dial_result dial_start(struct dial *dial, const struct target *target,
	struct stream *stream, struct poller *poller, uint64_t end_ns);

/* Goes on when the stream is ready. */
enum dial_result dial_ready(struct dial *dial);

/* Goes on with the next address, as the time of this one is up. */
enum dial_result dial_late(struct dial *dial);

/* Why the dial fails if its time is up, in words; static. */
const char *dial_late_cause(const struct dial *dial);

#endif
