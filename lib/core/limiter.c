#include "limiter.h"

#ifdef __FRAMAC__
#include "proof/limiter_private.h"
#endif

void lbp_limiter_init(struct lbp_limiter *limiter,
	const struct lbp_limits *limits, uint64_t *ring)
{
	*limiter = (struct lbp_limiter){.limits = *limits, .ring = ring};
}

/* Nothing is admitted beyond what open can count, cap or no cap. */
/*@ requires \valid_read(limits);
  @ assigns \nothing;
  @ ensures \result ==
  @ 	(limits->concurrent != 0 ? limits->concurrent : UINT32_MAX);
  @*/
static uint32_t cap_of(const struct lbp_limits *limits)
{
	return limits->concurrent != 0 ? limits->concurrent : UINT32_MAX;
}

/* Puts an admission into the ring, where it replaces one out of the window. */
static enum lbp_err enter(struct lbp_limiter *limiter, uint64_t now_ns)
{
	const struct lbp_limits *limits = &limiter->limits;

	if (limits->connections == 0)
		return LBP_OK;
	if (limiter->len < limits->connections) {
		limiter->ring[limiter->len++] = now_ns;
		return LBP_OK;
	}
	if (now_ns - limiter->ring[limiter->head] < limits->window_ns)
		return LBP_ERR_RATE;
	limiter->ring[limiter->head++] = now_ns;
	if (limiter->head == limits->connections)
		limiter->head = 0;
	return LBP_OK;
}

enum lbp_err lbp_limiter_admit(struct lbp_limiter *limiter, uint64_t now_ns)
{
	enum lbp_err err;

	if (now_ns > limiter->last_ns)
		limiter->last_ns = now_ns;
	//@ assert limiter_valid(limiter);
	if (limiter->open >= cap_of(&limiter->limits))
		return LBP_ERR_CONCURRENT;
	err = enter(limiter, limiter->last_ns);
	if (err == LBP_OK)
		limiter->open++;
	return err;
}

void lbp_limiter_inherit(
	struct lbp_limiter *limiter, const struct lbp_limiter *from)
{
	uint32_t most = limiter->limits.connections;
	uint32_t len = from->len < most ? from->len : most;
	/* The oldest that has room. */
	uint64_t at = (uint64_t)from->head + (from->len - len);

	/*@ assert \forall integer j, k; 0 <= j <= k < from->len ==>
	  @ 	limiter_time(from, j) <= limiter_time(from, k);
	  @*/
	/*@ loop invariant 0 <= i <= len;
	  @ loop invariant from->len > 0 ==> at ==
	  @ 	from->head + (from->len - len) + i ||
	  @ 	at == from->head + (from->len - len) + i - from->len;
	  @ loop invariant \forall integer j; 0 <= j < i ==>
	  @ 	limiter->ring[j] ==
	  @ 		limiter_time(from, from->len - len + j);
	  @ loop invariant \forall integer j; 0 <= j < i ==>
	  @ 	limiter->ring[j] <= from->last_ns;
	  @ loop invariant \forall integer j, k; 0 <= j <= k < i ==>
	  @ 	limiter->ring[j] <= limiter->ring[k];
	  @ loop assigns i, at, limiter->ring[0 .. len - 1];
	  @ loop variant len - i;
	  @*/
	for (uint32_t i = 0; i < len; i++) {
		if (at >= from->len)
			at -= from->len;
		limiter->ring[i] = from->ring[at++];
	}
	limiter->head = 0;
	limiter->len = len;
	limiter->open = from->open;
	limiter->last_ns = from->last_ns;
	//@ assert limiter->len <= limiter->limits.connections;
	//@ assert limiter_storage(limiter);
	//@ assert limiter_ring(limiter);
}

enum lbp_err lbp_limiter_release(struct lbp_limiter *limiter)
{
	if (limiter->open == 0)
		return LBP_ERR_STATE;
	limiter->open--;
	return LBP_OK;
}
