#include "session_world.h"
#include "reload.h"

#include "lists.h"

#include <string.h>

static const struct lbp_session_timeouts timeouts = {
	HANDSHAKE, CONNECT, IDLE, LINGER};

static struct lbp_acl *acl;
struct lbp_app *app;
struct lbp_session session;
uint64_t now_ns;
static enum lbp_err err;
struct lbp_duties duties;
uint8_t who;
/* Of whoever was identified last; the session looks at them. */
static struct lbp_name shown[2];

static enum lbp_err make_acl(void)
{
	const struct lbp_acl_name names[] = {{name_of(ALICES), ALICE},
		{name_of(ALICES_TOO), ALICE}, {name_of(BOBS), BOB},
		{name_of(CAROLS), CAROL}, {name_of(EVES), EVE}};
	/* Alice may have one session at once and two a minute. */
	static const struct lbp_acl_grant grants[] = {
		{.client = ALICE, .limits = {1, 2, 60000 * MS}}, GRANT(BOB, 0),
		GRANT(CAROL, 0)};

	return acl_from(&acl, names, 5, grants, 3, CLIENTS, 1);
}

static struct lbp_app_options options(void)
{
	static const struct lbp_upstream upstreams[UPSTREAMS] = {
		UPSTREAM("a", 1), UPSTREAM("b", 1)};

	struct lbp_app_options all;

	lbp_app_options_init(&all);
	all.id = "echo";
	all.acl = acl;
	all.upstreams = upstreams;
	all.upstream_len = UPSTREAMS;
	all.health = (struct lbp_health_options){.enabled = true,
		.interval_ns = 10 * MS,
		.timeout_ns = 1 * MS,
		.rise = 2,
		.fall = 2};
	return all;
}

static enum lbp_err make_app(void)
{
	struct lbp_app_options all = options();

	return lbp_app_new(&app, &all, START);
}

static void become(const struct lbp_app_options *all)
{
	struct lbp_app *next;

	CU_ASSERT_EQUAL_FATAL(lbp_app_prepare(&next, app, all, now_ns), LBP_OK);
	lbp_app_commit(app, next);
	lbp_app_free(next);
}

void reload_upstreams(const struct lbp_upstream *upstreams, size_t len)
{
	struct lbp_app_options all = options();

	all.upstreams = upstreams;
	all.upstream_len = len;
	become(&all);
}

void reload_for_bob(void)
{
	const struct lbp_acl_name names[] = {{name_of(ALICES), ALICE},
		{name_of(ALICES_TOO), BOB}, {name_of(BOBS), BOB}};
	static const struct lbp_acl_grant grants[] = {
		GRANT(ALICE, 1), GRANT(BOB, 0)};
	struct lbp_acl *before = acl;
	struct lbp_app_options all;

	CU_ASSERT_EQUAL_FATAL(
		acl_from(&acl, names, 3, grants, 2, CLIENTS, 2), LBP_OK);
	all = options();
	become(&all);
	lbp_acl_free(before);
}

void accept_one(void)
{
	memset(&session, 0xff, sizeof(session));
	lbp_session_init(&session, app, &timeouts, now_ns);
}

void begin(void)
{
	now_ns = START;
	who = ALICES;
	CU_ASSERT_EQUAL_FATAL(make_acl(), LBP_OK);
	CU_ASSERT_EQUAL_FATAL(make_app(), LBP_OK);
	accept_one();
}

void after(uint64_t span_ns)
{
	now_ns += span_ns;
}

void when_reloaded(enum lbp_reason reason)
{
	const struct lbp_event event = {
		.kind = LBP_EVENT_RELOADED, .reason = reason};

	err = lbp_session_step(&session, &event, now_ns, &duties);
}

void when(enum lbp_event_kind kind)
{
	struct lbp_event event = {.kind = kind};

	if (kind == LBP_EVENT_IDENTIFIED) {
		when_identified(who);
		return;
	}
	if (kind == LBP_EVENT_HANDSHAKE_FAILED)
		event.reason = LBP_REASON_EXPIRED;
	if (kind == LBP_EVENT_STOP)
		event.reason = LBP_REASON_SHUTDOWN;
	err = lbp_session_step(&session, &event, now_ns, &duties);
}

void when_identified(uint8_t octet)
{
	struct lbp_event event = {
		.kind = LBP_EVENT_IDENTIFIED, .names = shown, .name_len = 1};

	shown[0] = name_of(octet);
	err = lbp_session_step(&session, &event, now_ns, &duties);
}

void when_identified_by_two(uint8_t octet, uint8_t other)
{
	struct lbp_event event = {
		.kind = LBP_EVENT_IDENTIFIED, .names = shown, .name_len = 2};

	shown[0] = name_of(octet);
	shown[1] = name_of(other);
	err = lbp_session_step(&session, &event, now_ns, &duties);
}

void when_stopped(enum lbp_reason reason)
{
	struct lbp_event event = {.kind = LBP_EVENT_STOP, .reason = reason};

	err = lbp_session_step(&session, &event, now_ns, &duties);
}

void when_done_while_full(void)
{
	struct lbp_event event = {
		.kind = LBP_EVENT_HANDSHAKE_DONE, .is_full = true};

	err = lbp_session_step(&session, &event, now_ns, &duties);
}

void then(unsigned set, enum lbp_state state)
{
	CU_ASSERT_EQUAL(err, LBP_OK);
	CU_ASSERT_EQUAL(duties.set, set);
	CU_ASSERT_EQUAL(session.state, state);
	CU_ASSERT_EQUAL(
		duties.upstream, set & DIAL ? session.upstream : LBP_NONE);
}

void then_dial(unsigned with, uint32_t upstream)
{
	then(with | DIAL, LBP_SESSION_DIALING);
	CU_ASSERT_EQUAL(duties.upstream, upstream);
}

void then_illegal(void)
{
	CU_ASSERT_EQUAL(err, LBP_ERR_STATE);
	CU_ASSERT_EQUAL(duties.set, 0);
	CU_ASSERT_EQUAL(duties.upstream, LBP_NONE);
	CU_ASSERT_EQUAL(duties.health, LBP_HEALTH_SAME);
	CU_ASSERT_EQUAL(duties.health_upstream, LBP_NONE);
}

void reason_is(enum lbp_reason reason)
{
	CU_ASSERT_EQUAL(session.reason, reason);
}

void deadline_is(uint64_t deadline_ns)
{
	CU_ASSERT_EQUAL(lbp_session_deadline(&session), deadline_ns);
}

void open_are(uint32_t first, uint32_t second)
{
	CU_ASSERT_EQUAL(lbp_app_open(app, 0), first);
	CU_ASSERT_EQUAL(lbp_app_open(app, 1), second);
}

void nothing_is_held(void)
{
	open_are(0, 0);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(lbp_app_leave(app, BOB), LBP_ERR_STATE);
}

void a_place_is_held(void)
{
	CU_ASSERT_EQUAL(lbp_app_admit(app, ALICE, now_ns), LBP_ERR_CONCURRENT);
}

void finish(void)
{
	nothing_is_held();
	lbp_app_free(app);
	lbp_acl_free(acl);
}

void pass_both_ends(void)
{
	for (int way = LBP_UP; way <= LBP_DOWN; way++) {
		lbp_pipe_end(&session.flow.pipes[way]);
		lbp_pipe_end_passed(&session.flow.pipes[way]);
	}
}

void go_to(enum lbp_state state)
{
	if (state == LBP_SESSION_CLOSING) {
		when_identified(MALLORYS);
		return;
	}
	if (state >= LBP_SESSION_AUTHORIZED)
		when(LBP_EVENT_IDENTIFIED);
	if (state >= LBP_SESSION_DIALING)
		when(LBP_EVENT_HANDSHAKE_DONE);
	if (state >= LBP_SESSION_RELAY)
		when(LBP_EVENT_DIAL_DONE);
	if (state == LBP_SESSION_RESETTING)
		when(LBP_EVENT_UPSTREAM_RESET);
	if (state == LBP_SESSION_ENDED)
		when(LBP_EVENT_STOP);
	CU_ASSERT_EQUAL_FATAL(session.state, state);
}

void reach(enum lbp_state state)
{
	begin();
	go_to(state);
}
