#include "oracle.h"
#include "sim.h"

bool sim_trouble(struct sim *sim)
{
	return bytes_u8(&sim->bytes) < sim->trouble;
}

void sim_connect(struct sim *sim, struct sim_conn *conn)
{
	const struct model_app *model = &sim->app.model;
	uint8_t who = bytes_u8(&sim->bytes);
	uint32_t serial = 1 + who % model->serial_len;

	if (who >= 0xf8)
		serial = who < 0xfc ? 0 : 0xff;
	sim_accept(sim, conn, serial);
}

static void identify(struct sim *sim, struct sim_conn *conn)
{
	struct lbp_event event = {.kind = LBP_EVENT_IDENTIFIED,
		.names = &conn->witness.name,
		.name_len = 1};

	conn->witness.name = twin_name((uint8_t)conn->serial);
	conn->client = sim_who_is(sim, conn->serial);
	sim_note(sim, conn,
		conn->client == LBP_NONE ? SIM_STRANGER : SIM_IDENTIFIED,
		conn->serial);
	sim_event(sim, conn, &event);
}

static bool is_full(const struct sim *sim)
{
	uint32_t open = 0;

	for (int i = 0; i < SIM_CONNS; i++)
		open += sim->conns[i].live && sim->conns[i].admitted;
	return open >= sim->max_connections;
}

static void complete_handshake(struct sim *sim, struct sim_conn *conn)
{
	struct lbp_event event = {
		.kind = LBP_EVENT_HANDSHAKE_DONE, .is_full = is_full(sim)};

	conn->handshaken = true;
	/* A reload may have changed it since it was identified. */
	if (conn->client != LBP_NONE)
		conn->client = sim_who_is(sim, conn->serial);
	sim_note(sim, conn, event.is_full ? SIM_FULL : SIM_HANDSHAKE_DONE,
		LBP_NONE);
	sim_event(sim, conn, &event);
	ORACLE("SES-22", !event.is_full || !conn->admitted,
		"one more session than there may be");
}

static void break_handshake(struct sim *sim, struct sim_conn *conn)
{
	uint32_t reasons =
		LBP_REASON_BAD_CERTIFICATE - LBP_REASON_HANDSHAKE_FAILED + 1;
	struct lbp_event event = {.kind = LBP_EVENT_HANDSHAKE_FAILED,
		.reason = (enum lbp_reason)(LBP_REASON_HANDSHAKE_FAILED +
					    bytes_below(&sim->bytes, reasons))};

	/* Reasons that came later, as the bytes of older inputs do not. */
	if (event.reason == LBP_REASON_NO_CERTIFICATE && conn->number % 4 == 1)
		event.reason = LBP_REASON_NO_PROTOCOL;
	if (event.reason == LBP_REASON_NO_CERTIFICATE && conn->number % 4 == 2)
		event.reason = LBP_REASON_BAD_PROXY_HEADER;
	if (event.reason == LBP_REASON_NO_CERTIFICATE && conn->number % 4 == 3)
		event.reason = LBP_REASON_AMBIGUOUS;
	sim_note(sim, conn, SIM_HANDSHAKE_BREAKS, LBP_NONE);
	sim_event(sim, conn, &event);
}

static void reset_client(struct sim *sim, struct sim_conn *conn)
{
	sim_note(sim, conn, SIM_CLIENT_RESETS, LBP_NONE);
	conn->streams[LBP_UP].source_broke = true;
	sim_event_kind(sim, conn, LBP_EVENT_CLIENT_RESET);
}

static void evict(struct sim *sim, struct sim_conn *conn)
{
	sim_note(sim, conn, SIM_EVICTED, LBP_NONE);
	sim_event_kind(sim, conn, LBP_EVENT_EVICTED);
	ORACLE("SES-45", !conn->live, "an evicted handshake goes on");
}

static void break_off(struct sim *sim, struct sim_conn *conn)
{
	uint8_t how = bytes_u8(&sim->bytes);

	if (how & 1)
		break_handshake(sim, conn);
	else if (how < 0xc0)
		reset_client(sim, conn);
	else
		evict(sim, conn);
}

/* A side of a relay ends uncleanly, in one of the ways in which it may. */
static void cut(struct sim *sim, struct sim_conn *conn, enum lbp_direction way,
	bool fin)
{
	static const enum lbp_event_kind kinds[2][2] = {
		{LBP_EVENT_CLIENT_RESET, LBP_EVENT_CLIENT_TRUNCATED},
		{LBP_EVENT_UPSTREAM_RESET, LBP_EVENT_UPSTREAM_TRUNCATED},
	};

	sim_note(sim, conn,
		way == LBP_UP ? SIM_CLIENT_RESETS : SIM_UPSTREAM_RESETS,
		LBP_NONE);
	conn->streams[way].source_broke = true;
	sim_event_kind(sim, conn, kinds[way][fin]);
}

static void shake_hands(struct sim *sim, struct sim_conn *conn)
{
	bool authorized = conn->witness.session.state == LBP_SESSION_AUTHORIZED;

	if (sim_trouble(sim)) {
		break_off(sim, conn);
	} else if (authorized && bytes_u8(&sim->bytes) >= 0x10) {
		complete_handshake(sim, conn);
	} else if (conn->serial == 0) {
		sim_note(sim, conn, SIM_NO_CERTIFICATE, LBP_NONE);
		complete_handshake(sim, conn);
	} else {
		identify(sim, conn);
	}
}

static void answer_dial(struct sim *sim, struct sim_conn *conn)
{
	enum sim_mode mode = sim->modes[conn->upstream];

	if (sim_trouble(sim)) {
		uint8_t how = bytes_u8(&sim->bytes);

		if (how < 0x40) {
			reset_client(sim, conn);
			return;
		}
		if (how >= 0xe0) {
			sim_note(sim, conn, SIM_DIAL_LOCAL, conn->upstream);
			sim_event_kind(sim, conn, LBP_EVENT_DIAL_LOCAL);
			return;
		}
		mode = (enum sim_mode)bytes_below(&sim->bytes, 3);
	}
	switch (mode) {
	case SIM_UP:
		sim_note(sim, conn, SIM_DIAL_DONE, conn->upstream);
		sim_event_kind(sim, conn, LBP_EVENT_DIAL_DONE);
		break;
	case SIM_REFUSING:
		sim_note(sim, conn, SIM_DIAL_REFUSED, conn->upstream);
		sim_event_kind(sim, conn, LBP_EVENT_DIAL_FAILED);
		break;
	case SIM_HANGING:
		sim_note(sim, conn, SIM_DIAL_HANGS, conn->upstream);
		break;
	}
}

static void send_bytes(struct sim *sim, struct sim_conn *conn,
	enum lbp_direction way, uint64_t n)
{
	struct sim_stream *stream = &conn->streams[way];
	uint64_t free = SIM_SOCKET - (stream->sent - stream->pipe.in);

	if (stream->source_ended || stream->source_broke)
		return;
	n = n < free ? n : free;
	stream->sent += n;
	sim_note(sim, conn, SIM_SENT, (uint32_t)n);
}

static void take_bytes(struct sim *sim, struct sim_conn *conn,
	enum lbp_direction way, uint64_t n)
{
	struct sim_stream *stream = &conn->streams[way];
	uint64_t waiting = stream->pipe.out - stream->taken;

	n = n < waiting ? n : waiting;
	stream->taken += n;
	sim_note(sim, conn, SIM_TAKEN, (uint32_t)n);
}

/* All four parties of a direction do what they can, as much as n. */
static void pump(struct sim *sim, struct sim_conn *conn, enum lbp_direction way,
	uint64_t n)
{
	send_bytes(sim, conn, way, n);
	sim_read(sim, conn, way, n);
	sim_write(sim, conn, way, n);
	if (conn->live)
		take_bytes(sim, conn, way, n);
}

static void disturb(
	struct sim *sim, struct sim_conn *conn, enum lbp_direction way)
{
	uint8_t how = (uint8_t)bytes_below(&sim->bytes, 8);

	switch (how % 4) {
	case 0:
		cut(sim, conn, LBP_UP, how >= 4);
		break;
	case 1:
		cut(sim, conn, LBP_DOWN, how >= 4);
		break;
	default:
		sim_note(sim, conn, SIM_HALF_CLOSE, way);
		conn->streams[way].source_ended = true;
		break;
	}
}

static void relay(struct sim *sim, struct sim_conn *conn)
{
	uint8_t what = bytes_u8(&sim->bytes);
	enum lbp_direction way = what & 1 ? LBP_DOWN : LBP_UP;
	uint64_t n = 1 + (uint64_t)(what >> 4) * 4;

	if (n == 1)
		sim_note(sim, conn, SIM_ONE_BYTE, LBP_NONE);
	switch (what >> 1 & 7) {
	case 0:
		send_bytes(sim, conn, way, n);
		break;
	case 1:
	case 2:
		sim_read(sim, conn, way, n);
		break;
	case 3:
	case 4:
		sim_write(sim, conn, way, n);
		break;
	case 5:
		take_bytes(sim, conn, way, n);
		break;
	case 6:
		pump(sim, conn, way, n);
		break;
	case 7:
		if (sim_trouble(sim))
			disturb(sim, conn, way);
		else if (n > 40)
			conn->streams[way].source_ended = true;
		break;
	}
}

/* What a side sent before it broke off goes on. */
static void reset(struct sim *sim, struct sim_conn *conn, uint64_t n)
{
	enum lbp_direction way = conn->witness.session.cut;

	sim_read(sim, conn, way, n);
	sim_write(sim, conn, way, n);
	take_bytes(sim, conn, way, n);
	sim_deliver(sim, conn);
}

static void leave(struct sim *sim, struct sim_conn *conn)
{
	if (sim_trouble(sim))
		reset_client(sim, conn);
	else if (!conn->handshaken && bytes_bool(&sim->bytes))
		break_handshake(sim, conn);
	else
		sim_event_kind(sim, conn, LBP_EVENT_CLIENT_ENDED);
}

void sim_act(struct sim *sim, struct sim_conn *conn)
{
	ORACLE("SES-16",
		!conn->live || conn->witness.session.state != LBP_SESSION_ENDED,
		"an end without its duty");
	switch (conn->witness.session.state) {
	case LBP_SESSION_HANDSHAKE:
	case LBP_SESSION_AUTHORIZED:
		shake_hands(sim, conn);
		break;
	case LBP_SESSION_DIALING:
		answer_dial(sim, conn);
		break;
	case LBP_SESSION_RELAY:
		relay(sim, conn);
		break;
	case LBP_SESSION_RESETTING:
		reset(sim, conn, 1 + bytes_u8(&sim->bytes) % 64);
		break;
	case LBP_SESSION_CLOSING:
		leave(sim, conn);
		break;
	case LBP_SESSION_ENDED:
		break;
	}
}

void sim_behave(struct sim *sim, struct sim_conn *conn)
{
	switch (conn->witness.session.state) {
	case LBP_SESSION_HANDSHAKE:
		if (conn->serial == 0)
			complete_handshake(sim, conn);
		else
			identify(sim, conn);
		break;
	case LBP_SESSION_AUTHORIZED:
		complete_handshake(sim, conn);
		break;
	case LBP_SESSION_DIALING:
		sim_event_kind(sim, conn, LBP_EVENT_DIAL_DONE);
		break;
	case LBP_SESSION_RELAY:
		conn->streams[LBP_UP].source_ended = true;
		conn->streams[LBP_DOWN].source_ended = true;
		pump(sim, conn, LBP_UP, SIM_SOCKET);
		if (conn->live)
			pump(sim, conn, LBP_DOWN, SIM_SOCKET);
		break;
	case LBP_SESSION_RESETTING:
		reset(sim, conn, SIM_SOCKET);
		break;
	case LBP_SESSION_CLOSING:
		sim_event_kind(sim, conn, LBP_EVENT_CLIENT_ENDED);
		break;
	case LBP_SESSION_ENDED:
		break;
	}
}
