#include "core/pool.h"

/* The balancer that counts an upstream. */
static struct lbp_balancer *balancer_of(
	struct lbp_pool *pool, uint32_t upstream)
{
	return pool->members[upstream].is_backup ? &pool->backup : &pool->first;
}

static bool should_be_eligible(const struct lbp_pool *pool, uint32_t upstream)
{
	const struct lbp_pool_member *member = &pool->members[upstream];

	return member->is_up &&
	       (member->max_connections == 0 ||
		       lbp_pool_open(pool, upstream) < member->max_connections);
}

/* Applies what changed: whether it is up, or its connections. */
static void settle(struct lbp_pool *pool, uint32_t upstream)
{
	(void)lbp_balancer_set_eligible(balancer_of(pool, upstream), upstream,
		should_be_eligible(pool, upstream));
}

/* Whichever was chosen from last has counted furthest. */
static void count_together(struct lbp_pool *pool)
{
	if (pool->first.choices < pool->backup.choices)
		pool->first.choices = pool->backup.choices;
	else
		pool->backup.choices = pool->first.choices;
}

void lbp_pool_init(struct lbp_pool *pool, struct lbp_pool_member *members,
	struct lbp_balancer_slot *slots, uint16_t *heap, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		slots[len + i].weight = slots[i].weight;
		members[i].is_up = false;
	}
	lbp_balancer_init(&pool->first, slots, heap, len);
	lbp_balancer_init(&pool->backup, slots + len, heap + len, len);
	pool->members = members;
	pool->len = len;
	pool->up_len = 0;
	for (uint32_t i = 0; i < len; i++) {
		(void)lbp_balancer_set_eligible(&pool->first, i, false);
		(void)lbp_balancer_set_eligible(&pool->backup, i, false);
	}
}

enum lbp_err lbp_pool_choose(
	struct lbp_pool *pool, const uint8_t *tried, uint32_t *out)
{
	enum lbp_err err = lbp_balancer_choose(&pool->first, tried, out);

	if (err != LBP_OK)
		err = lbp_balancer_choose(&pool->backup, tried, out);
	if (err != LBP_OK)
		return err;
	count_together(pool);
	settle(pool, *out);
	return LBP_OK;
}

enum lbp_err lbp_pool_release(struct lbp_pool *pool, uint32_t upstream)
{
	enum lbp_err err;

	if (upstream >= pool->len)
		return LBP_ERR_RANGE;
	err = lbp_balancer_release(balancer_of(pool, upstream), upstream);
	if (err == LBP_OK)
		settle(pool, upstream);
	return err;
}

void lbp_pool_inherit(
	struct lbp_pool *pool, const struct lbp_pool *from, uint32_t upstream)
{
	lbp_balancer_inherit(balancer_of(pool, upstream),
		from->members[upstream].is_backup ? &from->backup
						  : &from->first,
		upstream);
	count_together(pool);
	settle(pool, upstream);
}

void lbp_pool_set_up(struct lbp_pool *pool, uint32_t upstream, bool is_up)
{
	struct lbp_pool_member *member = &pool->members[upstream];

	if (member->is_up == is_up)
		return;
	member->is_up = is_up;
	if (is_up)
		pool->up_len++;
	else
		pool->up_len--;
	settle(pool, upstream);
}

uint32_t lbp_pool_open(const struct lbp_pool *pool, uint32_t upstream)
{
	if (upstream >= pool->len)
		return 0;
	return pool->members[upstream].is_backup
		       ? pool->backup.slots[upstream].open
		       : pool->first.slots[upstream].open;
}

/* Is it eligible just where it should be, and counted nowhere else? */
static bool member_is_valid(const struct lbp_pool *pool, uint32_t i)
{
	bool is_backup = pool->members[i].is_backup;
	const struct lbp_balancer *own =
		is_backup ? &pool->backup : &pool->first;
	const struct lbp_balancer *other =
		is_backup ? &pool->first : &pool->backup;

	return lbp_balancer_is_eligible(own, i) ==
		       should_be_eligible(pool, i) &&
	       !lbp_balancer_is_eligible(other, i) && other->slots[i].open == 0;
}

bool lbp_pool_validate(const struct lbp_pool *pool)
{
	uint32_t up_len = 0;

	if (!lbp_balancer_validate(&pool->first) ||
		!lbp_balancer_validate(&pool->backup) ||
		pool->first.choices != pool->backup.choices)
		return false;
	for (uint32_t i = 0; i < pool->len; i++) {
		up_len += pool->members[i].is_up;
		if (!member_is_valid(pool, i))
			return false;
	}
	return up_len == pool->up_len;
}
