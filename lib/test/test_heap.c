#include <CUnit/CUnit.h>

#include "core/heap.h"
#include "suites.h"

#define CAP 31

static struct lbp_heap_node pool[CAP];
static struct lbp_heap_node *places[CAP];

static struct lbp_heap make(void)
{
	struct lbp_heap heap;

	for (int i = 0; i < CAP; i++)
		pool[i] = (struct lbp_heap_node){.at = -1};
	lbp_heap_init(&heap, places, CAP);
	CU_ASSERT_TRUE(lbp_heap_validate(&heap));
	CU_ASSERT_PTR_NULL(lbp_heap_first(&heap));
	return heap;
}

static void set(struct lbp_heap *heap, uint32_t i, uint64_t key, uint64_t tie)
{
	lbp_heap_set(heap, &pool[i], key, tie);
	CU_ASSERT_TRUE(lbp_heap_has(&pool[i]));
	CU_ASSERT_EQUAL(pool[i].key, key);
	CU_ASSERT_EQUAL(pool[i].tie, tie);
	CU_ASSERT_TRUE(lbp_heap_validate(heap));
}

static void take(struct lbp_heap *heap, uint32_t i)
{
	lbp_heap_remove(heap, &pool[i]);
	CU_ASSERT_FALSE(lbp_heap_has(&pool[i]));
	CU_ASSERT_TRUE(lbp_heap_validate(heap));
}

static void the_first_goes_before_all(void)
{
	struct lbp_heap heap = make();

	for (uint32_t i = 0; i < CAP; i++)
		set(&heap, i, i * 7 % CAP / 4, i * 11 % CAP);
	CU_ASSERT_EQUAL(heap.len, CAP);
	for (uint32_t left = CAP; left > 0; left--) {
		struct lbp_heap_node *first = lbp_heap_first(&heap);

		CU_ASSERT_PTR_NOT_NULL_FATAL(first);
		take(&heap, (uint32_t)(first - pool));
		CU_ASSERT_EQUAL(heap.len, left - 1);
		for (uint32_t i = 0; i < CAP; i++)
			CU_ASSERT_FALSE(lbp_heap_has(&pool[i]) &&
					lbp_heap_before(&pool[i], first));
	}
	CU_ASSERT_PTR_NULL(lbp_heap_first(&heap));
}

static void keys_order_and_then_ties(void)
{
	struct lbp_heap_node a = {.key = 1, .tie = 2};
	struct lbp_heap_node b = {.key = 2, .tie = 1};

	CU_ASSERT_TRUE(lbp_heap_before(&a, &b));
	CU_ASSERT_FALSE(lbp_heap_before(&b, &a));
	b.key = 1;
	CU_ASSERT_FALSE(lbp_heap_before(&a, &b));
	CU_ASSERT_TRUE(lbp_heap_before(&b, &a));
	b.tie = 2;
	CU_ASSERT_FALSE(lbp_heap_before(&a, &b));
	CU_ASSERT_FALSE(lbp_heap_before(&b, &a));
}

/* From any place to any other one, and back. */
static void any_node_moves_anywhere(void)
{
	for (uint32_t i = 0; i < CAP; i++) {
		for (uint64_t key = 0; key <= 2 * CAP; key++) {
			struct lbp_heap heap = make();

			for (uint32_t j = 0; j < CAP; j++)
				set(&heap, j, 2 * j + 1, 0);
			set(&heap, i, key, 0);
			CU_ASSERT_EQUAL(heap.len, CAP);
			set(&heap, i, 2 * i + 1, 0);
			CU_ASSERT_PTR_EQUAL(lbp_heap_first(&heap), &pool[0]);
		}
	}
}

/*
 * What fills the hole may belong above it: 8 is last, and goes before 100,
 * under which the hole is.
 */
static void what_fills_a_hole_may_rise(void)
{
	static const uint64_t keys[] = {
		0, 100, 1, 110, 120, 2, 3, 130, 140, 150, 160, 4, 5, 6, 8};
	struct lbp_heap heap = make();

	for (uint32_t i = 0; i < 15; i++)
		set(&heap, i, keys[i], 0);
	for (uint32_t i = 0; i < 15; i++)
		CU_ASSERT_EQUAL(pool[i].at, (int32_t)i);
	take(&heap, 7);
	CU_ASSERT_EQUAL(pool[14].at, 1);
	CU_ASSERT_EQUAL(pool[1].at, 3);
	CU_ASSERT_EQUAL(pool[3].at, 7);
}

static void a_broken_heap_is_seen(void)
{
	struct lbp_heap heap = make();

	set(&heap, 0, 1, 1);
	set(&heap, 1, 1, 1);
	set(&heap, 2, 1, 2);
	pool[2].tie = 0;
	CU_ASSERT_FALSE(lbp_heap_validate(&heap));
	pool[2].tie = 1;
	CU_ASSERT_TRUE(lbp_heap_validate(&heap));
	pool[2].at = 1;
	CU_ASSERT_FALSE(lbp_heap_validate(&heap));
	pool[2].at = 2;
	pool[0].at = 1;
	CU_ASSERT_FALSE(lbp_heap_validate(&heap));
	pool[0].at = 0;
	heap.cap = 2;
	CU_ASSERT_FALSE(lbp_heap_validate(&heap));
	heap.cap = 3;
	CU_ASSERT_TRUE(lbp_heap_validate(&heap));
	heap.cap = INT32_MAX;
	CU_ASSERT_TRUE(lbp_heap_validate(&heap));
	heap.cap++;
	CU_ASSERT_FALSE(lbp_heap_validate(&heap));
}

void suite_heap(void)
{
	CU_pSuite suite = CU_add_suite("heap", NULL, NULL);

	CU_add_test(suite, "the first goes before all others",
		the_first_goes_before_all);
	CU_add_test(
		suite, "keys order, and then ties", keys_order_and_then_ties);
	CU_add_test(suite, "any node moves anywhere", any_node_moves_anywhere);
	CU_add_test(suite, "what fills a hole may rise",
		what_fills_a_hole_may_rise);
	CU_add_test(suite, "a broken heap is seen", a_broken_heap_is_seen);
}
