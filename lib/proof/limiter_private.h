/*
 * What is proved of functions private to limiter.c, for Frama-C alone.
 */
#ifndef LBP_PROOF_LIMITER_PRIVATE_H
#define LBP_PROOF_LIMITER_PRIVATE_H

/*@ requires limiter_valid(limiter) && now_ns == limiter->last_ns;
  @ assigns \nothing;
  @ ensures \result <==> limiter_spent(limiter, now_ns);
  @*/
static bool is_spent(const struct lbp_limiter *limiter, uint64_t now_ns);

/*@ requires limiter_valid(limiter) && now_ns == limiter->last_ns;
  @ assigns limiter->len, limiter->head,
  @ 	limiter->ring[0 .. limiter->room - 1];
  @ ensures limiter_valid(limiter);
  @ ensures \old(limiter_full(limiter)) ==>
  @ 	limiter_replaced{Pre,Post}(limiter, now_ns);
  @ ensures \old(limiter->len < limiter->room) ==>
  @ 	limiter_appended{Pre,Post}(limiter, now_ns);
  @*/
static void record(struct lbp_limiter *limiter, uint64_t now_ns);

#endif
