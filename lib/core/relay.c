#include "relay.h"

#include "core/later.h"
#include "core/session_state.h"

/* How many buffers' bytes one side may send in one turn. [REL-3]. */
#define TURN_BUFFERS 4

/* One turn of a session. */
struct turn {
	struct lbp_session *session;
	uint64_t now_ns;
	struct lbp_duties *duties;
	size_t left[2];       /* bytes that each side may still be read */
	bool moved;           /* a byte did */
	enum lbp_io fault;    /* FLOOD or FAILED; OK: none */
	enum lbp_side faulty; /* whose flood */
};

static struct lbp_pipe *pipe_from(const struct turn *turn, enum lbp_side source)
{
	return &turn->session->flow.pipes[source];
}

static enum lbp_side other(enum lbp_side side)
{
	return side == LBP_CLIENT ? LBP_UPSTREAM : LBP_CLIENT;
}

/* --- one direction, which is named by its source --- */

static void fault(struct turn *turn, enum lbp_io io, enum lbp_side side)
{
	turn->fault = io;
	turn->faulty = side;
}

static bool can_read(const struct turn *turn, enum lbp_side from)
{
	return turn->fault == LBP_IO_OK && turn->left[from] > 0 &&
	       turn->session->sides[from].can_read &&
	       lbp_pipe_wants_read(pipe_from(turn, from));
}

static bool can_write(const struct turn *turn, enum lbp_side to)
{
	const struct lbp_pipe *pipe = pipe_from(turn, other(to));
	const struct lbp_relay_side *side = &turn->session->sides[to];

	return turn->fault == LBP_IO_OK && side->can_write &&
	       !side->has_failed &&
	       (lbp_pipe_wants_write(pipe) || lbp_pipe_end_is_due(pipe));
}

/* Has its buffer, if there is one. [REL-2]. */
static void borrow(struct turn *turn, enum lbp_side from)
{
	const struct lbp_session *session = turn->session;
	uint8_t *buffer = session->io->take_buffer(session->user);

	if (buffer == NULL)
		fault(turn, LBP_IO_FAILED, from);
	else
		(void)lbp_pipe_lend(pipe_from(turn, from), buffer,
			session->io->buffer_bytes);
}

/*
 * What a read means, given what is known of its side: after a reset the kernel
 * may know of an end only. [REL-5].
 */
static enum lbp_io meaning(
	const struct lbp_relay_side *side, enum lbp_io io, size_t n)
{
	if (io == LBP_IO_OK && n == 0)
		io = LBP_IO_WAIT;
	if (!side->has_failed)
		return io;
	if (io == LBP_IO_WAIT)
		return n > 0 ? LBP_IO_OK : LBP_IO_RESET;
	return io == LBP_IO_END ? LBP_IO_RESET : io;
}

static void note_read(struct turn *turn, enum lbp_side from, enum lbp_io io)
{
	struct lbp_relay_side *side = &turn->session->sides[from];
	struct lbp_pipe *pipe = pipe_from(turn, from);

	switch (io) {
	case LBP_IO_OK:
		break;
	case LBP_IO_WAIT:
		side->can_read = false;
		break;
	case LBP_IO_YIELD:
		turn->left[from] = 0;
		break;
	case LBP_IO_END:
		(void)lbp_pipe_end(pipe);
		break;
	case LBP_IO_RESET:
		side->has_failed = true;
		(void)lbp_pipe_cut(pipe);
		break;
	case LBP_IO_TRUNCATED:
		side->is_truncated = true;
		(void)lbp_pipe_cut(pipe);
		break;
	default: /* FLOOD, FAILED */
		fault(turn, io, from);
		break;
	}
}

static void read_bytes(struct turn *turn, enum lbp_side from)
{
	struct lbp_session *session = turn->session;
	struct lbp_pipe *pipe = pipe_from(turn, from);
	size_t room, n = 0;
	uint8_t *to = lbp_pipe_room(pipe, &room);
	enum lbp_io io;

	if (room > turn->left[from])
		room = turn->left[from];
	io = session->io->read(session->user, from, to, room, &n);
	if (n <= room)
		(void)lbp_pipe_filled(pipe, n);
	else
		io = LBP_IO_FAILED;
	turn->left[from] -= n;
	turn->moved = turn->moved || n > 0;
	note_read(turn, from, meaning(&session->sides[from], io, n));
}

static void read_some(struct turn *turn, enum lbp_side from)
{
	if (pipe_from(turn, from)->ring == NULL)
		borrow(turn, from);
	if (pipe_from(turn, from)->ring != NULL)
		read_bytes(turn, from);
}

static void note_written(struct turn *turn, enum lbp_side to, enum lbp_io io)
{
	struct lbp_relay_side *side = &turn->session->sides[to];

	if (io == LBP_IO_FAILED)
		fault(turn, io, to);
	else if (io == LBP_IO_RESET)
		/* What it sent before is read once that is known. */
		side->has_failed = true;
	else if (io != LBP_IO_OK)
		side->can_write = false;
	if (io == LBP_IO_YIELD)
		turn->left[to] = 0;
}

static void write_bytes(struct turn *turn, enum lbp_side to)
{
	struct lbp_session *session = turn->session;
	struct lbp_pipe *pipe = pipe_from(turn, other(to));
	size_t len, n = 0;
	const uint8_t *data = lbp_pipe_data(pipe, &len);
	enum lbp_io io = session->io->write(session->user, to, data, len, &n);

	if (lbp_pipe_drained(pipe, n) != LBP_OK)
		io = LBP_IO_FAILED;
	turn->moved = turn->moved || n > 0;
	if (io == LBP_IO_OK && n == 0)
		io = LBP_IO_WAIT;
	note_written(turn, to, io);
}

static void write_some(struct turn *turn, enum lbp_side to)
{
	const struct lbp_session *session = turn->session;
	struct lbp_pipe *pipe = pipe_from(turn, other(to));
	enum lbp_io io;

	if (!lbp_pipe_end_is_due(pipe)) {
		write_bytes(turn, to);
		return;
	}
	io = session->io->end(session->user, to);
	if (io == LBP_IO_OK)
		(void)lbp_pipe_end_passed(pipe);
	note_written(turn, to, io);
}

static void give_back(const struct lbp_session *session, uint8_t *buffer)
{
	if (buffer != NULL)
		session->io->give_buffer(session->user, buffer);
}

/* Moves one direction as far as it goes. [REL-1]. */
static void transfer(struct turn *turn, enum lbp_side source)
{
	enum lbp_side sink = other(source);

	while (can_read(turn, source) || can_write(turn, sink)) {
		while (can_read(turn, source))
			read_some(turn, source);
		if (can_write(turn, sink))
			write_some(turn, sink);
	}
	give_back(turn->session, lbp_pipe_return(pipe_from(turn, source)));
}

/* --- what comes of it --- */

static void step_event(struct turn *turn, const struct lbp_event *event)
{
	struct lbp_session *session = turn->session;
	struct lbp_duties *all = turn->duties;
	struct lbp_duties duties;
	enum lbp_err err = session->io->step != NULL
				   ? session->io->step(session->user, event,
					     turn->now_ns, &duties)
				   : lbp_session_step(session, event,
					     turn->now_ns, &duties);

	if (err != LBP_OK)
		return;
	/* What is left to relay is relayed in this turn. */
	all->set |= duties.set & ~(unsigned)LBP_DUTY_RELAY;
	if (duties.health_upstream != LBP_NONE) {
		all->health = duties.health;
		all->health_upstream = duties.health_upstream;
	}
}

static void step(struct turn *turn, enum lbp_event_kind kind)
{
	const struct lbp_event event = {.kind = kind};

	step_event(turn, &event);
}

static void step_fault(struct turn *turn)
{
	struct lbp_event event = {
		.kind = LBP_EVENT_STOP, .reason = LBP_REASON_INTERNAL};

	if (turn->fault == LBP_IO_FLOOD)
		event.reason = turn->faulty == LBP_CLIENT
				       ? LBP_REASON_CLIENT_FLOOD
				       : LBP_REASON_UPSTREAM_FLOOD;
	step_event(turn, &event);
}

/* Did a side break off that had more to say, or to be told? */
static bool broke_off(
	const struct turn *turn, enum lbp_side side, enum lbp_event_kind *how)
{
	const struct lbp_relay_side *state = &turn->session->sides[side];
	bool is_client = side == LBP_CLIENT;

	if (lbp_flow_is_done_with(
		    &turn->session->flow, (enum lbp_direction)side))
		return false;
	if (state->has_failed)
		*how = is_client ? LBP_EVENT_CLIENT_RESET
				 : LBP_EVENT_UPSTREAM_RESET;
	else if (state->is_truncated)
		*how = is_client ? LBP_EVENT_CLIENT_TRUNCATED
				 : LBP_EVENT_UPSTREAM_TRUNCATED;
	else
		return false;
	return true;
}

/* What the transfers have changed, beside their own events. */
static void note_transfers(struct turn *turn)
{
	if (turn->moved)
		lbp_session_moved(turn->session, turn->now_ns);
	if (lbp_session_answer_is_due(turn->session))
		step(turn, LBP_EVENT_ANSWERED);
}

/* Did the budget end before what there is to read? [REL-3]. */
static bool is_starved(const struct turn *turn, enum lbp_side from)
{
	return turn->session->sides[from].can_read &&
	       lbp_pipe_wants_read(pipe_from(turn, from));
}

static void relay_both(struct turn *turn)
{
	enum lbp_event_kind how;

	transfer(turn, LBP_CLIENT);
	transfer(turn, LBP_UPSTREAM);
	note_transfers(turn);
	if (turn->fault != LBP_IO_OK)
		step_fault(turn);
	else if (lbp_flow_is_finished(&turn->session->flow))
		step(turn, LBP_EVENT_FLOW_FINISHED);
	else if (broke_off(turn, LBP_CLIENT, &how) ||
		 broke_off(turn, LBP_UPSTREAM, &how))
		step(turn, how);
	else if (is_starved(turn, LBP_CLIENT) || is_starved(turn, LBP_UPSTREAM))
		turn->duties->set |= LBP_DUTY_RELAY;
}

/*
 * Has the other side's TCP got all? A reset that overtook the last bytes would
 * destroy them. [REL-7].
 */
static bool has_arrived(struct turn *turn, enum lbp_side sink)
{
	struct lbp_session *session = turn->session;
	unsigned unsent = 0;

	if (session->io->unsent != NULL)
		unsent = session->io->unsent(session->user, sink);
	if (unsent < session->unsent)
		lbp_session_moved(session, turn->now_ns);
	session->unsent = unsent;
	session->is_flushing = true;
	session->look_ns = lbp_later(turn->now_ns, LBP_FLUSH_LOOK_NS);
	return unsent == 0;
}

/* What a side sent before it broke off; nothing else moves. [SES-25]. */
static void deliver(struct turn *turn)
{
	struct lbp_session *session = turn->session;
	enum lbp_side source = (enum lbp_side)session->cut;
	enum lbp_side sink = other(source);

	transfer(turn, source);
	note_transfers(turn);
	if (turn->fault != LBP_IO_OK)
		step_fault(turn);
	else if (session->sides[sink].has_failed ||
		 (lbp_pipe_is_spent(pipe_from(turn, source)) &&
			 has_arrived(turn, sink)))
		step(turn, LBP_EVENT_DELIVERED);
	else if (is_starved(turn, source))
		turn->duties->set |= LBP_DUTY_RELAY;
}

/* --- before and after a relay --- */

/* Drops some of what a refused client sends; true: it has ended. */
static bool drop_some(struct turn *turn, uint8_t *buffer)
{
	struct lbp_session *session = turn->session;
	struct lbp_relay_side *client = &session->sides[LBP_CLIENT];
	size_t len = session->io->buffer_bytes;
	size_t n = 0;
	enum lbp_io io;

	if (len > turn->left[LBP_CLIENT])
		len = turn->left[LBP_CLIENT];
	io = session->io->read(session->user, LBP_CLIENT, buffer, len, &n);
	if (n > len)
		return true;
	turn->left[LBP_CLIENT] -= n;
	if (lbp_session_dropped(session, n))
		return true;
	io = meaning(client, io, n);
	client->can_read = io == LBP_IO_OK || io == LBP_IO_YIELD;
	if (io == LBP_IO_YIELD)
		turn->left[LBP_CLIENT] = 0;
	return !client->can_read && io != LBP_IO_WAIT;
}

/* Without a buffer there is no waiting for its end. [REL-11]. */
static void drop(struct turn *turn)
{
	struct lbp_session *session = turn->session;
	const struct lbp_relay_side *client = &session->sides[LBP_CLIENT];
	uint8_t *buffer;
	bool ended;

	if (!client->can_read)
		return;
	buffer = session->io->take_buffer(session->user);
	ended = buffer == NULL;
	while (!ended && client->can_read && turn->left[LBP_CLIENT] > 0)
		ended = drop_some(turn, buffer);
	give_back(session, buffer);
	if (ended)
		step(turn, LBP_EVENT_CLIENT_ENDED);
	else if (client->can_read)
		turn->duties->set |= LBP_DUTY_RELAY;
}

static void take_turn(struct turn *turn)
{
	struct lbp_session *session = turn->session;

	switch (session->state) {
	case LBP_SESSION_DIALING:
		if (session->sides[LBP_CLIENT].has_failed)
			step(turn, LBP_EVENT_CLIENT_RESET);
		break;
	case LBP_SESSION_RELAY:
		relay_both(turn);
		if (session->state == LBP_SESSION_RESETTING)
			deliver(turn);
		break;
	case LBP_SESSION_RESETTING:
		deliver(turn);
		break;
	case LBP_SESSION_CLOSING:
		drop(turn);
		break;
	default:
		break;
	}
}

enum lbp_err lbp_session_relay(
	struct lbp_session *session, uint64_t now_ns, struct lbp_duties *duties)
{
	struct turn turn = {
		.session = session, .now_ns = now_ns, .duties = duties};

	if (session == NULL || duties == NULL)
		return LBP_ERR_NULL;
	*duties = (struct lbp_duties){.upstream = LBP_NONE,
		.health = LBP_HEALTH_SAME,
		.health_upstream = LBP_NONE};
	if (session->io == NULL)
		return LBP_ERR_STATE;
	turn.left[LBP_CLIENT] = turn.left[LBP_UPSTREAM] =
		(size_t)TURN_BUFFERS * session->io->buffer_bytes;
	take_turn(&turn);
	return LBP_OK;
}
