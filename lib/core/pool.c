#include "core/pool.h"

/* The balancer that counts an upstream. */
static struct lbp_balancer *balancer_of(
	struct lbp_pool *pool, uint32_t upstream)
{
	return pool->members[upstream].is_backup ? &pool->backup : &pool->first;
}

/*@ requires pool_storage(pool) && upstream < pool->len;
  @ assigns \nothing;
  @ ensures \result <==> member_free(pool->members + upstream,
  @ 	pool_slot(pool, upstream)->open);
  @*/
static bool should_be_eligible(const struct lbp_pool *pool, uint32_t upstream)
{
	const struct lbp_pool_member *member = &pool->members[upstream];

	return member->is_up &&
	       (member->max_connections == 0 ||
		       lbp_pool_open(pool, upstream) < member->max_connections);
}

/* Applies what changed: whether it is up, or its connections. */
/*@ requires pool_storage(pool) && upstream < pool->len;
  @ requires balancer_valid(&pool->first) && balancer_valid(&pool->backup);
  @ ensures \old(pool->members[upstream].is_backup) ==>
  @ 	(balancer_eligible(&pool->backup, upstream) <==>
  @ 		\old(member_free(pool->members + upstream,
  @ 			pool_slot(pool, upstream)->open)));
  @ ensures \old(!pool->members[upstream].is_backup) ==>
  @ 	(balancer_eligible(&pool->first, upstream) <==>
  @ 		\old(member_free(pool->members + upstream,
  @ 			pool_slot(pool, upstream)->open)));
  @*/
static void settle(struct lbp_pool *pool, uint32_t upstream)
{
	struct lbp_balancer *own = pool->members[upstream].is_backup
					   ? &pool->backup
					   : &pool->first;

	(void)lbp_balancer_set_eligible(
		own, upstream, should_be_eligible(pool, upstream));
}

/* Whichever was chosen from last has counted furthest. */
/*@ requires \valid(pool);
  @ assigns pool->first.choices, pool->backup.choices;
  @ ensures pool->first.choices == pool->backup.choices;
  @ ensures pool->first.choices ==
  @ 	\max(\old(pool->first.choices), \old(pool->backup.choices));
  @*/
static void count_together(struct lbp_pool *pool)
{
	if (pool->first.choices < pool->backup.choices)
		pool->first.choices = pool->backup.choices;
	else
		pool->backup.choices = pool->first.choices;
}

/* Starts a balancer of which nothing is eligible. */
/*@ requires 1 <= len <= LBP_UPSTREAMS_MAX;
  @ requires \valid(balancer) && \valid(slots + (0 .. len - 1)) &&
  @ 	\valid(heap + (0 .. len - 1));
  @ requires \separated(
  @ 	balancer, slots + (0 .. len - 1), heap + (0 .. len - 1));
  @ requires \forall integer i; 0 <= i < len ==>
  @ 	1 <= slots[i].weight <= LBP_WEIGHT_MAX;
  @ assigns *balancer, heap[0 .. len - 1], slots[0 .. len - 1].open,
  @ 	slots[0 .. len - 1].chosen, slots[0 .. len - 1].at;
  @ ensures balancer_valid(balancer);
  @ ensures balancer->slots == slots && balancer->heap == heap &&
  @ 	balancer->slot_len == len && balancer->choices == 0;
  @ ensures \forall integer i; 0 <= i < len ==>
  @ 	!balancer_eligible(balancer, i) && slots[i].open == 0 &&
  @ 	slots[i].chosen == 0;
  @*/
static void start(struct lbp_balancer *balancer,
	struct lbp_balancer_slot *slots, uint16_t *heap, uint32_t len)
{
	lbp_balancer_init(balancer, slots, heap, len);
	/*@ loop invariant 0 <= i <= len;
	  @ loop invariant balancer_valid(balancer);
	  @ loop invariant \forall integer j; 0 <= j < i ==>
	  @ 	!balancer_eligible(balancer, j);
	  @ loop assigns i, balancer->heap_len, heap[0 .. len - 1],
	  @ 	slots[0 .. len - 1].at;
	  @ loop variant len - i;
	  @*/
	for (uint32_t i = 0; i < len; i++)
		(void)lbp_balancer_set_eligible(balancer, i, false);
}

void lbp_pool_init(struct lbp_pool *pool, struct lbp_pool_member *members,
	struct lbp_balancer_slot *slots, uint16_t *heap, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		slots[len + i].weight = slots[i].weight;
		members[i].is_up = false;
	}
	start(&pool->first, slots, heap, len);
	start(&pool->backup, slots + len, heap + len, len);
	pool->members = members;
	pool->len = len;
	pool->up_len = 0;
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

/*@ requires pool_storage(pool) && pool_up_counted(pool);
  @ requires upstream < pool->len;
  @ requires pool->members[upstream].is_up != is_up;
  @ assigns pool->members[upstream].is_up, pool->up_len;
  @ ensures pool->members[upstream].is_up == is_up;
  @ ensures pool_up_counted(pool);
  @*/
static void mark_up(struct lbp_pool *pool, uint32_t upstream, bool is_up)
{
	pool->members[upstream].is_up = is_up;
	/*@ ghost
	  /@ loop invariant i <= pool->len;
	   @ loop invariant 0 <= members_up(pool->members, i) <= i;
	   @ loop invariant members_up(pool->members, i) ==
	   @ 	members_up{Pre}(pool->members, i) +
	   @ 		(upstream < i ? (is_up ? 1 : -1) : 0);
	   @ loop invariant 0 <= members_up{Pre}(pool->members, i) <= i;
	   @ loop assigns i;
	   @ loop variant pool->len - i;
	   @/
	  for (uint32_t i = 0; i < pool->len; i++)
		;
	*/
	if (is_up)
		pool->up_len++;
	else
		pool->up_len--;
}

void lbp_pool_set_up(struct lbp_pool *pool, uint32_t upstream, bool is_up)
{
	if (pool->members[upstream].is_up == is_up)
		return;
	mark_up(pool, upstream, is_up);
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
/*@ requires pool_storage(pool) && i < pool->len;
  @ assigns \nothing;
  @ ensures \result <==> pool_member_valid(pool, i);
  @*/
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
	/*@ loop invariant 0 <= i <= pool->len;
	  @ loop invariant up_len == members_up(pool->members, i) <= i;
	  @ loop invariant \forall integer j; 0 <= j < i ==>
	  @ 	pool_member_valid(pool, j);
	  @ loop assigns i, up_len;
	  @ loop variant pool->len - i;
	  @*/
	for (uint32_t i = 0; i < pool->len; i++) {
		up_len += pool->members[i].is_up;
		if (!member_is_valid(pool, i))
			return false;
	}
	return up_len == pool->up_len;
}
