/*
 * The relay of a session: its bytes, both ways, through the caller's sockets.
 *
 * The caller provides functions that read, write and end a side, passes on what
 * its poller reports (lbp_session_ready), lets the session take a turn
 * (lbp_session_relay), and asks what to watch for next (lbp_session_watch).
 * Source: SPEC.md [REL-*].
 */
#ifndef LBP_RELAY_H
#define LBP_RELAY_H

#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "err.h"
#include "relay_io.h"
#include "session.h"

LBP_BEGIN_DECLS

/* What a side is watched for, and what the poller reports about it. */
enum lbp_watch {
	LBP_WATCH_READ = 1 << 0,
	LBP_WATCH_WRITE = 1 << 1,
	LBP_WATCH_ERROR = 1
			  << 2, /* a reset; poll and epoll report it unasked */
};

/* How often to check whether the last bytes before a reset have arrived. */
#define LBP_FLUSH_LOOK_NS UINT64_C(20000000)

/*
 * Sets the functions of a session, before its first turn. io must outlive the
 * session; user may be NULL. LBP_ERR_NULL: another argument, or a function that
 * is required, is NULL. LBP_ERR_RANGE: buffer_bytes is out of range. On error
 * nothing changes.
 */
enum lbp_err lbp_session_set_io(
	struct lbp_session *session, const struct lbp_relay_io *io, void *user);

/*
 * Passes on what the poller reports about a side, of enum lbp_watch. When the
 * relay begins (LBP_EVENT_DIAL_DONE), both sides count as writable, and neither
 * as readable until this says so. Source: [REL-4], [REL-5].
 */
void lbp_session_ready(
	struct lbp_session *session, enum lbp_side side, unsigned ready);

/*
 * Takes one turn: does what the sides are ready for, within a budget, and steps
 * the events that follow (ANSWERED, FLOW_FINISHED, resets and truncations,
 * DELIVERED, CLIENT_ENDED, STOP) at now_ns. *duties is the union of their
 * duties; with LBP_DUTY_RELAY there is more to do: call again after the other
 * sessions had their turn. Call it when a side is ready or LBP_DUTY_RELAY asks
 * for it; in a state without a relay it does nothing.
 * LBP_ERR_STATE: lbp_session_set_io was not called. LBP_ERR_NULL: an argument
 * is NULL. Then nothing happens, and there is no duty. Source: [REL-1] to
 * [REL-13].
 */
LBP_MUST_CHECK enum lbp_err lbp_session_relay(struct lbp_session *session,
	uint64_t now_ns, struct lbp_duties *duties);

/*
 * Steps the result of a dial: LBP_IO_OK is DIAL_DONE, FAILED is DIAL_LOCAL,
 * WAIT is a TICK, and all others are DIAL_FAILED. Fails as lbp_session_step
 * does. Source: [REL-14].
 */
LBP_MUST_CHECK enum lbp_err lbp_session_dialed(struct lbp_session *session,
	enum lbp_io io, uint64_t now_ns, struct lbp_duties *duties);

/*
 * Returns what a level-triggered poller should watch a side for now, of enum
 * lbp_watch; 0: nothing, not even errors. During a handshake TLS knows better
 * what it waits for. Source: [REL-8] to [REL-10].
 */
unsigned lbp_session_watch(
	const struct lbp_session *session, enum lbp_side side);

LBP_END_DECLS

#endif
