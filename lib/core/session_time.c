/* When a session's time is over. */
#include "core/later.h"
#include "core/session_state.h"

void lbp_session_moved(struct lbp_session *session, uint64_t now_ns)
{
	session->active_ns = now_ns;
}

/* When a timeout that counts from a time is over; 0 is off. [SES-20]. */
static uint64_t over(uint64_t since_ns, uint64_t timeout_ns)
{
	return timeout_ns == 0 ? LBP_NEVER : lbp_later(since_ns, timeout_ns);
}

/* How long a session in RESETTING waits for a byte to move. [SES-25]. */
static uint64_t patience_ns(const struct lbp_session_timeouts *timeouts)
{
	return timeouts->idle_ns != 0 && timeouts->idle_ns < timeouts->linger_ns
		       ? timeouts->idle_ns
		       : timeouts->linger_ns;
}

enum lbp_err lbp_session_set_lifetime(
	struct lbp_session *session, uint64_t lifetime_ns, uint32_t share)
{
	const uint64_t tenth_ns = lifetime_ns / 10;

	if (session == NULL)
		return LBP_ERR_NULL;
	if (session->admitted)
		return LBP_ERR_STATE;
	session->lifetime_ns = LBP_NEVER;
	/* Half of the product at a time, as the whole may not fit. */
	if (lifetime_ns != 0 && lifetime_ns != LBP_NEVER)
		session->lifetime_ns = lifetime_ns - (tenth_ns >> 32) * share -
				       ((tenth_ns & UINT32_MAX) * share >> 32);
	return LBP_OK;
}

/* When the state's own time is over. */
static uint64_t state_times_out(const struct lbp_session *session)
{
	const struct lbp_session_timeouts *timeouts = session->timeouts;

	switch (session->state) {
	case LBP_SESSION_HANDSHAKE:
	case LBP_SESSION_AUTHORIZED:
		return over(session->since_ns, timeouts->handshake_ns);
	case LBP_SESSION_DIALING:
		return over(session->since_ns, timeouts->connect_ns);
	case LBP_SESSION_RELAY:
		return over(session->active_ns, timeouts->idle_ns);
	case LBP_SESSION_RESETTING:
		return over(session->active_ns, patience_ns(timeouts));
	case LBP_SESSION_CLOSING:
		return over(session->since_ns, timeouts->linger_ns);
	default: /* LBP_SESSION_ENDED */
		return LBP_NEVER;
	}
}

uint64_t lbp_session_state_ends(const struct lbp_session *session)
{
	uint64_t ends_ns = state_times_out(session);

	return session->expires_ns < ends_ns ? session->expires_ns : ends_ns;
}

uint64_t lbp_session_deadline(const struct lbp_session *session)
{
	uint64_t ends_ns = lbp_session_state_ends(session);

	return session->state == LBP_SESSION_RESETTING &&
			       session->is_flushing &&
			       session->look_ns < ends_ns
		       ? session->look_ns
		       : ends_ns;
}
