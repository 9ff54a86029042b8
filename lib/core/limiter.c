#include "limiter.h"

#include <stdbool.h>

#ifdef __FRAMAC__
#include "proof/limiter_private.h"
#endif

void lbp_limiter_init(struct lbp_limiter *limiter,
	const struct lbp_limits *limits, uint64_t *ring)
{
	*limiter = (struct lbp_limiter){
		.limits = *limits, .ring = ring, .room = limits->connections};
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

/* Would an admission now be one too many in a window? */
static bool is_spent(const struct lbp_limiter *limiter, uint64_t now_ns)
{
	const struct lbp_limits *limits = &limiter->limits;
	uint64_t at;

	if (limits->connections == 0 || limiter->len < limits->connections)
		return false;
	/* The oldest of the last connections ones. */
	at = (uint64_t)limiter->head + (limiter->len - limits->connections);
	if (at >= limiter->len)
		at -= limiter->len;
	return now_ns - limiter->ring[at] < limits->window_ns;
}

/* Puts an admission into the ring; in a full one it replaces the oldest. */
static void record(struct lbp_limiter *limiter, uint64_t now_ns)
{
	if (limiter->room == 0)
		return;
	if (limiter->len < limiter->room) {
		limiter->ring[limiter->len++] = now_ns;
		return;
	}
	limiter->ring[limiter->head++] = now_ns;
	if (limiter->head == limiter->room)
		limiter->head = 0;
}

enum lbp_err lbp_limiter_admit(struct lbp_limiter *limiter, uint64_t now_ns)
{
	if (now_ns > limiter->last_ns)
		limiter->last_ns = now_ns;
	//@ assert limiter_valid(limiter);
	if (limiter->open >= cap_of(&limiter->limits))
		return LBP_ERR_CONCURRENT;
	if (is_spent(limiter, limiter->last_ns))
		return LBP_ERR_RATE;
	record(limiter, limiter->last_ns);
	limiter->open++;
	return LBP_OK;
}

void lbp_limiter_inherit(
	struct lbp_limiter *limiter, const struct lbp_limiter *from)
{
	uint32_t most = limiter->room;
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
	//@ ghost Copied: ;
	limiter->head = 0;
	limiter->len = len;
	limiter->open = from->open;
	limiter->last_ns = from->last_ns;
	//@ assert limiter->limits.connections <= limiter->room;
	//@ assert limiter->len <= limiter->room;
	/*@ assert \forall integer i; 0 <= i < limiter->len ==>
	  @ 	limiter->ring[i] <= limiter->last_ns;
	  @*/
	/*@ assert \forall integer i, j; 0 <= i <= j < limiter->len ==>
	  @ 	limiter->ring[i] <= limiter->ring[j];
	  @*/
	//@ assert limiter_storage(limiter);
	//@ assert limiter_ring(limiter);
	/*@ assert from->ring == \at(from->ring, Copied) &&
	  @ 	from->head == \at(from->head, Copied) &&
	  @ 	from->len == \at(from->len, Copied);
	  @*/
	/*@ assert \forall integer i; 0 <= i < from->len ==>
	  @ 	from->ring[i] == \at(from->ring[i], Copied);
	  @*/
	/*@ assert \forall integer i; 0 <= i < from->len ==>
	  @ 	limiter_time(from, i) == limiter_time{Copied}(from, i);
	  @*/
	/*@ assert \forall integer i; 0 <= i < len ==>
	  @ 	limiter->ring[i] == limiter_time(from, from->len - len + i);
	  @*/
}

void lbp_limiter_set_limits(
	struct lbp_limiter *limiter, const struct lbp_limits *limits)
{
	limiter->limits = *limits;
}

enum lbp_err lbp_limiter_release(struct lbp_limiter *limiter)
{
	if (limiter->open == 0)
		return LBP_ERR_STATE;
	limiter->open--;
	return LBP_OK;
}
