/*
 * The session of lib/session.h once more, state by state: what it holds, what
 * it wants and until when.
 */
#ifndef LBP_MODEL_SESSION_H
#define LBP_MODEL_SESSION_H

#include "model_app.h"
#include "session.h"

struct model_session {
	struct model_app *app;
	const struct lbp_session_timeouts *timeouts;
	enum lbp_state state;
	enum lbp_reason reason;
	const struct lbp_name *names;
	size_t name_len;
	uint32_t client;        /* LBP_NONE: unknown */
	uint32_t upstream;      /* LBP_NONE: none */
	uint32_t tried;         /* a bit for each upstream */
	uint32_t reports;       /* how often its reason was to be logged */
	bool admitted;          /* at any time */
	bool has_place;         /* in the limiter */
	bool has_connection;    /* on the upstream */
	bool was_short;         /* a dial failed for want of our own */
	bool answered;          /* the session was told that the upstream did */
	enum lbp_direction cut; /* resetting: whose bytes still go, and why */
	enum lbp_reason cut_reason;
	uint64_t deadline_ns;
};

void model_session_init(struct model_session *model, struct model_app *app,
	const struct lbp_session_timeouts *timeouts, uint64_t now_ns);

/*
 * flow_is_finished: were both ends passed on? upstream_spoke: did a byte or a
 * clean end come from there?
 */
enum lbp_err model_session_step(struct model_session *model,
	const struct lbp_event *event, uint64_t now_ns, bool flow_is_finished,
	bool upstream_spoke, struct lbp_duties *duties);

void model_session_moved(struct model_session *model, uint64_t now_ns);

#endif
