#include <CUnit/CUnit.h>
#include <string.h>

#include "alloc.h"
#include "server/sources_state.h"
#include "suites.h"

static const uint64_t seed[2] = {1, 2};

static struct lbp_sources *make(uint32_t cap)
{
	struct lbp_sources *sources;

	CU_ASSERT_EQUAL_FATAL(lbp_sources_new(&sources, cap, seed), LBP_OK);
	return sources;
}

/* 192.0.2.n */
static struct lbp_source source(uint8_t n)
{
	return lbp_source_ipv4((const uint8_t[]){192, 0, 2, n});
}

struct entered {
	struct lbp_ticket ticket;
	struct lbp_ticket evicted;
};

static struct entered enter(struct lbp_sources *sources, uint8_t n)
{
	struct lbp_source from = source(n);
	struct entered entered;

	lbp_sources_enter(sources, &from, &entered.ticket, &entered.evicted);
	CU_ASSERT_NOT_EQUAL(entered.ticket.order, 0);
	CU_ASSERT_TRUE(lbp_sources_validate(sources));
	return entered;
}

/* Enters where nobody has to go. */
static struct lbp_ticket get_in(struct lbp_sources *sources, uint8_t n)
{
	struct entered entered = enter(sources, n);

	CU_ASSERT_EQUAL(entered.evicted.order, 0);
	CU_ASSERT_EQUAL(entered.evicted.place, 0);
	return entered.ticket;
}

static bool is_same(struct lbp_ticket a, struct lbp_ticket b)
{
	return a.order == b.order && a.place == b.place;
}

static uint32_t taken_by(const struct lbp_sources *sources, uint8_t n)
{
	struct lbp_source from = source(n);

	return lbp_sources_taken_by(sources, &from);
}

static void test_addresses(void)
{
	const uint8_t four[4] = {0xc0, 0x00, 0x02, 0xff};
	uint8_t six[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xc0, 0x00,
		0x02, 0xff};
	struct lbp_source mapped = lbp_source_ipv6(six);
	struct lbp_source plain = lbp_source_ipv4(four);

	CU_ASSERT_EQUAL(plain.high, 0);
	CU_ASSERT_EQUAL(plain.low, 0x0000ffffc00002ff);
	CU_ASSERT_EQUAL(mapped.high, plain.high);
	CU_ASSERT_EQUAL(mapped.low, plain.low);
	six[9] = 1;
	mapped = lbp_source_ipv6(six);
	CU_ASSERT_EQUAL(mapped.high, 0);
	CU_ASSERT_EQUAL(mapped.low, 0);
	six[9] = 0;
	six[11] = 0xfe;
	CU_ASSERT_EQUAL(lbp_source_ipv6(six).low, 0);
	six[11] = 0xff;
	six[7] = 1;
	CU_ASSERT_EQUAL(lbp_source_ipv6(six).high, 1);
	CU_ASSERT_EQUAL(lbp_source_ipv6(six).low, 0);
	for (uint8_t i = 0; i < 16; i++)
		six[i] = (uint8_t)(i + 0x20);
	CU_ASSERT_EQUAL(lbp_source_ipv6(six).high, 0x2021222324252627);
	CU_ASSERT_EQUAL(lbp_source_ipv6(six).low, 0);
}

static void test_bounds(void)
{
	static const uint64_t none[2] = {0, 0};
	struct lbp_sources *sources;

	CU_ASSERT_EQUAL(lbp_sources_new(&sources, 0, none), LBP_ERR_RANGE);
	CU_ASSERT_PTR_NULL(sources);
	CU_ASSERT_EQUAL(
		lbp_sources_new(&sources, 1048577, none), LBP_ERR_RANGE);
	CU_ASSERT_PTR_NULL(sources);
	CU_ASSERT_EQUAL_FATAL(lbp_sources_new(&sources, 1048576, seed), LBP_OK);
	CU_ASSERT_EQUAL(sources->seed[0], 1);
	CU_ASSERT_EQUAL(sources->seed[1], 2);
	lbp_sources_free(sources);
	lbp_sources_free(NULL);
}

/* As many buckets as places, rounded up to a power of two. */
static void test_buckets(void)
{
	static const uint32_t masks[][2] = {
		{1, 0}, {2, 1}, {3, 3}, {4, 3}, {5, 7}, {256, 255}, {257, 511}};

	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		struct lbp_sources *sources = make(masks[i][0]);

		CU_ASSERT_EQUAL(sources->mask, masks[i][1]);
		CU_ASSERT_TRUE(lbp_sources_validate(sources));
		lbp_sources_free(sources);
	}
}

/* SipHash-1-3 as of its paper, but for the length in the last word. */
static void test_hash(void)
{
	struct lbp_sources *sources = make(1);
	const struct lbp_source some = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

	sources->mask = UINT32_MAX;
	sources->seed[0] = 0x0706050403020100;
	sources->seed[1] = 0x0f0e0d0c0b0a0908;
	CU_ASSERT_EQUAL(lbp_sources_bucket(sources, &some), 0x2a519956);
	sources->seed[1] ^= UINT64_C(1) << 63;
	CU_ASSERT_EQUAL(lbp_sources_bucket(sources, &some), 0x2a7ae279);
	sources->mask = 0xff;
	CU_ASSERT_EQUAL(lbp_sources_bucket(sources, &some), 0x79);
	lbp_sources_free(sources);
}

static void test_free_places(void)
{
	struct lbp_sources *sources = make(3);
	struct lbp_ticket a = get_in(sources, 1);
	struct lbp_ticket b = get_in(sources, 1);
	struct lbp_ticket c;

	CU_ASSERT_EQUAL(lbp_sources_taken(sources), 2);
	CU_ASSERT_EQUAL(lbp_sources_count(sources), 1);
	c = get_in(sources, 2);
	CU_ASSERT(a.order < b.order && b.order < c.order);
	CU_ASSERT(
		a.place != b.place && b.place != c.place && a.place != c.place);
	CU_ASSERT(a.place < 3 && b.place < 3 && c.place < 3);
	CU_ASSERT_EQUAL(lbp_sources_taken(sources), 3);
	CU_ASSERT_EQUAL(lbp_sources_count(sources), 2);
	CU_ASSERT_EQUAL(taken_by(sources, 1), 2);
	CU_ASSERT_EQUAL(taken_by(sources, 2), 1);
	CU_ASSERT_EQUAL(taken_by(sources, 3), 0);
	CU_ASSERT_EQUAL(lbp_sources_leave(sources, a), LBP_OK);
	CU_ASSERT_TRUE(lbp_sources_validate(sources));
	CU_ASSERT_EQUAL(get_in(sources, 3).place, a.place);
	lbp_sources_free(sources);
}

/* The source with the most loses its oldest, and nobody else. */
static void test_the_most_loses(void)
{
	struct lbp_sources *sources = make(5);
	struct lbp_ticket lone = get_in(sources, 1);
	struct lbp_ticket first = get_in(sources, 2);
	struct lbp_ticket second = get_in(sources, 2);
	struct lbp_ticket other = get_in(sources, 3);
	struct lbp_ticket third = get_in(sources, 2);
	struct entered new = enter(sources, 4);

	CU_ASSERT(is_same(new.evicted, first));
	CU_ASSERT_EQUAL(new.ticket.place, first.place);
	CU_ASSERT_EQUAL(taken_by(sources, 2), 2);
	new = enter(sources, 1);
	CU_ASSERT(is_same(new.evicted, second));
	/* 1 has two, now the most; 2, 3 and 4 have one. */
	new = enter(sources, 3);
	CU_ASSERT(is_same(new.evicted, lone));
	CU_ASSERT_EQUAL(lbp_sources_leave(sources, third), LBP_OK);
	CU_ASSERT_EQUAL(lbp_sources_leave(sources, other), LBP_OK);
	CU_ASSERT_EQUAL(taken_by(sources, 2), 0);
	CU_ASSERT_EQUAL(lbp_sources_count(sources), 3);
	lbp_sources_free(sources);
}

static void test_ties(void)
{
	struct lbp_sources *sources = make(4);
	struct lbp_ticket a = get_in(sources, 1);
	struct lbp_ticket b = get_in(sources, 2);
	struct lbp_ticket b2 = get_in(sources, 2);
	struct lbp_ticket a2 = get_in(sources, 1);

	/* A third one's: 1 has the oldest of both. */
	struct entered new = enter(sources, 3);

	CU_ASSERT(is_same(new.evicted, a));
	CU_ASSERT_EQUAL(lbp_sources_leave(sources, new.ticket), LBP_OK);
	a = get_in(sources, 1);
	/* 1 has a2 and a, 2 has b and b2; its own is the older one of 1. */
	new = enter(sources, 1);
	CU_ASSERT(is_same(new.evicted, a2));
	/* For a third, 2 has the oldest now. */
	new = enter(sources, 3);
	CU_ASSERT(is_same(new.evicted, b));
	/* One that has fewer than the most does not lose its own. */
	new = enter(sources, 3);
	CU_ASSERT(is_same(new.evicted, a));
	CU_ASSERT_EQUAL(taken_by(sources, 2), 1);
	CU_ASSERT_EQUAL(lbp_sources_leave(sources, b2), LBP_OK);
	lbp_sources_free(sources);
}

/* Those that said something lose to those that did not, of equals only. */
static void test_silence(void)
{
	struct lbp_sources *sources = make(4);
	struct lbp_ticket a = get_in(sources, 1);
	struct lbp_ticket b = get_in(sources, 2);
	struct lbp_ticket c = get_in(sources, 3);
	struct lbp_ticket d = get_in(sources, 4);
	struct entered new;

	CU_ASSERT_EQUAL(lbp_sources_heard(sources, a), LBP_OK);
	CU_ASSERT_EQUAL(lbp_sources_heard(sources, c), LBP_OK);
	CU_ASSERT_EQUAL(lbp_sources_heard(sources, c), LBP_OK);
	CU_ASSERT_TRUE(lbp_sources_validate(sources));
	CU_ASSERT(is_same(enter(sources, 5).evicted, b));
	new = enter(sources, 6);
	CU_ASSERT(is_same(new.evicted, d));
	CU_ASSERT_EQUAL(lbp_sources_heard(sources, d), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(lbp_sources_heard(sources, new.ticket), LBP_OK);
	/* 5 is the only silent one; then all were heard, and 1 is the oldest.
	 */
	new = enter(sources, 7);
	CU_ASSERT_EQUAL(lbp_sources_heard(sources, new.ticket), LBP_OK);
	CU_ASSERT_EQUAL(taken_by(sources, 5), 0);
	CU_ASSERT(is_same(enter(sources, 8).evicted, a));
	/* Its own, and the one with the most, before all that. */
	new = enter(sources, 3);
	CU_ASSERT(is_same(new.evicted, c));
	new = enter(sources, 7);
	CU_ASSERT_EQUAL(lbp_sources_count(sources), 4);
	CU_ASSERT_EQUAL(lbp_sources_heard(sources, new.ticket), LBP_OK);
	CU_ASSERT_EQUAL(lbp_sources_leave(sources, new.ticket), LBP_OK);
	CU_ASSERT_EQUAL(lbp_sources_heard(sources, new.ticket), LBP_ERR_STATE);
	lbp_sources_free(sources);
}

/* A place remembers nothing of who had it before. */
static void test_silence_of_the_next(void)
{
	struct lbp_sources *sources = make(2);
	struct lbp_ticket a = get_in(sources, 1);
	struct lbp_ticket b = get_in(sources, 2);
	struct lbp_ticket c;

	CU_ASSERT_EQUAL(lbp_sources_heard(sources, a), LBP_OK);
	CU_ASSERT_EQUAL(lbp_sources_heard(sources, b), LBP_OK);
	CU_ASSERT_EQUAL(lbp_sources_leave(sources, b), LBP_OK);
	c = get_in(sources, 3);
	CU_ASSERT_EQUAL(c.place, b.place);
	CU_ASSERT(is_same(enter(sources, 4).evicted, c));
	lbp_sources_free(sources);
}

static void test_before(void)
{
	struct lbp_sources *sources = make(2);

	get_in(sources, 1);
	get_in(sources, 2);
	for (uint32_t i = 0; i < 2; i++)
		CU_ASSERT_FALSE(lbp_sources_before(sources, i, i));
	lbp_sources_free(sources);
}

/* A newer one that was heard changes nothing for the oldest. */
static void test_silence_of_the_oldest(void)
{
	struct lbp_sources *sources = make(5);
	struct lbp_ticket a = get_in(sources, 1);
	struct lbp_ticket a2 = get_in(sources, 1);
	struct lbp_ticket b = get_in(sources, 2);
	struct lbp_ticket b2 = get_in(sources, 2);

	get_in(sources, 3);
	CU_ASSERT_EQUAL(lbp_sources_heard(sources, a2), LBP_OK);
	CU_ASSERT(is_same(enter(sources, 4).evicted, a));
	CU_ASSERT_EQUAL(lbp_sources_heard(sources, b), LBP_OK);
	/* 2 has the most, heard or not. */
	CU_ASSERT(is_same(enter(sources, 5).evicted, b));
	CU_ASSERT_EQUAL(taken_by(sources, 2), 1);
	CU_ASSERT_EQUAL(lbp_sources_leave(sources, b2), LBP_OK);
	lbp_sources_free(sources);
}

/* All of one source: the newcomer takes the only holder's place, and one is. */
static void test_one_place(void)
{
	struct lbp_sources *sources = make(1);
	struct lbp_ticket a = get_in(sources, 1);
	struct entered b = enter(sources, 1);
	struct entered c = enter(sources, 2);

	CU_ASSERT(is_same(b.evicted, a));
	CU_ASSERT(is_same(c.evicted, b.ticket));
	CU_ASSERT_EQUAL(lbp_sources_count(sources), 1);
	CU_ASSERT_EQUAL(taken_by(sources, 1), 0);
	CU_ASSERT_EQUAL(taken_by(sources, 2), 1);
	CU_ASSERT_EQUAL(lbp_sources_leave(sources, c.ticket), LBP_OK);
	CU_ASSERT_EQUAL(lbp_sources_count(sources), 0);
	lbp_sources_free(sources);
}

static void refuses(struct lbp_sources *sources, struct lbp_ticket ticket)
{
	uint32_t taken = lbp_sources_taken(sources);
	uint32_t count = lbp_sources_count(sources);

	CU_ASSERT_EQUAL(lbp_sources_leave(sources, ticket), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(lbp_sources_taken(sources), taken);
	CU_ASSERT_EQUAL(lbp_sources_count(sources), count);
	CU_ASSERT_TRUE(lbp_sources_validate(sources));
}

static void test_bad_tickets(void)
{
	struct lbp_sources *sources = make(2);
	struct lbp_ticket a, b;
	struct entered c;

	refuses(sources, (struct lbp_ticket){0, 0});
	refuses(sources, (struct lbp_ticket){0, 1});
	refuses(sources, (struct lbp_ticket){1, 2});
	refuses(sources, (struct lbp_ticket){1, UINT32_MAX});
	a = get_in(sources, 1);
	refuses(sources, (struct lbp_ticket){a.order + 1, a.place});
	refuses(sources, (struct lbp_ticket){0, a.place});
	b = get_in(sources, 1);
	refuses(sources, (struct lbp_ticket){a.order, b.place});
	c = enter(sources, 2);
	CU_ASSERT(is_same(c.evicted, a));
	refuses(sources, a);
	CU_ASSERT_EQUAL(lbp_sources_leave(sources, b), LBP_OK);
	refuses(sources, b);
	b = get_in(sources, 3);
	CU_ASSERT_EQUAL(lbp_sources_leave(sources, c.ticket), LBP_OK);
	refuses(sources, c.ticket);
	CU_ASSERT_EQUAL(lbp_sources_leave(sources, b), LBP_OK);
	CU_ASSERT_EQUAL(lbp_sources_taken(sources), 0);
	lbp_sources_free(sources);
}

/* From any place among its own: the first, the last, one between. */
static void test_leaving_in_any_order(void)
{
	static const uint8_t orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0},
		{1, 0, 3, 2}, {2, 3, 0, 1}, {1, 2, 0, 3}};

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct lbp_sources *sources = make(5);
		struct lbp_ticket tickets[4];
		struct lbp_ticket rest;

		for (int k = 0; k < 4; k++)
			tickets[k] = get_in(sources, 1);
		rest = get_in(sources, 2);
		for (int k = 0; k < 4; k++) {
			CU_ASSERT_EQUAL(lbp_sources_leave(
						sources, tickets[orders[i][k]]),
				LBP_OK);
			CU_ASSERT_TRUE(lbp_sources_validate(sources));
			CU_ASSERT_EQUAL(taken_by(sources, 1), 3 - (uint32_t)k);
		}
		CU_ASSERT_EQUAL(lbp_sources_leave(sources, rest), LBP_OK);
		CU_ASSERT_EQUAL(lbp_sources_count(sources), 0);
		lbp_sources_free(sources);
	}
}

/* However many flood, a quiet source keeps what is below its share. */
static void test_flood(void)
{
	struct lbp_sources *sources = make(64);
	struct lbp_ticket quiet[2];

	quiet[0] = get_in(sources, 200);
	quiet[1] = get_in(sources, 200);
	for (int i = 0; i < 1000; i++) {
		struct entered new = enter(sources, (uint8_t)(i * i % 20));

		CU_ASSERT(!is_same(new.evicted, quiet[0]));
		CU_ASSERT(!is_same(new.evicted, quiet[1]));
		CU_ASSERT_EQUAL(new.evicted.order != 0, i >= 62);
	}
	CU_ASSERT_EQUAL(lbp_sources_taken(sources), 64);
	CU_ASSERT_EQUAL(lbp_sources_leave(sources, quiet[1]), LBP_OK);
	CU_ASSERT_EQUAL(lbp_sources_leave(sources, quiet[0]), LBP_OK);
	lbp_sources_free(sources);
}

/* Two hundred sources in one bucket, and all of them found and removed. */
static void test_full_buckets(void)
{
	struct lbp_sources *sources = make(200);
	struct lbp_ticket tickets[200];

	sources->mask = 0;
	for (int i = 0; i < 200; i++)
		tickets[i] = get_in(sources, (uint8_t)(i * 77 % 200));
	for (int i = 0; i < 200; i++)
		CU_ASSERT_EQUAL(taken_by(sources, (uint8_t)i), 1);
	for (int i = 0; i < 200; i++) {
		CU_ASSERT_EQUAL(
			lbp_sources_leave(sources, tickets[i * 33 % 200]),
			LBP_OK);
		CU_ASSERT_TRUE(lbp_sources_validate(sources));
	}
	CU_ASSERT_EQUAL(lbp_sources_count(sources), 0);
	lbp_sources_free(sources);
}

static void test_memory(void)
{
	struct lbp_sources *sources;
	long allocations;

	alloc_fail_at(0);
	sources = make(8);
	allocations = alloc_count();
	CU_ASSERT(allocations > 0);
	for (int i = 0; i < 20; i++)
		enter(sources, (uint8_t)i);
	CU_ASSERT_EQUAL(alloc_count(), allocations);
	lbp_sources_free(sources);
	for (long n = 1; n <= allocations; n++) {
		alloc_fail_at(n);
		CU_ASSERT_EQUAL(
			lbp_sources_new(&sources, 8, seed), LBP_ERR_NOMEM);
		CU_ASSERT_PTR_NULL(sources);
	}
	alloc_fail_at(0);
}

/* With one thing changed that lbp_sources_validate has to notice. */
#define SPOILED(sources, place, value)                                         \
	do {                                                                   \
		uint64_t before = (place);                                     \
		CU_ASSERT_TRUE(lbp_sources_validate(sources));                 \
		(place) = (value);                                             \
		CU_ASSERT_FALSE(lbp_sources_validate(sources));                \
		memcpy(&(place),                                               \
			sizeof(place) == 4                                     \
				? (const void *)&(uint32_t){(uint32_t)before}  \
				: (const void *)&before,                       \
			sizeof(place));                                        \
	} while (0)

static void test_validate(void)
{
	struct lbp_sources *s = make(6);
	struct lbp_sources_place *places = s->places;
	struct lbp_sources_holder *most;
	uint32_t root, last, bucket;

	get_in(s, 1);
	get_in(s, 1);
	get_in(s, 1);
	get_in(s, 2);
	get_in(s, 3);
	root = s->heap[0];
	last = s->heap[2];
	most = &s->holders[root];
	CU_ASSERT_EQUAL(most->taken, 3);

	SPOILED(s, s->taken, 7);
	SPOILED(s, s->taken, 4);
	SPOILED(s, s->taken, 6);
	SPOILED(s, s->held, 7);
	SPOILED(s, s->held, 2);
	SPOILED(s, s->held, 4);
	SPOILED(s, s->listed[0], 1);
	SPOILED(s, s->listed[5], 6);
	SPOILED(s, s->listed[5], 0);
	SPOILED(s, s->heap[5], 6);
	SPOILED(s, s->heap[5], 0);
	SPOILED(s, s->orders, 4);

	SPOILED(s, most->taken, 2);
	SPOILED(s, most->taken, 4);
	SPOILED(s, s->holders[last].taken, 0);
	SPOILED(s, most->oldest, 6);
	SPOILED(s, most->oldest, 5);
	SPOILED(s, most->oldest, 1);
	SPOILED(s, most->newest, 1);
	SPOILED(s, places[0].newer, 2);
	SPOILED(s, places[2].newer, 3);
	SPOILED(s, places[1].older, LBP_NONE);
	SPOILED(s, places[1].holder, last);
	SPOILED(s, places[1].order, places[0].order);

	SPOILED(s, places[s->holders[root].oldest].order, 4);
	bucket = lbp_sources_bucket(s, &most->source);
	SPOILED(s, s->buckets[bucket], 6);
	SPOILED(s, s->buckets[bucket], s->heap[5]);
	SPOILED(s, s->buckets[bucket], LBP_NONE);
	SPOILED(s, most->source.low, most->source.low + 1000);
	lbp_sources_free(s);
}

/* A holder of a place that is not taken, in whose stead another one is. */
static void test_validate_taken(void)
{
	struct lbp_sources *s = make(3);

	get_in(s, 1);
	get_in(s, 2);
	s->listed[0] = 2;
	s->places[2].at = 0;
	s->listed[2] = 0;
	s->places[0].at = 2;
	CU_ASSERT_FALSE(lbp_sources_validate(s));
	lbp_sources_free(s);
	s = make(2);
	get_in(s, 1);
	get_in(s, 2);
	SPOILED(s, s->held, 3);
	lbp_sources_free(s);
}

/* A free holder in the bucket: beside the others, and in the place of one. */
static void test_validate_holders(void)
{
	struct lbp_sources *s = make(4);
	struct lbp_sources_holder *added;
	uint32_t a, b, i;

	s->mask = 0;
	get_in(s, 1);
	get_in(s, 2);
	a = s->heap[0];
	b = s->heap[1];
	i = s->heap[2];
	added = &s->holders[i];
	SPOILED(s, s->holders[a].next, 4);
	added->before = b;
	added->next = LBP_NONE;
	SPOILED(s, s->holders[b].next, i);
	added->oldest = LBP_NONE;
	added->newest = LBP_NONE;
	added->before = LBP_NONE;
	added->next = b;
	s->holders[b].before = i;
	s->buckets[0] = i;
	s->held++;
	CU_ASSERT_FALSE(lbp_sources_validate(s));
	lbp_sources_free(s);
}

/* Thirty sources that come and go, so that the heap has some levels. */
static void test_coming_and_going(void)
{
	struct lbp_sources *s = make(40);
	struct lbp_ticket tickets[40] = {{0, 0}};
	uint32_t random = 1;

	for (int i = 0; i < 3000; i++) {
		struct entered new;
		uint32_t at;

		random = random * 1664525 + 1013904223;
		at = (random >> 8) % 40;
		if (random >> 30 == 0) {
			(void)lbp_sources_leave(s, tickets[at]);
			CU_ASSERT_TRUE(lbp_sources_validate(s));
			continue;
		}
		new = enter(s, (uint8_t)((random >> 16) % 30));
		tickets[new.ticket.place] = new.ticket;
	}
	lbp_sources_free(s);
}

static void test_validate_order(void)
{
	struct lbp_sources *s = make(4);
	uint32_t a, b;

	s->mask = 0;
	get_in(s, 1);
	get_in(s, 2);
	a = s->heap[0];
	b = s->heap[1];
	CU_ASSERT_EQUAL(s->buckets[0], b);
	CU_ASSERT_EQUAL(s->holders[b].next, a);
	/* The heap goes wrong if the second came first. */
	SPOILED(s, s->places[s->holders[a].oldest].order, s->orders + 1);
	s->orders += 2;
	SPOILED(s, s->places[s->holders[a].oldest].order, s->orders);
	/* The bucket, if it has a circle, and if it loses one. */
	SPOILED(s, s->holders[a].next, b);
	SPOILED(s, s->holders[a].next, a);
	SPOILED(s, s->holders[a].before, LBP_NONE);
	SPOILED(s, s->holders[b].before, a);
	SPOILED(s, s->holders[b].next, LBP_NONE);
	lbp_sources_free(s);
}

void suite_sources(void)
{
	CU_pSuite suite = CU_add_suite("sources", NULL, NULL);

	CU_add_test(suite, "[SRC-1] IPv4 by address, IPv6 by its first half",
		test_addresses);
	CU_add_test(
		suite, "[SRC-6] the number of places has bounds", test_bounds);
	CU_add_test(suite, "[SRC-6] there are as many buckets as places",
		test_buckets);
	CU_add_test(suite, "[SRC-6] the hash is keyed", test_hash);
	CU_add_test(suite, "[SRC-2] a free place is taken", test_free_places);
	CU_add_test(suite, "[SRC-3] the source that has the most loses one",
		test_the_most_loses);
	CU_add_test(
		suite, "[SRC-8] of equals the own, then the oldest", test_ties);
	CU_add_test(
		suite, "[SRC-8] of equals the silent one loses", test_silence);
	CU_add_test(suite, "[SRC-8] silence is not passed on",
		test_silence_of_the_next);
	CU_add_test(suite, "[SRC-8] none comes before itself", test_before);
	CU_add_test(suite, "[SRC-3][SRC-8] of a source the oldest counts",
		test_silence_of_the_oldest);
	CU_add_test(
		suite, "[SRC-2][SRC-3] one place is enough", test_one_place);
	CU_add_test(suite, "[SRC-5] a place is given back by who has it",
		test_bad_tickets);
	CU_add_test(suite, "[SRC-5] places are given back in any order",
		test_leaving_in_any_order);
	CU_add_test(suite, "[SRC-4] below its share a source loses nothing",
		test_flood);
	CU_add_test(
		suite, "[SRC-2][SRC-5] all in one bucket", test_full_buckets);
	CU_add_test(
		suite, "[SRC-6] all memory is had at the start", test_memory);
	CU_add_test(suite, "[SRC-2][SRC-3] sources come and go",
		test_coming_and_going);
	CU_add_test(suite, "[SRC-2] a place that is not taken is noticed",
		test_validate_taken);
	CU_add_test(suite, "[SRC-2] a holder without a place is noticed",
		test_validate_holders);
	CU_add_test(suite, "[SRC-2] what is wrong is noticed", test_validate);
	CU_add_test(suite, "[SRC-3] what is in a wrong order is noticed",
		test_validate_order);
}
