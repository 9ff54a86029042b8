#include <CUnit/CUnit.h>
#include <string.h>

#include "core/balancer.h"
#include "suites.h"

static struct lbp_balancer_slot slots[LBP_UPSTREAMS_MAX];
static uint16_t heap[LBP_UPSTREAMS_MAX];
static uint8_t tried[LBP_TRIED_BYTES(LBP_UPSTREAMS_MAX)];

/* len upstreams with these weights, or all with 1. */
static struct lbp_balancer make(uint32_t len, const uint32_t *weights)
{
	struct lbp_balancer balancer;

	memset(slots, 0xee, sizeof(slots));
	memset(tried, 0, sizeof(tried));
	for (uint32_t i = 0; i < len; i++)
		slots[i].weight = weights != NULL ? weights[i] : 1;
	lbp_balancer_init(&balancer, slots, heap, len);
	CU_ASSERT_TRUE(lbp_balancer_validate(&balancer));
	return balancer;
}

/* The next choice, LBP_NONE if there is none. */
static uint32_t choose(struct lbp_balancer *balancer, const uint8_t *set)
{
	uint32_t i = LBP_NONE;
	enum lbp_err err = lbp_balancer_choose(balancer, set, &i);

	CU_ASSERT_EQUAL(err, i == LBP_NONE ? LBP_ERR_NO_UPSTREAM : LBP_OK);
	CU_ASSERT_TRUE(lbp_balancer_validate(balancer));
	return i;
}

static void release(struct lbp_balancer *balancer, uint32_t i)
{
	CU_ASSERT_EQUAL(lbp_balancer_release(balancer, i), LBP_OK);
	CU_ASSERT_TRUE(lbp_balancer_validate(balancer));
}

static void set_eligible(
	struct lbp_balancer *balancer, uint32_t i, bool eligible)
{
	CU_ASSERT_EQUAL(
		lbp_balancer_set_eligible(balancer, i, eligible), LBP_OK);
	CU_ASSERT_EQUAL(lbp_balancer_is_eligible(balancer, i), eligible);
	CU_ASSERT_TRUE(lbp_balancer_validate(balancer));
}

static void expect_choices(
	struct lbp_balancer *balancer, const uint32_t *want, size_t len)
{
	for (size_t i = 0; i < len; i++)
		CU_ASSERT_EQUAL(choose(balancer, NULL), want[i]);
}

static void the_least_loaded_is_chosen(void)
{
	struct lbp_balancer balancer = make(3, NULL);
	static const uint32_t want[] = {0, 1, 2, 0, 1, 2};

	expect_choices(&balancer, want, 6);
	release(&balancer, 2);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 2);
	release(&balancer, 1);
	release(&balancer, 1);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 1);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 1);
}

static void weights_are_exact(void)
{
	static const uint32_t weights[] = {1, 2, 3};
	static const uint32_t want[] = {0, 1, 2, 2, 1, 2, 0, 1, 2, 2, 1, 2};
	struct lbp_balancer balancer = make(3, weights);

	expect_choices(&balancer, want, 12);
}

static void large_counts_are_exact(void)
{
	static const uint32_t weights[] = {255, 256};
	struct lbp_balancer balancer = make(2, weights);

	/* 2^31 / 255 is more than (2^31 + 1) / 256; products pass 2^32. */
	slots[0].open = 0x80000000;
	slots[1].open = 0x80000001;
	CU_ASSERT_EQUAL(lbp_balancer_set_eligible(&balancer, 1, false), LBP_OK);
	set_eligible(&balancer, 1, true);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 1);
	set_eligible(&balancer, 0, false);
	set_eligible(&balancer, 0, true);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 1);
	/* 254.99999 and 255: less than any rounded quotient would show. */
	slots[0].open = 255u * 0xff0000u - 1;
	slots[1].open = 256u * 0xff0000u - 1;
	CU_ASSERT_EQUAL(lbp_balancer_set_eligible(&balancer, 0, false), LBP_OK);
	set_eligible(&balancer, 0, true);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 0);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 1);
}

static void ineligible_ones_are_not_chosen(void)
{
	struct lbp_balancer balancer = make(3, NULL);

	set_eligible(&balancer, 0, false);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 1);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 2);
	set_eligible(&balancer, 1, false);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 2);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 2);
	set_eligible(&balancer, 0, true);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 0);
}

static void ties_go_to_the_longest_ago(void)
{
	struct lbp_balancer balancer = make(4, NULL);
	static const uint32_t first[] = {0, 1, 2, 3};

	expect_choices(&balancer, first, 4);
	release(&balancer, 2);
	release(&balancer, 0);
	release(&balancer, 3);
	release(&balancer, 1);
	expect_choices(&balancer, first, 4);
	for (uint32_t i = 4; i-- > 0;)
		release(&balancer, i);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 0);
	release(&balancer, 0);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 1);
}

static void those_never_chosen_come_first(void)
{
	struct lbp_balancer balancer = make(4, NULL);

	set_eligible(&balancer, 1, false);
	set_eligible(&balancer, 3, false);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 0);
	release(&balancer, 0);
	set_eligible(&balancer, 3, true);
	set_eligible(&balancer, 1, true);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 1);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 2);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 3);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 0);
}

static void a_choice_counts_at_once(void)
{
	struct lbp_balancer balancer = make(2, NULL);

	CU_ASSERT_EQUAL(choose(&balancer, NULL), 0);
	CU_ASSERT_EQUAL(slots[0].open, 1);
	CU_ASSERT_EQUAL(slots[1].open, 0);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 1);
	CU_ASSERT_EQUAL(slots[1].open, 1);
}

static void each_has_a_bit_of_its_own(void)
{
	uint8_t set[LBP_TRIED_BYTES(40)] = {0};

	CU_ASSERT_EQUAL(sizeof(set), 5);
	for (uint32_t i = 0; i < 40; i++) {
		lbp_tried_add(set, i);
		for (uint32_t k = 0; k < sizeof(set); k++)
			CU_ASSERT_EQUAL(set[k], k == i / 8 ? 1u << (i % 8) : 0);
		memset(set, 0xaa, sizeof(set));
		set[i / 8] = 0xff;
		lbp_tried_remove(set, i);
		for (uint32_t k = 0; k < sizeof(set); k++)
			CU_ASSERT_EQUAL(set[k],
				k == i / 8 ? 0xff ^ (1u << (i % 8)) : 0xaa);
		memset(set, 0, sizeof(set));
	}
}

static void tried_ones_are_passed_over(void)
{
	static const uint32_t weights[] = {5, 4, 3, 2, 1, 5, 4, 3, 2, 1};
	struct lbp_balancer balancer = make(10, weights);
	uint32_t seen = 0;

	for (uint32_t i = 0; i < 10; i++) {
		uint32_t got = choose(&balancer, tried);

		CU_ASSERT_EQUAL_FATAL(got, i);
		CU_ASSERT_FALSE(lbp_tried_has(tried, got));
		lbp_tried_add(tried, got);
		seen |= 1u << got;
		release(&balancer, got);
	}
	CU_ASSERT_EQUAL(seen, 0x3ff);
	CU_ASSERT_EQUAL(choose(&balancer, tried), LBP_NONE);
}

/* The best of all by a plain search, in floating point where it is exact. */
static uint32_t best_of_all(
	const struct lbp_balancer *balancer, const uint8_t *set)
{
	uint32_t best = LBP_NONE;
	double best_load = 0;

	for (uint32_t i = 0; i < balancer->slot_len; i++) {
		double load = (double)slots[i].open / slots[i].weight;

		if (!lbp_balancer_is_eligible(balancer, i) ||
			lbp_tried_has(set, i))
			continue;
		if (best == LBP_NONE || load < best_load ||
			(load == best_load &&
				slots[i].chosen < slots[best].chosen)) {
			best = i;
			best_load = load;
		}
	}
	return best;
}

/* Each set comes about ten times, over heaps in many orders and sizes. */
static void one_taken_out_of_the_set_is_chosen_again(void)
{
	struct lbp_balancer balancer = make(10, NULL);

	for (uint32_t i = 0; i < 10; i++)
		lbp_tried_add(tried, i);
	lbp_tried_remove(tried, 9);
	CU_ASSERT_EQUAL(choose(&balancer, tried), 9);
	lbp_tried_add(tried, 9);
	lbp_tried_remove(tried, 7);
	lbp_tried_remove(tried, 7);
	CU_ASSERT_EQUAL(tried[0], 0x7f);
	CU_ASSERT_EQUAL(tried[1], 0x03);
	CU_ASSERT_EQUAL(choose(&balancer, tried), 7);
}

static void every_tried_set(void)
{
	static const uint32_t weights[] = {3, 1, 4, 1, 5, 9, 2};
	struct lbp_balancer balancer = make(7, weights);

	for (uint32_t round = 0; round < 1280; round++) {
		uint32_t want;
		uint32_t got;

		tried[0] = (uint8_t)(round * 37 % 128);
		set_eligible(&balancer, round % 7, round % 5 != 0);
		want = best_of_all(&balancer, tried);
		got = choose(&balancer, tried);
		CU_ASSERT_EQUAL(got, want);
		if (got != LBP_NONE && round % 3 == 0)
			release(&balancer, got);
	}
}

static void none_left_changes_nothing(void)
{
	struct lbp_balancer balancer = make(2, NULL);
	struct lbp_balancer_slot before[2];
	uint32_t out = 77;

	CU_ASSERT_EQUAL(choose(&balancer, NULL), 0);
	set_eligible(&balancer, 1, false);
	lbp_tried_add(tried, 0);
	memcpy(before, slots, sizeof(before));
	CU_ASSERT_EQUAL(lbp_balancer_choose(&balancer, tried, &out),
		LBP_ERR_NO_UPSTREAM);
	CU_ASSERT_EQUAL(out, 77);
	CU_ASSERT_EQUAL(balancer.choices, 1);
	CU_ASSERT_EQUAL(memcmp(before, slots, sizeof(before)), 0);
	set_eligible(&balancer, 0, false);
	memcpy(before, slots, sizeof(before));
	CU_ASSERT_EQUAL(lbp_balancer_choose(&balancer, NULL, &out),
		LBP_ERR_NO_UPSTREAM);
	CU_ASSERT_EQUAL(out, 77);
	CU_ASSERT_EQUAL(memcmp(before, slots, sizeof(before)), 0);
}

static void bad_releases_are_errors(void)
{
	struct lbp_balancer balancer = make(2, NULL);

	CU_ASSERT_EQUAL(lbp_balancer_release(&balancer, 0), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(lbp_balancer_release(&balancer, 2), LBP_ERR_RANGE);
	CU_ASSERT_EQUAL(
		lbp_balancer_release(&balancer, LBP_NONE), LBP_ERR_RANGE);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 0);
	CU_ASSERT_EQUAL(lbp_balancer_release(&balancer, 1), LBP_ERR_STATE);
	release(&balancer, 0);
	CU_ASSERT_EQUAL(lbp_balancer_release(&balancer, 0), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(slots[0].open, 0);
	CU_ASSERT_EQUAL(slots[1].open, 0);
	CU_ASSERT_TRUE(lbp_balancer_validate(&balancer));
}

static void eligibility_keeps_counts(void)
{
	struct lbp_balancer balancer = make(2, NULL);
	struct lbp_balancer_slot before;

	CU_ASSERT_EQUAL(choose(&balancer, NULL), 0);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 1);
	before = slots[0];
	set_eligible(&balancer, 0, false);
	CU_ASSERT_EQUAL(slots[0].open, 1);
	set_eligible(&balancer, 0, false);
	set_eligible(&balancer, 0, true);
	set_eligible(&balancer, 0, true);
	CU_ASSERT_EQUAL(slots[0].open, before.open);
	CU_ASSERT_EQUAL(slots[0].chosen, before.chosen);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 0);
	set_eligible(&balancer, 0, false);
	release(&balancer, 0);
	release(&balancer, 0);
	set_eligible(&balancer, 0, true);
	CU_ASSERT_EQUAL(slots[0].open, 0);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 0);
}

static void no_such_upstream(void)
{
	struct lbp_balancer balancer = make(2, NULL);

	CU_ASSERT_EQUAL(
		lbp_balancer_set_eligible(&balancer, 2, true), LBP_ERR_RANGE);
	CU_ASSERT_EQUAL(
		lbp_balancer_set_eligible(&balancer, 2, false), LBP_ERR_RANGE);
	CU_ASSERT_EQUAL(lbp_balancer_set_eligible(&balancer, LBP_NONE, false),
		LBP_ERR_RANGE);
	CU_ASSERT_FALSE(lbp_balancer_is_eligible(&balancer, 2));
	CU_ASSERT_FALSE(lbp_balancer_is_eligible(&balancer, LBP_NONE));
	CU_ASSERT_TRUE(lbp_balancer_is_eligible(&balancer, 1));
	CU_ASSERT_EQUAL(balancer.heap_len, 2);
}

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

/* One random operation; how many open connections there are now. */
static uint32_t operate(
	struct lbp_balancer *balancer, uint64_t *seed, uint32_t open)
{
	uint32_t i = next_random(seed) % LBP_UPSTREAMS_MAX;
	uint32_t kind = next_random(seed) % 16;

	if (kind < 8)
		return open +
		       (lbp_balancer_choose(balancer, NULL, &i) == LBP_OK);
	if (kind < 14)
		return open - (lbp_balancer_release(balancer, i) == LBP_OK);
	CU_ASSERT_EQUAL(
		lbp_balancer_set_eligible(balancer, i, kind == 14), LBP_OK);
	return open;
}

static void a_million_operations(void)
{
	static uint32_t weights[LBP_UPSTREAMS_MAX];
	struct lbp_balancer balancer;
	uint64_t seed = 1;
	uint32_t open = 0;

	for (uint32_t i = 0; i < LBP_UPSTREAMS_MAX; i++)
		weights[i] = next_random(&seed) % LBP_WEIGHT_MAX + 1;
	balancer = make(LBP_UPSTREAMS_MAX, weights);
	for (uint32_t step = 0; step < 1000000; step++) {
		open = operate(&balancer, &seed, open);
		if (step % 1000 != 0)
			continue;
		CU_ASSERT_TRUE_FATAL(lbp_balancer_validate(&balancer));
		CU_ASSERT_EQUAL(
			balancer.heap[0], best_of_all(&balancer, tried));
	}
	for (uint32_t i = 0; i < LBP_UPSTREAMS_MAX; i++)
		open -= slots[i].open;
	CU_ASSERT_EQUAL(open, 0);
}

/* How many places of the heap differ from the copy, which is renewed. */
static uint32_t moved(uint16_t *copy)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < LBP_UPSTREAMS_MAX; i++)
		count += copy[i] != heap[i];
	memcpy(copy, heap, sizeof(heap));
	return count;
}

static void few_places_move(void)
{
	static uint16_t copy[LBP_UPSTREAMS_MAX];
	struct lbp_balancer balancer = make(LBP_UPSTREAMS_MAX, NULL);
	uint64_t seed = 2;
	uint32_t most = 0;

	moved(copy);
	for (uint32_t step = 0; step < 5000; step++) {
		uint32_t count;

		operate(&balancer, &seed, 0);
		count = moved(copy);
		if (count > most)
			most = count;
	}
	CU_ASSERT_TRUE(most > 5);
	CU_ASSERT_TRUE(most <= 11);
}

/*
 * A leaf that became the best behind the heap's back is not seen: whoever
 * finds it has looked at all of them.
 */
static void only_the_top_is_looked_at(void)
{
	struct lbp_balancer balancer = make(LBP_UPSTREAMS_MAX, NULL);
	uint32_t leaf, top, i;

	for (uint32_t step = 0; step < LBP_UPSTREAMS_MAX; step++)
		CU_ASSERT_EQUAL_FATAL(
			lbp_balancer_choose(&balancer, NULL, &i), LBP_OK);
	leaf = heap[LBP_UPSTREAMS_MAX - 1];
	slots[leaf].open = 0;
	top = heap[0];
	lbp_tried_add(tried, top);
	CU_ASSERT_EQUAL(lbp_balancer_choose(&balancer, tried, &i), LBP_OK);
	CU_ASSERT_NOT_EQUAL(i, leaf);
	CU_ASSERT_NOT_EQUAL(i, top);
	memset(tried, 0, sizeof(tried));
	CU_ASSERT_EQUAL(lbp_balancer_choose(&balancer, tried, &i), LBP_OK);
	CU_ASSERT_EQUAL(i, top);
}

static void broken_heaps_are_seen(void)
{
	struct lbp_balancer balancer = make(4, NULL);
	struct lbp_balancer_slot good = slots[3];

	slots[0].open = 1;
	CU_ASSERT_FALSE(lbp_balancer_validate(&balancer));
	slots[0].open = 0;
	slots[3].at = 2;
	CU_ASSERT_FALSE(lbp_balancer_validate(&balancer));
	slots[3].at = 4;
	CU_ASSERT_FALSE(lbp_balancer_validate(&balancer));
	slots[3].at = LBP_NOT_IN_HEAP;
	CU_ASSERT_FALSE(lbp_balancer_validate(&balancer));
	slots[3] = good;
	slots[3].weight = 0;
	CU_ASSERT_FALSE(lbp_balancer_validate(&balancer));
	slots[3].weight = 257;
	CU_ASSERT_FALSE(lbp_balancer_validate(&balancer));
	slots[3].weight = 256;
	CU_ASSERT_TRUE(lbp_balancer_validate(&balancer));
	slots[3].chosen = 1;
	CU_ASSERT_FALSE(lbp_balancer_validate(&balancer));
}

static void a_place_beyond_the_heap_is_seen(void)
{
	struct lbp_balancer balancer = make(3, NULL);

	CU_ASSERT_EQUAL(lbp_balancer_set_eligible(&balancer, 2, false), LBP_OK);
	CU_ASSERT_TRUE(lbp_balancer_validate(&balancer));
	balancer.heap[2] = 2;
	slots[2].at = 2;
	CU_ASSERT_FALSE(lbp_balancer_validate(&balancer));
}

static void a_place_of_another_is_seen(void)
{
	struct lbp_balancer balancer = make(3, NULL);

	CU_ASSERT_EQUAL(lbp_balancer_set_eligible(&balancer, 2, false), LBP_OK);
	slots[2].at = 1;
	CU_ASSERT_FALSE(lbp_balancer_validate(&balancer));
}

static void the_first_of_all_is_looked_at(void)
{
	struct lbp_balancer balancer = make(2, NULL);

	slots[0].weight = 0;
	CU_ASSERT_FALSE(lbp_balancer_validate(&balancer));
	slots[0].weight = 1;
	slots[0].at = LBP_NOT_IN_HEAP;
	CU_ASSERT_FALSE(lbp_balancer_validate(&balancer));
}

static void a_place_without_an_upstream_is_seen(void)
{
	struct lbp_balancer balancer = make(3, NULL);

	CU_ASSERT_EQUAL(lbp_balancer_set_eligible(&balancer, 2, false), LBP_OK);
	balancer.heap_len = 3;
	balancer.heap[2] = 3;
	slots[3] = (struct lbp_balancer_slot){.weight = 1, .at = 2};
	CU_ASSERT_FALSE(lbp_balancer_validate(&balancer));
}

static void a_root_that_is_not_the_least_is_seen(void)
{
	struct lbp_balancer balancer = make(2, NULL);

	slots[0].open = 1;
	CU_ASSERT_FALSE(lbp_balancer_validate(&balancer));
}

/* What was counted elsewhere decides here, as it would have there. */
static void counts_of_another_balancer_go_on(void)
{
	static const uint32_t weights[] = {1, 2, 1, 1, 1};
	struct lbp_balancer_slot old_slots[5];
	uint16_t old_heap[5];
	struct lbp_balancer old;
	struct lbp_balancer balancer;

	for (int i = 0; i < 5; i++)
		old_slots[i].weight = weights[i];
	lbp_balancer_init(&old, old_slots, old_heap, 5);
	for (uint32_t i = 0; i < 3000; i++) {
		uint32_t out;

		CU_ASSERT_EQUAL(lbp_balancer_choose(&old, NULL, &out), LBP_OK);
		if (i % 7 < 3)
			CU_ASSERT_EQUAL(
				lbp_balancer_release(&old, out), LBP_OK);
		if (i % 100 != 0)
			continue;
		balancer = make(5, weights);
		for (uint32_t u = 0; u < 5; u++) {
			lbp_balancer_inherit(&balancer, &old, u);
			CU_ASSERT_TRUE(lbp_balancer_validate(&balancer));
			CU_ASSERT_EQUAL(slots[u].open, old_slots[u].open);
			CU_ASSERT_EQUAL(slots[u].chosen, old_slots[u].chosen);
		}
		CU_ASSERT_EQUAL(balancer.choices, old.choices);
		for (int n = 0; n < 20; n++) {
			CU_ASSERT_EQUAL(
				lbp_balancer_choose(&old, NULL, &out), LBP_OK);
			CU_ASSERT_EQUAL(choose(&balancer, NULL), out);
		}
	}
}

static void an_ineligible_one_gets_its_counts_too(void)
{
	struct lbp_balancer_slot old_slots[2] = {{.weight = 1}, {.weight = 1}};
	uint16_t old_heap[2];
	struct lbp_balancer old;
	struct lbp_balancer balancer = make(2, NULL);
	uint32_t out;

	lbp_balancer_init(&old, old_slots, old_heap, 2);
	CU_ASSERT_EQUAL(lbp_balancer_choose(&old, NULL, &out), LBP_OK);
	set_eligible(&balancer, 0, false);
	/* More was chosen here than there. */
	balancer.choices = 5;
	lbp_balancer_inherit(&balancer, &old, 0);
	CU_ASSERT_EQUAL(balancer.choices, 5);
	CU_ASSERT_TRUE(lbp_balancer_validate(&balancer));
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 1);
	set_eligible(&balancer, 0, true);
	CU_ASSERT_EQUAL(choose(&balancer, NULL), 0);
	release(&balancer, 0);
	release(&balancer, 0);
	CU_ASSERT_EQUAL(lbp_balancer_release(&balancer, 0), LBP_ERR_STATE);
}

void suite_balancer(void)
{
	CU_pSuite suite = CU_add_suite("balancer", NULL, NULL);

	CU_add_test(suite, "[BAL-8] counts of another balancer go on",
		counts_of_another_balancer_go_on);
	CU_add_test(suite, "[BAL-8][BAL-7] an ineligible one gets its counts",
		an_ineligible_one_gets_its_counts_too);

	CU_add_test(suite, "[BAL-1] the least loaded is chosen",
		the_least_loaded_is_chosen);
	CU_add_test(
		suite, "[BAL-1][BAL-2] weights are exact", weights_are_exact);
	CU_add_test(suite, "[BAL-1] large counts are exact",
		large_counts_are_exact);
	CU_add_test(suite, "[BAL-1] ineligible ones are not chosen",
		ineligible_ones_are_not_chosen);
	CU_add_test(suite, "[BAL-2] ties go to the one chosen longest ago",
		ties_go_to_the_longest_ago);
	CU_add_test(suite, "[BAL-2] those never chosen come first, in order",
		those_never_chosen_come_first);
	CU_add_test(suite, "[BAL-3] a choice counts at once",
		a_choice_counts_at_once);
	CU_add_test(suite, "[BAL-1] a set has a bit for each upstream",
		each_has_a_bit_of_its_own);
	CU_add_test(suite, "[BAL-1][BAL-4] tried ones are passed over",
		tried_ones_are_passed_over);
	CU_add_test(suite, "[BAL-1] every set of tried ones", every_tried_set);
	CU_add_test(suite, "[BAL-1] one taken out of the set is chosen again",
		one_taken_out_of_the_set_is_chosen_again);
	CU_add_test(suite, "[BAL-4] none left changes nothing",
		none_left_changes_nothing);
	CU_add_test(suite, "[BAL-6] bad releases are errors",
		bad_releases_are_errors);
	CU_add_test(suite, "[BAL-7] eligibility changes no counts",
		eligibility_keeps_counts);
	CU_add_test(suite, "[BAL-6][BAL-7] no such upstream", no_such_upstream);
	CU_add_test(suite, "[BAL-1][BAL-2] a million operations on 1024",
		a_million_operations);
	CU_add_test(suite, "[BAL-5] an operation moves few places",
		few_places_move);
	CU_add_test(suite,
		"[BAL-5][BAL-9] only the top of the heap is looked at",
		only_the_top_is_looked_at);
	CU_add_test(suite, "a broken heap is seen", broken_heaps_are_seen);
	CU_add_test(suite, "a place of another is seen",
		a_place_of_another_is_seen);
	CU_add_test(suite, "the first of all is looked at",
		the_first_of_all_is_looked_at);
	CU_add_test(suite, "a place beyond the heap is seen",
		a_place_beyond_the_heap_is_seen);
	CU_add_test(suite, "a place without an upstream is seen",
		a_place_without_an_upstream_is_seen);
	CU_add_test(suite, "a root that is not the least is seen",
		a_root_that_is_not_the_least_is_seen);
}
