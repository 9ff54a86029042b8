/*
 * What is proved of timers.h, which includes this at its end for Frama-C
 * alone.
 */
#ifndef LBP_PROOF_TIMERS_H
#define LBP_PROOF_TIMERS_H

#include "core/heap.h"

/*@ predicate timer_armed(struct lbp_timer *timer) = timer->node.at >= 0;
  @
  @ // Is it one of the armed timers?
  @ predicate timers_hold(struct lbp_timers *t, struct lbp_timer *timer) =
  @ 	heap_holds(&t->heap, &timer->node);
  @
  @ // [TMR-2]: is a due before b, or just as b?
  @ predicate timer_no_later(struct lbp_timer *a, struct lbp_timer *b) =
  @ 	node_no_later(&a->node, &b->node);
  @
  @ // The timer may be armed: it shares no memory with anything here.
  @ predicate timers_apart(struct lbp_timers *t, struct lbp_timer *timer) =
  @ 	\separated(timer, t) && heap_apart(&t->heap, &timer->node);
  @
  @ // No two have the same order, and the next order is a new one.
  @ predicate timers_orders(struct lbp_timers *t) =
  @ 	(\forall struct lbp_heap_node *node;
  @ 		heap_holds(&t->heap, node) ==> node->tie < t->orders) &&
  @ 	(\forall struct lbp_heap_node *a, *b;
  @ 		heap_holds(&t->heap, a) && heap_holds(&t->heap, b) &&
  @ 		a != b ==> a->tie != b->tie);
  @
  @ predicate timers_valid(struct lbp_timers *t) =
  @ 	\valid(t) && heap_valid(&t->heap) && timers_orders(t) &&
  @ 	\separated(t, t->heap.nodes + (0 .. t->heap.cap - 1)) &&
  @ 	(\forall struct lbp_heap_node *node;
  @ 		heap_holds(&t->heap, node) ==> \separated(node, t));
  @
  @ // The timer is armed, and no other one is due before it.
  @ predicate timers_first(struct lbp_timers *t, struct lbp_timer *first) =
  @ 	timers_hold(t, first) && (\forall struct lbp_timer *timer;
  @ 		timers_hold(t, timer) ==> timer_no_later(first, timer));
  @
  @ // What lbp_timers_validate looks at.
  @ predicate timers_checked(struct lbp_timers *t) =
  @ 	heap_checked(&t->heap) &&
  @ 	(\forall integer at; 0 <= at < t->heap.len ==>
  @ 		t->heap.nodes[at]->tie < t->orders);
  @*/

/*@ requires \valid(timers) && \valid(heap + (0 .. cap - 1));
  @ requires \separated(timers, heap + (0 .. cap - 1));
  @ requires cap <= INT32_MAX;
  @ assigns *timers;
  @ ensures timers_valid(timers);
  @ ensures timers->heap.nodes == heap && timers->heap.cap == cap;
  @ ensures timers->heap.len == 0 && timers->orders == 0;
  @*/
void lbp_timers_init(
	struct lbp_timers *timers, struct lbp_heap_node **heap, uint32_t cap);

/*@ requires \valid(timer);
  @ assigns *timer;
  @ ensures !timer_armed(timer) && timer->node.key == 0;
  @*/
void lbp_timer_init(struct lbp_timer *timer);

/*@ requires \valid_read(timer);
  @ assigns \nothing;
  @ ensures \result <==> timer_armed(timer);
  @*/
bool lbp_timer_is_armed(const struct lbp_timer *timer);

/*@ requires \valid_read(timer);
  @ assigns \nothing;
  @ ensures \result == timer->node.key;
  @*/
uint64_t lbp_timer_due(const struct lbp_timer *timer);

/*@ requires timers_valid(timers) && timers_apart(timers, timer);
  @ requires timer_armed(timer) ==> timers_hold(timers, timer);
  @ requires timers->orders < UINT64_MAX;
  @ assigns timers->heap.len, timers->orders,
  @ 	timers->heap.nodes[0 .. timers->heap.cap - 1],
  @ 	timer->node.key, timer->node.tie,
  @ 	{ other->at | struct lbp_heap_node *other;
  @ 		other == &timer->node || heap_holds(&timers->heap, other) };
  @ ensures timers_valid(timers);
  @
  @ behavior full: // [TMR-3]
  @ 	assumes !timer_armed(timer) && timers->heap.len == timers->heap.cap;
  @ 	assigns \nothing;
  @ 	ensures \result == LBP_ERR_RANGE;
  @
  @ behavior armed:
  @ 	assumes timer_armed(timer) || timers->heap.len < timers->heap.cap;
  @ 	ensures \result == LBP_OK;
  @ 	ensures timer->node.key == due_ns;
  @ 	ensures timer->node.tie == \old(timers->orders) < timers->orders;
  @ 	ensures timers->heap.len == \old(timer->node.at < 0 ?
  @ 		timers->heap.len + 1 : timers->heap.len);
  @ 	ensures \forall struct lbp_timer *other;
  @ 		timers_hold(timers, other) <==>
  @ 			other == timer || \old(timers_hold(timers, other));
  @ 	ensures \forall struct lbp_timer *other;
  @ 		timers_hold(timers, other) && other != timer ==>
  @ 			other->node.key == \old(other->node.key) &&
  @ 			other->node.tie == \old(other->node.tie);
  @
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
enum lbp_err lbp_timers_arm(
	struct lbp_timers *timers, struct lbp_timer *timer, uint64_t due_ns);

/*@ requires timers_valid(timers) && timers_apart(timers, timer);
  @ requires timer_armed(timer) ==> timers_hold(timers, timer);
  @ assigns timers->heap.len, timers->heap.nodes[0 .. timers->heap.len - 1],
  @ 	{ other->at | struct lbp_heap_node *other;
  @ 		heap_holds(&timers->heap, other) };
  @ ensures timers_valid(timers);
  @ ensures !timer_armed(timer);
  @
  @ behavior idle:
  @ 	assumes !timer_armed(timer);
  @ 	assigns \nothing;
  @
  @ behavior armed:
  @ 	assumes timer_armed(timer);
  @ 	ensures timers->heap.len == \old(timers->heap.len) - 1;
  @ 	ensures \forall struct lbp_timer *other;
  @ 		timers_hold(timers, other) <==>
  @ 			other != timer && \old(timers_hold(timers, other));
  @
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
void lbp_timers_disarm(struct lbp_timers *timers, struct lbp_timer *timer);

/*@ requires timers_valid(timers);
  @ assigns \nothing;
  @ ensures timers->heap.len == 0 ==> \result == LBP_NEVER;
  @ ensures timers->heap.len > 0 ==>
  @ 	heap_first(&timers->heap, timers->heap.nodes[0]) &&
  @ 	\result == timers->heap.nodes[0]->key;
  @*/
uint64_t lbp_timers_due(const struct lbp_timers *timers);

/*@ requires timers_valid(timers);
  @ assigns timers->heap.len, timers->heap.nodes[0 .. timers->heap.len - 1],
  @ 	{ other->at | struct lbp_heap_node *other;
  @ 		heap_holds(&timers->heap, other) };
  @ ensures timers_valid(timers);
  @
  @ behavior early: // [TMR-1]
  @ 	assumes \forall struct lbp_timer *timer;
  @ 		timers_hold(timers, timer) ==> timer->node.key > now_ns;
  @ 	assigns \nothing;
  @ 	ensures \result == \null;
  @
  @ behavior taken: // [TMR-1], [TMR-2]
  @ 	assumes \exists struct lbp_timer *timer;
  @ 		timers_hold(timers, timer) && timer->node.key <= now_ns;
  @ 	ensures timers_first{Pre}(timers, \result);
  @ 	ensures \result->node.key <= now_ns;
  @ 	ensures !timer_armed(\result);
  @ 	ensures timers->heap.len == \old(timers->heap.len) - 1;
  @ 	ensures \forall struct lbp_timer *other;
  @ 		timers_hold(timers, other) <==>
  @ 			other != \result && \old(timers_hold(timers, other));
  @
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
struct lbp_timer *lbp_timers_take(struct lbp_timers *timers, uint64_t now_ns);

/*@ requires \valid_read(timers);
  @ requires \valid_read(timers->heap.nodes + (0 .. timers->heap.cap - 1));
  @ requires \forall integer at;
  @ 	0 <= at < timers->heap.len <= timers->heap.cap ==>
  @ 		\valid_read(timers->heap.nodes[at]);
  @ assigns \nothing;
  @ ensures \result <==> timers_checked(timers);
  @ ensures timers_valid(timers) ==> \result;
  @*/
bool lbp_timers_validate(const struct lbp_timers *timers);

#endif
