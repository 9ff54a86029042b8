/*
 * A set of upstreams by their numbers: those that a session has tried.
 */
#ifndef LBP_TRIED_H
#define LBP_TRIED_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

LBP_BEGIN_DECLS

/* Its size in bytes, one bit for each: upstream i is bit i % 8 of byte i / 8.
 */
#define LBP_TRIED_BYTES(upstream_len) (((upstream_len) + 7u) / 8u)

/*@ // Is upstream i in the set?
  @ predicate tried_bit(uint8_t *tried, integer i) =
  @ 	(tried[i / 8] >> (i % 8) & 1) != 0;
  @ // A shifted bit does not leave its word.
  @ lemma bit_stays: \forall integer i; 0 <= i < 32 ==>
  @ 	(uint32_t)(1 << i) == 1 << i;
  @ lemma bit_fits: \forall integer i; 0 <= i < 32 ==>
  @ 	1 << i <= UINT32_MAX;
  @*/

/* Is upstream i in the set? */
/*@ requires \valid_read(tried + i / 8);
  @ assigns \nothing;
  @ ensures \result <==> tried_bit(tried, i);
  @*/
static inline bool lbp_tried_has(const uint8_t *tried, uint32_t i)
{
	return (tried[i / 8] >> (i % 8) & 1) != 0;
}

/* Puts upstream i into the set. */
/*@ requires \valid(tried + i / 8);
  @ assigns tried[i / 8];
  @ ensures tried_bit(tried, i);
  @ ensures \forall integer j; 0 <= j && j != i ==>
  @ 	(tried_bit(tried, j) <==> \old(tried_bit(tried, j)));
  @*/
static inline void lbp_tried_add(uint8_t *tried, uint32_t i)
{
	tried[i / 8] = (uint8_t)(tried[i / 8] | 1u << (i % 8));
}

/* Takes an upstream out of a set. */
/*@ requires \valid(tried + i / 8);
  @ assigns tried[i / 8];
  @ ensures !tried_bit(tried, i);
  @ ensures \forall integer j; 0 <= j && j != i ==>
  @ 	(tried_bit(tried, j) <==> \old(tried_bit(tried, j)));
  @*/
static inline void lbp_tried_remove(uint8_t *tried, uint32_t i)
{
	tried[i / 8] = (uint8_t)(tried[i / 8] & ~(uint8_t)(1u << (i % 8)));
}

LBP_END_DECLS

#endif
