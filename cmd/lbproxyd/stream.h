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

/* As tls_read and tls_write; can_read and can_write follow the result. */
enum io stream_read(struct stream *stream, void *buf, size_t len, size_t *n);
enum io stream_write(
	struct stream *stream, const void *buf, size_t len, size_t *n);

/* Ends sending cleanly: close_notify if TLS, and FIN. */
enum io stream_end(struct stream *stream);

/* Closes; the peer sees a reset if that is asked for. Closed stays closed. */
void stream_close(struct stream *stream, struct poller *poller, bool reset);

#endif
