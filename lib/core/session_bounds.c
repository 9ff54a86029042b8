/* What a client that is nobody yet may make the server do. */
#include "core/session_state.h"

uint64_t lbp_session_looked(struct lbp_session *session, uint64_t now_ns)
{
	if (session->looks < LBP_LOOKS_AT_ONCE) {
		session->looks++;
		return now_ns;
	}
	return now_ns < LBP_NEVER - LBP_LOOK_PAUSE_NS
		       ? now_ns + LBP_LOOK_PAUSE_NS
		       : LBP_NEVER;
}

bool lbp_session_dropped(struct lbp_session *session, size_t n)
{
	size_t left = LBP_STRANGER_DROPPED_MAX - session->dropped;

	session->dropped += (uint32_t)(n < left ? n : left);
	return session->client == LBP_NONE &&
	       session->dropped == LBP_STRANGER_DROPPED_MAX;
}
