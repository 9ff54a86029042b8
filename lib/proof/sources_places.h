/*
 * What holds of places: all are listed, those that are taken first. Read by
 * the proofs alone.
 */
#ifndef LBP_PROOF_SOURCES_PLACES_H
#define LBP_PROOF_SOURCES_PLACES_H

/*@ // All that places are kept in is there, and apart.
  @ predicate places_storage(struct lbp_sources *s) =
  @ 	\valid(s) && s->taken <= s->cap <= LBP_SOURCES_MAX &&
  @ 	\valid(s->places + (0 .. s->cap - 1)) &&
  @ 	\valid(s->holders + (0 .. s->cap - 1)) &&
  @ 	\valid(s->listed + (0 .. s->cap - 1)) &&
  @ 	\separated(s, s->places + (0 .. s->cap - 1),
  @ 		s->holders + (0 .. s->cap - 1),
  @ 		s->listed + (0 .. s->cap - 1));
  @
  @ // The list is all places, each once.
  @ predicate places_listed(struct lbp_sources *s) =
  @ 	(\forall integer p; 0 <= p < s->cap ==>
  @ 		s->places[p].at < s->cap &&
  @ 		s->listed[s->places[p].at] == p) &&
  @ 	(\forall integer at; 0 <= at < s->cap ==>
  @ 		s->listed[at] < s->cap &&
  @ 		s->places[s->listed[at]].at == at);
  @
  @ // They stay where they are, and as many.
  @ predicate places_kept{K,L}(struct lbp_sources *s) =
  @ 	\at(s->cap, L) == \at(s->cap, K) &&
  @ 	\at(s->places, L) == \at(s->places, K) &&
  @ 	\at(s->holders, L) == \at(s->holders, K) &&
  @ 	\at(s->listed, L) == \at(s->listed, K);
  @
  @ // It stays, between K and L.
  @ predicate list_kept{K,L}(struct lbp_sources *s) =
  @ 	places_kept{K,L}(s) && \at(s->taken, L) == \at(s->taken, K) &&
  @ 	(\forall integer p; 0 <= p < \at(s->cap, K) ==>
  @ 		\at(s->places[p].at, L) == \at(s->places[p].at, K)) &&
  @ 	(\forall integer at; 0 <= at < \at(s->cap, K) ==>
  @ 		\at(s->listed[at], L) == \at(s->listed[at], K));
  @ lemma listed_kept{K,L}: \forall struct lbp_sources *s;
  @ 	list_kept{K,L}(s) && places_listed{K}(s) ==> places_listed{L}(s);
  @
  @ predicate is_taken{L}(struct lbp_sources *s, integer p) =
  @ 	0 <= p < s->cap && s->places[p].at < s->taken;
  @
  @ // [SRC-5]: has this ticket its place still?
  @ predicate has_place{L}(struct lbp_sources *s, struct lbp_ticket ticket) =
  @ 	is_taken(s, ticket.place) &&
  @ 	s->places[ticket.place].order == ticket.order;
  @
  @ // An end of a list, or what comes next in it.
  @ predicate place_or_none{L}(struct lbp_sources *s, integer p) =
  @ 	p == LBP_NONE || 0 <= p < s->cap;
  @
  @ // The same places but one are taken between K and L, by the same holders
  @ // with the same tickets.
  @ predicate taken_kept{K,L}(struct lbp_sources *s, integer but) =
  @ 	\forall integer p; 0 <= p < \at(s->cap, K) && p != but ==>
  @ 		(is_taken{L}(s, p) <==> is_taken{K}(s, p));
  @ predicate tickets_kept{K,L}(struct lbp_sources *s, integer but) =
  @ 	\forall integer p; 0 <= p < \at(s->cap, K) && p != but ==>
  @ 		\at(s->places[p].holder, L) == \at(s->places[p].holder, K) &&
  @ 		\at(s->places[p].order, L) == \at(s->places[p].order, K) &&
  @ 		\at(s->places[p].heard, L) == \at(s->places[p].heard, K);
  @ lemma taken_twice{J,K,L}: \forall struct lbp_sources *s, integer but;
  @ 	places_kept{J,K}(s) && taken_kept{J,K}(s, -1) &&
  @ 	taken_kept{K,L}(s, but) ==> taken_kept{J,L}(s, but);
  @ lemma tickets_twice{J,K,L}: \forall struct lbp_sources *s, integer but;
  @ 	places_kept{J,K}(s) && tickets_kept{J,K}(s, -1) &&
  @ 	tickets_kept{K,L}(s, but) ==> tickets_kept{J,L}(s, but);
  @*/

#endif
