#include "oracle.h"
#include "sim.h"

void sim_accept(struct sim *sim, struct sim_conn *conn, uint32_t serial)
{
	uint32_t number = ++sim->accepted;

	*conn = (struct sim_conn){.number = number,
		.serial = serial,
		.client = LBP_NONE,
		.upstream = LBP_NONE,
		.live = true};
	conn->streams[LBP_UP].pipe.key = number * 2;
	conn->streams[LBP_DOWN].pipe.key = number * 2 + 1;
	witness_init(&conn->witness, &sim->app, &sim->timeouts, sim->now_ns);
	/* The first one and the last one are served to their ends. */
	if (number % 3 == 2)
		witness_set_lifetime(&conn->witness,
			2 * sim->timeouts.idle_ns + number,
			number * 0x9e3779b9u);
	sim_note(sim, conn, SIM_ACCEPTED, serial);
}

static void lend_ring(struct sim *sim, struct lbp_pipe *pipe)
{
	uint32_t i = 0;

	while ((sim->rings_out >> i & 1) != 0)
		i++;
	ORACLE("FLW-6", i < 2 * SIM_CONNS, "more rings than pipes");
	sim->rings_out |= 1u << i;
	lbp_pipe_lend(pipe, sim->rings[i], sim->ring_cap);
}

static void take_ring_back(
	struct sim *sim, struct sim_stream *stream, const uint8_t *ring)
{
	if (ring == NULL)
		return;
	sim->rings_out &= ~(1u << ((ring - sim->rings[0]) / SIM_RING));
	stream->pipe.cap = 0;
}

/* Memory is bound: a ring is out for each pipe that holds bytes. */
void sim_check_rings(const struct sim *sim)
{
	uint32_t held = 0;

	for (int i = 0; i < SIM_CONNS; i++) {
		const struct sim_conn *conn = &sim->conns[i];

		for (int way = 0; way < 2 && conn->live; way++)
			held += conn->witness.session.flow.pipes[way].len > 0;
	}
	ORACLE("FLW-6", (uint32_t)__builtin_popcount(sim->rings_out) == held,
		"%u pipes hold bytes, rings 0x%x are out", held,
		sim->rings_out);
}

/* [LIM-1] and [LIM-2] as they are written, over what happened here. */
static void check_limits(struct sim *sim, uint32_t client)
{
	const struct lbp_limits *limits =
		&sim->app.model.clients[client].limits;
	uint64_t *times = sim->admitted_ns[client];
	uint64_t len = ++sim->admissions[client];
	uint32_t open = 0;
	uint32_t recent = 0;

	times[len % MODEL_APP_ADMISSIONS] = sim->now_ns;
	for (uint64_t i = len;
		i > sim->forgotten[client] && len - i < MODEL_APP_ADMISSIONS;
		i--)
		recent += sim->now_ns - times[i % MODEL_APP_ADMISSIONS] <
			  limits->window_ns;
	for (int i = 0; i < SIM_CONNS; i++) {
		const struct sim_conn *conn = &sim->conns[i];

		open += conn->live && conn->admitted &&
			conn->client == client && conn->reports == 0;
	}
	ORACLE("LIM-1", limits->concurrent == 0 || open <= limits->concurrent,
		"client %u has %u sessions open", client, open);
	ORACLE("LIM-2",
		limits->connections == 0 || recent <= limits->connections,
		"client %u was admitted %u times in a window", client, recent);
}

/* A reload forgets what the smaller one of two rings cannot hold. */
static void forget(struct sim *sim, uint32_t client)
{
	const struct model_app_client *before = &sim->app.model.clients[client];
	const struct model_app_config *config = &sim->app.config;
	uint64_t most = before->limits.connections;
	uint64_t known = sim->admissions[client] - sim->forgotten[client];

	if (config->limits[client].connections < most)
		most = config->limits[client].connections;
	if (!before->granted || !config->granted[client])
		most = 0;
	if (known > most)
		sim->forgotten[client] += known - most;
}

void sim_reload(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->app.model.client_len; i++)
		forget(sim, i);
	sim_note(sim, NULL, SIM_RELOAD, LBP_NONE);
	twin_app_reload(&sim->app, sim->now_ns);
	for (int i = 0; i < SIM_CONNS; i++)
		sim->conns[i].stale = sim->conns[i].live;
}

/* An upstream that gets a number which is free now was not tried. */
static void keep_tried(const struct sim *sim, struct sim_conn *conn)
{
	const struct model_app *model = &sim->app.model;

	for (uint32_t i = 0; i < model->upstream_len; i++) {
		if (model->upstreams[i].name == 0)
			conn->tried &= ~(1u << i);
	}
}

uint32_t sim_who_is(const struct sim *sim, uint32_t serial)
{
	const struct model_app *model = &sim->app.model;
	uint32_t client;

	if (serial < 1 || serial > model->serial_len)
		return LBP_NONE;
	client = model->serials[serial - 1].client;
	return client != LBP_NONE && model->clients[client].granted ? client
								    : LBP_NONE;
}

void sim_tell(struct sim *sim, struct sim_conn *conn)
{
	bool served = conn->admitted && conn->reports == 0;
	bool welcome = conn->client != LBP_NONE &&
		       sim_who_is(sim, conn->serial) == conn->client;

	if (!conn->live || !conn->stale)
		return;
	conn->stale = false;
	sim_note(sim, conn, SIM_TOLD, LBP_NONE);
	if (served && !welcome)
		sim_note(sim, conn, SIM_LOST, conn->client);
	sim_event_kind(sim, conn, LBP_EVENT_RELOADED);
	ORACLE("SES-18", conn->live == (welcome || !served),
		"a session goes on: %d, its client is welcome: %d", conn->live,
		welcome);
	keep_tried(sim, conn);
}

static void start_dial(
	struct sim *sim, struct sim_conn *conn, uint32_t upstream)
{
	ORACLE("SES-1", conn->handshaken && conn->client != LBP_NONE,
		"a dial for nobody");
	if (!conn->admitted) {
		conn->admitted = true;
		sim_note(sim, conn, SIM_ADMITTED, conn->client);
		check_limits(sim, conn->client);
	}
	ORACLE("SES-5", (conn->tried >> upstream & 1) == 0,
		"upstream %u is dialed again", upstream);
	ORACLE("SES-10", !conn->dialing, "two dials at once");
	conn->tried |= 1u << upstream;
	conn->upstream = upstream;
	conn->dialing = true;
	sim_note(sim, conn, SIM_DIAL, upstream);
}

static void close_refused(struct sim *sim, struct sim_conn *conn)
{
	ORACLE("SES-4", conn->handshaken && !conn->relayed,
		"close_notify at the wrong time");
	ORACLE("SES-4", conn->streams[LBP_DOWN].pipe.out == 0,
		"a refused client got data");
	conn->streams[LBP_DOWN].sink_saw_end = true;
	sim_note(sim, conn, SIM_CLOSED, LBP_NONE);
}

static void report(struct sim *sim, struct sim_conn *conn)
{
	enum lbp_reason reason = conn->witness.session.reason;

	ORACLE("SES-16", conn->reports++ == 0, "a second reason");
	ORACLE("SES-16", reason != LBP_REASON_NONE, "no reason");
	sim->stats.reasons[reason]++;
	sim_note(sim, conn, SIM_REPORTED, reason);
}

/* What a peer has at the end of a relay: all of the stream, or a reset. */
static void check_stream(const struct sim_stream *stream, bool done)
{
	bool complete = stream->source_ended &&
			stream->sent == stream->pipe.out &&
			stream->pipe.in == stream->pipe.out;

	ORACLE("FLW-1",
		stream->pipe.out <= stream->pipe.in &&
			stream->pipe.in <= stream->sent,
		"bytes that nobody sent");
	ORACLE("SES-7", !done || (complete && stream->sink_saw_end),
		"done, but not all was delivered");
	ORACLE("SES-7", !done || !stream->sink_saw_reset, "done, but reset");
	ORACLE("SES-8", done || stream->sink_saw_reset,
		"an unclean end without a reset");
}

static void finish(struct sim *sim, struct sim_conn *conn)
{
	struct lbp_flow *flow = &conn->witness.session.flow;
	bool done = conn->witness.session.reason == LBP_REASON_DONE;

	ORACLE("SES-16", conn->reports == 1, "%u reasons", conn->reports);
	ORACLE("SES-7", conn->relayed || !done, "done without a relay");
	ORACLE("SES-1", conn->relayed || conn->streams[LBP_UP].pipe.out == 0,
		"bytes went to an upstream without a relay");
	for (int way = 0; way < 2; way++) {
		struct sim_stream *stream = &conn->streams[way];

		if (conn->relayed)
			check_stream(stream, done);
		sim->stats.bytes += stream->pipe.out;
		take_ring_back(
			sim, stream, lbp_pipe_discard(&flow->pipes[way]));
	}
	sim_note(sim, conn, SIM_ENDED, LBP_NONE);
	conn->live = false;
}

static void carry_out(
	struct sim *sim, struct sim_conn *conn, const struct lbp_duties *duties)
{
	unsigned set = duties->set;

	if (set & LBP_DUTY_REFUSE)
		ORACLE("SES-2", !conn->handshaken && conn->client == LBP_NONE,
			"a client that may come in is refused");
	if (set & LBP_DUTY_DROP_DIAL) {
		ORACLE("SES-10", conn->dialing, "no dial to drop");
		conn->dialing = false;
	}
	if (set & LBP_DUTY_DIAL)
		start_dial(sim, conn, duties->upstream);
	if (set & LBP_DUTY_RELAY) {
		ORACLE("SES-1", conn->dialing || conn->relayed,
			"a relay without a dial");
		conn->dialing = false;
		conn->relayed = true;
	}
	if (set & LBP_DUTY_CLOSE_NOTIFY)
		close_refused(sim, conn);
	if (set & LBP_DUTY_REPORT)
		report(sim, conn);
	if (set & LBP_DUTY_RESET_CLIENT)
		conn->streams[LBP_DOWN].sink_saw_reset = true;
	if (set & LBP_DUTY_RESET_UPSTREAM)
		conn->streams[LBP_UP].sink_saw_reset = true;
	if (set & LBP_DUTY_END)
		finish(sim, conn);
}

void sim_event(
	struct sim *sim, struct sim_conn *conn, const struct lbp_event *event)
{
	struct lbp_duties duties;
	enum lbp_err err;

	err = witness_step(&conn->witness, event, sim->now_ns, &duties);
	sim->stats.events++;
	/* A clean end that was read before is not passed on any more. */
	if (conn->witness.session.state == LBP_SESSION_RESETTING) {
		struct model_pipe *pipe =
			&conn->streams[conn->witness.session.cut].pipe;

		pipe->is_cut = pipe->ended && !pipe->end_passed;
	}
	if (err == LBP_OK && (event->kind == LBP_EVENT_DIAL_FAILED ||
				     event->kind == LBP_EVENT_DIAL_LOCAL))
		conn->dialing = false;
	carry_out(sim, conn, &duties);
}

void sim_event_kind(
	struct sim *sim, struct sim_conn *conn, enum lbp_event_kind kind)
{
	struct lbp_event event = {.kind = kind};

	sim_event(sim, conn, &event);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The upstream's first byte or end is news, and nothing later is. */
static void tell_answer(struct sim *sim, struct sim_conn *conn)
{
	bool is_due = lbp_session_answer_is_due(&conn->witness.session);
	const struct sim_stream *down = &conn->streams[LBP_DOWN];

	ORACLE("SES-29",
		is_due == (!conn->witness.history.was_answered &&
				  (down->pipe.in > 0 ||
					  (down->pipe.ended &&
						  !down->pipe.is_cut))),
		"an answer is due: %d", is_due);
	if (!is_due)
		return;
	sim_note(sim, conn, SIM_ANSWERED, LBP_NONE);
	sim_event_kind(sim, conn, LBP_EVENT_ANSWERED);
}

static void read_some(struct sim *sim, struct sim_conn *conn,
	enum lbp_direction way, uint64_t most)
{
	struct sim_stream *stream = &conn->streams[way];
	struct lbp_pipe *pipe = &conn->witness.session.flow.pipes[way];
	uint64_t waiting = stream->sent - stream->pipe.in;
	size_t n;

	if (!lbp_pipe_wants_read(pipe))
		return;
	if (waiting == 0) {
		if (stream->source_broke)
			model_pipe_cut(&stream->pipe, pipe);
		else if (stream->source_ended)
			model_pipe_end(&stream->pipe, pipe);
		return;
	}
	if (stream->pipe.cap == 0)
		lend_ring(sim, pipe);
	stream->pipe.cap = sim->ring_cap;
	lbp_pipe_room(pipe, &n);
	n = least(least(n, most), waiting);
	model_pipe_fill(&stream->pipe, pipe, n);
	witness_moved(&conn->witness, sim->now_ns);
	model_pipe_check(&stream->pipe, pipe);
	sim_note(sim, conn, SIM_READ, (uint32_t)n);
}

void sim_read(struct sim *sim, struct sim_conn *conn, enum lbp_direction way,
	uint64_t most)
{
	read_some(sim, conn, way, most);
	tell_answer(sim, conn);
}

void sim_deliver(struct sim *sim, struct sim_conn *conn)
{
	enum lbp_direction way = conn->witness.session.cut;
	struct sim_stream *stream = &conn->streams[way];
	struct lbp_pipe *pipe = &conn->witness.session.flow.pipes[way];

	if (!lbp_pipe_is_spent(pipe))
		return;
	ORACLE("SES-25",
		stream->source_broke && stream->pipe.out == stream->sent,
		"%llu of %llu bytes before a reset",
		(unsigned long long)stream->pipe.out,
		(unsigned long long)stream->sent);
	sim_event_kind(sim, conn, LBP_EVENT_DELIVERED);
	ORACLE("SES-42", !conn->live, "it goes on after the last byte");
}

/* Passes the end on when all before it has been delivered. */
static void pass_end(
	struct sim *sim, struct sim_conn *conn, enum lbp_direction way)
{
	struct sim_stream *stream = &conn->streams[way];
	struct lbp_flow *flow = &conn->witness.session.flow;

	if (!lbp_pipe_end_is_due(&flow->pipes[way]))
		return;
	model_pipe_pass(&stream->pipe, &flow->pipes[way]);
	ORACLE("FLW-4",
		stream->source_ended && stream->pipe.out == stream->sent,
		"a truncated stream looks complete");
	ORACLE("FLW-4", !stream->sink_saw_end, "a second end");
	ORACLE("SES-43", !stream->source_broke,
		"a stream that broke off looks complete");
	stream->sink_saw_end = true;
	sim_note(sim, conn, SIM_END_PASSED, way);
	ORACLE("FLW-5",
		lbp_flow_is_finished(flow) ==
			(conn->streams[LBP_UP].sink_saw_end &&
				conn->streams[LBP_DOWN].sink_saw_end),
		"finished: %d", lbp_flow_is_finished(flow));
	if (lbp_flow_is_finished(flow))
		sim_event_kind(sim, conn, LBP_EVENT_FLOW_FINISHED);
}

void sim_write(struct sim *sim, struct sim_conn *conn, enum lbp_direction way,
	uint64_t most)
{
	struct sim_stream *stream = &conn->streams[way];
	struct lbp_pipe *pipe = &conn->witness.session.flow.pipes[way];
	uint64_t free = SIM_SOCKET - (stream->pipe.out - stream->taken);
	size_t n;

	lbp_pipe_data(pipe, &n);
	if (n > 0 && free == 0)
		sim_note(sim, conn, SIM_BLOCKED, way);
	n = least(least(n, most), free);
	if (n > 0) {
		model_pipe_drain(&stream->pipe, pipe, n);
		witness_moved(&conn->witness, sim->now_ns);
		take_ring_back(sim, stream, lbp_pipe_return(pipe));
		model_pipe_check(&stream->pipe, pipe);
		sim_note(sim, conn, SIM_WRITTEN, (uint32_t)n);
	}
	pass_end(sim, conn, way);
}
