/*
 * One connection from accept to end, as a state machine.
 *
 * The caller owns the sockets. It turns what happens on them into events,
 * passes each to lbp_session_step together with the time, and carries out the
 * duties that come back: event.h has the table. relay.h moves the bytes.
 * Source: SPEC.md [SES-*].
 */
#ifndef LBP_SESSION_H
#define LBP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "bounds.h"
#include "err.h"
#include "outcome.h"

LBP_BEGIN_DECLS

/* The two peers of a session. */
enum lbp_side {
	LBP_CLIENT,
	LBP_UPSTREAM,
};

/*
 * How long a session may stay in a state. 0 and LBP_NEVER mean no deadline.
 * Source: [SES-14], [SES-20].
 */
struct lbp_session_timeouts {
	uint64_t handshake_ns;
	uint64_t connect_ns;
	uint64_t idle_ns;
	uint64_t linger_ns; /* of LBP_SESSION_CLOSING and RESETTING */
};

struct lbp_session;

/*
 * Makes a session that was accepted at now_ns and stores it in *out; the caller
 * frees it with lbp_session_free. app and timeouts must outlive it. On error
 * *out is NULL. LBP_ERR_NULL: an argument is NULL. LBP_ERR_NOMEM.
 */
LBP_MUST_CHECK enum lbp_err lbp_session_new(struct lbp_session **out,
	struct lbp_app *app, const struct lbp_session_timeouts *timeouts,
	uint64_t now_ns);

/*
 * Gives a session that is not admitted yet a lifetime, counted from its
 * admission: lifetime_ns, less share / 2^32 of a tenth of it, where share is to
 * be random. 0 and LBP_NEVER, as at first: none. LBP_ERR_STATE: it was
 * admitted; nothing changes. LBP_ERR_NULL: session is NULL. Source: [SES-60],
 * [SES-61].
 */
enum lbp_err lbp_session_set_lifetime(
	struct lbp_session *session, uint64_t lifetime_ns, uint32_t share);

/* Frees a session that has ended; NULL is allowed. */
void lbp_session_free(struct lbp_session *session);

/*
 * Makes a session in storage of the caller: lbp_session_size bytes, aligned as
 * malloc aligns. It needs no free. Returns NULL if an argument is NULL.
 */
size_t lbp_session_size(void);
struct lbp_session *lbp_session_init(void *storage, struct lbp_app *app,
	const struct lbp_session_timeouts *timeouts, uint64_t now_ns);

/*
 * Takes one event and returns the duties that follow, to be carried out in the
 * order of enum lbp_duty. HANDSHAKE_DONE and DIAL_DONE count as a TICK if the
 * deadline has passed. Steps change the counts of the application: threads that
 * share one hold its lock. now_ns must not go back.
 * LBP_ERR_STATE: the event is not legal in this state. LBP_ERR_NULL: an
 * argument is NULL. Then nothing changes, and there is no duty. Source: [SES-1]
 * to [SES-16], [SES-18], [SES-19], [SES-22], [SES-23], [SES-28], [SES-29],
 * [ERR-4].
 */
LBP_MUST_CHECK enum lbp_err lbp_session_step(struct lbp_session *session,
	const struct lbp_event *event, uint64_t now_ns,
	struct lbp_duties *duties);

/*
 * Steps IDENTIFIED and HANDSHAKE_DONE in one, for a connection without a
 * handshake. names is what the client is known by, and must outlive the
 * session. The duties are DIAL, or those of a refusal without an alert:
 * CLOSE_NOTIFY LINGER REPORT. Fails as lbp_session_step does. Source: [SES-32].
 */
LBP_MUST_CHECK enum lbp_err lbp_session_submit(struct lbp_session *session,
	const struct lbp_name *names, size_t name_len, uint64_t now_ns,
	struct lbp_duties *duties);

/* Steps TICK: time has passed. */
LBP_MUST_CHECK enum lbp_err lbp_session_tick(struct lbp_session *session,
	uint64_t now_ns, struct lbp_duties *duties);

/*
 * Returns when to step TICK even if nothing happens; LBP_NEVER: not at all. To
 * set a timer to it after each step is enough, and one that fires early does no
 * harm: step TICK, and ask again. Source: [SES-14], [SES-20], [REL-7].
 */
uint64_t lbp_session_deadline(const struct lbp_session *session);

/*
 * Returns true if the handshake may continue: the last IDENTIFIED was of a
 * client that may use the application. For TLS stacks that ask within it.
 */
bool lbp_session_is_authorized(const struct lbp_session *session);

LBP_END_DECLS

#endif
