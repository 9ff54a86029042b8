#include "core/session_rules.h"

#include "core/session_state.h"

#define BIT(n) (1u << (n))

/* What may happen until the session has ended. */
#define ALWAYS                                                                 \
	(BIT(LBP_EVENT_TICK) | BIT(LBP_EVENT_RELOADED) | BIT(LBP_EVENT_STOP))

/* What may happen while it has, or may have, the place of a handshake. */
#define SHAKING                                                                \
	(BIT(LBP_EVENT_HANDSHAKE_FAILED) | BIT(LBP_EVENT_CLIENT_RESET) |       \
		BIT(LBP_EVENT_EVICTED) | ALWAYS)

/* The legal transitions: which states may follow a state. */
static const unsigned legal_next[] = {
	[LBP_SESSION_HANDSHAKE] = BIT(LBP_SESSION_AUTHORIZED) |
				  BIT(LBP_SESSION_CLOSING) |
				  BIT(LBP_SESSION_ENDED),
	[LBP_SESSION_AUTHORIZED] =
		BIT(LBP_SESSION_AUTHORIZED) | BIT(LBP_SESSION_DIALING) |
		BIT(LBP_SESSION_CLOSING) | BIT(LBP_SESSION_ENDED),
	[LBP_SESSION_DIALING] = BIT(LBP_SESSION_RELAY) |
				BIT(LBP_SESSION_CLOSING) |
				BIT(LBP_SESSION_ENDED),
	[LBP_SESSION_RELAY] =
		BIT(LBP_SESSION_RESETTING) | BIT(LBP_SESSION_ENDED),
	[LBP_SESSION_RESETTING] = BIT(LBP_SESSION_ENDED),
	[LBP_SESSION_CLOSING] = BIT(LBP_SESSION_ENDED),
	[LBP_SESSION_ENDED] = 0,
};

/* The legal events: what may happen in a state. [SES-15]. */
static const unsigned legal_events[] = {
	[LBP_SESSION_HANDSHAKE] = BIT(LBP_EVENT_IDENTIFIED) |
				  BIT(LBP_EVENT_HANDSHAKE_DONE) | SHAKING,
	[LBP_SESSION_AUTHORIZED] = BIT(LBP_EVENT_IDENTIFIED) |
				   BIT(LBP_EVENT_HANDSHAKE_DONE) | SHAKING,
	[LBP_SESSION_DIALING] =
		BIT(LBP_EVENT_DIAL_DONE) | BIT(LBP_EVENT_DIAL_FAILED) |
		BIT(LBP_EVENT_DIAL_LOCAL) | BIT(LBP_EVENT_CLIENT_RESET) |
		BIT(LBP_EVENT_CLIENT_TRUNCATED) | ALWAYS,
	[LBP_SESSION_RELAY] =
		BIT(LBP_EVENT_ANSWERED) | BIT(LBP_EVENT_FLOW_FINISHED) |
		BIT(LBP_EVENT_CLIENT_RESET) | BIT(LBP_EVENT_UPSTREAM_RESET) |
		BIT(LBP_EVENT_CLIENT_TRUNCATED) |
		BIT(LBP_EVENT_UPSTREAM_TRUNCATED) | ALWAYS,
	[LBP_SESSION_RESETTING] =
		BIT(LBP_EVENT_DELIVERED) | BIT(LBP_EVENT_ANSWERED) | ALWAYS,
	[LBP_SESSION_CLOSING] = BIT(LBP_EVENT_CLIENT_ENDED) | SHAKING,
	[LBP_SESSION_ENDED] = 0,
};

const char *lbp_reason_text(enum lbp_reason reason)
{
	static const char *const texts[] = {
#define LBP_REASON_ITEM(code, text) [code] = (text),
		LBP_REASON_MAP(LBP_REASON_ITEM)
#undef LBP_REASON_ITEM
	};

	return (size_t)reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason]
								 : "unknown";
}

bool lbp_session_is_distrusted(
	const struct lbp_session *session, enum lbp_reason reason)
{
	switch (session->state) {
	case LBP_SESSION_HANDSHAKE: /* it is about to be judged anyway */
	case LBP_SESSION_CLOSING:
	case LBP_SESSION_ENDED:
		return false;
	default:
		break;
	}
	/* What says nothing of this certificate ends no session. */
	if (reason == LBP_REASON_CRL_EXPIRED ||
		reason == LBP_REASON_NOT_YET_VALID)
		return !session->admitted;
	return reason != LBP_REASON_NONE;
}

bool lbp_session_may_follow(enum lbp_state from, enum lbp_state to)
{
	return (legal_next[from] & BIT(to)) != 0;
}

bool lbp_session_answer_is_due(const struct lbp_session *session)
{
	const struct lbp_pipe *down = &session->flow.pipes[LBP_DOWN];

	if (session->state != LBP_SESSION_RELAY &&
		session->state != LBP_SESSION_RESETTING)
		return false;
	return !session->answered && (down->delivered > 0 || down->len > 0 ||
					     down->state == LBP_PIPE_ENDING ||
					     down->state == LBP_PIPE_ENDED);
}

bool lbp_session_may_happen(
	const struct lbp_session *session, enum lbp_event_kind kind)
{
	if (!(legal_events[session->state] & BIT(kind)))
		return false;
	switch (kind) {
	case LBP_EVENT_ANSWERED:
		return lbp_session_answer_is_due(session);
	case LBP_EVENT_FLOW_FINISHED:
		return lbp_flow_is_finished(&session->flow);
	case LBP_EVENT_EVICTED:
		/* What was admitted has no handshake's place. [SES-23]. */
		return !session->admitted;
	default:
		return true;
	}
}
