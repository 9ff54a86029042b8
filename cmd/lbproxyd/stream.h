/*
 * One side of a session: a non-blocking socket, with or without TLS on it.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "poller.h"
#include "relay.h"
#include "server/keepalive.h"
#include "tls.h"

struct stream {
	struct watch watch; /* watch.fd is the socket; -1: closed */
	struct tls tls;     /* tls.ssl is NULL on plain TCP */
	unsigned read_on;   /* what to wait for before reading or writing: */
	unsigned write_on;  /* TLS may have to write before it can read */
	bool error_taken;   /* by stream_take_error */
	bool is_patient;    /* TCP_USER_TIMEOUT is off: see stream_check_peer */
};

/* Initializes a closed stream with this handler. */
void stream_init(
	struct stream *stream, void (*ready)(struct watch *, unsigned));

/* Takes over a connected or connecting socket. */
void stream_open(struct stream *stream, int fd);

/* Returns true if there are bytes to read that the poller cannot see. */
bool stream_has_pending(const struct stream *stream);

/* Translates what the poller reported to a set of enum lbp_watch. */
unsigned stream_readiness(const struct stream *stream, unsigned ready);

/*
 * Returns true, once, if TLS has met a reset that it may not have returned yet:
 * the kernel tells of one only once, so the poller may not.
 */
bool stream_take_error(struct stream *stream);

/*
 * Watches for this set of enum lbp_watch. It is watched already, or the set was
 * empty, and will be for good.
 */
void stream_watch(struct stream *stream, struct poller *poller, unsigned watch);

/* Begins a turn, in which TLS may read this many bytes. [SRV-87]. */
void stream_begin_turn(struct stream *stream, size_t budget);

/*
 * Like those of struct lbp_relay_io: *n is set only if bytes were moved, which
 * may also be so with LBP_IO_WAIT.
 */
enum lbp_io stream_read(
	struct stream *stream, void *buf, size_t len, size_t *n);
enum lbp_io stream_write(
	struct stream *stream, const void *buf, size_t len, size_t *n);

/* Ends sending cleanly: with TLS, close_notify; then FIN. */
enum lbp_io stream_end(struct stream *stream);

/* Directly after LBP_IO_FAILED: the cause, as errno has it. */
int stream_error(const struct stream *stream);

/* Reads and drops raw bytes of the socket, bypassing TLS. */
enum lbp_io stream_drop(
	struct stream *stream, void *buf, size_t len, size_t *n);

/* How many written bytes the peer's TCP has not acknowledged yet. */
unsigned stream_unsent(const struct stream *stream);

/*
 * Has the kernel break the connection, as if by a reset, if the peer's TCP does
 * not answer. A failure changes nothing; a Unix socket needs none of it.
 */
void stream_keep_alive(
	struct stream *stream, const struct lbp_keepalive *keepalive);

/*
 * Keeps the kernel from breaking the connection with a peer that answers and
 * takes nothing. To be called every keepalive->look_ns after a turn, until it
 * returns false: the peer has acknowledged everything. [SRV-172].
 */
bool stream_check_peer(
	struct stream *stream, const struct lbp_keepalive *keepalive);

/* Closes, with a RST if asked for; a closed stream stays closed. */
void stream_close(struct stream *stream, struct poller *poller, bool reset);

#endif
