/* Between the turns of a relay: readiness, and what is lent to it. */
#include "core/session_state.h"

enum lbp_err lbp_session_set_io(
	struct lbp_session *session, const struct lbp_relay_io *io, void *user)
{
	if (session == NULL || io == NULL || io->read == NULL ||
		io->write == NULL || io->end == NULL ||
		io->take_buffer == NULL || io->give_buffer == NULL)
		return LBP_ERR_NULL;
	if (io->buffer_bytes == 0 || io->buffer_bytes > LBP_BUFFER_MAX)
		return LBP_ERR_RANGE;
	session->io = io;
	session->user = user;
	return LBP_OK;
}

void lbp_session_ready(
	struct lbp_session *session, enum lbp_side side, unsigned ready)
{
	struct lbp_relay_side *state = &session->sides[side];

	if (ready & LBP_WATCH_READ)
		state->can_read = true;
	if (ready & LBP_WATCH_WRITE)
		state->can_write = true;
	if (ready & LBP_WATCH_ERROR)
		state->has_failed = state->can_read = true;
}

void lbp_relay_begin(struct lbp_session *session)
{
	struct lbp_relay_side *client = &session->sides[LBP_CLIENT];

	client->can_read = false;
	client->can_write = true;
	session->sides[LBP_UPSTREAM] =
		(struct lbp_relay_side){.can_write = true};
}

void lbp_relay_end(struct lbp_session *session)
{
	/* Who moves the bytes without us has lent the rings himself. */
	if (session->io == NULL)
		return;
	for (int way = LBP_UP; way <= LBP_DOWN; way++) {
		uint8_t *buffer = lbp_pipe_discard(&session->flow.pipes[way]);

		if (buffer != NULL)
			session->io->give_buffer(session->user, buffer);
	}
}

/* What would let a side of a relay go on. */
static unsigned watch_relay(
	const struct lbp_session *session, enum lbp_side side)
{
	const struct lbp_relay_side *state = &session->sides[side];
	const struct lbp_pipe *from = &session->flow.pipes[side];
	const struct lbp_pipe *to = &session->flow.pipes[1 - side];
	bool resetting = session->state == LBP_SESSION_RESETTING;
	unsigned watch = LBP_WATCH_ERROR;

	/* There is nothing more to be told of, by one that broke off too. */
	if (state->has_failed ||
		lbp_flow_is_done_with(&session->flow, (enum lbp_direction)side))
		return 0;
	/* While resetting, what the other side says is not heard any more. */
	if (!resetting && lbp_pipe_wants_read(from))
		watch |= LBP_WATCH_READ;
	if (!state->can_write &&
		(lbp_pipe_wants_write(to) || lbp_pipe_end_is_due(to)))
		watch |= LBP_WATCH_WRITE;
	return watch;
}

unsigned lbp_session_watch(
	const struct lbp_session *session, enum lbp_side side)
{
	bool is_client = side == LBP_CLIENT;

	switch (session->state) {
	case LBP_SESSION_DIALING:
		return LBP_WATCH_ERROR | (is_client ? 0u : LBP_WATCH_WRITE);
	case LBP_SESSION_RELAY:
	case LBP_SESSION_RESETTING:
		return watch_relay(session, side);
	case LBP_SESSION_ENDED:
		return 0;
	default: /* the client alone, in its handshake or to its end */
		return is_client ? LBP_WATCH_READ | LBP_WATCH_ERROR : 0u;
	}
}
