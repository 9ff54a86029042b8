/*
 * One attempt to connect to an upstream: tries each of its addresses in turn,
 * then sends a PROXY header, if there is to be one, and does the TLS handshake
 * if the upstream is tls://. Sessions and health checks dial in the same way.
 * [SRV-92], [PRX-20].
 */
#ifndef DIAL_H
#define DIAL_H

#include "stream.h"
#include "target.h"

enum dial_result {
	DIAL_PENDING, /* call dial_ready, or dial_late at due_ns */
	DIAL_DONE,    /* the stream is connected, TLS included */
	DIAL_FAILED,  /* the upstream's fault; the stream is closed */
	DIAL_LOCAL,   /* our own fault; the stream is closed */
};

/* What comes next with the current address. */
enum dial_phase {
	DIAL_CONNECT,
	DIAL_HEADER,
	DIAL_HANDSHAKE,
};

struct dial {
	const struct target *target;
	/* By what the upstream is trusted since a reload; NULL: as before. */
	const struct tls_client *renewed;
	struct stream *stream;
	struct poller *poller;
	size_t len;  /* of the target's addresses; 0: none are known */
	size_t next; /* the next address to try */
	enum dial_phase phase;
	/*
	 * Writes the PROXY header to buf, which has LBP_PROXY_MAX bytes, and
	 * returns its length; the same each time. 0: there is none for want of
	 * something of our own, and errno says what. NULL: there is to be none.
	 */
	size_t (*write_header)(struct dial *dial, uint8_t *buf);
	size_t sent; /* bytes of it, to the current address */
	bool failed; /* an address failed by the upstream's fault */
	int error;   /* errno of a failure by our own fault, or 0 */
	/* The deadlines of the current address and of the whole dial. */
	uint64_t due_ns;
	uint64_t end_ns;
	/* Of the last failure that is the upstream's fault, or else of the last
	 * one; static text. */
	const char *cause;
};

/*
 * Starts on a closed stream, which must outlive the dial. The dial keeps its
 * write_header, and nothing else.
 */
enum dial_result dial_start(struct dial *dial, const struct target *target,
	struct stream *stream, struct poller *poller, uint64_t end_ns);

/*
 * A reload replaced the target's trust with this client's, which the caller
 * holds. An upstream that is connected already was not judged by it.
 * [RLD-22].
 */
void dial_renew(struct dial *dial, const struct tls_client *client);

/* Continues when the stream is ready. */
enum dial_result dial_ready(struct dial *dial);

/* Gives up on an address at its deadline, and tries the next one. */
enum dial_result dial_late(struct dial *dial);

/* Why the dial fails if its deadline passes; static text. */
const char *dial_late_cause(const struct dial *dial);

#endif
