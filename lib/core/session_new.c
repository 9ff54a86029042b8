/* From storage to a session, and what others may know of it. */
#include <stdlib.h>

#include "core/session_state.h"

size_t lbp_session_size(void)
{
	return sizeof(struct lbp_session);
}

struct lbp_session *lbp_session_init(void *storage, struct lbp_app *app,
	const struct lbp_session_timeouts *timeouts, uint64_t now_ns)
{
	struct lbp_session *session = storage;

	if (storage == NULL || app == NULL || timeouts == NULL)
		return NULL;
	*session = (struct lbp_session){
		.app = app,
		.timeouts = timeouts,
		.state = LBP_SESSION_HANDSHAKE,
		.client = LBP_NONE,
		.upstream = LBP_NONE,
		.since_ns = now_ns,
		.lifetime_ns = LBP_NEVER,
		.expires_ns = LBP_NEVER,
	};
	lbp_flow_init(&session->flow);
	return session;
}

enum lbp_err lbp_session_new(struct lbp_session **out, struct lbp_app *app,
	const struct lbp_session_timeouts *timeouts, uint64_t now_ns)
{
	void *storage;

	if (out == NULL)
		return LBP_ERR_NULL;
	*out = NULL;
	if (app == NULL || timeouts == NULL)
		return LBP_ERR_NULL;
	storage = malloc(sizeof(struct lbp_session));
	if (storage == NULL)
		return LBP_ERR_NOMEM;
	*out = lbp_session_init(storage, app, timeouts, now_ns);
	return LBP_OK;
}

void lbp_session_free(struct lbp_session *session)
{
	free(session);
}

enum lbp_state lbp_session_state(const struct lbp_session *session)
{
	return session->state;
}

enum lbp_reason lbp_session_reason(const struct lbp_session *session)
{
	return session->reason;
}

bool lbp_session_is_admitted(const struct lbp_session *session)
{
	return session->admitted;
}

bool lbp_session_is_authorized(const struct lbp_session *session)
{
	return session->state == LBP_SESSION_AUTHORIZED;
}

uint32_t lbp_session_client(const struct lbp_session *session)
{
	return session->client;
}

const struct lbp_name *lbp_session_names(
	const struct lbp_session *session, size_t *len)
{
	if (len != NULL)
		*len = session->name_len;
	return session->names;
}

const struct lbp_name *lbp_session_matched(const struct lbp_session *session)
{
	return session->matched;
}

uint32_t lbp_session_upstream(const struct lbp_session *session)
{
	return session->upstream;
}

uint64_t lbp_session_delivered(
	const struct lbp_session *session, enum lbp_direction way)
{
	return session->flow.pipes[way].delivered;
}
