/*
 * What is proved of limiter.h, which includes this at its end for Frama-C
 * alone.
 */
#ifndef LBP_PROOF_LIMITER_H
#define LBP_PROOF_LIMITER_H

/*@ predicate limiter_storage(struct lbp_limiter *l) =
  @ 	\valid(l) &&
  @ 	\valid(l->ring + (0 .. l->room - 1)) &&
  @ 	\separated(l, l->ring + (0 .. l->room - 1));
  @
  @ // Of the times in the ring, none is to come, and they go up, from the
  @ // head to the end and on from 0.
  @ predicate limiter_ring(struct lbp_limiter *l) =
  @ 	l->limits.connections <= l->room &&
  @ 	l->len <= l->room &&
  @ 	(l->head == 0 || l->head < l->len == l->room) &&
  @ 	(\forall integer i; 0 <= i < l->len ==> l->ring[i] <= l->last_ns) &&
  @ 	(\forall integer i, j; 0 <= i <= j < l->head ==>
  @ 		l->ring[i] <= l->ring[j]) &&
  @ 	(\forall integer i, j; l->head <= i <= j < l->len ==>
  @ 		l->ring[i] <= l->ring[j]) &&
  @ 	(\forall integer i, j; 0 <= i < l->head <= j < l->len ==>
  @ 		l->ring[j] <= l->ring[i]);
  @
  @ predicate limiter_valid(struct lbp_limiter *l) =
  @ 	limiter_storage(l) && limiter_ring(l);
  @
  @ // [LIM-1]: would another session be one too many at once? Equal, but
  @ // after a reload that lowered the cap.
  @ predicate limiter_capped(struct lbp_limiter *l) =
  @ 	l->open >= (l->limits.concurrent != 0
  @ 		? l->limits.concurrent : UINT32_MAX);
  @
  @ // The admission in place i, counted from the oldest in the ring.
  @ logic integer limiter_time(struct lbp_limiter *l, integer i) =
  @ 	l->head + i < l->len
  @ 		? l->ring[l->head + i] : l->ring[l->head + i - l->len];
  @
  @ predicate limiter_full(struct lbp_limiter *l) =
  @ 	l->room != 0 && l->len == l->room;
  @
  @ // [LIM-2], [LIM-3], [LIM-8]: would an admission now be one too many in a
  @ // window? The ring may hold more than connections of them.
  @ predicate limiter_spent(struct lbp_limiter *l, integer now) =
  @ 	l->limits.connections != 0 && l->len >= l->limits.connections &&
  @ 	now - limiter_time(l, l->len - l->limits.connections) <
  @ 		l->limits.window_ns;
  @
  @ // Nothing is counted between K and L.
  @ predicate limiter_kept{K,L}(struct lbp_limiter *l) =
  @ 	\at(l->open, L) == \at(l->open, K) &&
  @ 	\at(l->len, L) == \at(l->len, K) &&
  @ 	\at(l->head, L) == \at(l->head, K) &&
  @ 	(\forall integer i; 0 <= i < \at(l->len, K) ==>
  @ 		\at(l->ring[i], L) == \at(l->ring[i], K));
  @
  @ // Between K and L now took the place of the oldest time in the ring.
  @ predicate limiter_replaced{K,L}(struct lbp_limiter *l, integer now) =
  @ 	\at(l->len, L) == \at(l->len, K) &&
  @ 	\at(l->head, L) == (\at(l->head, K) + 1 < \at(l->len, K)
  @ 		? \at(l->head, K) + 1 : 0) &&
  @ 	(\forall integer i; 0 <= i < \at(l->len, K) ==>
  @ 		\at(l->ring[i], L) == (i == \at(l->head, K)
  @ 			? now : \at(l->ring[i], K)));
  @
  @ // Between K and L now became the last of the times in the ring.
  @ predicate limiter_appended{K,L}(struct lbp_limiter *l, integer now) =
  @ 	\at(l->len, L) == \at(l->len, K) + 1 &&
  @ 	\at(l->head, L) == \at(l->head, K) &&
  @ 	\at(l->ring[\at(l->len, K)], L) == now &&
  @ 	(\forall integer i; 0 <= i < \at(l->len, K) ==>
  @ 		\at(l->ring[i], L) == \at(l->ring[i], K));
  @*/

/*@ requires \valid(limiter) && \valid_read(limits);
  @ requires \separated(limiter, limits);
  @ requires \valid(ring + (0 .. limits->connections - 1));
  @ requires \separated(limiter, ring + (0 .. limits->connections - 1));
  @ assigns *limiter;
  @ ensures limiter_valid(limiter) && limiter->limits == *limits;
  @ ensures limiter->ring == ring && limiter->room == limits->connections;
  @ ensures limiter->open == 0 && limiter->len == 0;
  @ ensures limiter->last_ns == 0;
  @*/
void lbp_limiter_init(struct lbp_limiter *limiter,
	const struct lbp_limits *limits, uint64_t *ring);

/*@ requires limiter_valid(limiter);
  @ assigns limiter->last_ns, limiter->open, limiter->len, limiter->head,
  @ 	limiter->ring[0 .. limiter->room - 1];
  @ ensures limiter_valid(limiter);
  @ ensures limiter->last_ns == \max(\old(limiter->last_ns), now_ns);
  @
  @ behavior capped: // [LIM-1], [LIM-4]
  @ 	assumes limiter_capped(limiter);
  @ 	ensures limiter_kept{Pre,Post}(limiter);
  @ 	ensures \result == LBP_ERR_CONCURRENT;
  @
  @ behavior spent: // [LIM-2], [LIM-4], [LIM-5]
  @ 	assumes !limiter_capped(limiter);
  @ 	assumes limiter_spent(limiter, \max(limiter->last_ns, now_ns));
  @ 	ensures limiter_kept{Pre,Post}(limiter);
  @ 	ensures \result == LBP_ERR_RATE;
  @
  @ behavior admitted: // [LIM-2], [LIM-3]
  @ 	assumes !limiter_capped(limiter);
  @ 	assumes !limiter_spent(limiter, \max(limiter->last_ns, now_ns));
  @ 	ensures \result == LBP_OK;
  @ 	ensures limiter->open == \old(limiter->open) + 1;
  @ 	ensures \old(limiter_full(limiter)) ==>
  @ 		limiter_replaced{Pre,Post}(limiter, limiter->last_ns);
  @ 	ensures \old(limiter->len < limiter->room) ==>
  @ 		limiter_appended{Pre,Post}(limiter, limiter->last_ns);
  @
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
enum lbp_err lbp_limiter_admit(struct lbp_limiter *limiter, uint64_t now_ns);

/*@ requires limiter_valid(limiter) && limiter_valid(from);
  @ requires \separated(limiter, from);
  @ requires \separated(
  @ 	limiter->ring + (0 .. limiter->room - 1), from,
  @ 	from->ring + (0 .. from->room - 1));
  @ requires \separated(limiter, from->ring + (0 .. from->room - 1));
  @ assigns limiter->last_ns, limiter->open, limiter->len, limiter->head,
  @ 	limiter->ring[0 .. limiter->room - 1];
  @ ensures limiter_valid(limiter);
  @ ensures limiter->open == from->open;
  @ ensures limiter->last_ns == from->last_ns;
  @ ensures limiter->head == 0;
  @ ensures limiter->len ==
  @ 	\min(from->len, limiter->room);
  @ ensures \forall integer i; 0 <= i < limiter->len ==>
  @ 	limiter->ring[i] ==
  @ 		limiter_time(from, from->len - limiter->len + i);
  @*/
void lbp_limiter_inherit(
	struct lbp_limiter *limiter, const struct lbp_limiter *from);

/*@ requires limiter_valid(limiter) && \valid_read(limits);
  @ requires \separated(limiter, limits);
  @ requires \separated(limiter->ring + (0 .. limiter->room - 1), limits);
  @ requires limits->connections <= limiter->room;
  @ assigns limiter->limits;
  @ ensures limiter_valid(limiter) && limiter->limits == *limits;
  @*/
void lbp_limiter_set_limits(
	struct lbp_limiter *limiter, const struct lbp_limits *limits);

/*@ requires limiter_valid(limiter);
  @ assigns limiter->open;
  @ ensures limiter_valid(limiter);
  @ ensures \old(limiter->open) == 0 ==>
  @ 	\result == LBP_ERR_STATE && limiter->open == 0;
  @ ensures \old(limiter->open) > 0 ==>
  @ 	\result == LBP_OK && limiter->open == \old(limiter->open) - 1;
  @*/
enum lbp_err lbp_limiter_release(struct lbp_limiter *limiter);

#endif
