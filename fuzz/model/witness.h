/*
 * A session over an application and its model, with the history of what
 * happened to it: every step is judged by the history before it, and what the
 * session says, its deadline and the application's counts are looked at after
 * it.
 */
#ifndef LBP_WITNESS_H
#define LBP_WITNESS_H

#include "core/session_state.h"
#include "history.h"
#include "twin_app.h"

struct witness {
	struct twin_app *app;
	struct lbp_session session;
	struct history history;
	struct lbp_name name; /* of whoever was identified last */
};

void witness_init(struct witness *witness, struct twin_app *app,
	const struct lbp_session_timeouts *timeouts, uint64_t now_ns);

/* Gives it a lifetime, if it is not too late for that. [SES-61]. */
void witness_set_lifetime(
	struct witness *witness, uint64_t lifetime_ns, uint32_t share);

/* May this happen to the session now? */
bool witness_allows(const struct witness *witness,
	const struct lbp_event *event, uint64_t now_ns);

/* Steps the session and judges it; its duties go to *duties. */
enum lbp_err witness_step(struct witness *witness,
	const struct lbp_event *event, uint64_t now_ns,
	struct lbp_duties *duties);

void witness_moved(struct witness *witness, uint64_t now_ns);

#endif
