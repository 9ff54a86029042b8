/* What may happen to a session, and what follows. Private. */
#ifndef LBP_SESSION_RULES_H
#define LBP_SESSION_RULES_H

#include "session.h"

/* Is this a transition between states that there is? */
bool lbp_session_may_follow(enum lbp_state from, enum lbp_state to);

/* May this event happen to the session as it is now? Source: [SES-15]. */
bool lbp_session_may_happen(
	const struct lbp_session *session, enum lbp_event_kind kind);

/*
 * Does a reload end the session, after which trust says this of its
 * certificate? Source: [RLD-6], [RLD-7].
 */
bool lbp_session_is_distrusted(
	const struct lbp_session *session, enum lbp_reason reason);

#endif
