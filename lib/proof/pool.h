/*
 * What is proved of core/pool.h, which includes this at its end for Frama-C
 * alone: the rule by which an upstream is eligible, the count of those that
 * are up, and that lbp_pool_validate tells whether all invariants hold. That
 * choosing and the other changes keep them is not proved: it is tested, and
 * judged by lbp_pool_validate.
 */
#ifndef LBP_PROOF_POOL_H
#define LBP_PROOF_POOL_H

/*@ // All that it works on is there, and apart.
  @ predicate pool_storage(struct lbp_pool *p) =
  @ 	\valid(p) && 1 <= p->len <= LBP_UPSTREAMS_MAX &&
  @ 	p->first.slot_len == p->len && p->backup.slot_len == p->len &&
  @ 	balancer_storage(&p->first) && balancer_storage(&p->backup) &&
  @ 	\valid(p->members + (0 .. p->len - 1)) &&
  @ 	\separated(p, p->members + (0 .. p->len - 1),
  @ 		p->first.slots + (0 .. p->len - 1),
  @ 		p->first.heap + (0 .. p->len - 1),
  @ 		p->backup.slots + (0 .. p->len - 1),
  @ 		p->backup.heap + (0 .. p->len - 1));
  @
  @ // How many of the first len members are up?
  @ logic integer members_up(struct lbp_pool_member *members, integer len) =
  @ 	len <= 0 ? 0 : members_up(members, len - 1) +
  @ 		(members[len - 1].is_up ? 1 : 0);
  @ predicate pool_up_counted(struct lbp_pool *p) =
  @ 	p->up_len == members_up(p->members, p->len);
  @
  @ // The slot that counts upstream i.
  @ logic struct lbp_balancer_slot *pool_slot(
  @ 	struct lbp_pool *p, integer i) =
  @ 	p->members[i].is_backup ? p->backup.slots + i : p->first.slots + i;
  @
  @ // [BAL-10]: is it up, with fewer connections than its bound?
  @ predicate member_free(struct lbp_pool_member *member, integer open) =
  @ 	member->is_up && (member->max_connections == 0 ||
  @ 		open < member->max_connections);
  @
  @ // A balancer's upstreams are backups or not: those are eligible in it
  @ // just when they should be; the others are not, and not counted there.
  @ predicate member_in(struct lbp_pool_member *members,
  @ 	struct lbp_balancer *b, integer is_backup, integer i) =
  @ 	members[i].is_backup == is_backup
  @ 		? (balancer_eligible(b, i) <==>
  @ 			member_free(members + i, b->slots[i].open))
  @ 		: !balancer_eligible(b, i) && b->slots[i].open == 0;
  @ predicate pool_member_valid(struct lbp_pool *p, integer i) =
  @ 	member_in(p->members, &p->first, 0, i) &&
  @ 	member_in(p->members, &p->backup, 1, i);
  @
  @ predicate pool_valid(struct lbp_pool *p) =
  @ 	pool_storage(p) && balancer_valid(&p->first) &&
  @ 	balancer_valid(&p->backup) &&
  @ 	p->first.choices == p->backup.choices &&
  @ 	(\forall integer i; 0 <= i < p->len ==> pool_member_valid(p, i)) &&
  @ 	pool_up_counted(p);
  @*/

/*@ requires pool_storage(pool);
  @ assigns \nothing;
  @ ensures \result == (upstream < pool->len
  @ 	? pool_slot(pool, upstream)->open : 0);
  @*/
uint32_t lbp_pool_open(const struct lbp_pool *pool, uint32_t upstream);

/*@ requires pool_storage(pool);
  @ assigns \nothing;
  @ ensures \result <==> pool_valid(pool);
  @*/
bool lbp_pool_validate(const struct lbp_pool *pool);

#endif
