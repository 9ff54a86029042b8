/* A session whose client is known without a handshake. */
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
