/*
 * One side of a session: a non-blocking socket, with or without TLS on it.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "poller.h"
#include "relay.h"
#include "tls.h"

struct stream {
	struct watch watch; /* watch.fd is the socket; -1: closed */
	struct tls tls;     /* tls.ssl is NULL on plain TCP */
	unsigned read_on;   /* what makes a read worth trying again: TLS may */
	unsigned write_on;  /* have to write before it can read */
};

/* Starts a closed stream with this handler. */
void stream_init(
	struct stream *stream, void (*ready)(struct watch *, unsigned));

/* Takes over a connected or connecting socket. */
void stream_open(struct stream *stream, int fd);

/* Are there bytes to read that the poller does not know of? */
bool stream_has_pending(const struct stream *stream);

/* What the poller said, of enum poller_want, in terms of enum lbp_watch. */
unsigned stream_readiness(const struct stream *stream, unsigned ready);

/* Watches for this, of enum lbp_watch; returns as poller_set. */
int stream_watch(struct stream *stream, struct poller *poller, unsigned watch);

/* A turn begins, in which TLS may take so many bytes. [SRV-87]. */
void stream_begin_turn(struct stream *stream, size_t budget);

/*
 * As those of struct lbp_relay_io: *n is left alone unless bytes were moved,
 * and with LBP_IO_WAIT too it says how many.
 */
enum lbp_io stream_read(
	struct stream *stream, void *buf, size_t len, size_t *n);
enum lbp_io stream_write(
	struct stream *stream, const void *buf, size_t len, size_t *n);

/* Ends sending cleanly: close_notify if TLS, and FIN. */
enum lbp_io stream_end(struct stream *stream);

/* Drops what the socket has, whatever it means to TLS. */
enum lbp_io stream_drop(
	struct stream *stream, void *buf, size_t len, size_t *n);

/* How many written bytes the peer's TCP has not got yet. */
unsigned stream_unsent(const struct stream *stream);

/* Closes; the peer sees a reset if that is asked for. Closed stays closed. */
void stream_close(struct stream *stream, struct poller *poller, bool reset);

#endif
