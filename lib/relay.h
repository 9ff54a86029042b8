/*
 * The relay of a session: its bytes both ways, moved through the caller's
 * sockets.
 *
 * Whoever has the sockets says how to read, write and end them, tells the
 * session what its poller reported (lbp_session_ready), lets the session do
 * what can be done then (lbp_session_relay), and asks what to watch for next
 * (lbp_session_watch). Source: SPEC.md [REL-*].
 */
#ifndef LBP_RELAY_H
#define LBP_RELAY_H

#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "err.h"
#include "session.h"

LBP_BEGIN_DECLS

/* What a side is watched for, and what a poller reports of it. */
enum lbp_watch {
	LBP_WATCH_READ = 1 << 0,
	LBP_WATCH_WRITE = 1 << 1,
	LBP_WATCH_ERROR = 1 << 2, /* a reset; poll and epoll tell it unasked */
};

/* What a read, a write or an end came to. */
enum lbp_io {
	LBP_IO_OK,
	LBP_IO_WAIT,      /* no more before the side is ready again */
	LBP_IO_YIELD,     /* no more in this turn */
	LBP_IO_END,       /* the peer ended cleanly */
	LBP_IO_TRUNCATED, /* TCP ended, and TLS did not */
	LBP_IO_RESET,     /* TCP was reset or has failed, or TLS is broken */
	LBP_IO_FLOOD,     /* the peer sends without end, and no data */
	LBP_IO_FAILED,    /* our own trouble: out of memory */
};

/*
 * The caller's functions; user is that of lbp_session_set_io. None may call
 * the session, but for step.
 */
struct lbp_relay_io {
	/*
	 * Reads at most len bytes of a side, which go to buf, or writes at most
	 * len of them to a side. *n, which is 0 before, says how many, also
	 * with WAIT and YIELD, which then mean the next call.
	 */
	enum lbp_io (*read)(void *user, enum lbp_side from, void *buf,
		size_t len, size_t *n);
	enum lbp_io (*write)(void *user, enum lbp_side to, const void *buf,
		size_t len, size_t *n);
	/* Ends sending to a side cleanly: FIN, after close_notify if TLS. */
	enum lbp_io (*end)(void *user, enum lbp_side to);
	/*
	 * Lends a buffer of buffer_bytes for one direction, as long as it holds
	 * bytes; NULL: there is none, which ends the session.
	 */
	uint8_t *(*take_buffer)(void *user);
	void (*give_buffer)(void *user, uint8_t *buffer);
	uint32_t buffer_bytes; /* at least 1, at most LBP_BUFFER_MAX */
	/*
	 * How many written bytes the TCP of a side has not acknowledged: a
	 * reset would destroy them. NULL: not known, nobody waits for them.
	 */
	unsigned (*unsent)(void *user, enum lbp_side to);
	/*
	 * Calls lbp_session_step with these arguments; for who has to hold a
	 * lock around that. NULL: it is called without.
	 */
	enum lbp_err (*step)(void *user, const struct lbp_event *event,
		uint64_t now_ns, struct lbp_duties *duties);
};

#define LBP_BUFFER_MAX (1u << 28)

/* How often to look whether the last bytes before a reset have arrived. */
#define LBP_FLUSH_LOOK_NS UINT64_C(20000000)

/*
 * Says how a session reads and writes, before its first turn. io must outlive
 * the session. LBP_ERR_NULL: an argument, or a function that has to be there,
 * is; user may be NULL. LBP_ERR_RANGE: buffer_bytes is out of range. Nothing
 * changes then.
 */
enum lbp_err lbp_session_set_io(
	struct lbp_session *session, const struct lbp_relay_io *io, void *user);

/*
 * Says what the poller reports of a side, of enum lbp_watch. When the relay
 * begins (LBP_EVENT_DIAL_DONE) both sides are taken to be writable, and to be
 * readable only if that is said after it. Source: [REL-4], [REL-5].
 */
void lbp_session_ready(
	struct lbp_session *session, enum lbp_side side, unsigned ready);

/*
 * One turn: does all that the sides are ready for, within a budget, and steps
 * what comes of it (ANSWERED, FLOW_FINISHED, the resets and truncations,
 * DELIVERED, CLIENT_ENDED, STOP) at now_ns. *duties are those of all these
 * steps; LBP_DUTY_RELAY among them: there is more to do, call again once the
 * other sessions have had their turn. To be called when a side is ready, when
 * LBP_DUTY_RELAY says so, in any state: there may be nothing to do.
 * LBP_ERR_STATE: lbp_session_set_io is missing; LBP_ERR_NULL. Nothing happened
 * then, there is no duty. Source: [REL-1] to [REL-13].
 */
LBP_MUST_CHECK enum lbp_err lbp_session_relay(struct lbp_session *session,
	uint64_t now_ns, struct lbp_duties *duties);

/*
 * What a dial came to so far, as an event: LBP_IO_OK steps DIAL_DONE, FAILED
 * DIAL_LOCAL, WAIT a TICK, all others DIAL_FAILED. As lbp_session_step.
 * Source: [REL-14].
 */
LBP_MUST_CHECK enum lbp_err lbp_session_dialed(struct lbp_session *session,
	enum lbp_io io, uint64_t now_ns, struct lbp_duties *duties);

/*
 * What a side is to be watched for now, of enum lbp_watch; 0: not at all, not
 * even for errors. In a handshake that is only a proposal: TLS says what it
 * waits for. For a level-triggered poller. Source: [REL-8] to [REL-10].
 */
unsigned lbp_session_watch(
	const struct lbp_session *session, enum lbp_side side);

LBP_END_DECLS

#endif
