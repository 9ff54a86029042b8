/*
 * A session and its model side by side, over an application and its model:
 * every step is taken by both, and duties, state, deadline, reason and the
 * application's counts are compared after it.
 */
#ifndef LBP_TWIN_SESSION_H
#define LBP_TWIN_SESSION_H

#include "core/session_state.h"
#include "model_session.h"
#include "twin_app.h"

struct twin_session {
	struct twin_app *app;
	struct lbp_session session;
	struct model_session model;
	struct lbp_name name; /* of whoever was identified last */
};

void twin_session_init(struct twin_session *twin, struct twin_app *app,
	const struct lbp_session_timeouts *timeouts, uint64_t now_ns);

/* Steps both; what they agree on goes to *duties. */
enum lbp_err twin_session_step(struct twin_session *twin,
	const struct lbp_event *event, uint64_t now_ns,
	struct lbp_duties *duties);

void twin_session_moved(struct twin_session *twin, uint64_t now_ns);

#endif
