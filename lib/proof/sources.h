/*
 * What is proved of sources_state.h, which includes this at its end for
 * Frama-C alone.
 */
#ifndef LBP_PROOF_SOURCES_H
#define LBP_PROOF_SOURCES_H

#include "proof/sources_hash.h"

/*@ requires \valid_read(sources) && \valid_read(source);
  @ assigns \nothing;
  @ ensures \result == bucket_of(sources, source->high, source->low);
  @ ensures \result <= sources->mask;
  @*/
uint32_t lbp_sources_bucket(
	const struct lbp_sources *sources, const struct lbp_source *source);

/*@ // All that the order works on is there, and apart.
  @ predicate order_storage(struct lbp_sources *s) =
  @ 	\valid(s) && s->held <= s->cap <= LBP_SOURCES_MAX &&
  @ 	\valid(s->places + (0 .. s->cap - 1)) &&
  @ 	\valid(s->holders + (0 .. s->cap - 1)) &&
  @ 	\valid(s->heap + (0 .. s->cap - 1)) &&
  @ 	\separated(s, s->places + (0 .. s->cap - 1),
  @ 		s->holders + (0 .. s->cap - 1),
  @ 		s->heap + (0 .. s->cap - 1));
  @
  @ // Who has places has an oldest one.
  @ predicate order_oldest{L}(struct lbp_sources *s) =
  @ 	\forall integer i; 0 <= i < s->cap && s->holders[i].at < s->held ==>
  @ 		s->holders[i].oldest < s->cap;
  @
  @ // [SRC-3]: are the oldest place p of one, and q of another with as many
  @ // places, such that the first one loses before the other one?
  @ predicate place_before{L}(
  @ 	struct lbp_sources_place *p, struct lbp_sources_place *q) =
  @ 	(!p->heard && q->heard) ||
  @ 	((p->heard <==> q->heard) && p->order < q->order);
  @
  @ // [SRC-3]: is holder x to be evicted from before holder y?
  @ predicate holder_before{L}(struct lbp_sources *s, integer x, integer y) =
  @ 	s->holders[x].taken > s->holders[y].taken ||
  @ 	(s->holders[x].taken == s->holders[y].taken && place_before(
  @ 		s->places + s->holders[x].oldest,
  @ 		s->places + s->holders[y].oldest));
  @ lemma holder_before_order{L}:
  @ 	\forall struct lbp_sources *s, integer x, y, z;
  @ 		!holder_before(s, y, x) && !holder_before(s, z, y) ==>
  @ 			!holder_before(s, z, x);
  @ lemma holder_before_strict{L}:
  @ 	\forall struct lbp_sources *s, integer x, y;
  @ 		holder_before(s, x, y) ==> !holder_before(s, y, x);
  @ // No two tickets have the same order, thus no two holders go together.
  @ lemma holder_before_total{L}:
  @ 	\forall struct lbp_sources *s, integer x, y;
  @ 		s->places[s->holders[x].oldest].order !=
  @ 		s->places[s->holders[y].oldest].order ==>
  @ 			holder_before(s, x, y) || holder_before(s, y, x);
  @
  @ // The heap is all holders, each once.
  @ predicate order_places(struct lbp_sources *s) =
  @ 	(\forall integer i; 0 <= i < s->cap ==>
  @ 		s->holders[i].at < s->cap &&
  @ 		s->heap[s->holders[i].at] == i) &&
  @ 	(\forall integer at; 0 <= at < s->cap ==>
  @ 		s->heap[at] < s->cap && s->holders[s->heap[at]].at == at);
  @
  @ // Is the place up directly above the place at?
  @ predicate heap_above(integer up, integer at) =
  @ 	0 <= up && (at == 2 * up + 1 || at == 2 * up + 2);
  @ lemma one_heap_above: \forall integer x, y, at;
  @ 	heap_above(x, at) && heap_above(y, at) ==> x == y;
  @
  @ // By the order at K what is at a place at L does not go before what is
  @ // above it.
  @ predicate heap_ordered{K,L}(struct lbp_sources *s) =
  @ 	\forall integer up, at; at < \at(s->held, L) && heap_above(up, at) ==>
  @ 		!holder_before{K}(s, \at(s->heap[at], L), \at(s->heap[up], L));
  @ // The same, but for what is at hole.
  @ predicate ordered_but{K,L}(struct lbp_sources *s, integer hole) =
  @ 	\forall integer up, at; at < \at(s->held, L) &&
  @ 		heap_above(up, at) && up != hole && at != hole ==>
  @ 		!holder_before{K}(s, \at(s->heap[at], L), \at(s->heap[up], L));
  @ // What is below hole is in order below what is above hole.
  @ predicate ordered_across{K,L}(struct lbp_sources *s, integer hole) =
  @ 	\forall integer up, at; at < \at(s->held, L) &&
  @ 		heap_above(up, hole) && heap_above(hole, at) ==>
  @ 		!holder_before{K}(s, \at(s->heap[at], L), \at(s->heap[up], L));
  @ // Holder i in hole would be in order with what is above or below.
  @ predicate ordered_above{K,L}(
  @ 	struct lbp_sources *s, integer hole, integer i) =
  @ 	\forall integer up; heap_above(up, hole) ==>
  @ 		!holder_before{K}(s, i, \at(s->heap[up], L));
  @ predicate ordered_below{K,L}(
  @ 	struct lbp_sources *s, integer hole, integer i) =
  @ 	\forall integer at; at < \at(s->held, L) && heap_above(hole, at) ==>
  @ 		!holder_before{K}(s, \at(s->heap[at], L), i);
  @
  @ // What the order is made of stays, between K and L.
  @ predicate order_keys{K,L}(struct lbp_sources *s) =
  @ 	\at(s->cap, L) == \at(s->cap, K) &&
  @ 	\at(s->heap, L) == \at(s->heap, K) &&
  @ 	\at(s->holders, L) == \at(s->holders, K) &&
  @ 	\at(s->places, L) == \at(s->places, K) &&
  @ 	(\forall integer p;
  @ 		\at(s->places[p].order, L) == \at(s->places[p].order, K) &&
  @ 		\at(s->places[p].heard, L) == \at(s->places[p].heard, K)) &&
  @ 	(\forall integer i; 0 <= i < \at(s->cap, K) ==>
  @ 		\at(s->holders[i].taken, L) == \at(s->holders[i].taken, K)) &&
  @ 	(\forall integer i; 0 <= i < \at(s->cap, K) ==>
  @ 		\at(s->holders[i].oldest, L) ==
  @ 		\at(s->holders[i].oldest, K));
  @ // And how many there are.
  @ predicate order_kept{K,L}(struct lbp_sources *s) =
  @ 	order_keys{K,L}(s) && \at(s->held, L) == \at(s->held, K);
  @ lemma kept_same{K,L}: \forall struct lbp_sources *s, integer x, y;
  @ 	order_keys{K,L}(s) && 0 <= x < \at(s->cap, K) &&
  @ 	0 <= y < \at(s->cap, K) ==>
  @ 		(holder_before{L}(s, x, y) <==> holder_before{K}(s, x, y));
  @ lemma kept_kept{J,K,L}: \forall struct lbp_sources *s;
  @ 	order_kept{J,K}(s) && order_kept{K,L}(s) ==> order_kept{J,L}(s);
  @ lemma keys_keys{J,K,L}: \forall struct lbp_sources *s;
  @ 	order_keys{J,K}(s) && order_kept{K,L}(s) ==> order_keys{J,L}(s);
  @ // What was in order by K is so by L.
  @ predicate heap_in_range{L}(struct lbp_sources *s) =
  @ 	\forall integer at; 0 <= at < s->cap ==> 0 <= s->heap[at] < s->cap;
  @ lemma places_in_range{L}: \forall struct lbp_sources *s;
  @ 	order_places(s) ==> heap_in_range(s);
  @ lemma ordered_kept{K,L}: \forall struct lbp_sources *s;
  @ 	order_keys{K,L}(s) && heap_in_range{L}(s) &&
  @ 	\at(s->held <= s->cap, L) && heap_ordered{K,L}(s) ==>
  @ 		heap_ordered{L,L}(s);
  @ lemma but_kept{K,L}: \forall struct lbp_sources *s, integer hole;
  @ 	order_keys{K,L}(s) && heap_in_range{L}(s) &&
  @ 	\at(s->held <= s->cap, L) && ordered_but{K,L}(s, hole) ==>
  @ 		ordered_but{L,L}(s, hole);
  @ lemma across_kept{K,L}: \forall struct lbp_sources *s, integer hole;
  @ 	order_keys{K,L}(s) && heap_in_range{L}(s) &&
  @ 	\at(hole < s->held <= s->cap, L) && ordered_across{K,L}(s, hole) ==>
  @ 		ordered_across{L,L}(s, hole);
  @ lemma above_kept{K,L}: \forall struct lbp_sources *s, integer hole, i;
  @ 	order_keys{K,L}(s) && heap_in_range{L}(s) &&
  @ 	\at(hole < s->held <= s->cap && 0 <= i < s->cap, L) &&
  @ 	ordered_above{K,L}(s, hole, i) ==> ordered_above{L,L}(s, hole, i);
  @
  @ lemma below_kept{K,L}: \forall struct lbp_sources *s, integer hole, i;
  @ 	order_keys{K,L}(s) && heap_in_range{L}(s) && 0 <= hole &&
  @ 	\at(s->held <= s->cap && 0 <= i < s->cap, L) &&
  @ 	ordered_below{L,L}(s, hole, i) ==> ordered_below{K,L}(s, hole, i);
  @
  @ // The same holders have places, at K and L.
  @ predicate order_held{K,L}(struct lbp_sources *s) =
  @ 	\forall integer i; 0 <= i < \at(s->cap, K) ==>
  @ 		(\at(s->holders[i].at < s->held, L) <==>
  @ 		\at(s->holders[i].at < s->held, K));
  @ lemma held_held{J,K,L}: \forall struct lbp_sources *s;
  @ 	\at(s->cap, J) == \at(s->cap, K) &&
  @ 	order_held{J,K}(s) && order_held{K,L}(s) ==> order_held{J,L}(s);
  @ // All but this one of those that had places at K have some at L.
  @ predicate held_but{K,L}(struct lbp_sources *s, integer but) =
  @ 	\forall integer i; 0 <= i < \at(s->cap, K) ==>
  @ 		(\at(s->holders[i].at < s->held, L) <==>
  @ 		i != but && \at(s->holders[i].at < s->held, K));
  @ lemma held_but_held{J,K,L}: \forall struct lbp_sources *s, integer but;
  @ 	\at(s->cap, J) == \at(s->cap, K) &&
  @ 	held_but{J,K}(s, but) && order_held{K,L}(s) ==>
  @ 		held_but{J,L}(s, but);
  @ lemma oldest_kept{K,L}: \forall struct lbp_sources *s;
  @ 	order_kept{K,L}(s) && order_held{K,L}(s) && order_oldest{K}(s) ==>
  @ 		order_oldest{L}(s);
  @*/

/*@ requires order_storage(sources) && sources->held == 0;
  @ assigns sources->heap[0 .. sources->cap - 1],
  @ 	sources->holders[0 .. sources->cap - 1].at;
  @ ensures order_storage(sources) && sources->held == 0;
  @ ensures order_places(sources);
  @*/
void lbp_sources_order_init(struct lbp_sources *sources);

/*@ requires order_storage(sources) && order_oldest(sources);
  @ requires order_places(sources) && holder < sources->cap;
  @ requires sources->holders[holder].at < sources->held;
  @ requires ordered_but{Here,Here}(sources, sources->holders[holder].at);
  @ requires ordered_across{Here,Here}(sources, sources->holders[holder].at);
  @ requires ordered_below{Here,Here}(
  @ 	sources, sources->holders[holder].at, holder);
  @ assigns sources->heap[0 .. sources->cap - 1],
  @ 	sources->holders[0 .. sources->cap - 1].at;
  @ ensures order_places(sources) && heap_ordered{Post,Post}(sources);
  @ ensures order_kept{Pre,Post}(sources) && order_held{Pre,Post}(sources);
  @*/
void lbp_sources_sooner(struct lbp_sources *sources, uint32_t holder);

/*@ requires order_storage(sources) && order_oldest(sources);
  @ requires order_places(sources) && holder < sources->cap;
  @ requires sources->holders[holder].at < sources->held;
  @ requires ordered_but{Here,Here}(sources, sources->holders[holder].at);
  @ requires ordered_across{Here,Here}(sources, sources->holders[holder].at);
  @ requires ordered_above{Here,Here}(
  @ 	sources, sources->holders[holder].at, holder);
  @ assigns sources->heap[0 .. sources->cap - 1],
  @ 	sources->holders[0 .. sources->cap - 1].at;
  @ ensures order_places(sources) && heap_ordered{Post,Post}(sources);
  @ ensures order_kept{Pre,Post}(sources) && order_held{Pre,Post}(sources);
  @*/
void lbp_sources_later(struct lbp_sources *sources, uint32_t holder);

/*@ requires order_storage(sources) && order_places(sources);
  @ requires heap_ordered{Here,Here}(sources) && sources->held < sources->cap;
  @ assigns sources->held;
  @ ensures order_storage(sources) && order_places(sources);
  @ ensures sources->held == \old(sources->held) + 1;
  @ ensures \result < sources->cap;
  @ ensures sources->holders[\result].at == \old(sources->held);
  @ ensures ordered_but{Post,Post}(sources, sources->holders[\result].at);
  @ ensures ordered_across{Post,Post}(sources, sources->holders[\result].at);
  @ ensures ordered_below{Post,Post}(
  @ 	sources, sources->holders[\result].at, \result);
  @ ensures \forall integer i; 0 <= i < sources->cap ==>
  @ 	(sources->holders[i].at < sources->held <==> i == \result ||
  @ 	\old(sources->holders[i].at < sources->held));
  @*/
uint32_t lbp_sources_hold(struct lbp_sources *sources);

/*@ requires order_storage(sources) && order_places(sources);
  @ requires holder < sources->cap;
  @ requires sources->holders[holder].at < sources->held;
  @ requires \forall integer i; 0 <= i < sources->cap && i != holder &&
  @ 	sources->holders[i].at < sources->held ==>
  @ 		sources->holders[i].oldest < sources->cap;
  @ requires ordered_but{Here,Here}(sources, sources->holders[holder].at);
  @ requires ordered_across{Here,Here}(sources, sources->holders[holder].at);
  @ assigns sources->held, sources->heap[0 .. sources->cap - 1],
  @ 	sources->holders[0 .. sources->cap - 1].at;
  @ ensures order_storage(sources) && order_oldest(sources);
  @ ensures order_places(sources) && heap_ordered{Post,Post}(sources);
  @ ensures sources->held == \old(sources->held) - 1;
  @ ensures held_but{Pre,Post}(sources, holder);
  @*/
void lbp_sources_drop(struct lbp_sources *sources, uint32_t holder);

/*@ requires order_storage(sources) && order_places(sources);
  @ requires heap_ordered{Here,Here}(sources) && sources->held > 0;
  @ assigns \nothing;
  @ ensures \result < sources->cap;
  @ ensures sources->holders[\result].at < sources->held;
  @ ensures \forall integer i; 0 <= i < sources->cap &&
  @ 	sources->holders[i].at < sources->held ==>
  @ 		!holder_before(sources, i, \result) &&
  @ 		sources->holders[i].taken <= sources->holders[\result].taken;
  @*/
uint32_t lbp_sources_first(const struct lbp_sources *sources);

#include "proof/sources_places.h"

/*@ requires places_storage(sources);
  @ assigns \nothing;
  @ ensures \result <==> has_place(sources, ticket);
  @*/
bool lbp_sources_has(
	const struct lbp_sources *sources, struct lbp_ticket ticket);

/*@ requires places_storage(sources);
  @ assigns sources->listed[0 .. sources->cap - 1],
  @ 	sources->places[0 .. sources->cap - 1].at;
  @ ensures places_storage(sources) && places_listed(sources);
  @*/
void lbp_sources_list_all(struct lbp_sources *sources);

/*@ requires places_storage(sources) && places_listed(sources);
  @ requires sources->taken < sources->cap && holder < sources->cap;
  @ requires sources->orders < UINT64_MAX;
  @ requires sources->holders[holder].taken < UINT32_MAX;
  @ requires sources->holders[holder].taken > 0 ==>
  @ 	sources->holders[holder].newest < sources->cap;
  @ assigns sources->taken, sources->orders,
  @ 	sources->places[0 .. sources->cap - 1].order,
  @ 	sources->places[0 .. sources->cap - 1].heard,
  @ 	sources->places[0 .. sources->cap - 1].holder,
  @ 	sources->places[0 .. sources->cap - 1].older,
  @ 	sources->places[0 .. sources->cap - 1].newer,
  @ 	sources->holders[holder].oldest, sources->holders[holder].newest,
  @ 	sources->holders[holder].taken;
  @ ensures places_storage(sources) && places_listed(sources);
  @ ensures sources->taken == \old(sources->taken) + 1;
  @ ensures sources->orders == \old(sources->orders) + 1;
  @ ensures is_taken(sources, \result);
  @ ensures !\old(sources->places[\result].at < sources->taken);
  @ ensures taken_kept{Pre,Post}(sources, \result);
  @ ensures tickets_kept{Pre,Post}(sources, \result);
  @ ensures sources->places[\result].order == sources->orders;
  @ ensures sources->places[\result].holder == holder;
  @ ensures !sources->places[\result].heard;
  @ ensures sources->holders[holder].newest == \result;
  @ ensures sources->holders[holder].taken ==
  @ 	\old(sources->holders[holder].taken) + 1;
  @ ensures \old(sources->holders[holder].taken) == 0 ==>
  @ 	sources->holders[holder].oldest == \result;
  @ ensures \old(sources->holders[holder].taken) > 0 ==>
  @ 	sources->holders[holder].oldest ==
  @ 		\old(sources->holders[holder].oldest);
  @*/
uint32_t lbp_sources_take(struct lbp_sources *sources, uint32_t holder);

/*@ requires places_storage(sources) && places_listed(sources);
  @ requires is_taken(sources, p);
  @ requires sources->places[p].holder < sources->cap;
  @ requires sources->holders[sources->places[p].holder].taken > 0;
  @ requires place_or_none(sources, sources->places[p].older);
  @ requires place_or_none(sources, sources->places[p].newer);
  @ assigns sources->taken, sources->listed[0 .. sources->cap - 1],
  @ 	sources->places[0 .. sources->cap - 1].at,
  @ 	sources->places[0 .. sources->cap - 1].older,
  @ 	sources->places[0 .. sources->cap - 1].newer,
  @ 	sources->holders[sources->places[p].holder].oldest,
  @ 	sources->holders[sources->places[p].holder].newest,
  @ 	sources->holders[sources->places[p].holder].taken;
  @ ensures places_storage(sources) && places_listed(sources);
  @ ensures sources->taken == \old(sources->taken) - 1;
  @ ensures !is_taken(sources, p);
  @ ensures taken_kept{Pre,Post}(sources, p);
  @ ensures tickets_kept{Pre,Post}(sources, -1);
  @ ensures sources->holders[sources->places[p].holder].taken ==
  @ 	\old(sources->holders[sources->places[p].holder].taken) - 1;
  @*/
void lbp_sources_give(struct lbp_sources *sources, uint32_t p);

#include "proof/sources_victim.h"

/*@ requires order_storage(sources) && buckets_held(sources);
  @ requires \valid_read(source);
  @ assigns \nothing;
  @ ensures \result == LBP_NONE || (is_held(sources, \result) &&
  @ 	has_source(sources, \result, source));
  @*/
uint32_t lbp_sources_find(
	const struct lbp_sources *sources, const struct lbp_source *source);

/*@ requires order_storage(sources) && order_places(sources);
  @ requires heap_ordered{Here,Here}(sources) && sources->held > 0;
  @ requires buckets_held(sources) && \valid_read(source);
  @ assigns \nothing;
  @ ensures is_held(sources, \result);
  @ ensures \forall integer i; is_held(sources, i) ==>
  @ 	sources->holders[i].taken <= sources->holders[\result].taken;
  @ ensures has_source(sources, \result, source) ||
  @ 	(\forall integer i; is_held(sources, i) ==>
  @ 		!holder_before(sources, i, \result));
  @*/
uint32_t lbp_sources_victim(
	const struct lbp_sources *sources, const struct lbp_source *source);

#endif
