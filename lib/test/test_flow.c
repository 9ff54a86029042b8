#include <CUnit/CUnit.h>
#include <string.h>

#include "flow.h"
#include "suites.h"

#define CAP 4

static uint8_t memory[CAP];

/* A pipe with a ring, as it is before the first read. */
static struct lbp_pipe make(void)
{
	struct lbp_pipe pipe;

	memset(memory, 0xee, sizeof(memory));
	lbp_pipe_init(&pipe);
	CU_ASSERT_EQUAL(lbp_pipe_lend(&pipe, memory, CAP), LBP_OK);
	return pipe;
}

/* The source sends a text, of which so much fits in one go. */
static void reads(struct lbp_pipe *pipe, const char *text, size_t fits)
{
	size_t len = strlen(text);
	size_t room;
	uint8_t *to = lbp_pipe_room(pipe, &room);

	CU_ASSERT_EQUAL(room, fits);
	CU_ASSERT_FATAL(len <= room);
	memcpy(to, text, len);
	CU_ASSERT_EQUAL(lbp_pipe_filled(pipe, len), LBP_OK);
	CU_ASSERT_TRUE(lbp_pipe_validate(pipe));
}

/* The sink is offered a text, and takes n bytes of it. */
static void writes(struct lbp_pipe *pipe, const char *text, size_t n)
{
	size_t len;
	const uint8_t *from = lbp_pipe_data(pipe, &len);

	CU_ASSERT_EQUAL_FATAL(len, strlen(text));
	CU_ASSERT_TRUE(len == 0 || memcmp(from, text, len) == 0);
	CU_ASSERT_EQUAL(lbp_pipe_drained(pipe, n), LBP_OK);
	CU_ASSERT_TRUE(lbp_pipe_validate(pipe));
}

static void ends(struct lbp_pipe *pipe)
{
	CU_ASSERT_EQUAL(lbp_pipe_end(pipe), LBP_OK);
}

static void passes_end(struct lbp_pipe *pipe)
{
	CU_ASSERT_TRUE(lbp_pipe_end_is_due(pipe));
	CU_ASSERT_EQUAL(lbp_pipe_end_passed(pipe), LBP_OK);
}

static void bytes_leave_in_order(void)
{
	struct lbp_pipe pipe = make();

	reads(&pipe, "abc", 4);
	writes(&pipe, "abc", 2);
	reads(&pipe, "d", 1);
	reads(&pipe, "ef", 2); /* from the start of the ring again */
	writes(&pipe, "cd", 1);
	writes(&pipe, "d", 1);
	writes(&pipe, "ef", 2);
	writes(&pipe, "", 0);
}

static void an_empty_ring_has_all_its_room_in_one_piece(void)
{
	struct lbp_pipe pipe = make();

	reads(&pipe, "abc", 4);
	writes(&pipe, "abc", 3);
	reads(&pipe, "defg", 4);
	writes(&pipe, "defg", 4);
}

static void every_cut_gives_the_same_stream(void)
{
	static const char stream[] = "abcdefghij";

	for (size_t in = 1; in <= CAP; in++) {
		for (size_t out = 1; out <= CAP; out++) {
			struct lbp_pipe pipe = make();
			size_t sent = 0, got = 0, n;

			while (got < sizeof(stream)) {
				uint8_t *to = lbp_pipe_room(&pipe, &n);
				const uint8_t *from;

				n = n < in ? n : in;
				if (n > sizeof(stream) - sent)
					n = sizeof(stream) - sent;
				memcpy(to, stream + sent, n);
				lbp_pipe_filled(&pipe, n);
				sent += n;
				from = lbp_pipe_data(&pipe, &n);
				n = n < out ? n : out;
				CU_ASSERT_TRUE_FATAL(n > 0);
				CU_ASSERT_EQUAL(
					memcmp(from, stream + got, n), 0);
				lbp_pipe_drained(&pipe, n);
				got += n;
			}
		}
	}
}

static void a_full_ring_stops_the_reader(void)
{
	struct lbp_pipe pipe = make();
	size_t room;

	reads(&pipe, "abc", 4);
	CU_ASSERT_TRUE(lbp_pipe_wants_read(&pipe));
	reads(&pipe, "d", 1);
	CU_ASSERT_FALSE(lbp_pipe_wants_read(&pipe));
	CU_ASSERT_PTR_NULL(lbp_pipe_room(&pipe, &room));
	CU_ASSERT_EQUAL(room, 0);
	writes(&pipe, "abcd", 1);
	CU_ASSERT_TRUE(lbp_pipe_wants_read(&pipe));
	reads(&pipe, "e", 1);
	CU_ASSERT_FALSE(lbp_pipe_wants_read(&pipe));
}

static void writing_is_wanted_while_there_are_bytes(void)
{
	struct lbp_pipe pipe = make();

	CU_ASSERT_FALSE(lbp_pipe_wants_write(&pipe));
	reads(&pipe, "a", 4);
	CU_ASSERT_TRUE(lbp_pipe_wants_write(&pipe));
	ends(&pipe);
	CU_ASSERT_TRUE(lbp_pipe_wants_write(&pipe));
	writes(&pipe, "a", 1);
	CU_ASSERT_FALSE(lbp_pipe_wants_write(&pipe));
}

static void an_end_waits_for_the_bytes_before_it(void)
{
	struct lbp_pipe pipe = make();
	size_t room;

	reads(&pipe, "ab", 4);
	CU_ASSERT_FALSE(lbp_pipe_end_is_due(&pipe));
	ends(&pipe);
	CU_ASSERT_PTR_NULL(lbp_pipe_room(&pipe, &room));
	CU_ASSERT_EQUAL(room, 0);
	CU_ASSERT_FALSE(lbp_pipe_end_is_due(&pipe));
	CU_ASSERT_FALSE(lbp_pipe_wants_read(&pipe));
	writes(&pipe, "ab", 1);
	CU_ASSERT_FALSE(lbp_pipe_end_is_due(&pipe));
	writes(&pipe, "b", 1);
	passes_end(&pipe);
	CU_ASSERT_FALSE(lbp_pipe_end_is_due(&pipe));
	CU_ASSERT_FALSE(lbp_pipe_wants_read(&pipe));
	CU_ASSERT_TRUE(lbp_pipe_validate(&pipe));
}

static void an_end_needs_no_ring(void)
{
	struct lbp_pipe pipe;

	lbp_pipe_init(&pipe);
	CU_ASSERT_FALSE(lbp_pipe_end_is_due(&pipe));
	ends(&pipe);
	CU_ASSERT_FALSE(lbp_pipe_wants_read(&pipe));
	passes_end(&pipe);
	CU_ASSERT_TRUE(lbp_pipe_validate(&pipe));
}

static void a_flow_is_finished_when_both_ends_were_passed_on(void)
{
	for (int first = LBP_UP; first <= LBP_DOWN; first++) {
		struct lbp_flow flow;
		struct lbp_pipe *one = &flow.pipes[first];
		struct lbp_pipe *other = &flow.pipes[1 - first];

		lbp_flow_init(&flow);
		CU_ASSERT_FALSE(lbp_flow_is_finished(&flow));
		ends(one);
		passes_end(one);
		CU_ASSERT_FALSE(lbp_flow_is_finished(&flow));
		lbp_pipe_lend(other, memory, CAP);
		reads(other, "more", 4);
		writes(other, "more", 4);
		ends(other);
		CU_ASSERT_FALSE(lbp_flow_is_finished(&flow));
		passes_end(other);
		CU_ASSERT_TRUE(lbp_flow_is_finished(&flow));
	}
}

static void an_empty_pipe_gives_its_ring_back(void)
{
	struct lbp_pipe pipe = make();

	reads(&pipe, "ab", 4);
	CU_ASSERT_PTR_NULL(lbp_pipe_return(&pipe));
	writes(&pipe, "ab", 1);
	CU_ASSERT_PTR_NULL(lbp_pipe_return(&pipe));
	writes(&pipe, "b", 1);
	CU_ASSERT_PTR_EQUAL(lbp_pipe_return(&pipe), memory);
	CU_ASSERT_PTR_NULL(lbp_pipe_return(&pipe));
	CU_ASSERT_TRUE(lbp_pipe_validate(&pipe));
	CU_ASSERT_TRUE(lbp_pipe_wants_read(&pipe));
	CU_ASSERT_EQUAL(lbp_pipe_lend(&pipe, memory, 2), LBP_OK);
	reads(&pipe, "cd", 2);
	writes(&pipe, "cd", 2);
}

static void a_discarded_ring_takes_its_bytes_along(void)
{
	struct lbp_pipe pipe = make();

	reads(&pipe, "abcd", 4);
	writes(&pipe, "abcd", 3);
	CU_ASSERT_PTR_EQUAL(lbp_pipe_discard(&pipe), memory);
	CU_ASSERT_FALSE(lbp_pipe_wants_write(&pipe));
	CU_ASSERT_TRUE(lbp_pipe_validate(&pipe));
	CU_ASSERT_PTR_NULL(lbp_pipe_discard(&pipe));
	CU_ASSERT_EQUAL(pipe.delivered, 3);
}

static void without_a_ring_there_is_neither_room_nor_data(void)
{
	struct lbp_pipe pipe = make();
	size_t room = 1, len = 1;

	CU_ASSERT_PTR_NULL(lbp_pipe_data(&pipe, &len));
	CU_ASSERT_EQUAL(len, 0);
	len = 1;
	lbp_pipe_init(&pipe);
	CU_ASSERT_PTR_NULL(lbp_pipe_room(&pipe, &room));
	CU_ASSERT_PTR_NULL(lbp_pipe_data(&pipe, &len));
	CU_ASSERT_EQUAL(room, 0);
	CU_ASSERT_EQUAL(len, 0);
	CU_ASSERT_TRUE(lbp_pipe_wants_read(&pipe));
	CU_ASSERT_FALSE(lbp_pipe_wants_write(&pipe));
}

/* What can be asked of a pipe, with the result in each situation below. */
static enum lbp_err call(struct lbp_pipe *pipe, int what)
{
	static uint8_t other[CAP];

	switch (what) {
	case 0:
		return lbp_pipe_filled(pipe, 0);
	case 1:
		return lbp_pipe_filled(pipe, 1);
	case 2:
		return lbp_pipe_filled(pipe, 3);
	case 3:
		return lbp_pipe_drained(pipe, 0);
	case 4:
		return lbp_pipe_drained(pipe, 1);
	case 5:
		return lbp_pipe_drained(pipe, 3);
	case 6:
		return lbp_pipe_end(pipe);
	case 7:
		return lbp_pipe_end_passed(pipe);
	default:
		return lbp_pipe_lend(pipe, other, CAP);
	}
}

enum situation {
	BARE,
	EMPTY,
	HALF,
	FULL,
	ENDING,
	ENDED,
	SITUATIONS
};

static struct lbp_pipe situate(enum situation situation)
{
	struct lbp_pipe pipe = make();

	if (situation == BARE)
		lbp_pipe_return(&pipe);
	if (situation == HALF || situation == ENDING)
		reads(&pipe, "ab", 4);
	if (situation == FULL)
		reads(&pipe, "abcd", 4);
	if (situation == ENDING || situation == ENDED)
		ends(&pipe);
	if (situation == ENDED)
		passes_end(&pipe);
	return pipe;
}

static void illegal_calls_change_nothing(void)
{
	/* o: LBP_OK, R: LBP_ERR_RANGE, S: LBP_ERR_STATE */
	static const char *const want[] = {
		[BARE] = "oRRoRRoSo",
		[EMPTY] = "ooooRRoSS",
		[HALF] = "ooRooRoSS",
		[FULL] = "oRRooooSS",
		[ENDING] = "SSSooRSSS",
		[ENDED] = "SSSoRRSSS",
	};

	for (int situation = BARE; situation < SITUATIONS; situation++) {
		for (int what = 0; what < 9; what++) {
			struct lbp_pipe pipe =
				situate((enum situation)situation);
			struct lbp_pipe before = pipe;
			enum lbp_err err = call(&pipe, what);
			char got = err == LBP_OK          ? 'o'
				   : err == LBP_ERR_RANGE ? 'R'
							  : 'S';

			CU_ASSERT_EQUAL(got, want[situation][what]);
			if (err != LBP_OK)
				CU_ASSERT_EQUAL(
					memcmp(&pipe, &before, sizeof(pipe)),
					0);
			CU_ASSERT_TRUE(lbp_pipe_validate(&pipe));
		}
	}
}

static void a_cut_pipe_delivers_what_it_has_and_no_end(void)
{
	struct lbp_pipe pipe = make();

	reads(&pipe, "abcd", 4);
	CU_ASSERT_FALSE(lbp_pipe_is_spent(&pipe));
	CU_ASSERT_EQUAL(lbp_pipe_cut(&pipe), LBP_OK);
	CU_ASSERT_EQUAL(pipe.state, LBP_PIPE_CUT);
	CU_ASSERT_FALSE(lbp_pipe_wants_read(&pipe));
	CU_ASSERT_TRUE(lbp_pipe_wants_write(&pipe));
	CU_ASSERT_FALSE(lbp_pipe_is_spent(&pipe));
	writes(&pipe, "abcd", 4);
	CU_ASSERT_TRUE(lbp_pipe_is_spent(&pipe));
	CU_ASSERT_FALSE(lbp_pipe_end_is_due(&pipe));
	CU_ASSERT_EQUAL(lbp_pipe_filled(&pipe, 0), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(lbp_pipe_end(&pipe), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(lbp_pipe_end_passed(&pipe), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(lbp_pipe_cut(&pipe), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(pipe.state, LBP_PIPE_CUT);
}

static void a_cut_takes_back_an_end_that_waits_and_no_other(void)
{
	struct lbp_pipe pipe = make();

	CU_ASSERT_EQUAL(lbp_pipe_end(&pipe), LBP_OK);
	CU_ASSERT_FALSE(lbp_pipe_is_spent(&pipe));
	CU_ASSERT_EQUAL(lbp_pipe_cut(&pipe), LBP_OK);
	CU_ASSERT_FALSE(lbp_pipe_end_is_due(&pipe));
	CU_ASSERT_TRUE(lbp_pipe_is_spent(&pipe));
	pipe = make();
	CU_ASSERT_EQUAL(lbp_pipe_end(&pipe), LBP_OK);
	CU_ASSERT_EQUAL(lbp_pipe_end_passed(&pipe), LBP_OK);
	CU_ASSERT_TRUE(lbp_pipe_is_spent(&pipe));
	CU_ASSERT_EQUAL(lbp_pipe_cut(&pipe), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(pipe.state, LBP_PIPE_ENDED);
}

/* Takes a pipe to a state, by way of a byte if it needs one to stay there. */
static void put(struct lbp_pipe *pipe, enum lbp_pipe_state state)
{
	lbp_pipe_init(pipe);
	if (state == LBP_PIPE_ENDING || state == LBP_PIPE_ENDED)
		CU_ASSERT_EQUAL(lbp_pipe_end(pipe), LBP_OK);
	if (state == LBP_PIPE_ENDED)
		CU_ASSERT_EQUAL(lbp_pipe_end_passed(pipe), LBP_OK);
	if (state == LBP_PIPE_CUT)
		CU_ASSERT_EQUAL(lbp_pipe_cut(pipe), LBP_OK);
}

static void a_side_is_done_with_after_both_ends_at_it(void)
{
	struct lbp_flow flow;

	for (int from = 0; from <= LBP_PIPE_CUT; from++) {
		for (int to = 0; to <= LBP_PIPE_CUT; to++) {
			bool done = (from == LBP_PIPE_ENDING ||
					    from == LBP_PIPE_ENDED) &&
				    to == LBP_PIPE_ENDED;

			put(&flow.pipes[LBP_UP], (enum lbp_pipe_state)from);
			put(&flow.pipes[LBP_DOWN], (enum lbp_pipe_state)to);
			CU_ASSERT_EQUAL(
				lbp_flow_is_done_with(&flow, LBP_UP), done);
			put(&flow.pipes[LBP_DOWN], (enum lbp_pipe_state)from);
			put(&flow.pipes[LBP_UP], (enum lbp_pipe_state)to);
			CU_ASSERT_EQUAL(
				lbp_flow_is_done_with(&flow, LBP_DOWN), done);
		}
	}
}

static void delivered_bytes_are_counted(void)
{
	struct lbp_pipe pipe = make();

	CU_ASSERT_EQUAL(pipe.delivered, 0);
	reads(&pipe, "abcd", 4);
	CU_ASSERT_EQUAL(pipe.delivered, 0);
	writes(&pipe, "abcd", 3);
	CU_ASSERT_EQUAL(pipe.delivered, 3);
	writes(&pipe, "d", 1);
	lbp_pipe_return(&pipe);
	CU_ASSERT_EQUAL(pipe.delivered, 4);
}

static void validate_sees_what_is_wrong(void)
{
	struct lbp_pipe pipe = make();

	pipe.len = CAP + 1;
	CU_ASSERT_FALSE(lbp_pipe_validate(&pipe));
	pipe.len = 1;
	pipe.state = LBP_PIPE_ENDED;
	CU_ASSERT_FALSE(lbp_pipe_validate(&pipe));
	pipe.state = LBP_PIPE_OPEN;
	pipe.head = CAP;
	CU_ASSERT_FALSE(lbp_pipe_validate(&pipe));
	pipe.head = CAP - 1;
	CU_ASSERT_TRUE(lbp_pipe_validate(&pipe));
	pipe.ring = NULL;
	CU_ASSERT_FALSE(lbp_pipe_validate(&pipe));
	pipe = make();
	pipe.cap = 0;
	CU_ASSERT_FALSE(lbp_pipe_validate(&pipe));
}

void suite_flow(void)
{
	CU_pSuite suite = CU_add_suite("flow", NULL, NULL);

	CU_add_test(
		suite, "[FLW-1] bytes leave in order", bytes_leave_in_order);
	CU_add_test(suite,
		"[FLW-1][FLW-2] an empty ring has all its room in one piece",
		an_empty_ring_has_all_its_room_in_one_piece);
	CU_add_test(suite, "[FLW-1] every cut gives the same stream",
		every_cut_gives_the_same_stream);
	CU_add_test(suite, "[FLW-2] a full ring stops the reader",
		a_full_ring_stops_the_reader);
	CU_add_test(suite, "[FLW-3] writing is wanted while there are bytes",
		writing_is_wanted_while_there_are_bytes);
	CU_add_test(suite, "[FLW-4] an end waits for the bytes before it",
		an_end_waits_for_the_bytes_before_it);
	CU_add_test(suite, "[FLW-4][FLW-6] an end needs no ring",
		an_end_needs_no_ring);
	CU_add_test(suite,
		"[FLW-5] a flow is finished when both ends were passed on",
		a_flow_is_finished_when_both_ends_were_passed_on);
	CU_add_test(suite, "[FLW-6] an empty pipe gives its ring back",
		an_empty_pipe_gives_its_ring_back);
	CU_add_test(suite, "[FLW-6] a discarded ring takes its bytes along",
		a_discarded_ring_takes_its_bytes_along);
	CU_add_test(suite,
		"[FLW-2][FLW-3] without a ring there is neither room nor data",
		without_a_ring_there_is_neither_room_nor_data);
	CU_add_test(suite, "[FLW-7] illegal calls change nothing",
		illegal_calls_change_nothing);
	CU_add_test(suite,
		"[SES-25][FLW-7] a cut pipe delivers what it has and no end",
		a_cut_pipe_delivers_what_it_has_and_no_end);
	CU_add_test(suite,
		"[SES-43] a cut takes back an end that waits, and no other",
		a_cut_takes_back_an_end_that_waits_and_no_other);
	CU_add_test(suite, "[SES-27] a side is done with after both ends at it",
		a_side_is_done_with_after_both_ends_at_it);
	CU_add_test(suite, "[FLW-8] delivered bytes are counted",
		delivered_bytes_are_counted);
	CU_add_test(suite, "[FLW-2] validate sees what is wrong",
		validate_sees_what_is_wrong);
}
