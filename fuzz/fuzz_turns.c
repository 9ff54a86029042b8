/*
 * The turns of a relay over sockets that do anything, against a model.
 *
 * Input: a byte, whose lowest four bits are the size of the buffers, less 1.
 * Then a byte for each turn: the lowest bit is a side, the next three what it
 * is said to be ready for, the fifth that nothing is said. What each call of
 * the turn comes to follows, two bytes a call: an enum lbp_io, counted from
 * LBP_IO_WAIT, and how many bytes; 0xff of them: one more than there may be. A
 * byte of 0xff in place of a buffer: there is none.
 */
#include <string.h>

#include "bytes.h"
#include "core/session_state.h"
#include "model/model_flow.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define BUFFER_MAX 16
#define BUDGET     (4 * (uint64_t)run.io.buffer_bytes)
#define LOOK_NS    UINT64_C(20000000)
#define LINGER_NS  UINT64_C(2000000000)

/* A side, and the direction that it is the source of. */
struct peer {
	bool can_read;
	bool can_write;
	bool has_failed;
	bool is_truncated;
	uint64_t in;  /* bytes that came from it */
	uint64_t out; /* of those, what the other one got */
	bool has_ended;
	bool is_cut;
	bool is_passed; /* its end, on to the other one */
	uint8_t *buffer;
	uint64_t left; /* of its turn */
	bool is_left;  /* by whoever watches it */
};

static const struct lbp_session_timeouts timeouts = {
	.idle_ns = 1000 * LINGER_NS, .linger_ns = LINGER_NS};

static struct run {
	struct bytes bytes;
	struct lbp_relay_io io;
	struct lbp_session session;
	struct peer peers[2];
	uint8_t buffers[2][BUFFER_MAX];
	enum lbp_io fault; /* and whose */
	enum lbp_side faulty;
	uint64_t now_ns;
	uint64_t active_ns; /* when a byte moved, or a side broke off */
	unsigned unsent;
	bool is_flushing;
	bool is_resetting;
	enum lbp_side cut;
	unsigned asked; /* for what is unsent, in this turn */
	bool has_answered;
	bool is_over;
} run;

static struct peer *other(enum lbp_side side)
{
	return &run.peers[1 - side];
}

static uint64_t held(const struct peer *from)
{
	return from->in - from->out;
}

static bool is_open(const struct peer *from)
{
	return !from->has_ended && !from->is_cut;
}

static bool end_is_due(const struct peer *from)
{
	return from->has_ended && !from->is_cut && !from->is_passed &&
	       held(from) == 0;
}

static bool is_done(enum lbp_side side)
{
	const struct peer *peer = &run.peers[side];

	return peer->has_ended && !peer->is_cut && other(side)->is_passed;
}

static bool has_room(const struct peer *from)
{
	return is_open(from) && held(from) < run.io.buffer_bytes;
}

static bool reads(const struct peer *from)
{
	return run.fault == LBP_IO_OK && from->can_read && has_room(from) &&
	       from->left > 0;
}

static bool goes(enum lbp_side from)
{
	return !run.is_over && (!run.is_resetting || from == run.cut);
}

/* What a call comes to; how many of len bytes go to *n. */
static enum lbp_io draw(size_t len, size_t *n)
{
	enum lbp_io io =
		(enum lbp_io)((LBP_IO_WAIT + bytes_below(&run.bytes, 8)) % 8);
	uint8_t amount = bytes_u8(&run.bytes);

	*n = amount == 0xff ? len + 1 : amount % (len + 1);
	return io;
}

static enum lbp_io meaning(const struct peer *from, enum lbp_io io, size_t n)
{
	if (io == LBP_IO_OK && n == 0)
		io = LBP_IO_WAIT;
	if (!from->has_failed)
		return io;
	switch (io) {
	case LBP_IO_WAIT:
		return n == 0 ? LBP_IO_RESET : LBP_IO_OK;
	case LBP_IO_END:
	case LBP_IO_TRUNCATED:
		return LBP_IO_RESET;
	default:
		return io;
	}
}

static void fault(enum lbp_io io, enum lbp_side side)
{
	run.fault = io;
	run.faulty = side;
}

static void was_read(enum lbp_side side, enum lbp_io io)
{
	struct peer *peer = &run.peers[side];

	switch (io) {
	case LBP_IO_OK:
		break;
	case LBP_IO_WAIT:
		peer->can_read = false;
		break;
	case LBP_IO_YIELD:
		peer->left = 0;
		break;
	case LBP_IO_END:
		peer->has_ended = true;
		break;
	case LBP_IO_RESET:
		peer->has_failed = peer->is_cut = true;
		break;
	case LBP_IO_TRUNCATED:
		peer->is_truncated = peer->is_cut = true;
		break;
	default:
		fault(io, side);
		break;
	}
}

static enum lbp_io read_peer(
	void *user, enum lbp_side side, void *buf, size_t len, size_t *n)
{
	struct peer *peer = &run.peers[side];
	uint8_t *to = buf;
	enum lbp_io io;

	ORACLE("REL-4", user == &run && goes(side) && reads(peer),
		"a read of side %d", (int)side);
	ORACLE("REL-3", len > 0 && len <= peer->left, "%zu bytes of %llu", len,
		(unsigned long long)peer->left);
	ORACLE("REL-2",
		peer->buffer != NULL && len <= run.io.buffer_bytes - held(peer),
		"no room for %zu bytes", len);
	io = draw(len, n);
	if (*n > len) {
		fault(LBP_IO_FAILED, side);
		return io;
	}
	for (size_t i = 0; i < *n; i++)
		to[i] = model_flow_byte(side, peer->in + i);
	peer->in += *n;
	peer->left -= *n;
	if (*n > 0)
		run.active_ns = run.now_ns;
	was_read(side, meaning(peer, io, *n));
	return io;
}

static void was_written(enum lbp_side to, enum lbp_io io)
{
	struct peer *peer = &run.peers[to];

	if (io == LBP_IO_RESET)
		peer->has_failed = true;
	else if (io == LBP_IO_FAILED)
		fault(io, to);
	else if (io != LBP_IO_OK)
		peer->can_write = false;
	if (io == LBP_IO_YIELD)
		peer->left = 0;
}

/* A side is written to, or ended. */
static void check_write(enum lbp_side to)
{
	const struct peer *peer = &run.peers[to];

	ORACLE("REL-4",
		goes((enum lbp_side)(1 - to)) && run.fault == LBP_IO_OK &&
			peer->can_write && !peer->has_failed,
		"a write to side %d", (int)to);
	ORACLE("REL-1", !reads(other(to)), "it is written before it is filled");
}

static enum lbp_io write_peer(
	void *user, enum lbp_side side, const void *buf, size_t len, size_t *n)
{
	struct peer *from = other(side);
	const uint8_t *bytes = buf;
	enum lbp_io io;

	check_write(side);
	ORACLE("FLW-1", user == &run && len > 0 && len <= held(from),
		"%zu bytes of %llu", len, (unsigned long long)held(from));
	for (size_t i = 0; i < len; i++)
		ORACLE("FLW-1",
			bytes[i] == model_flow_byte((uint32_t)(1 - side),
					    from->out + i),
			"byte %zu is another one", i);
	io = draw(len, n);
	if (*n > len) {
		fault(LBP_IO_FAILED, side);
		return io;
	}
	from->out += *n;
	if (*n > 0)
		run.active_ns = run.now_ns;
	was_written(side, io == LBP_IO_OK && *n == 0 ? LBP_IO_WAIT : io);
	return io;
}

static enum lbp_io end_peer(void *user, enum lbp_side side)
{
	struct peer *from = other(side);
	size_t none;
	enum lbp_io io = draw(0, &none);

	check_write(side);
	ORACLE("FLW-4", user == &run && end_is_due(from), "an end too early");
	from->is_passed = io == LBP_IO_OK;
	was_written(side, io);
	return io;
}

/* The first direction that has no buffer, and would read. */
static uint8_t *take_buffer(void *user)
{
	enum lbp_side side =
		reads(&run.peers[LBP_CLIENT]) && goes(LBP_CLIENT) &&
				run.peers[LBP_CLIENT].buffer == NULL
			? LBP_CLIENT
			: LBP_UPSTREAM;
	struct peer *peer = &run.peers[side];

	ORACLE("REL-2",
		user == &run && peer->buffer == NULL && goes(side) &&
			reads(peer),
		"a buffer for nothing");
	if (bytes_u8(&run.bytes) == 0xff) {
		fault(LBP_IO_FAILED, side);
		return NULL;
	}
	peer->buffer = run.buffers[side];
	return peer->buffer;
}

static void give_buffer(void *user, uint8_t *buffer)
{
	struct peer *peer = &run.peers[buffer == run.buffers[LBP_UPSTREAM]];

	ORACLE("REL-2",
		user == &run && buffer != NULL && buffer == peer->buffer,
		"a buffer that was not taken");
	ORACLE("REL-2", run.is_over || held(peer) == 0, "bytes are lost");
	peer->buffer = NULL;
}

static unsigned unsent(void *user, enum lbp_side to)
{
	unsigned now = bytes_u8(&run.bytes) % 4;

	ORACLE("REL-7",
		user == &run && run.is_resetting && to != run.cut &&
			held(&run.peers[run.cut]) == 0 && run.asked++ == 0,
		"what is unsent does not matter");
	if (now < run.unsent)
		run.active_ns = run.now_ns;
	run.unsent = now;
	run.is_flushing = true;
	return now;
}

/* Did a side break off, and how? */
static bool has_broken(enum lbp_side side, enum lbp_event_kind *how)
{
	const struct peer *peer = &run.peers[side];
	int of = side == LBP_CLIENT ? 0 : 1;

	if (is_done(side) || !(peer->has_failed || peer->is_truncated))
		return false;
	*how = (enum lbp_event_kind)(
		(peer->has_failed ? LBP_EVENT_CLIENT_RESET
				  : LBP_EVENT_CLIENT_TRUNCATED) +
		of);
	return true;
}

/* What a turn comes to; LBP_EVENT_TICK: nothing yet. */
static enum lbp_event_kind result(void)
{
	const struct peer *client = &run.peers[LBP_CLIENT];
	const struct peer *upstream = &run.peers[LBP_UPSTREAM];
	enum lbp_event_kind how = LBP_EVENT_TICK;

	if (run.fault != LBP_IO_OK)
		return LBP_EVENT_STOP;
	if (run.is_resetting) {
		const struct peer *from = &run.peers[run.cut];
		bool is_spent =
			held(from) == 0 && (from->is_cut || from->is_passed);

		return other(run.cut)->has_failed ||
				       (is_spent && run.unsent == 0 &&
					       run.asked == 1)
			       ? LBP_EVENT_DELIVERED
			       : LBP_EVENT_TICK;
	}
	if (client->is_passed && upstream->is_passed)
		return LBP_EVENT_FLOW_FINISHED;
	if (!has_broken(LBP_CLIENT, &how))
		(void)has_broken(LBP_UPSTREAM, &how);
	return how;
}

static enum lbp_reason stop_reason(void)
{
	if (run.fault == LBP_IO_FAILED)
		return LBP_REASON_INTERNAL;
	return run.faulty == LBP_CLIENT ? LBP_REASON_CLIENT_FLOOD
					: LBP_REASON_UPSTREAM_FLOOD;
}

static bool is_break(enum lbp_event_kind kind)
{
	return kind >= LBP_EVENT_CLIENT_RESET &&
	       kind <= LBP_EVENT_UPSTREAM_TRUNCATED;
}

/* The side's bytes still go, but no clean end of it. */
static void break_off(enum lbp_event_kind kind)
{
	struct peer *peer;

	run.is_resetting = true;
	run.cut = kind == LBP_EVENT_CLIENT_RESET ||
				  kind == LBP_EVENT_CLIENT_TRUNCATED
			  ? LBP_CLIENT
			  : LBP_UPSTREAM;
	peer = &run.peers[run.cut];
	peer->is_cut = peer->is_cut || (peer->has_ended && !peer->is_passed);
	peer->has_failed = peer->can_read = true;
	run.active_ns = run.now_ns;
}

static enum lbp_err step(void *user, const struct lbp_event *event,
	uint64_t now_ns, struct lbp_duties *duties)
{
	const struct peer *upstream = &run.peers[LBP_UPSTREAM];
	enum lbp_event_kind want = result();

	ORACLE("REL-6", user == &run && now_ns == run.now_ns && !run.is_over,
		"a step after the end");
	*duties = (struct lbp_duties){.health_upstream = LBP_NONE};
	if (event->kind == LBP_EVENT_ANSWERED) {
		ORACLE("SES-29",
			!run.has_answered &&
				(upstream->in > 0 ||
					(upstream->has_ended &&
						!upstream->is_cut)),
			"an answer, but nothing was said");
		run.has_answered = run.session.answered = true;
		return LBP_OK;
	}
	ORACLE("REL-6", event->kind == want, "event %d instead of %d",
		(int)event->kind, (int)want);
	ORACLE("REL-6",
		want != LBP_EVENT_STOP || event->reason == stop_reason(),
		"it stops for %s", lbp_reason_text(event->reason));
	if (!is_break(event->kind)) {
		run.is_over = true;
		return LBP_OK;
	}
	break_off(event->kind);
	return lbp_session_step(&run.session, event, now_ns, duties);
}

static unsigned wants(enum lbp_side side)
{
	const struct peer *peer = &run.peers[side];
	const struct peer *from = other(side);
	unsigned want = LBP_WATCH_ERROR;

	if (peer->has_failed || is_done(side))
		return 0;
	if (has_room(peer) && !run.is_resetting)
		want |= LBP_WATCH_READ;
	if (!peer->can_write && (held(from) > 0 || end_is_due(from)))
		want |= LBP_WATCH_WRITE;
	return want;
}

static bool is_starved(enum lbp_side side)
{
	const struct peer *peer = &run.peers[side];

	return goes(side) && peer->can_read && has_room(peer) &&
	       peer->left == 0;
}

/* A poller may fail to take up again what it was told to leave. */
static void check_left(enum lbp_side side)
{
	bool is_left = lbp_session_watch(&run.session, side) == 0;

	ORACLE("REL-9", is_left || !run.peers[side].is_left,
		"side %d is watched again", (int)side);
	run.peers[side].is_left = is_left;
}

static void check_turn(const struct lbp_duties *duties)
{
	bool more = is_starved(LBP_CLIENT) || is_starved(LBP_UPSTREAM);
	uint64_t ends = run.active_ns +
			(run.is_resetting ? LINGER_NS : timeouts.idle_ns);

	if (run.is_flushing && run.now_ns + LOOK_NS < ends)
		ends = run.now_ns + LOOK_NS;
	ORACLE("REL-3", duties->set == (more ? LBP_DUTY_RELAY : 0u),
		"duties 0x%x", duties->set);
	ORACLE("REL-6", result() == LBP_EVENT_TICK, "event %d is not told",
		(int)result());
	ORACLE("REL-7", lbp_session_deadline(&run.session) == ends,
		"another deadline");
	for (int i = 0; i < 2; i++) {
		enum lbp_side side = (enum lbp_side)i;
		const struct peer *peer = &run.peers[i];

		ORACLE("REL-2", (peer->buffer != NULL) == (held(peer) > 0),
			"%llu bytes, and a buffer: %d",
			(unsigned long long)held(peer), peer->buffer != NULL);
		ORACLE("REL-8",
			lbp_session_watch(&run.session, side) == wants(side),
			"side %d is watched for 0x%x instead of 0x%x", i,
			lbp_session_watch(&run.session, side), wants(side));
		ORACLE("REL-1", !goes(side) || !reads(peer),
			"bytes are not read");
		check_left(side);
	}
}

static void turn(void)
{
	struct lbp_duties duties;

	run.now_ns++;
	run.asked = 0;
	run.peers[0].left = run.peers[1].left = BUDGET;
	if (lbp_session_relay(&run.session, run.now_ns, &duties) != LBP_OK)
		__builtin_trap();
	if (!run.is_over)
		check_turn(&duties);
}

static void become_ready(enum lbp_side side, unsigned how)
{
	struct peer *peer = &run.peers[side];

	lbp_session_ready(&run.session, side, how);
	peer->can_read = peer->can_read ||
			 (how & (LBP_WATCH_READ | LBP_WATCH_ERROR)) != 0;
	peer->can_write = peer->can_write || (how & LBP_WATCH_WRITE) != 0;
	peer->has_failed = peer->has_failed || (how & LBP_WATCH_ERROR) != 0;
}

static void start(uint8_t how)
{
	memset(&run.session, 0, sizeof(run.session));
	memset(run.peers, 0, sizeof(run.peers));
	run.io = (struct lbp_relay_io){read_peer, write_peer, end_peer,
		take_buffer, give_buffer, 1u + how % BUFFER_MAX, unsent, step};
	run.session.state = LBP_SESSION_RELAY;
	run.session.timeouts = &timeouts;
	run.session.expires_ns = LBP_NEVER;
	run.session.admitted = true;
	lbp_flow_init(&run.session.flow);
	lbp_relay_begin(&run.session);
	if (lbp_session_set_io(&run.session, &run.io, &run) != LBP_OK)
		__builtin_trap();
	run.peers[0].can_write = run.peers[1].can_write = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	memset(&run, 0, sizeof(run));
	run.bytes = (struct bytes){data, len};
	start(bytes_u8(&run.bytes));
	while (run.bytes.len > 0 && !run.is_over) {
		uint8_t what = bytes_u8(&run.bytes);

		if ((what & 16) == 0)
			become_ready((enum lbp_side)(what & 1), what >> 1 & 7);
		turn();
	}
	run.is_over = true;
	lbp_relay_end(&run.session);
	ORACLE("REL-2", !run.peers[0].buffer && !run.peers[1].buffer,
		"a buffer is kept");
	return 0;
}
