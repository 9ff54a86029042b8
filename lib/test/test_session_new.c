/* A session as an object: how it is made, and what can be known of it. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "alloc.h"
#include "session_world.h"
#include "suites.h"

static const struct lbp_session_timeouts timeouts = {
	HANDSHAKE, CONNECT, IDLE, LINGER};

static void a_session_is_made_and_freed(void)
{
	struct lbp_session *made = NULL;

	begin();
	CU_ASSERT_EQUAL_FATAL(
		lbp_session_new(&made, app, &timeouts, now_ns), LBP_OK);
	CU_ASSERT_EQUAL(lbp_session_state(made), LBP_SESSION_HANDSHAKE);
	CU_ASSERT_EQUAL(lbp_session_deadline(made), START + HANDSHAKE);
	lbp_session_free(made);
	lbp_session_free(NULL);
	finish();
}

static void a_session_may_be_in_storage(void)
{
	begin();
	CU_ASSERT_EQUAL(lbp_session_size(), sizeof(session));
	CU_ASSERT_PTR_EQUAL(
		lbp_session_init(&session, app, &timeouts, now_ns), &session);
	CU_ASSERT_PTR_NULL(lbp_session_init(NULL, app, &timeouts, now_ns));
	CU_ASSERT_PTR_NULL(lbp_session_init(&session, NULL, &timeouts, now_ns));
	CU_ASSERT_PTR_NULL(lbp_session_init(&session, app, NULL, now_ns));
	finish();
}

static void no_memory_makes_no_session(void)
{
	struct lbp_session *made = &session;

	begin();
	alloc_fail_at(1);
	CU_ASSERT_EQUAL(
		lbp_session_new(&made, app, &timeouts, now_ns), LBP_ERR_NOMEM);
	alloc_fail_at(0);
	CU_ASSERT_PTR_NULL(made);
	finish();
}

static void what_has_to_be_there_is_asked_for(void)
{
	struct lbp_event event = {.kind = LBP_EVENT_STOP};
	struct lbp_session *made = &session;

	begin();
	CU_ASSERT_EQUAL(
		lbp_session_new(NULL, app, &timeouts, now_ns), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(
		lbp_session_new(&made, NULL, &timeouts, now_ns), LBP_ERR_NULL);
	CU_ASSERT_PTR_NULL(made);
	made = &session;
	CU_ASSERT_EQUAL(
		lbp_session_new(&made, app, NULL, now_ns), LBP_ERR_NULL);
	CU_ASSERT_PTR_NULL(made);
	CU_ASSERT_EQUAL(
		lbp_session_step(NULL, &event, now_ns, &duties), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(lbp_session_step(&session, NULL, now_ns, &duties),
		LBP_ERR_NULL);
	CU_ASSERT_EQUAL(
		lbp_session_step(&session, &event, now_ns, NULL), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(session.state, LBP_SESSION_HANDSHAKE);
	finish();
}

/* All that can be asked of a session, at its start. */
static void a_new_session_is_nobodys(void)
{
	size_t len = 7;

	begin();
	CU_ASSERT_EQUAL(lbp_session_state(&session), LBP_SESSION_HANDSHAKE);
	CU_ASSERT_EQUAL(lbp_session_reason(&session), LBP_REASON_NONE);
	CU_ASSERT_FALSE(lbp_session_is_admitted(&session));
	CU_ASSERT_EQUAL(lbp_session_client(&session), LBP_NONE);
	CU_ASSERT_EQUAL(lbp_session_upstream(&session), LBP_NONE);
	CU_ASSERT_PTR_NULL(lbp_session_names(&session, NULL));
	CU_ASSERT_PTR_NULL(lbp_session_names(&session, &len));
	CU_ASSERT_EQUAL(len, 0);
	CU_ASSERT_PTR_NULL(lbp_session_matched(&session));
	finish();
}

static void a_session_tells_whose_it_is(void)
{
	const struct lbp_name *names;
	size_t len = 7;

	reach(LBP_SESSION_RELAY);
	CU_ASSERT_EQUAL(lbp_session_state(&session), LBP_SESSION_RELAY);
	CU_ASSERT_TRUE(lbp_session_is_admitted(&session));
	CU_ASSERT_EQUAL(lbp_session_client(&session), ALICE);
	CU_ASSERT_EQUAL(lbp_session_upstream(&session), 0);
	names = lbp_session_names(&session, &len);
	CU_ASSERT_EQUAL(len, 1);
	CU_ASSERT_EQUAL(names->serial.octets[0], ALICES);
	CU_ASSERT_PTR_EQUAL(lbp_session_names(&session, NULL), names);
	CU_ASSERT_PTR_EQUAL(lbp_session_matched(&session), names);
	session.flow.pipes[LBP_UP].delivered = 7;
	session.flow.pipes[LBP_DOWN].delivered = UINT64_MAX;
	CU_ASSERT_EQUAL(lbp_session_delivered(&session, LBP_UP), 7);
	CU_ASSERT_EQUAL(lbp_session_delivered(&session, LBP_DOWN), UINT64_MAX);
	when(LBP_EVENT_STOP);
	CU_ASSERT_EQUAL(lbp_session_reason(&session), LBP_REASON_SHUTDOWN);
	finish();
}

static void a_known_client_is_submitted(void)
{
	const struct lbp_name alice = lbp_name_of_number(ALICE);

	begin();
	CU_ASSERT_EQUAL(
		lbp_session_submit(&session, &alice, 1, now_ns, &duties),
		LBP_OK);
	CU_ASSERT_EQUAL(duties.set, DIAL);
	CU_ASSERT_EQUAL(duties.upstream, 0);
	CU_ASSERT_EQUAL(session.state, LBP_SESSION_DIALING);
	CU_ASSERT_PTR_EQUAL(session.names, &alice);
	CU_ASSERT_EQUAL(
		lbp_session_submit(&session, &alice, 1, now_ns, &duties),
		LBP_ERR_STATE);
	CU_ASSERT_EQUAL(duties.set, 0);
	when(LBP_EVENT_STOP);
	finish();
}

/* Eve may not use it, and nobody has the last number. */
static void who_is_not_welcome_is_refused_plainly(void)
{
	static const uint32_t clients[] = {EVE, CLIENTS};
	static const enum lbp_reason reasons[] = {
		LBP_REASON_NOT_ALLOWED, LBP_REASON_UNKNOWN_CLIENT};

	for (int i = 0; i < 2; i++) {
		const struct lbp_name name = lbp_name_of_number(clients[i]);

		begin();
		CU_ASSERT_EQUAL(
			lbp_session_submit(&session, &name, 1, now_ns, &duties),
			LBP_OK);
		CU_ASSERT_EQUAL(duties.set, NOTIFY | REPORT);
		CU_ASSERT_EQUAL(session.state, LBP_SESSION_CLOSING);
		reason_is(reasons[i]);
		when(LBP_EVENT_CLIENT_ENDED);
		finish();
	}
}

static void who_is_over_a_limit_is_refused_likewise(void)
{
	const struct lbp_name alice = lbp_name_of_number(ALICE);

	begin();
	CU_ASSERT_EQUAL(lbp_app_admit(app, ALICE, now_ns), LBP_OK);
	CU_ASSERT_EQUAL(
		lbp_session_submit(&session, &alice, 1, now_ns, &duties),
		LBP_OK);
	CU_ASSERT_EQUAL(duties.set, NOTIFY | REPORT);
	reason_is(LBP_REASON_CONCURRENT_LIMIT);
	when(LBP_EVENT_CLIENT_ENDED);
	CU_ASSERT_EQUAL(lbp_app_leave(app, ALICE), LBP_OK);
	finish();
}

/* What a dial came to, as io, and as the event that it stands for. */
static void a_dial_is_told_as_io(void)
{
	static const struct {
		enum lbp_io io;
		unsigned set;
		enum lbp_state state;
	} cases[] = {
		{LBP_IO_OK, RELAY, LBP_SESSION_RELAY},
		{LBP_IO_WAIT, 0, LBP_SESSION_DIALING},
		{LBP_IO_FAILED, DIAL, LBP_SESSION_DIALING},
		{LBP_IO_RESET, DIAL, LBP_SESSION_DIALING},
		{LBP_IO_END, DIAL, LBP_SESSION_DIALING},
	};

	for (int i = 0; i < 5; i++) {
		reach(LBP_SESSION_DIALING);
		duties = (struct lbp_duties){.upstream = 7};
		CU_ASSERT_EQUAL(lbp_session_dialed(
					&session, cases[i].io, now_ns, &duties),
			LBP_OK);
		CU_ASSERT_EQUAL(duties.set, cases[i].set);
		CU_ASSERT_EQUAL(duties.upstream,
			(cases[i].set & DIAL) != 0 ? 1 : LBP_NONE);
		CU_ASSERT_EQUAL(session.state, cases[i].state);
		/* A failure of the upstream's is one for its health too. */
		CU_ASSERT_EQUAL(duties.health_upstream, i > 2 ? 0 : LBP_NONE);
		when(LBP_EVENT_STOP);
		finish();
	}
}

static void time_passes_in_one_call(void)
{
	reach(LBP_SESSION_DIALING);
	after(CONNECT - 1);
	CU_ASSERT_EQUAL(lbp_session_tick(&session, now_ns, &duties), LBP_OK);
	CU_ASSERT_EQUAL(duties.set, 0);
	after(1);
	CU_ASSERT_EQUAL(
		lbp_session_dialed(&session, LBP_IO_WAIT, now_ns, &duties),
		LBP_OK);
	CU_ASSERT_EQUAL(duties.set, DROP | DIAL);
	after(CONNECT);
	CU_ASSERT_EQUAL(lbp_session_tick(&session, now_ns, &duties), LBP_OK);
	CU_ASSERT_EQUAL(duties.set, DROP | NOTIFY | REPORT);
	CU_ASSERT_EQUAL(lbp_session_tick(NULL, now_ns, &duties), LBP_ERR_NULL);
	when(LBP_EVENT_STOP);
	finish();
}

static void a_client_without_names_is_an_error(void)
{
	const struct lbp_name alice = lbp_name_of_number(ALICE);

	begin();
	CU_ASSERT_EQUAL(lbp_session_submit(&session, NULL, 1, now_ns, &duties),
		LBP_ERR_NULL);
	CU_ASSERT_EQUAL(lbp_session_submit(NULL, &alice, 1, now_ns, &duties),
		LBP_ERR_NULL);
	CU_ASSERT_EQUAL(session.state, LBP_SESSION_HANDSHAKE);
	finish();
}

void suite_session_new(void)
{
	CU_pSuite suite = CU_add_suite("session as an object", NULL, NULL);

	CU_add_test(suite, "[SES-9] a session is made and freed",
		a_session_is_made_and_freed);
	CU_add_test(suite, "[SES-9] a session may be in storage",
		a_session_may_be_in_storage);
	CU_add_test(suite, "[SES-32] a known client is submitted",
		a_known_client_is_submitted);
	CU_add_test(suite, "[SES-32] who is not welcome is refused plainly",
		who_is_not_welcome_is_refused_plainly);
	CU_add_test(suite, "[SES-32] who is over a limit is refused likewise",
		who_is_over_a_limit_is_refused_likewise);
	CU_add_test(
		suite, "[REL-14] a dial is told as io", a_dial_is_told_as_io);
	CU_add_test(suite, "[SES-14][REL-14] time passes in one call",
		time_passes_in_one_call);
	CU_add_test(suite, "[ERR-4] a client without names is an error",
		a_client_without_names_is_an_error);
	CU_add_test(suite, "[ERR-4] no memory makes no session",
		no_memory_makes_no_session);
	CU_add_test(suite, "[ERR-4] what has to be there is asked for",
		what_has_to_be_there_is_asked_for);
	CU_add_test(suite, "[SES-2] a new session is nobody's",
		a_new_session_is_nobodys);
	CU_add_test(suite, "[SES-17][FLW-8] a session tells whose it is",
		a_session_tells_whose_it_is);
}
