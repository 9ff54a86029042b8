#include "relay_world.h"

#include <stdio.h>
#include <string.h>

struct peer peers[2];
bool no_buffer;

static uint8_t buffers[2][BUFFER];
static bool lent[2];
static char trace[512];

static void note(char kind, size_t n)
{
	size_t len = strlen(trace);
	const char *space = len > 0 ? " " : "";

	if (strchr("rRwW", kind) != NULL)
		snprintf(trace + len, sizeof(trace) - len, "%s%c%zu", space,
			kind, n);
	else
		snprintf(trace + len, sizeof(trace) - len, "%s%c", space, kind);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static enum lbp_io read_peer(
	void *user, enum lbp_side from, void *buf, size_t len, size_t *n)
{
	struct peer *peer = &peers[from];
	size_t got = least(peer->has, len);
	uint8_t *to = buf;

	if (peer->first != 0)
		got = least(got, peer->first);
	peer->first = 0;
	if (peer->most != 0)
		got = least(got, peer->most);
	CU_ASSERT_PTR_EQUAL(user, peers);
	CU_ASSERT_EQUAL(*n, 0);
	CU_ASSERT_TRUE(len > 0);
	note(from == CLIENT ? 'r' : 'R', got);
	for (size_t i = 0; i < got; i++)
		to[i] = ++peer->sent;
	peer->has -= (unsigned)got;
	*n = peer->lies ? len + 1 : got;
	return got > 0 ? peer->with : peer->then;
}

static enum lbp_io write_peer(
	void *user, enum lbp_side to, const void *buf, size_t len, size_t *n)
{
	struct peer *peer = &peers[to];
	size_t put = least(peer->room, len);
	const uint8_t *from = buf;

	CU_ASSERT_PTR_EQUAL(user, peers);
	CU_ASSERT_EQUAL(*n, 0);
	CU_ASSERT_TRUE(len > 0);
	note(to == CLIENT ? 'w' : 'W', put);
	for (size_t i = 0; i < put; i++)
		CU_ASSERT_EQUAL(from[i], ++peer->got);
	peer->room -= (unsigned)put;
	*n = peer->lies ? len + 1 : put;
	return put > 0 ? peer->took : peer->full;
}

static enum lbp_io end_peer(void *user, enum lbp_side to)
{
	CU_ASSERT_PTR_EQUAL(user, peers);
	note(to == CLIENT ? 'e' : 'E', 0);
	return peers[to].at_end;
}

static uint8_t *take_buffer(void *user)
{
	unsigned i = lent[0];

	CU_ASSERT_PTR_EQUAL(user, peers);
	CU_ASSERT_FALSE_FATAL(lent[i]);
	note(no_buffer ? 'x' : 'b', 0);
	if (no_buffer)
		return NULL;
	lent[i] = true;
	return buffers[i];
}

static void give_buffer(void *user, uint8_t *buffer)
{
	unsigned i = buffer == buffers[1];

	CU_ASSERT_PTR_EQUAL(user, peers);
	CU_ASSERT_TRUE_FATAL(lent[i] && buffer == buffers[i]);
	lent[i] = false;
	note('g', 0);
}

static unsigned unsent(void *user, enum lbp_side to)
{
	CU_ASSERT_PTR_EQUAL(user, peers);
	note(to == CLIENT ? 'u' : 'U', 0);
	return peers[to].unsent;
}

const struct lbp_relay_io relay_io = {
	.read = read_peer,
	.write = write_peer,
	.end = end_peer,
	.take_buffer = take_buffer,
	.give_buffer = give_buffer,
	.buffer_bytes = BUFFER,
	.unsent = unsent,
};

void relay_reach(enum lbp_state state)
{
	begin();
	for (int i = 0; i < 2; i++) {
		peers[i] = (struct peer){
			.then = LBP_IO_WAIT, .room = 1000, .full = LBP_IO_WAIT};
		lent[i] = false;
	}
	no_buffer = false;
	trace[0] = '\0';
	CU_ASSERT_EQUAL(lbp_session_set_io(&session, &relay_io, peers), LBP_OK);
	go_to(state);
}

void turn_is(const char *want)
{
	trace[0] = '\0';
	CU_ASSERT_EQUAL(lbp_session_relay(&session, now_ns, &duties), LBP_OK);
	CU_ASSERT_STRING_EQUAL(trace, want);
	if (strcmp(trace, want) != 0)
		printf("\n\"%s\" instead of \"%s\"\n", trace, want);
	CU_ASSERT_EQUAL(duties.upstream, LBP_NONE);
	if (duties.health_upstream == LBP_NONE)
		CU_ASSERT_EQUAL(duties.health, LBP_HEALTH_SAME);
}

void ended_with(unsigned set, enum lbp_reason reason)
{
	CU_ASSERT_EQUAL(duties.set, set);
	CU_ASSERT_EQUAL(session.state, LBP_SESSION_ENDED);
	reason_is(reason);
	deadline_is(LBP_NEVER);
	CU_ASSERT_FALSE(lent[0] || lent[1]);
}

void relay_finish(void)
{
	if (session.state != LBP_SESSION_ENDED)
		when(LBP_EVENT_STOP);
	CU_ASSERT_FALSE(lent[0] || lent[1]);
	finish();
}
