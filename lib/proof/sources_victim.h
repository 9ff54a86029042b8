/* What a search by source walks through. Read by the proofs alone. */
#ifndef LBP_PROOF_SOURCES_VICTIM_H
#define LBP_PROOF_SOURCES_VICTIM_H

/*@ predicate is_held{L}(struct lbp_sources *s, integer i) =
  @ 	0 <= i < s->cap && s->holders[i].at < s->held;
  @
  @ // Buckets begin and go on with holders that have a place, or end.
  @ predicate buckets_held{L}(struct lbp_sources *s) =
  @ 	\valid_read(s->buckets + (0 .. s->mask)) &&
  @ 	(\forall integer b; 0 <= b <= s->mask ==>
  @ 		s->buckets[b] == LBP_NONE || is_held(s, s->buckets[b])) &&
  @ 	(\forall integer i; is_held(s, i) ==>
  @ 		s->holders[i].next == LBP_NONE ||
  @ 		is_held(s, s->holders[i].next));
  @
  @ predicate has_source{L}(
  @ 	struct lbp_sources *s, integer i, struct lbp_source *source) =
  @ 	s->holders[i].source.high == source->high &&
  @ 	s->holders[i].source.low == source->low;
  @*/

#endif
