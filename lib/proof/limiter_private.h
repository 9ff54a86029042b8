/*
 * What is proved of functions private to limiter.c, for Frama-C alone.
 */
#ifndef LBP_PROOF_LIMITER_PRIVATE_H
#define LBP_PROOF_LIMITER_PRIVATE_H

/*@ requires limiter_valid(limiter) && now_ns == limiter->last_ns;
  @ assigns limiter->len, limiter->head,
  @ 	limiter->ring[0 .. limiter->limits.connections - 1];
  @ ensures limiter_valid(limiter);
  @
  @ behavior spent:
  @ 	assumes limiter_spent(limiter, now_ns);
  @ 	ensures limiter_kept{Pre,Post}(limiter);
  @ 	ensures \result == LBP_ERR_RATE;
  @
  @ behavior entered:
  @ 	assumes !limiter_spent(limiter, now_ns);
  @ 	ensures \result == LBP_OK;
  @ 	ensures \old(limiter_full(limiter)) ==>
  @ 		limiter_replaced{Pre,Post}(limiter, now_ns);
  @ 	ensures \old(limiter->len < limiter->limits.connections) ==>
  @ 		limiter_appended{Pre,Post}(limiter, now_ns);
  @*/
static enum lbp_err enter(struct lbp_limiter *limiter, uint64_t now_ns);

#endif
