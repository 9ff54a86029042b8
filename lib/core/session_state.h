/* What a session is made of. For lib/core/session*.c and tests. */
#ifndef LBP_SESSION_STATE_H
#define LBP_SESSION_STATE_H

#include "session.h"
#include "tried.h"

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
	uint64_t since_ns;      /* when this state, or this dial, began */
	uint64_t active_ns;     /* when a byte last moved */
	uint32_t looks;         /* at the handshake, up to LBP_LOOKS_AT_ONCE */
	uint32_t dropped;       /* bytes, up to LBP_STRANGER_DROPPED_MAX */
	enum lbp_direction cut; /* RESETTING: the bytes that still go, */
	enum lbp_reason cut_reason; /* and why no others do */
	struct lbp_flow flow;
};

#endif
