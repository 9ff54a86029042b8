/*
 * What is proved of tried.h, which includes this for Frama-C alone.
 */
#ifndef LBP_PROOF_TRIED_H
#define LBP_PROOF_TRIED_H

/*@ // Is upstream i in the set?
  @ predicate tried_bit(uint8_t *tried, integer i) =
  @ 	(tried[i / 8] >> (i % 8) & 1) != 0;
  @ // A shifted bit does not leave its word.
  @ lemma bit_stays: \forall integer i; 0 <= i < 32 ==>
  @ 	(uint32_t)(1 << i) == 1 << i;
  @ lemma bit_fits: \forall integer i; 0 <= i < 32 ==>
  @ 	1 << i <= UINT32_MAX;
  @*/

/*@ requires \valid_read(tried + i / 8);
  @ assigns \nothing;
  @ ensures \result <==> tried_bit(tried, i);
  @*/
static inline bool lbp_tried_has(const uint8_t *tried, uint32_t i);

/*@ requires \valid(tried + i / 8);
  @ assigns tried[i / 8];
  @ ensures tried_bit(tried, i);
  @ ensures \forall integer j; 0 <= j && j != i ==>
  @ 	(tried_bit(tried, j) <==> \old(tried_bit(tried, j)));
  @*/
static inline void lbp_tried_add(uint8_t *tried, uint32_t i);

/*@ requires \valid(tried + i / 8);
  @ assigns tried[i / 8];
  @ ensures !tried_bit(tried, i);
  @ ensures \forall integer j; 0 <= j && j != i ==>
  @ 	(tried_bit(tried, j) <==> \old(tried_bit(tried, j)));
  @*/
static inline void lbp_tried_remove(uint8_t *tried, uint32_t i);

#endif
