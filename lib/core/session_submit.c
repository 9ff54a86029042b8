/* Steps in short, for programs without a handshake. */
#include "core/session_state.h"

/* There is no alert to be written: it is closed as who is over a limit is. */
static void refuse_plainly(struct lbp_duties *duties)
{
	duties->set &= ~(unsigned)LBP_DUTY_REFUSE;
	duties->set |= LBP_DUTY_CLOSE_NOTIFY | LBP_DUTY_LINGER;
}

enum lbp_err lbp_session_submit(struct lbp_session *session,
	const struct lbp_name *names, size_t name_len, uint64_t now_ns,
	struct lbp_duties *duties)
{
	const struct lbp_event identified = {.kind = LBP_EVENT_IDENTIFIED,
		.names = names,
		.name_len = name_len};
	const struct lbp_event done = {.kind = LBP_EVENT_HANDSHAKE_DONE};
	enum lbp_err err;

	if (names == NULL)
		return LBP_ERR_NULL;
	err = lbp_session_step(session, &identified, now_ns, duties);
	if (err != LBP_OK)
		return err;
	if (lbp_session_is_authorized(session))
		return lbp_session_step(session, &done, now_ns, duties);
	refuse_plainly(duties);
	return LBP_OK;
}

/* A step whose event is no more than its kind. */
static enum lbp_err happen(struct lbp_session *session,
	enum lbp_event_kind kind, uint64_t now_ns, struct lbp_duties *duties)
{
	const struct lbp_event event = {.kind = kind};

	return lbp_session_step(session, &event, now_ns, duties);
}

enum lbp_err lbp_session_tick(
	struct lbp_session *session, uint64_t now_ns, struct lbp_duties *duties)
{
	return happen(session, LBP_EVENT_TICK, now_ns, duties);
}

enum lbp_err lbp_session_dialed(struct lbp_session *session, enum lbp_io io,
	uint64_t now_ns, struct lbp_duties *duties)
{
	switch (io) {
	case LBP_IO_OK:
		return happen(session, LBP_EVENT_DIAL_DONE, now_ns, duties);
	case LBP_IO_FAILED:
		return happen(session, LBP_EVENT_DIAL_LOCAL, now_ns, duties);
	case LBP_IO_WAIT:
		/* A tick before its time changes nothing. */
		return happen(session, LBP_EVENT_TICK, now_ns, duties);
	default:
		return happen(session, LBP_EVENT_DIAL_FAILED, now_ns, duties);
	}
}
