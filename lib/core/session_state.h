/* What a session is made of. For lib/core/session*.c and tests. */
#ifndef LBP_SESSION_STATE_H
#define LBP_SESSION_STATE_H

#include "relay.h"
#include "session.h"
#include "tried.h"

/* What is known of a side's socket. */
struct lbp_relay_side {
	bool can_read; /* a call is worth trying */
	bool can_write;
	bool has_failed;   /* was reset: what it sent before can be read */
	bool is_truncated; /* TCP ended without close_notify */
};

struct lbp_session {
	struct lbp_app *app;
	const struct lbp_session_timeouts *timeouts;
	enum lbp_state state;
	enum lbp_reason reason; /* NONE until it stands */
	bool admitted;          /* was ever admitted: a session, no reject */
	bool was_short;         /* a dial failed for want of our resources */
	bool answered;          /* the upstream has sent something */
	uint32_t client;        /* LBP_NONE: unknown */
	uint32_t upstream;      /* the last one chosen; LBP_NONE: none */
	uint8_t tried[LBP_TRIED_BYTES(LBP_UPSTREAMS_MAX)]; /* upstreams */
	const struct lbp_name *names; /* the last IDENTIFIED's; or NULL */
	size_t name_len;
	const struct lbp_name *matched; /* the client's; NULL: unknown */
	uint64_t since_ns;      /* when this state, or this dial, began */
	uint64_t active_ns;     /* when a byte last moved */
	uint64_t lifetime_ns;   /* from the admission; LBP_NEVER: none */
	uint64_t expires_ns;    /* LBP_NEVER unless admitted, and not refused */
	uint32_t looks;         /* at the handshake, up to LBP_LOOKS_AT_ONCE */
	uint32_t dropped;       /* bytes, up to LBP_STRANGER_DROPPED_MAX */
	enum lbp_direction cut; /* RESETTING: the bytes that still go, */
	enum lbp_reason cut_reason; /* and why no others do */
	struct lbp_flow flow;
	const struct lbp_relay_io *io;  /* NULL: the caller moves the bytes */
	void *user;                     /* of io */
	struct lbp_relay_side sides[2]; /* by enum lbp_side */
	bool is_flushing; /* RESETTING: all is written, and on its way */
	unsigned unsent;  /* of that, in bytes, when last looked at */
	uint64_t look_ns; /* when to look again */
};

/* Says that bytes moved at now_ns, which puts off the idle timeout. */
void lbp_session_moved(struct lbp_session *session, uint64_t now_ns);

/*
 * Has the upstream sent its first byte, or ended cleanly, which the session was
 * not told? Then LBP_EVENT_ANSWERED is to be stepped before anything else.
 * Source: [SES-29].
 */
bool lbp_session_answer_is_due(const struct lbp_session *session);

/* When the time of a state is over; the deadline may be before that. */
uint64_t lbp_session_state_ends(const struct lbp_session *session);

/* The relay begins, with sides that can be written. */
void lbp_relay_begin(struct lbp_session *session);

/* It is over, wherever it was: the buffers are given back. */
void lbp_relay_end(struct lbp_session *session);

#endif
