/* What a client that is nobody yet may make the server do. */
#include "session_world.h"
#include "suites.h"

static void look_at_once(unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		CU_ASSERT_EQUAL(lbp_session_looked(&session, now_ns), now_ns);
}

static void many_looks_are_paused(void)
{
	begin();
	look_at_once(32);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(
			lbp_session_looked(&session, now_ns), now_ns + 25 * MS);
		after(25 * MS);
	}
	finish();
}

static void looks_are_counted_for_each_session(void)
{
	begin();
	look_at_once(32);
	accept_one();
	look_at_once(32);
	finish();
}

static void a_pause_ends_never_rather_than_early(void)
{
	begin();
	look_at_once(32);
	CU_ASSERT_EQUAL(lbp_session_looked(&session, LBP_NEVER - 25 * MS - 1),
		LBP_NEVER - 1);
	CU_ASSERT_EQUAL(
		lbp_session_looked(&session, LBP_NEVER - 25 * MS), LBP_NEVER);
	CU_ASSERT_EQUAL(lbp_session_looked(&session, LBP_NEVER), LBP_NEVER);
	finish();
}

static void a_stranger_is_listened_to_for_so_long(void)
{
	begin();
	when(LBP_EVENT_HANDSHAKE_FAILED);
	CU_ASSERT_FALSE(lbp_session_dropped(&session, 1));
	CU_ASSERT_FALSE(lbp_session_dropped(&session, 256 * 1024 - 2));
	CU_ASSERT_TRUE(lbp_session_dropped(&session, 1));
	CU_ASSERT_TRUE(lbp_session_dropped(&session, 1));
	finish();
}

static void a_flood_in_one_piece_counts_as_what_is_enough(void)
{
	begin();
	when(LBP_EVENT_HANDSHAKE_FAILED);
	CU_ASSERT_TRUE(lbp_session_dropped(&session, SIZE_MAX));
	CU_ASSERT_TRUE(lbp_session_dropped(&session, 0));
	finish();
}

static void a_listed_client_may_finish(void)
{
	begin();
	when_identified(EVES);
	CU_ASSERT_EQUAL(session.state, LBP_SESSION_CLOSING);
	CU_ASSERT_NOT_EQUAL(session.client, LBP_NONE);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_FALSE(lbp_session_dropped(&session, 256 * 1024));
	finish();
}

void suite_session_bounds(void)
{
	CU_pSuite suite = CU_add_suite("session_bounds", NULL, NULL);

	CU_add_test(suite, "[SES-30] many looks at a handshake are paused",
		many_looks_are_paused);
	CU_add_test(suite, "[SES-30] looks are counted for each session",
		looks_are_counted_for_each_session);
	CU_add_test(suite, "[SES-30] a pause ends never rather than early",
		a_pause_ends_never_rather_than_early);
	CU_add_test(suite, "[SES-31] a stranger is listened to for so long",
		a_stranger_is_listened_to_for_so_long);
	CU_add_test(suite, "[SES-31] a flood in one piece is enough",
		a_flood_in_one_piece_counts_as_what_is_enough);
	CU_add_test(suite, "[SES-31] a listed client may finish",
		a_listed_client_may_finish);
}
