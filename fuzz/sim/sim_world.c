#include <string.h>

#include "checks.h"
#include "oracle.h"
#include "sim.h"

/* Rounds in which a peer that behaves empties all buffers of a direction. */
#define ROUNDS_TO_EMPTY (3 * SIM_SOCKET + SIM_RING)

static uint64_t next_deadline(const struct sim *sim)
{
	uint64_t next = LBP_NEVER;

	for (int i = 0; i < SIM_CONNS; i++) {
		const struct sim_conn *conn = &sim->conns[i];
		uint64_t deadline;

		if (!conn->live)
			continue;
		deadline = lbp_session_deadline(&conn->witness.session);
		if (deadline < next)
			next = deadline;
	}
	return next;
}

static void tick(struct sim *sim)
{
	for (int i = 0; i < SIM_CONNS; i++)
		sim_tell(sim, &sim->conns[i]);
	for (int i = 0; i < SIM_CONNS; i++) {
		struct sim_conn *conn = &sim->conns[i];
		struct lbp_session *session = &conn->witness.session;

		if (!conn->live || lbp_session_deadline(session) > sim->now_ns)
			continue;
		sim_event_kind(sim, conn, LBP_EVENT_TICK);
		ORACLE("SES-14", lbp_session_deadline(session) > sim->now_ns,
			"a tick left a deadline that has passed");
	}
}

static void take_checks(struct sim *sim)
{
	while (lbp_app_check_due(sim->app.app) <= sim->now_ns) {
		uint32_t upstream = twin_app_take(&sim->app, sim->now_ns);

		ORACLE("HLT-6", (sim->checks >> upstream & 1) == 0,
			"two checks of upstream %u at once", upstream);
		sim->checks |= 1u << upstream;
		sim_note(sim, NULL, SIM_CHECK, upstream);
	}
}

static void set_clock(struct sim *sim, uint64_t now_ns)
{
	sim_note(sim, NULL, SIM_CLOCK, (uint32_t)(now_ns - sim->now_ns));
	sim->now_ns = now_ns;
}

static void advance_clock(struct sim *sim)
{
	uint8_t how = bytes_u8(&sim->bytes);
	uint64_t next = next_deadline(sim);
	uint64_t due = lbp_app_check_due(sim->app.app);

	if (how < 0x20)
		sim_note(sim, NULL, SIM_CLOCK_STILL, LBP_NONE);
	else if (how < 0x80)
		set_clock(sim, sim->now_ns + how % 16);
	else if (how < 0xb0 && next != LBP_NEVER && next > sim->now_ns)
		set_clock(sim, next - (how & 1));
	else if (how < 0xd0 && due != LBP_NEVER && due > sim->now_ns)
		set_clock(sim, due);
	else if (how >= 0xfc && sim->now_ns >> 60 == 0) {
		sim_note(sim, NULL, SIM_CLOCK_JUMPS, LBP_NONE);
		set_clock(sim, sim->now_ns + (UINT64_C(1) << how % 4 * 12));
	}
	if (how >= 0x20 && how % 8 == 0) {
		sim_note(sim, NULL, SIM_LATE, LBP_NONE);
		return;
	}
	tick(sim);
	take_checks(sim);
}

static void answer_check(struct sim *sim, uint32_t upstream, bool ok)
{
	if (!ok)
		sim_note(sim, NULL, SIM_CHECK_FAILS, upstream);
	sim->checks &= ~(1u << upstream);
	twin_app_checked(&sim->app, upstream, ok);
	twin_app_check(&sim->app);
}

/* An upstream answers its check, or changes its ways. */
static void act_upstream(struct sim *sim)
{
	uint8_t what = bytes_u8(&sim->bytes);
	uint32_t upstream = what % sim->app.model.upstream_len;
	enum sim_mode mode = (enum sim_mode)(what / 16 % 3);

	if ((sim->checks >> upstream & 1) != 0 && what >= 0xf8) {
		sim_note(sim, NULL, SIM_CHECK_DROPPED, upstream);
		sim->checks &= ~(1u << upstream);
		twin_app_check_dropped(&sim->app, upstream);
	} else if ((sim->checks >> upstream & 1) != 0) {
		answer_check(sim, upstream, sim->modes[upstream] == SIM_UP);
	} else if (what >= 0xf0 && sim_trouble(sim)) {
		sim_note(sim, NULL, SIM_UNRESOLVED, upstream);
		twin_app_set_address(&sim->app, upstream,
			sim->app.model.upstreams[upstream].lost);
	} else if (what >= 0xe8 && sim_trouble(sim)) {
		sim_note(sim, NULL, SIM_DRAINING, upstream);
		twin_app_set_draining(&sim->app, upstream,
			!sim->app.model.upstreams[upstream].draining);
	} else if (mode != sim->modes[upstream] && sim_trouble(sim)) {
		sim->modes[upstream] = mode;
		sim_note(sim, NULL, SIM_FLAP, upstream);
	}
}

static void stop(struct sim *sim, struct sim_conn *conn)
{
	static const enum lbp_reason reasons[] = {LBP_REASON_DRAIN_TIMEOUT,
		LBP_REASON_SHUTDOWN, LBP_REASON_INTERNAL,
		LBP_REASON_CLIENT_FLOOD, LBP_REASON_UPSTREAM_FLOOD};
	uint8_t drawn = bytes_u8(&sim->bytes);
	struct lbp_event event = {
		.kind = LBP_EVENT_STOP, .reason = reasons[drawn % 5]};

	/* It came later, as the bytes of older inputs do not. */
	if (drawn >= 0xf0)
		event.reason = drawn >= 0xf8 ? LBP_REASON_KILLED
					     : LBP_REASON_UPSTREAM_UNTRUSTED;
	sim_note(sim, conn, SIM_STOP, LBP_NONE);
	sim_event(sim, conn, &event);
	ORACLE("SES-13", !conn->live, "a stopped session goes on");
}

static void stop_some(struct sim *sim)
{
	uint8_t which = bytes_u8(&sim->bytes);

	for (int i = 0; i < SIM_CONNS; i++) {
		if (sim->conns[i].live &&
			(which >= 0xf0 || which % SIM_CONNS == i))
			stop(sim, &sim->conns[i]);
	}
	ORACLE("SES-6", which < 0xf0 || sim->rings_out == 0,
		"rings are out without a session");
}

/* An event that nobody should have sent: it is refused and changes nothing. */
static void confuse(struct sim *sim, struct sim_conn *conn)
{
	enum lbp_event_kind kind =
		(enum lbp_event_kind)bytes_below(&sim->bytes, LBP_EVENT_STOP);
	struct lbp_event event = {.kind = kind};

	if (witness_allows(&conn->witness, &event, sim->now_ns))
		return;
	sim_note(sim, conn, SIM_WRONG, kind);
	sim_event_kind(sim, conn, kind);
}

/* The policy changes; some workers notice at once, others when time goes by. */
static void reload(struct sim *sim)
{
	uint8_t told;

	twin_app_draw_config(&sim->app, &sim->bytes);
	sim_reload(sim);
	told = bytes_u8(&sim->bytes);
	for (int i = 0; i < SIM_CONNS; i++) {
		if ((told >> i % 8 & 1) != 0)
			sim_tell(sim, &sim->conns[i]);
	}
}

static void burst(struct sim *sim)
{
	sim_note(sim, NULL, SIM_BURST, LBP_NONE);
	for (int i = 0; i < SIM_CONNS; i++) {
		if (!sim->conns[i].live)
			sim_connect(sim, &sim->conns[i]);
	}
}

static void step(struct sim *sim)
{
	uint8_t what = bytes_u8(&sim->bytes);
	struct sim_conn *conn = &sim->conns[what % SIM_CONNS];

	sim->stats.steps++;
	if (what < 0x06)
		advance_clock(sim);
	else if (what < 0x10)
		act_upstream(sim);
	else if (what == 0x10)
		burst(sim);
	else if (what == 0x11 && sim_trouble(sim))
		stop_some(sim);
	else if (what == 0x12 && conn->live)
		sim_event_kind(sim, conn, LBP_EVENT_TICK);
	else if (what == 0x13 && sim_trouble(sim))
		reload(sim);
	else if (what < 0x14 && conn->number > 0)
		confuse(sim, conn);
	else if (!conn->live)
		sim_connect(sim, conn);
	else
		sim_act(sim, conn);
	sim_check_rings(sim);
}

/* Is this a peer that never does anything again? */
static bool is_hung(const struct sim_conn *conn)
{
	return conn->number % 4 == 0;
}

static uint32_t count_live(const struct sim *sim)
{
	uint32_t live = 0;

	for (int i = 0; i < SIM_CONNS; i++)
		live += sim->conns[i].live;
	return live;
}

/* Every peer that behaves gets a turn; is there one? */
static bool behave_once(struct sim *sim)
{
	bool any = false;

	for (int i = 0; i < SIM_CONNS; i++) {
		struct sim_conn *conn = &sim->conns[i];

		if (!conn->live || is_hung(conn))
			continue;
		sim_behave(sim, conn);
		any = true;
	}
	return any;
}

static void behave(struct sim *sim)
{
	int rounds = ROUNDS_TO_EMPTY;

	while (rounds > 0 && behave_once(sim))
		rounds--;
	for (int i = 0; i < SIM_CONNS; i++)
		ORACLE("SES-7", !sim->conns[i].live || is_hung(&sim->conns[i]),
			"a session with peers that behave does not end");
}

/* Every upstream comes back after as many good checks as it needs. */
static void recover_upstreams(struct sim *sim)
{
	uint32_t rounds = sim->app.model.health.rise + 1;

	for (uint32_t i = 0; i < sim->app.model.upstream_len; i++) {
		twin_app_set_address(&sim->app, i, true);
		twin_app_set_draining(&sim->app, i, false);
	}
	for (uint32_t round = 0; round < rounds; round++) {
		uint32_t i;

		set_clock(sim, sim->now_ns + sim->app.model.health.interval_ns);
		take_checks(sim);
		for (i = 0; i < sim->app.model.upstream_len; i++) {
			sim->modes[i] = SIM_UP;
			if ((sim->checks >> i & 1) != 0)
				answer_check(sim, i, true);
		}
	}
	ORACLE("APP-7", lbp_app_is_ready(sim->app.app), "not ready");
	for (uint32_t i = 0; i < sim->app.model.upstream_len; i++)
		ORACLE("APP-5", !sim->app.model.upstreams[i].down,
			"upstream %u does not come back", i);
}

/* A client that may come in is served by the healed world. */
static void serve_one_more(struct sim *sim)
{
	struct sim_conn *conn = &sim->conns[0];
	uint64_t done = sim->stats.reasons[LBP_REASON_DONE];

	set_clock(sim, sim->now_ns + 256);
	take_checks(sim);
	sim_accept(sim, conn, 1);
	while (conn->live)
		sim_behave(sim, conn);
	ORACLE("SES-7", sim->stats.reasons[LBP_REASON_DONE] == done + 1,
		"the healed world serves nobody");
}

static void heal(struct sim *sim)
{
	const struct lbp_session_timeouts *timeouts = &sim->timeouts;
	uint64_t end = sim->now_ns + timeouts->handshake_ns +
		       timeouts->connect_ns * sim->app.model.upstream_len +
		       timeouts->idle_ns + timeouts->linger_ns;

	sim_note(sim, NULL, SIM_HEAL, LBP_NONE);
	for (int i = 0; i < SIM_CONNS; i++) {
		if (sim->conns[i].live && is_hung(&sim->conns[i]))
			sim_note(sim, &sim->conns[i], SIM_HUNG, LBP_NONE);
	}
	tick(sim);
	behave(sim);
	while (count_live(sim) > 0) {
		uint64_t next = next_deadline(sim);

		ORACLE("SES-14", next <= end, "a session goes on for too long");
		set_clock(sim, next);
		tick(sim);
	}
	twin_app_open_config(&sim->app);
	sim_reload(sim);
	recover_upstreams(sim);
	serve_one_more(sim);
	sim_check_rings(sim);
	ORACLE("FLW-6", sim->rings_out == 0, "a ring was not given back");
	twin_app_check_empty(&sim->app);
}

static void set_up(struct sim *sim)
{
	static const uint8_t troubles[] = {4, 16, 64, 128};
	uint8_t how;

	sim->timeouts.handshake_ns = 1 + (uint64_t)bytes_u8(&sim->bytes);
	sim->timeouts.connect_ns = 1 + (uint64_t)bytes_u8(&sim->bytes);
	sim->timeouts.idle_ns = 1 + 4 * (uint64_t)bytes_u8(&sim->bytes);
	sim->timeouts.linger_ns = 1 + (uint64_t)bytes_u8(&sim->bytes);
	sim->ring_cap = 1 + bytes_below(&sim->bytes, SIM_RING);
	how = bytes_u8(&sim->bytes);
	sim->trouble = troubles[how % 4];
	sim->max_connections = how < 0xc0 ? SIM_CONNS : 1 + how / 4u % 8;
	sim->now_ns = bytes_u8(&sim->bytes);
	sim->checks = 0;
	sim->accepted = 0;
	sim->rings_out = 0;
	sim->note_len = 0;
	memset(sim->conns, 0, sizeof(sim->conns));
	memset(sim->modes, 0, sizeof(sim->modes));
	memset(sim->admissions, 0, sizeof(sim->admissions));
	memset(sim->forgotten, 0, sizeof(sim->forgotten));
	twin_app_draw(&sim->app, &sim->bytes);
}

void sim_run(struct sim *sim, const uint8_t *data, size_t len, uint64_t steps)
{
	sim->bytes = (struct bytes){data, len};
	set_up(sim);
	twin_app_make(&sim->app, sim->now_ns);
	sim->stats.runs++;
	for (uint64_t i = 0; i < steps && sim->bytes.len > 0; i++)
		step(sim);
	heal(sim);
	twin_app_free(&sim->app);
}
