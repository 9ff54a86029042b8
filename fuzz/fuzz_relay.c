/*
 * A session's relay between two peers that send, take and end as they like,
 * with TLS or without.
 *
 * Input: a byte, whose lowest bits say which side has TLS, the client's first,
 * the next how they are closed, the next whether they are polled before the
 * list of those that gave way, and the others how many bytes come with a
 * handshake.
 * Then what happens, one byte each: the lowest bit is the side, the next three
 * say what, the others how much. After each the session gets turns until
 * nothing is ready.
 */
#include <string.h>

#include "bytes.h"
#include "oracle.h"
#include "relay/side.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* [SRV-34] */
#define TURN_BYTES_MAX (256 * 1024)
/* In one of them nothing may happen: a call of the system was interrupted. */
#define IDLE_TURNS_MAX 2

struct run {
	struct bytes bytes;
	struct loop loop;
	struct conns conns;
	struct conn conn;
	struct conn other; /* that gave way before */
	bool polls_first;
	bool is_over;
	unsigned idle; /* turns since something happened */
};

static uint64_t all_given(void)
{
	return sides.side[0].given + sides.side[1].given;
}

static uint64_t all_taken(void)
{
	return sides.side[0].taken + sides.side[1].taken;
}

/* An event that the relay made of what it saw. */
static void check_event(const struct lbp_event *event)
{
	const struct side *client = &sides.side[0];
	const struct side *upstream = &sides.side[1];

	switch (event->kind) {
	case LBP_EVENT_CLIENT_RESET:
		ORACLE("SRV-17", client->saw_reset || sides.refused,
			"the client has not reset");
		break;
	case LBP_EVENT_UPSTREAM_RESET:
		ORACLE("SRV-17", upstream->saw_reset || sides.refused,
			"the upstream has not reset");
		break;
	case LBP_EVENT_FLOW_FINISHED:
		ORACLE("SRV-16", client->shut && upstream->shut,
			"an end is missing");
		ORACLE("SRV-17", !client->saw_reset && !upstream->saw_reset,
			"a reset is taken for an end");
		break;
	default:
		ORACLE("SRV-21",
			event->kind == LBP_EVENT_STOP && sides.refused &&
				event->reason == LBP_REASON_INTERNAL,
			"event %d", (int)event->kind);
		break;
	}
}

/* Is a side waited for with no reason? */
static void check_want(const struct side *side)
{
	const struct side *from = side_other(side);
	const struct stream *stream = side_stream(side);
	bool reads = !side->saw_end && side->taken < from->given + RING_BYTES;
	bool writes =
		side->given < from->taken || (from->saw_end && !side->shut);
	unsigned want =
		(reads ? stream->read_on : 0) | (writes ? stream->write_on : 0);

	ORACLE("SRV-35", (stream->watch.want & ~want) == 0,
		"it waits for %u instead of %u", stream->watch.want, want);
}

/* A turn that did not end the session. */
static void check_turn(const struct run *run)
{
	const struct lbp_pipe *pipes = run->conn.session.flow.pipes;

	ORACLE("SRV-17", !sides.side[0].saw_reset && !sides.side[1].saw_reset,
		"a reset is not passed on");
	ORACLE("SRV-16", !sides.side[0].shut || !sides.side[1].shut,
		"the flow goes on after both ends");
	ORACLE("SRV-21", !sides.refused, "what was refused is not missed");
	for (unsigned i = 0; i < 2; i++) {
		const struct side *side = &sides.side[i];

		ORACLE("SRV-19",
			(pipes[i].ring == NULL) ==
				(side->taken == side_other(side)->given),
			"a ring for no bytes, or bytes without a ring");
		ORACLE("SRV-34", sides.budget[i] > 0 || run->conn.is_again,
			"the rest is forgotten");
		check_want(side);
	}
	ORACLE("SRV-34",
		run->conns.again ==
			(run->conn.is_again ? &run->conn : &run->other),
		"it is not in the list, or nobody else is");
	ORACLE("SRV-34",
		!run->conn.is_again || run->conn.again_next == &run->other,
		"others that wait are forgotten");
}

/* One turn of the session, as the worker gives it. */
static void turn(struct run *run, bool was_polled)
{
	struct lbp_event event = {.kind = LBP_EVENT_TICK};
	uint64_t moved = all_given() + all_taken();

	if (!was_polled || !run->polls_first) {
		run->conns.again = &run->other;
		run->conn.is_again = false;
	}
	sides.side[0].may_be_idle = false;
	sides.side[1].may_be_idle = false;
	sides.budget[0] = TURN_BYTES_MAX;
	sides.budget[1] = TURN_BYTES_MAX;
	sides.called = false;
	sides.moved = false;
	run->is_over = conn_relay(&run->conn, &event);
	ORACLE("SES-11", sides.moved == (all_given() + all_taken() > moved),
		"the idle timeout is put off: %d", sides.moved);
	run->idle = sides.called ? 0 : run->idle + 1;
	ORACLE("SRV-35", run->is_over || run->idle < IDLE_TURNS_MAX,
		"turns in which nothing happens");
	if (run->is_over)
		check_event(&event);
	else
		check_turn(run);
}

/* Tells a stream what is ready of what it wants; false: nothing. */
static bool poll_side(const struct side *side)
{
	struct stream *stream = side_stream(side);
	unsigned ready = side_readiness(side) & stream->watch.want;

	if (ready != 0)
		stream_ready(stream, ready);
	return ready != 0;
}

/* Nothing is ready: has all been done that can be? */
static void check_rest(const struct side *from)
{
	const struct side *to = side_other(from);
	bool can_write = to->room > 0 && !to->write_needs_read;
	bool is_full = from->taken - to->given == RING_BYTES;
	bool can_read = !from->read_needs_write || from->room > 0;

	if (sides.side[0].is_reset || sides.side[1].is_reset)
		return;
	ORACLE("SRV-18", from->taken - to->given <= RING_BYTES,
		"more than a ring is kept");
	ORACLE("SRV-35", from->taken == from->arrived || is_full || !can_read,
		"%llu of %llu bytes are not read",
		(unsigned long long)(from->arrived - from->taken),
		(unsigned long long)from->arrived);
	ORACLE("SRV-35", to->given == from->taken || !can_write,
		"%llu bytes are not written",
		(unsigned long long)(from->taken - to->given));
	ORACLE("SRV-35",
		!from->has_ended || from->saw_end || is_full || !can_read,
		"the end is not read");
	ORACLE("SRV-35",
		!from->saw_end || to->shut || to->given < from->taken ||
			!can_write,
		"the end is not passed on");
}

static void settle(struct run *run)
{
	for (;;) {
		bool ready = poll_side(&sides.side[0]);

		ready = poll_side(&sides.side[1]) || ready;
		if (!ready && !run->conn.is_again)
			break;
		turn(run, ready);
		if (run->is_over)
			return;
	}
	check_rest(&sides.side[0]);
	check_rest(&sides.side[1]);
}

static void arrive(struct side *side, uint32_t n)
{
	uint64_t left = SIDE_BYTES_MAX - side->arrived;

	if (side->has_ended)
		return;
	side->arrived += n < left ? n : left;
	side->has_message = side->write_needs_read;
}

static void end(struct side *side)
{
	side->has_ended = true;
	side->has_message = side->write_needs_read;
}

static bool is_tls(const struct side *side)
{
	return side_stream(side)->tls.ssl != NULL;
}

static void fail(unsigned how)
{
	switch (how % 4) {
	case 0:
		sides.is_interrupted = true;
		break;
	case 1:
		sides.no_ring = true;
		break;
	case 2:
		sides.no_watch = true;
		break;
	case 3:
		sides.no_shutdown = true;
		break;
	}
}

static void happen(struct run *run)
{
	static const uint32_t amounts[] = {1, 2, 3, 100, 1000, 16384, 16385,
		65535, 65536, 65537, 131072, 262143, 262144, 262145, 300000,
		1u << 20};
	uint8_t what = bytes_u8(&run->bytes);
	struct side *side = &sides.side[what & 1];

	switch (what >> 1 & 7) {
	case 0:
		arrive(side, 1 + (what >> 4));
		break;
	case 1:
		arrive(side, amounts[what >> 4]);
		break;
	case 2:
		side->room += amounts[what >> 4];
		break;
	case 3:
		end(side);
		break;
	case 4:
		side->is_reset = what >> 4 == 1;
		break;
	case 5:
		side->read_needs_write = is_tls(side);
		break;
	case 6:
		/* What the peer sends from now on begins with that message. */
		side->write_needs_read =
			is_tls(side) && !side->has_ended &&
			side->arrived == side->taken + side->pending;
		break;
	case 7:
		if (what >> 4 < 8)
			side->has_message = side->write_needs_read;
		else
			fail(what >> 4);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct run run;
	uint8_t how;

	memset(&run, 0, sizeof(run));
	run.bytes = (struct bytes){data, len};
	how = bytes_u8(&run.bytes);
	run.conns.loop = &run.loop;
	run.conn.conns = &run.conns;
	run.polls_first = how & 8;
	run.conns.again = &run.other;
	sides_start(&run.conn, how & 1, how & 2, how >> 4);
	turn(&run, false);
	while (run.bytes.len > 0 && !run.is_over) {
		happen(&run);
		run.idle = 0;
		settle(&run);
	}
	sides_close(how & 4);
	return 0;
}
