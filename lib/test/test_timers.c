#include <CUnit/CUnit.h>
#include <string.h>

#include "suites.h"
#include "timers.h"

#define CAP 64

static struct lbp_heap_node *heap[CAP + 1];
static struct lbp_timer pool[CAP + 1];

static struct lbp_timers make(uint32_t cap)
{
	struct lbp_timers timers;

	memset(heap, 0, sizeof(heap));
	for (uint32_t i = 0; i <= CAP; i++)
		lbp_timer_init(&pool[i]);
	lbp_timers_init(&timers, heap, cap);
	CU_ASSERT_TRUE(lbp_timers_validate(&timers));
	return timers;
}

static void arm(struct lbp_timers *timers, uint32_t i, uint64_t due_ns)
{
	CU_ASSERT_EQUAL(lbp_timers_arm(timers, &pool[i], due_ns), LBP_OK);
	CU_ASSERT_TRUE(lbp_timer_is_armed(&pool[i]));
	CU_ASSERT_TRUE(lbp_timers_validate(timers));
}

/* Timer i is taken at now_ns and not a moment before. */
static void expect_at(struct lbp_timers *timers, uint32_t i, uint64_t now_ns)
{
	CU_ASSERT_EQUAL(lbp_timers_due(timers), now_ns);
	if (now_ns > 0)
		CU_ASSERT_PTR_NULL(lbp_timers_take(timers, now_ns - 1));
	CU_ASSERT_PTR_EQUAL(lbp_timers_take(timers, now_ns), &pool[i]);
	CU_ASSERT_FALSE(lbp_timer_is_armed(&pool[i]));
	CU_ASSERT_TRUE(lbp_timers_validate(timers));
}

static void expect_none(struct lbp_timers *timers)
{
	CU_ASSERT_EQUAL(timers->heap.len, 0);
	CU_ASSERT_EQUAL(lbp_timers_due(timers), UINT64_MAX);
	CU_ASSERT_PTR_NULL(lbp_timers_take(timers, UINT64_MAX));
}

static void they_are_taken_when_due(void)
{
	struct lbp_timers timers = make(CAP);

	arm(&timers, 0, 100);
	CU_ASSERT_PTR_NULL(lbp_timers_take(&timers, 0));
	expect_at(&timers, 0, 100);
	expect_none(&timers);
	arm(&timers, 0, 0);
	expect_at(&timers, 0, 0);
	arm(&timers, 0, 7);
	CU_ASSERT_PTR_EQUAL(lbp_timers_take(&timers, 1000), &pool[0]);
	arm(&timers, 0, UINT64_MAX);
	expect_at(&timers, 0, UINT64_MAX);
	expect_none(&timers);
}

static void they_come_in_order(void)
{
	struct lbp_timers timers = make(CAP);

	/* 37 is prime to 64: every due time once, in no order. */
	for (uint32_t i = 0; i < CAP; i++)
		arm(&timers, i, i * 37 % CAP);
	for (uint64_t now_ns = 0; now_ns < CAP; now_ns++) {
		struct lbp_timer *timer = lbp_timers_take(&timers, UINT64_MAX);

		CU_ASSERT_PTR_NOT_NULL_FATAL(timer);
		CU_ASSERT_EQUAL(lbp_timer_due(timer), now_ns);
		CU_ASSERT_TRUE(lbp_timers_validate(&timers));
	}
	expect_none(&timers);
}

static void equal_ones_come_as_armed(void)
{
	struct lbp_timers timers = make(CAP);

	for (uint32_t i = 0; i < CAP; i++)
		arm(&timers, i * 37 % CAP, 5);
	/* Arming anew makes it the last armed, even for the same time. */
	arm(&timers, 0, 5);
	for (uint32_t i = 1; i < CAP; i++)
		expect_at(&timers, i * 37 % CAP, 5);
	expect_at(&timers, 0, 5);
	expect_none(&timers);
}

static void arming_moves(void)
{
	struct lbp_timers timers = make(4);

	arm(&timers, 0, 10);
	arm(&timers, 1, 20);
	arm(&timers, 2, 30);
	arm(&timers, 3, 40);
	arm(&timers, 0, 35);
	arm(&timers, 3, 5);
	CU_ASSERT_EQUAL(timers.heap.len, 4);
	expect_at(&timers, 3, 5);
	expect_at(&timers, 1, 20);
	expect_at(&timers, 2, 30);
	expect_at(&timers, 0, 35);
	expect_none(&timers);
}

static void beyond_the_capacity(void)
{
	struct lbp_timers timers = make(2);

	arm(&timers, 0, 10);
	arm(&timers, 1, 20);
	CU_ASSERT_EQUAL(lbp_timers_arm(&timers, &pool[2], 5), LBP_ERR_RANGE);
	CU_ASSERT_FALSE(lbp_timer_is_armed(&pool[2]));
	CU_ASSERT_PTR_NULL(heap[2]);
	CU_ASSERT_EQUAL(timers.heap.len, 2);
	arm(&timers, 1, 9);
	expect_at(&timers, 1, 9);
	arm(&timers, 2, 5);
	expect_at(&timers, 2, 5);
	expect_at(&timers, 0, 10);
	timers = make(0);
	CU_ASSERT_EQUAL(lbp_timers_arm(&timers, &pool[0], 5), LBP_ERR_RANGE);
	expect_none(&timers);
}

static void disarmed_ones_are_not_taken(void)
{
	struct lbp_timers timers = make(CAP);

	lbp_timers_disarm(&timers, &pool[0]);
	expect_none(&timers);
	for (uint32_t i = 0; i < CAP; i++)
		arm(&timers, i, i * 37 % CAP);
	for (uint32_t i = 0; i < CAP; i += 2) {
		lbp_timers_disarm(&timers, &pool[i]);
		CU_ASSERT_FALSE(lbp_timer_is_armed(&pool[i]));
		CU_ASSERT_TRUE(lbp_timers_validate(&timers));
	}
	lbp_timers_disarm(&timers, &pool[0]);
	CU_ASSERT_EQUAL(timers.heap.len, CAP / 2);
	/* Due times are odd where the numbers are. */
	for (uint64_t now_ns = 1; now_ns < CAP; now_ns += 2) {
		struct lbp_timer *timer = lbp_timers_take(&timers, now_ns);

		CU_ASSERT_PTR_NOT_NULL_FATAL(timer);
		CU_ASSERT_EQUAL(lbp_timer_due(timer), now_ns);
	}
	expect_none(&timers);
}

/* Each timer of a full heap is taken out once, from wherever it is. */
static void any_place_can_be_left(void)
{
	for (uint32_t out = 0; out < 15; out++) {
		struct lbp_timers timers = make(CAP);

		/* Two subtrees whose due times are far apart. */
		for (uint32_t i = 0; i < 15; i++)
			arm(&timers, i,
				i == 0 ? 0
				       : i + (i % 4 == 1 || i % 4 == 2 ? 100
								       : 0));
		lbp_timers_disarm(&timers, &pool[out]);
		CU_ASSERT_TRUE(lbp_timers_validate(&timers));
		CU_ASSERT_EQUAL(timers.heap.len, 14);
	}
}

static void the_next_is_known(void)
{
	struct lbp_timers timers = make(CAP);

	expect_none(&timers);
	arm(&timers, 0, 50);
	arm(&timers, 1, 70);
	CU_ASSERT_EQUAL(lbp_timers_due(&timers), 50);
	arm(&timers, 2, 20);
	CU_ASSERT_EQUAL(lbp_timers_due(&timers), 20);
	lbp_timers_disarm(&timers, &pool[2]);
	CU_ASSERT_EQUAL(lbp_timers_due(&timers), 50);
	arm(&timers, 0, 90);
	CU_ASSERT_EQUAL(lbp_timers_due(&timers), 70);
}

static void broken_heaps_are_seen(void)
{
	struct lbp_timers timers = make(2);

	arm(&timers, 0, 10);
	arm(&timers, 1, 20);
	pool[0].node.key = 30;
	CU_ASSERT_FALSE(lbp_timers_validate(&timers));
	pool[0].node.key = 10;
	pool[1].node.at = 0;
	CU_ASSERT_FALSE(lbp_timers_validate(&timers));
	pool[1].node.at = 1;
	pool[0].node.at = 1;
	CU_ASSERT_FALSE(lbp_timers_validate(&timers));
	pool[0].node.at = 0;
	pool[1].node.tie = 2;
	CU_ASSERT_FALSE(lbp_timers_validate(&timers));
	pool[1].node.tie = 1;
	CU_ASSERT_TRUE(lbp_timers_validate(&timers));
	pool[0].node.tie = 2;
	CU_ASSERT_FALSE(lbp_timers_validate(&timers));
	pool[0].node.tie = 0;
	CU_ASSERT_TRUE(lbp_timers_validate(&timers));
	timers.heap.cap = 1;
	CU_ASSERT_FALSE(lbp_timers_validate(&timers));
}

void suite_timers(void)
{
	CU_pSuite suite = CU_add_suite("timers", NULL, NULL);

	CU_add_test(suite, "[TMR-1] they are taken when due, not before",
		they_are_taken_when_due);
	CU_add_test(suite, "[TMR-2] they come in the order of due times",
		they_come_in_order);
	CU_add_test(suite, "[TMR-2] equal ones come as they were armed",
		equal_ones_come_as_armed);
	CU_add_test(
		suite, "[TMR-3] arming an armed one moves it", arming_moves);
	CU_add_test(suite, "[TMR-3] arming beyond the capacity",
		beyond_the_capacity);
	CU_add_test(suite, "[TMR-4] disarmed ones are not taken",
		disarmed_ones_are_not_taken);
	CU_add_test(
		suite, "[TMR-4] any place can be left", any_place_can_be_left);
	CU_add_test(suite, "[TMR-5] the next due time", the_next_is_known);
	CU_add_test(suite, "a broken heap is seen", broken_heaps_are_seen);
}
