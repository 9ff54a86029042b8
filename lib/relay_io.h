/*
 * The functions of a caller through which the relay of a session reads, writes
 * and ends a side. Source: SPEC.md [REL-*].
 */
#ifndef LBP_RELAY_IO_H
#define LBP_RELAY_IO_H

#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "err.h"
#include "event.h"
#include "session.h"

LBP_BEGIN_DECLS

/* The result of a read, a write or an end. */
enum lbp_io {
	LBP_IO_OK,
	LBP_IO_WAIT,      /* nothing more until the side is ready again */
	LBP_IO_YIELD,     /* nothing more in this turn */
	LBP_IO_END,       /* the peer ended cleanly */
	LBP_IO_TRUNCATED, /* TCP ended without close_notify */
	LBP_IO_RESET,     /* TCP was reset or failed, or TLS is broken */
	LBP_IO_FLOOD,     /* the peer sends records without data, endlessly */
	LBP_IO_FAILED,    /* a failure of ours, such as no memory */
};

/*
 * The caller's functions; user is the pointer given to lbp_session_set_io. Only
 * step may call functions of the session.
 */
struct lbp_relay_io {
	/*
	 * Reads at most len bytes from a side into buf, or writes at most len
	 * bytes of buf to a side, and stores how many in *n, which is 0 at the
	 * call. WAIT and YIELD may come with bytes: they are about the next
	 * call.
	 */
	enum lbp_io (*read)(void *user, enum lbp_side from, void *buf,
		size_t len, size_t *n);
	enum lbp_io (*write)(void *user, enum lbp_side to, const void *buf,
		size_t len, size_t *n);
	/* Ends sending to a side cleanly: FIN, after close_notify if TLS. */
	enum lbp_io (*end)(void *user, enum lbp_side to);
	/*
	 * Lends a buffer of buffer_bytes to one direction while it holds bytes.
	 * NULL: there is none, which ends the session.
	 */
	uint8_t *(*take_buffer)(void *user);
	void (*give_buffer)(void *user, uint8_t *buffer);
	uint32_t buffer_bytes; /* at least 1, at most LBP_BUFFER_MAX */
	/*
	 * Returns how many written bytes the peer's TCP has not acknowledged: a
	 * reset would destroy them. May be NULL: nothing waits for them then.
	 */
	unsigned (*unsent)(void *user, enum lbp_side to);
	/*
	 * Calls lbp_session_step with these arguments, for callers who hold a
	 * lock around it. May be NULL.
	 */
	enum lbp_err (*step)(void *user, const struct lbp_event *event,
		uint64_t now_ns, struct lbp_duties *duties);
};

#define LBP_BUFFER_MAX (1u << 28)

LBP_END_DECLS

#endif
