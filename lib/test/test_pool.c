#include <CUnit/CUnit.h>
#include <string.h>

#include "core/pool.h"
#include "suites.h"

#define LEN 4

/* Two, so that one can inherit from the other. */
struct world {
	struct lbp_pool pool;
	struct lbp_pool_member members[LEN];
	struct lbp_balancer_slot slots[2 * LEN];
	uint16_t heap[2 * LEN];
};

static struct world old;
static struct world new;

/* For each upstream its bound, a digit; below it 'b' for a backup. */
static void make(struct world *world, const char *bounds, const char *kinds)
{
	uint32_t len = (uint32_t)strlen(bounds);

	memset(world, 0xee, sizeof(*world));
	for (uint32_t i = 0; i < len; i++) {
		world->members[i].max_connections = (uint32_t)(bounds[i] - '0');
		world->members[i].is_backup = kinds[i] == 'b';
		world->slots[i].weight = 1;
	}
	lbp_pool_init(
		&world->pool, world->members, world->slots, world->heap, len);
	CU_ASSERT_TRUE(lbp_pool_validate(&world->pool));
	CU_ASSERT_EQUAL(world->pool.up_len, 0);
	for (uint32_t i = 0; i < len; i++)
		lbp_pool_set_up(&world->pool, i, true);
	CU_ASSERT_TRUE(lbp_pool_validate(&world->pool));
	CU_ASSERT_EQUAL(world->pool.up_len, len);
}

static char choose(struct lbp_pool *pool, const uint8_t *tried)
{
	uint32_t i = LBP_NONE;
	enum lbp_err err = lbp_pool_choose(pool, tried, &i);

	CU_ASSERT_EQUAL(err, i == LBP_NONE ? LBP_ERR_NO_UPSTREAM : LBP_OK);
	CU_ASSERT_TRUE(lbp_pool_validate(pool));
	return i == LBP_NONE ? '-' : (char)('0' + i);
}

/* A digit for each choice, '-' for none. */
static void expect_choices(struct world *world, const char *want)
{
	for (; *want != '\0'; want++)
		CU_ASSERT_EQUAL(choose(&world->pool, NULL), *want);
}

static void expect_open(const struct world *world, const char *want)
{
	for (uint32_t i = 0; want[i] != '\0'; i++)
		CU_ASSERT_EQUAL(lbp_pool_open(&world->pool, i),
			(uint32_t)(want[i] - '0'));
}

static void release(struct world *world, uint32_t i)
{
	CU_ASSERT_EQUAL(lbp_pool_release(&world->pool, i), LBP_OK);
	CU_ASSERT_TRUE(lbp_pool_validate(&world->pool));
}

static void inherit_all(void)
{
	for (uint32_t i = 0; i < old.pool.len; i++) {
		lbp_pool_inherit(&new.pool, &old.pool, i);
		CU_ASSERT_TRUE(lbp_pool_validate(&new.pool));
	}
}

static void a_bound_holds(void)
{
	make(&old, "201", "   ");
	expect_choices(&old, "0120111");
	expect_open(&old, "241");
	release(&old, 2);
	expect_choices(&old, "21");
	release(&old, 0);
	release(&old, 0);
	expect_choices(&old, "0011");
	expect_open(&old, "271");
}

static void with_all_at_their_bounds_none_is_left(void)
{
	make(&old, "11", "  ");
	expect_choices(&old, "01--");
	CU_ASSERT_EQUAL(old.pool.up_len, 2);
	release(&old, 1);
	expect_choices(&old, "1-");
	expect_open(&old, "11");
}

static void a_bound_does_not_bring_up(void)
{
	make(&old, "1", " ");
	expect_choices(&old, "0");
	lbp_pool_set_up(&old.pool, 0, false);
	release(&old, 0);
	expect_choices(&old, "-");
	CU_ASSERT_EQUAL(old.pool.up_len, 0);
	lbp_pool_set_up(&old.pool, 0, true);
	lbp_pool_set_up(&old.pool, 0, true);
	CU_ASSERT_EQUAL(old.pool.up_len, 1);
	expect_choices(&old, "0-");
	lbp_pool_set_up(&old.pool, 0, false);
	lbp_pool_set_up(&old.pool, 0, false);
	lbp_pool_set_up(&old.pool, 0, true);
	expect_choices(&old, "-");
}

static void a_backup_waits_for_all_others(void)
{
	const uint8_t tried = 1 << 1, both = 1 << 0 | 1 << 1;
	const uint8_t all = 0x0f;

	make(&old, "1000", " bb ");
	expect_choices(&old, "033");
	lbp_pool_set_up(&old.pool, 3, false);
	/* 0 is at its bound, 3 is down. */
	expect_choices(&old, "12");
	CU_ASSERT_EQUAL(choose(&old.pool, &tried), '2');
	expect_choices(&old, "1");
	release(&old, 0);
	CU_ASSERT_EQUAL(choose(&old.pool, &both), '2');
	expect_choices(&old, "01");
	lbp_pool_set_up(&old.pool, 3, true);
	CU_ASSERT_EQUAL(choose(&old.pool, &all), '-');
	expect_choices(&old, "3");
	expect_open(&old, "1333");
}

static void a_backup_has_a_bound(void)
{
	make(&old, "11", " b");
	expect_choices(&old, "01-");
	release(&old, 1);
	expect_choices(&old, "1-");
	release(&old, 0);
	expect_choices(&old, "0-");
}

static void backups_have_weights(void)
{
	memset(&old, 0, sizeof(old));
	for (uint32_t i = 0; i < 2; i++) {
		old.members[i].is_backup = true;
		old.slots[i].weight = 1 + 2 * i;
	}
	lbp_pool_init(&old.pool, old.members, old.slots, old.heap, 2);
	lbp_pool_set_up(&old.pool, 0, true);
	lbp_pool_set_up(&old.pool, 1, true);
	expect_choices(&old, "01110111");
	expect_open(&old, "26");
}

static void faulty_releases_change_nothing(void)
{
	make(&old, "100", "  b");
	CU_ASSERT_EQUAL(lbp_pool_release(&old.pool, 0), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(lbp_pool_release(&old.pool, 2), LBP_ERR_STATE);
	CU_ASSERT_EQUAL(lbp_pool_release(&old.pool, 3), LBP_ERR_RANGE);
	CU_ASSERT_EQUAL(lbp_pool_open(&old.pool, 3), 0);
	CU_ASSERT_TRUE(lbp_pool_validate(&old.pool));
}

static void other_bounds_count_what_is_open(void)
{
	make(&old, "0000", "    ");
	expect_choices(&old, "01230123");
	make(&new, "1203", "    ");
	inherit_all();
	expect_open(&new, "2222");
	expect_choices(&new, "2322");
	release(&new, 0);
	expect_choices(&new, "2");
	release(&new, 0);
	release(&new, 1);
	expect_choices(&new, "01222");
	expect_open(&new, "1293");
}

static void another_kind_keeps_its_counts(void)
{
	make(&old, "0000", " b b");
	expect_choices(&old, "02");
	lbp_pool_set_up(&old.pool, 0, false);
	lbp_pool_set_up(&old.pool, 2, false);
	expect_choices(&old, "13");
	lbp_pool_set_up(&old.pool, 0, true);
	expect_choices(&old, "0");
	for (uint32_t i = 0; i < 4; i++)
		release(&old, i);
	release(&old, 0);
	make(&new, "0000", "b  b");
	inherit_all();
	expect_open(&new, "0000");
	/* Chosen longest ago: 2, 1; then 3, 0, if nothing else is left. */
	expect_choices(&new, "21");
	lbp_pool_set_up(&new.pool, 1, false);
	lbp_pool_set_up(&new.pool, 2, false);
	expect_choices(&new, "30");
	expect_open(&new, "1111");
	CU_ASSERT_EQUAL(new.pool.first.choices, 9);
	CU_ASSERT_EQUAL(new.pool.backup.choices, 9);
}

static void expect_faulty(void)
{
	CU_ASSERT_FALSE(lbp_pool_validate(&old.pool));
	make(&old, "10", " b");
	expect_choices(&old, "0");
}

static void faults_are_noticed(void)
{
	make(&old, "10", " b");
	expect_choices(&old, "0");
	old.slots[0].weight = 0;
	expect_faulty();
	old.slots[2 + 1].weight = 0;
	expect_faulty();
	old.pool.first.choices++;
	expect_faulty();
	old.pool.up_len++;
	expect_faulty();
	old.members[1].is_up = false;
	old.pool.up_len--;
	expect_faulty();
	old.members[0].max_connections = 2;
	expect_faulty();
	old.slots[2].open = 1;
	expect_faulty();
	old.slots[1].open = 1;
	expect_faulty();
	(void)lbp_balancer_set_eligible(&old.pool.first, 1, true);
	expect_faulty();
	(void)lbp_balancer_set_eligible(&old.pool.backup, 0, true);
	expect_faulty();
	CU_ASSERT_TRUE(lbp_pool_validate(&old.pool));
}

void suite_pool(void)
{
	CU_pSuite suite = CU_add_suite("pool", NULL, NULL);

	CU_add_test(suite, "[BAL-10] a bound holds", a_bound_holds);
	CU_add_test(suite, "[BAL-10][BAL-4] with all at their bounds none",
		with_all_at_their_bounds_none_is_left);
	CU_add_test(suite, "[BAL-10] a bound does not bring up",
		a_bound_does_not_bring_up);
	CU_add_test(suite, "[BAL-11] a backup waits for all others",
		a_backup_waits_for_all_others);
	CU_add_test(suite, "[BAL-10][BAL-11] a backup has a bound",
		a_backup_has_a_bound);
	CU_add_test(suite, "[BAL-1][BAL-11] backups have weights",
		backups_have_weights);
	CU_add_test(suite, "[BAL-6] faulty releases change nothing",
		faulty_releases_change_nothing);
	CU_add_test(suite, "[BAL-12] other bounds count what is open",
		other_bounds_count_what_is_open);
	CU_add_test(suite, "[BAL-12] another kind keeps its counts",
		another_kind_keeps_its_counts);
	CU_add_test(suite, "[BAL-10] faults are noticed", faults_are_noticed);
}
