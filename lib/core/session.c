#include <assert.h>

#include "core/acl_match.h"
#include "core/later.h"
#include "core/session_rules.h"
#include "core/session_state.h"

static void enter(
	struct lbp_session *session, enum lbp_state state, uint64_t now_ns)
{
	const enum lbp_state from = session->state;

	session->state = state;
	/* The handshake's time runs from accept to its end. [SES-9]. */
	if (state != LBP_SESSION_AUTHORIZED)
		session->since_ns = now_ns;
	if (state == LBP_SESSION_CLOSING || state == LBP_SESSION_ENDED)
		session->expires_ns = LBP_NEVER;
	assert(lbp_session_may_follow(from, state));
}

/* Ends the session; what it holds in the application is given back before. */
static void end(struct lbp_session *session, enum lbp_reason reason,
	uint64_t now_ns, struct lbp_duties *duties)
{
	if (session->reason == LBP_REASON_NONE) {
		session->reason = reason;
		duties->set |= LBP_DUTY_REPORT;
	}
	enter(session, LBP_SESSION_ENDED, now_ns);
	lbp_relay_end(session);
	duties->set |= LBP_DUTY_END;
}

static void refuse(struct lbp_session *session, enum lbp_reason reason,
	unsigned how, uint64_t now_ns, struct lbp_duties *duties)
{
	session->reason = reason;
	enter(session, LBP_SESSION_CLOSING, now_ns);
	duties->set |= how | LBP_DUTY_REPORT;
}

/* Nobody is left to dial. */
static void give_up(
	struct lbp_session *session, uint64_t now_ns, struct lbp_duties *duties)
{
	session->upstream = LBP_NONE;
	(void)lbp_app_leave(session->app, session->client);
	if (!session->was_short) {
		refuse(session, LBP_REASON_NO_UPSTREAM,
			LBP_DUTY_CLOSE_NOTIFY | LBP_DUTY_LINGER, now_ns,
			duties);
		return;
	}
	/* What the client holds of ours is wanted at once. [SES-28]. */
	duties->set |= LBP_DUTY_RESET_CLIENT;
	end(session, LBP_REASON_INTERNAL, now_ns, duties);
}

static void choose(
	struct lbp_session *session, uint64_t now_ns, struct lbp_duties *duties)
{
	uint32_t upstream;

	if (lbp_app_choose(session->app, session->tried, &upstream) != LBP_OK) {
		give_up(session, now_ns, duties);
		return;
	}
	lbp_tried_add(session->tried, upstream);
	session->upstream = upstream;
	session->since_ns = now_ns;
	duties->upstream = upstream;
	duties->set |= LBP_DUTY_DIAL;
}

static void dial_failed(
	struct lbp_session *session, uint64_t now_ns, struct lbp_duties *duties)
{
	duties->health_upstream = session->upstream;
	duties->health = lbp_app_dialed(session->app, session->upstream, false);
	choose(session, now_ns, duties);
}

/* It says nothing about the upstream, and another one may do. [SES-28]. */
static void dial_was_local(
	struct lbp_session *session, uint64_t now_ns, struct lbp_duties *duties)
{
	(void)lbp_app_release(session->app, session->upstream);
	session->was_short = true;
	choose(session, now_ns, duties);
}

/* Whether the upstream is any good its first byte will tell. [SES-29]. */
static void dial_done(
	struct lbp_session *session, uint64_t now_ns, struct lbp_duties *duties)
{
	enter(session, LBP_SESSION_RELAY, now_ns);
	lbp_relay_begin(session);
	session->active_ns = now_ns;
	duties->set |= LBP_DUTY_RELAY;
}

static void answered(struct lbp_session *session, struct lbp_duties *duties)
{
	session->answered = true;
	duties->health_upstream = session->upstream;
	duties->health = lbp_app_dialed(session->app, session->upstream, true);
}

static enum lbp_reason stranger_reason(enum lbp_err err)
{
	switch (err) {
	case LBP_ERR_NOT_ALLOWED:
		return LBP_REASON_NOT_ALLOWED;
	case LBP_ERR_AMBIGUOUS:
		return LBP_REASON_AMBIGUOUS;
	default:
		return LBP_REASON_UNKNOWN_CLIENT;
	}
}

/* Whose names they are by the policy as it is now, and may they come in? */
static enum lbp_err identify(struct lbp_session *session)
{
	struct lbp_match match = {.client = LBP_NONE};
	enum lbp_err err = lbp_app_match(
		session->app, session->names, session->name_len, &match);

	session->client = match.client;
	session->matched = match.name;
	return err;
}

static void identified(struct lbp_session *session,
	const struct lbp_event *event, uint64_t now_ns,
	struct lbp_duties *duties)
{
	enum lbp_err err;

	session->names = event->names;
	session->name_len = event->name_len;
	err = identify(session);
	if (err == LBP_OK)
		enter(session, LBP_SESSION_AUTHORIZED, now_ns);
	else
		refuse(session, stranger_reason(err), LBP_DUTY_REFUSE, now_ns,
			duties);
}

/*
 * Admits the client that has the names by now. [SES-19]. A full server is
 * seen before the limits, which then count nothing. [SES-22].
 */
static enum lbp_reason admit(
	struct lbp_session *session, bool is_full, uint64_t now_ns)
{
	enum lbp_err err = identify(session);

	if (err != LBP_OK)
		return stranger_reason(err);
	if (is_full)
		return LBP_REASON_MAX_CONNECTIONS;
	switch (lbp_app_admit(session->app, session->client, now_ns)) {
	case LBP_OK:
		return LBP_REASON_NONE;
	case LBP_ERR_CONCURRENT:
		return LBP_REASON_CONCURRENT_LIMIT;
	default: /* LBP_ERR_RATE: who may use it was just identified */
		return LBP_REASON_RATE_LIMIT;
	}
}

static void handshake_done(struct lbp_session *session, bool is_full,
	uint64_t now_ns, struct lbp_duties *duties)
{
	enum lbp_reason reason;

	if (session->state != LBP_SESSION_AUTHORIZED) {
		duties->set |= LBP_DUTY_RESET_CLIENT;
		end(session, LBP_REASON_NO_CERTIFICATE, now_ns, duties);
		return;
	}
	reason = admit(session, is_full, now_ns);
	if (reason != LBP_REASON_NONE) {
		refuse(session, reason, LBP_DUTY_CLOSE_NOTIFY | LBP_DUTY_LINGER,
			now_ns, duties);
		return;
	}
	session->admitted = true;
	session->expires_ns = lbp_later(now_ns, session->lifetime_ns);
	enter(session, LBP_SESSION_DIALING, now_ns);
	choose(session, now_ns, duties);
}

/* The alert that refused it was written, or OpenSSL's own was. */
static void handshake_failed(struct lbp_session *session,
	enum lbp_reason reason, uint64_t now_ns, struct lbp_duties *duties)
{
	if (session->state == LBP_SESSION_CLOSING)
		duties->set |= LBP_DUTY_LINGER;
	else
		refuse(session, reason, LBP_DUTY_LINGER, now_ns, duties);
}

/*
 * Gives the connection on the upstream back. An upstream that breaks off
 * before its first byte is as one that failed the dial. [SES-29].
 */
static void give_back(struct lbp_session *session, enum lbp_reason reason,
	struct lbp_duties *duties)
{
	bool broke_off = reason == LBP_REASON_UPSTREAM_RESET ||
			 reason == LBP_REASON_UPSTREAM_TRUNCATED;

	if (!broke_off || session->answered ||
		lbp_session_answer_is_due(session)) {
		(void)lbp_app_release(session->app, session->upstream);
		return;
	}
	duties->health_upstream = session->upstream;
	duties->health = lbp_app_dialed(session->app, session->upstream, false);
}

/* Ends a session in whatever state, leaving no side with a clean end. */
static void abandon(struct lbp_session *session, enum lbp_reason reason,
	uint64_t now_ns, struct lbp_duties *duties)
{
	bool dialing = session->state == LBP_SESSION_DIALING;
	bool relaying = session->state == LBP_SESSION_RELAY ||
			session->state == LBP_SESSION_RESETTING;

	if (dialing || relaying) {
		give_back(session, reason, duties);
		(void)lbp_app_leave(session->app, session->client);
	}
	if (dialing)
		duties->set |= LBP_DUTY_DROP_DIAL;
	if (relaying)
		duties->set |= LBP_DUTY_RESET_UPSTREAM;
	if (session->state != LBP_SESSION_CLOSING)
		duties->set |= LBP_DUTY_RESET_CLIENT;
	end(session, reason, now_ns, duties);
}

static enum lbp_reason cut_reason(
	const struct lbp_session *session, enum lbp_event_kind kind)
{
	switch (kind) {
	case LBP_EVENT_UPSTREAM_RESET:
		return LBP_REASON_UPSTREAM_RESET;
	case LBP_EVENT_CLIENT_TRUNCATED:
		return LBP_REASON_CLIENT_TRUNCATED;
	case LBP_EVENT_UPSTREAM_TRUNCATED:
		return LBP_REASON_UPSTREAM_TRUNCATED;
	default: /* LBP_EVENT_CLIENT_RESET */
		return session->admitted ? LBP_REASON_CLIENT_RESET
					 : LBP_REASON_HANDSHAKE_FAILED;
	}
}

/*
 * A side broke off. What it sent before is still passed on, and then the reset.
 * Without an upstream there is nobody to pass anything on to. [SES-25].
 */
static void cut(struct lbp_session *session, enum lbp_event_kind kind,
	uint64_t now_ns, struct lbp_duties *duties)
{
	enum lbp_reason reason = cut_reason(session, kind);
	enum lbp_direction way =
		kind == LBP_EVENT_CLIENT_RESET ||
				kind == LBP_EVENT_CLIENT_TRUNCATED
			? LBP_UP
			: LBP_DOWN;

	if (session->state != LBP_SESSION_RELAY) {
		abandon(session, reason, now_ns, duties);
		return;
	}
	/* A clean end that waits for the bytes before it waits for good. */
	if (session->flow.pipes[way].state == LBP_PIPE_ENDING)
		(void)lbp_pipe_cut(&session->flow.pipes[way]);
	/* It is read to its end, and not waited for. */
	session->sides[way].has_failed = session->sides[way].can_read = true;
	session->cut = way;
	session->cut_reason = reason;
	session->active_ns = now_ns;
	enter(session, LBP_SESSION_RESETTING, now_ns);
	duties->set |= LBP_DUTY_RELAY;
}

static void flow_finished(
	struct lbp_session *session, uint64_t now_ns, struct lbp_duties *duties)
{
	(void)lbp_app_release(session->app, session->upstream);
	(void)lbp_app_leave(session->app, session->client);
	end(session, LBP_REASON_DONE, now_ns, duties);
}

/* A deadline of LBP_NEVER does not come with any time. */
static bool has_come(uint64_t deadline_ns, uint64_t now_ns)
{
	return deadline_ns != LBP_NEVER && now_ns >= deadline_ns;
}

static bool is_due(const struct lbp_session *session, uint64_t now_ns)
{
	return has_come(lbp_session_state_ends(session), now_ns);
}

static void tick(
	struct lbp_session *session, uint64_t now_ns, struct lbp_duties *duties)
{
	if (!is_due(session, now_ns)) {
		/* It is only to be looked at. [REL-7]. */
		if (has_come(lbp_session_deadline(session), now_ns))
			duties->set |= LBP_DUTY_RELAY;
		return;
	}
	if (has_come(session->expires_ns, now_ns)) {
		abandon(session, LBP_REASON_LIFETIME, now_ns, duties);
		return;
	}
	switch (session->state) {
	case LBP_SESSION_DIALING:
		duties->set |= LBP_DUTY_DROP_DIAL;
		dial_failed(session, now_ns, duties);
		break;
	case LBP_SESSION_RELAY:
		abandon(session, LBP_REASON_IDLE_TIMEOUT, now_ns, duties);
		break;
	case LBP_SESSION_RESETTING:
		abandon(session, session->cut_reason, now_ns, duties);
		break;
	default:
		abandon(session, LBP_REASON_HANDSHAKE_TIMEOUT, now_ns, duties);
		break;
	}
}

/* A number that nothing has any more may be another upstream's next. */
static void forget_freed(struct lbp_session *session)
{
	uint32_t n = lbp_app_upstreams(session->app);

	for (uint32_t i = 0; i < n; i++) {
		if (lbp_app_upstream_name(session->app, i) == NULL)
			lbp_tried_remove(session->tried, i);
	}
}

/* Is an admitted client still the one that has the names, and welcome? */
static void judge(
	struct lbp_session *session, uint64_t now_ns, struct lbp_duties *duties)
{
	uint32_t client = LBP_NONE;
	enum lbp_err err = lbp_app_identify(
		session->app, session->names, session->name_len, &client);

	if (err != LBP_OK || client != session->client)
		abandon(session, stranger_reason(err), now_ns, duties);
	else
		forget_freed(session);
}

/*
 * Who is not admitted yet will be judged then, but is not to be taken for
 * somebody else who gets the client's number meanwhile. [SES-18], [SES-19].
 */
static void reloaded(struct lbp_session *session, enum lbp_reason reason,
	uint64_t now_ns, struct lbp_duties *duties)
{
	if (lbp_session_is_distrusted(session, reason)) {
		abandon(session, reason, now_ns, duties);
		return;
	}
	if (session->state == LBP_SESSION_AUTHORIZED)
		(void)identify(session);
	if (session->state == LBP_SESSION_DIALING ||
		session->state == LBP_SESSION_RELAY ||
		session->state == LBP_SESSION_RESETTING)
		judge(session, now_ns, duties);
}

/* Progress at or after the deadline comes too late: it is but a tick. */
static enum lbp_event_kind effective_kind(const struct lbp_session *session,
	enum lbp_event_kind kind, uint64_t now_ns)
{
	bool progress =
		kind == LBP_EVENT_HANDSHAKE_DONE || kind == LBP_EVENT_DIAL_DONE;

	return progress && is_due(session, now_ns) ? LBP_EVENT_TICK : kind;
}

static void apply(struct lbp_session *session, const struct lbp_event *event,
	uint64_t now_ns, struct lbp_duties *duties)
{
	switch (effective_kind(session, event->kind, now_ns)) {
	case LBP_EVENT_IDENTIFIED:
		identified(session, event, now_ns, duties);
		break;
	case LBP_EVENT_HANDSHAKE_DONE:
		handshake_done(session, event->is_full, now_ns, duties);
		break;
	case LBP_EVENT_HANDSHAKE_FAILED:
		handshake_failed(session, event->reason, now_ns, duties);
		break;
	case LBP_EVENT_DIAL_DONE:
		dial_done(session, now_ns, duties);
		break;
	case LBP_EVENT_DIAL_FAILED:
		dial_failed(session, now_ns, duties);
		break;
	case LBP_EVENT_DIAL_LOCAL:
		dial_was_local(session, now_ns, duties);
		break;
	case LBP_EVENT_ANSWERED:
		answered(session, duties);
		break;
	case LBP_EVENT_FLOW_FINISHED:
		flow_finished(session, now_ns, duties);
		break;
	case LBP_EVENT_CLIENT_RESET:
	case LBP_EVENT_UPSTREAM_RESET:
	case LBP_EVENT_CLIENT_TRUNCATED:
	case LBP_EVENT_UPSTREAM_TRUNCATED:
		cut(session, event->kind, now_ns, duties);
		break;
	case LBP_EVENT_DELIVERED:
		abandon(session, session->cut_reason, now_ns, duties);
		break;
	case LBP_EVENT_CLIENT_ENDED:
		end(session, session->reason, now_ns, duties);
		break;
	case LBP_EVENT_TICK:
		tick(session, now_ns, duties);
		break;
	case LBP_EVENT_RELOADED:
		reloaded(session, event->reason, now_ns, duties);
		break;
	case LBP_EVENT_EVICTED:
		abandon(session, LBP_REASON_HANDSHAKE_EVICTED, now_ns, duties);
		break;
	default: /* LBP_EVENT_STOP */
		abandon(session, event->reason, now_ns, duties);
		break;
	}
}

enum lbp_err lbp_session_step(struct lbp_session *session,
	const struct lbp_event *event, uint64_t now_ns,
	struct lbp_duties *duties)
{
	if (session == NULL || event == NULL || duties == NULL)
		return LBP_ERR_NULL;
	*duties = (struct lbp_duties){.upstream = LBP_NONE,
		.health = LBP_HEALTH_SAME,
		.health_upstream = LBP_NONE};
	if (!lbp_session_may_happen(session, event->kind))
		return LBP_ERR_STATE;
	apply(session, event, now_ns, duties);
	return LBP_OK;
}
