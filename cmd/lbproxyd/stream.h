/*
 * One side of a session: a non-blocking socket, with or without TLS on it,
 * and what is known about its readiness.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "poller.h"
#include "tls.h"

struct stream {
	struct watch watch; /* watch.fd is the socket; -1: closed */
	struct tls tls;     /* tls.ssl is NULL on plain TCP */
	bool can_read;      /* a read is worth trying */
	bool can_write;
	unsigned read_on;  /* what makes a read worth trying again: TLS may */
	unsigned write_on; /* have to write before it can read */
	/* Bytes that may still be read from the socket in this turn; with TLS
	 * it is tls.budget. */
	size_t budget;
	/* It was reset, or failed: what it sent before can still be read. */
	bool has_failed;
	bool is_truncated; /* TCP ended without close_notify */
};

/* Starts a closed stream with this handler. */
void stream_init(
	struct stream *stream, void (*ready)(struct watch *, unsigned));

/* Takes over a connected or connecting socket. */
void stream_open(struct stream *stream, int fd);

/*
 * Says that the handshake, if any, is over: bytes that came with it are there
 * to be read, and the poller does not know of them.
 */
void stream_begin(struct stream *stream);

/* Notes what the poller said. */
void stream_ready(struct stream *stream, unsigned ready);

/* A turn begins, in which so many bytes may be read. [SRV-34]. */
void stream_begin_turn(struct stream *stream, size_t budget);

/* Could there be more for this turn? */
bool stream_can_read(const struct stream *stream);

/* Was this turn's budget used up? */
bool stream_is_exhausted(const struct stream *stream);

/*
 * As tls_read and tls_write; can_read and can_write follow the result. After
 * IO_RESET has_failed is set, after IO_TRUNCATED is_truncated. A read of a
 * stream that has failed gives the bytes before the failure, then IO_RESET.
 */
enum io stream_read(struct stream *stream, void *buf, size_t len, size_t *n);
enum io stream_write(
	struct stream *stream, const void *buf, size_t len, size_t *n);

/* Ends sending cleanly: close_notify if TLS, and FIN. */
enum io stream_end(struct stream *stream);

/* How many written bytes the peer's TCP has not got yet. */
unsigned stream_unsent(const struct stream *stream);

/* Closes; the peer sees a reset if that is asked for. Closed stays closed. */
void stream_close(struct stream *stream, struct poller *poller, bool reset);

#endif
