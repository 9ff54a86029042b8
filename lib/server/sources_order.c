#include "server/sources_state.h"

/*@ requires order_storage(sources) && order_oldest(sources);
  @ requires a < sources->cap && sources->holders[a].at < sources->held;
  @ requires b < sources->cap && sources->holders[b].at < sources->held;
  @ assigns \nothing;
  @ ensures \result <==> holder_before(sources, a, b);
  @*/
bool lbp_sources_before(
	const struct lbp_sources *sources, uint32_t a, uint32_t b)
{
	const struct lbp_sources_holder *x = &sources->holders[a];
	const struct lbp_sources_holder *y = &sources->holders[b];
	const struct lbp_sources_place *p = &sources->places[x->oldest];
	const struct lbp_sources_place *q = &sources->places[y->oldest];

	if (x->taken != y->taken)
		return x->taken > y->taken;
	return p->heard != q->heard ? q->heard : p->order < q->order;
}

/*@ // All holders but i are in their places, which are not hole.
  @ predicate places_but(struct lbp_sources *s, integer hole, integer i) =
  @ 	(\forall integer j; 0 <= j < s->cap && j != i ==>
  @ 		s->holders[j].at < s->cap && s->holders[j].at != hole &&
  @ 		s->heap[s->holders[j].at] == j) &&
  @ 	(\forall integer at; 0 <= at < s->cap && at != hole ==>
  @ 		s->heap[at] < s->cap && s->heap[at] != i &&
  @ 		s->holders[s->heap[at]].at == at);
  @
  @ // Between K and L a holder came to a place.
  @ predicate came_to{K,L}(struct lbp_sources *s, integer to, integer i) =
  @ 	\at(s->heap, L) == \at(s->heap, K) &&
  @ 	\at(s->holders, L) == \at(s->holders, K) &&
  @ 	\at(s->cap, L) == \at(s->cap, K) &&
  @ 	\at(s->held, L) == \at(s->held, K) &&
  @ 	0 <= to < \at(s->cap, K) && 0 <= i < \at(s->cap, K) &&
  @ 	\at(s->heap[to], L) == i && \at(s->holders[i].at, L) == to &&
  @ 	(\forall integer at; 0 <= at < \at(s->cap, K) && at != to ==>
  @ 		\at(s->heap[at], L) == \at(s->heap[at], K)) &&
  @ 	(\forall integer j; 0 <= j < \at(s->cap, K) && j != i ==>
  @ 		\at(s->holders[j].at, L) == \at(s->holders[j].at, K));
  @ // It fills the hole, or leaves another one where it was.
  @ lemma came_places{K,L}: \forall struct lbp_sources *s, integer to, i;
  @ 	came_to{K,L}(s, to, i) && places_but{K}(s, to, i) ==>
  @ 		order_places{L}(s);
  @ lemma came_but{K,L}: \forall struct lbp_sources *s, integer to, i, but;
  @ 	came_to{K,L}(s, to, i) && places_but{K}(s, to, but) && i != but ==>
  @ 		places_but{L}(s, \at(s->holders[i].at, K), but);
  @ lemma came_held{K,L}: \forall struct lbp_sources *s, integer to, i;
  @ 	came_to{K,L}(s, to, i) && to < \at(s->held, K) &&
  @ 	\at(s->holders[i].at < s->held, K) ==> order_held{K,L}(s);
  @
  @ // What was above the hole comes down into it, by the order at J.
  @ lemma up_but{J,K,L}: \forall struct lbp_sources *s, integer up, hole;
  @ 	came_to{K,L}(s, hole, \at(s->heap[up], K)) &&
  @ 	heap_above(up, hole) && \at(s->held <= s->cap, K) &&
  @ 	ordered_but{J,K}(s, hole) && ordered_across{J,K}(s, hole) ==>
  @ 		ordered_but{J,L}(s, up);
  @ lemma up_across{J,K,L}: \forall struct lbp_sources *s, integer up, hole;
  @ 	came_to{K,L}(s, hole, \at(s->heap[up], K)) &&
  @ 	heap_above(up, hole) && \at(hole < s->held <= s->cap, K) &&
  @ 	ordered_but{J,K}(s, hole) ==> ordered_across{J,L}(s, up);
  @ lemma up_below{J,K,L}: \forall struct lbp_sources *s,
  @ 	integer up, hole, moving;
  @ 	came_to{K,L}(s, hole, \at(s->heap[up], K)) &&
  @ 	heap_above(up, hole) && \at(s->held <= s->cap, K) &&
  @ 	ordered_but{J,K}(s, hole) &&
  @ 	holder_before{J}(s, moving, \at(s->heap[up], K)) ==>
  @ 		ordered_below{J,L}(s, up, moving);
  @
  @ // What was below the hole comes up into it.
  @ lemma down_but{J,K,L}: \forall struct lbp_sources *s, integer hole, at;
  @ 	came_to{K,L}(s, hole, \at(s->heap[at], K)) &&
  @ 	heap_above(hole, at) && \at(at < s->held <= s->cap, K) &&
  @ 	ordered_but{J,K}(s, hole) && ordered_across{J,K}(s, hole) &&
  @ 	ordered_below{J,K}(s, hole, \at(s->heap[at], K)) ==>
  @ 		ordered_but{J,L}(s, at);
  @ lemma down_across{J,K,L}: \forall struct lbp_sources *s,
  @ 	integer hole, at;
  @ 	came_to{K,L}(s, hole, \at(s->heap[at], K)) &&
  @ 	heap_above(hole, at) && \at(at < s->held <= s->cap, K) &&
  @ 	ordered_but{J,K}(s, hole) ==> ordered_across{J,L}(s, at);
  @ lemma down_above{J,K,L}: \forall struct lbp_sources *s,
  @ 	integer hole, at, moving;
  @ 	came_to{K,L}(s, hole, \at(s->heap[at], K)) &&
  @ 	heap_above(hole, at) && \at(at < s->held <= s->cap, K) &&
  @ 	holder_before{J}(s, \at(s->heap[at], K), moving) ==>
  @ 		ordered_above{J,L}(s, at, moving);
  @ lemma below_below{J,K}: \forall struct lbp_sources *s,
  @ 	integer hole, i, moving;
  @ 	ordered_below{J,K}(s, hole, i) && !holder_before{J}(s, i, moving) ==>
  @ 		ordered_below{J,K}(s, hole, moving);
  @
  @ // Who moves fills the hole.
  @ lemma fill_but{J,K,L}: \forall struct lbp_sources *s, integer hole, i;
  @ 	came_to{K,L}(s, hole, i) && \at(s->held <= s->cap, K) &&
  @ 	ordered_but{J,K}(s, hole) ==> ordered_but{J,L}(s, hole);
  @ lemma fill_across{J,K,L}: \forall struct lbp_sources *s,
  @ 	integer hole, i;
  @ 	came_to{K,L}(s, hole, i) && \at(hole < s->held <= s->cap, K) &&
  @ 	ordered_across{J,K}(s, hole) ==> ordered_across{J,L}(s, hole);
  @ lemma fill_ordered{J,K,L}: \forall struct lbp_sources *s,
  @ 	integer hole, i;
  @ 	came_to{K,L}(s, hole, i) && \at(hole < s->held <= s->cap, K) &&
  @ 	ordered_but{J,K}(s, hole) && ordered_above{J,K}(s, hole, i) &&
  @ 	ordered_below{J,K}(s, hole, i) ==> heap_ordered{J,L}(s);
  @
  @ // Somebody comes to a place where none is held.
  @ lemma out_but{J,K,L}: \forall struct lbp_sources *s, integer to, hole, i;
  @ 	came_to{K,L}(s, to, i) && \at(s->held, K) <= to &&
  @ 	ordered_but{J,K}(s, hole) ==> ordered_but{J,L}(s, hole);
  @ lemma out_across{J,K,L}: \forall struct lbp_sources *s,
  @ 	integer to, hole, i;
  @ 	came_to{K,L}(s, to, i) && \at(hole < s->held, K) &&
  @ 	\at(s->held, K) <= to &&
  @ 	ordered_across{J,K}(s, hole) ==> ordered_across{J,L}(s, hole);
  @ lemma last_ordered{J,K}: \forall struct lbp_sources *s;
  @ 	ordered_but{J,K}(s, \at(s->held, K)) ==> heap_ordered{J,K}(s);
  @
  @ lemma one_out{L}: \forall struct lbp_sources *s, integer at;
  @ 	order_places(s) && 0 <= at < s->cap ==> places_but(s, at, s->heap[at]);
  @ lemma in_place{L}: \forall struct lbp_sources *s, integer hole, i, at;
  @ 	places_but(s, hole, i) && 0 <= at < s->cap && at != hole ==>
  @ 		s->holders[s->heap[at]].at == at;
  @*/

/*@ requires order_storage(sources);
  @ requires at < sources->cap && holder < sources->cap;
  @ assigns sources->heap[0 .. sources->cap - 1],
  @ 	sources->holders[0 .. sources->cap - 1].at;
  @ ensures order_storage(sources);
  @ ensures order_kept{Pre,Post}(sources);
  @ ensures came_to{Pre,Post}(sources, at, holder);
  @ ensures \old(heap_in_range(sources)) ==> heap_in_range(sources);
  @*/
static void put(struct lbp_sources *sources, uint32_t at, uint32_t holder)
{
	sources->heap[at] = holder;
	sources->holders[holder].at = at;
	/*@ assert \forall integer i; 0 <= i < sources->cap ==>
	  @ 	sources->holders[i].taken == \at(sources->holders[i].taken, Pre);
	  @*/
	/*@ assert \forall integer i; 0 <= i < sources->cap ==>
	  @ 	sources->holders[i].oldest ==
	  @ 		\at(sources->holders[i].oldest, Pre);
	  @*/
	//@ assert order_keys{Pre,Here}(sources);
	//@ assert order_kept{Pre,Here}(sources);
}

void lbp_sources_order_init(struct lbp_sources *sources)
{
	/*@ loop invariant i <= sources->cap && order_storage(sources);
	  @ loop invariant order_kept{Pre,Here}(sources);
	  @ loop invariant \forall integer j; 0 <= j < i ==>
	  @ 	sources->heap[j] == j;
	  @ loop invariant \forall integer j; 0 <= j < i ==>
	  @ 	sources->holders[j].at == j;
	  @ loop assigns i,
	  @ 	\at(sources->heap, Pre)[0 .. \at(sources->cap, Pre) - 1],
	  @ 	\at(sources->holders, Pre)
	  @ 		[0 .. \at(sources->cap, Pre) - 1].at;
	  @ loop variant sources->cap - i;
	  @*/
	for (uint32_t i = 0; i < sources->cap; i++)
		put(sources, i, i);
}

/* The place above a place that is not the root. */
/*@ requires at > 0;
  @ assigns \nothing;
  @ ensures \result < at && heap_above(\result, at);
  @*/
static uint32_t place_above(uint32_t at)
{
	return (at - 1) / 2;
}

/* Moves what is at a place up to where it may be; returns that place. */
/*@ requires order_storage(sources) && order_oldest(sources);
  @ requires order_places(sources) && at < sources->held;
  @ requires ordered_but{Here,Here}(sources, at);
  @ requires ordered_across{Here,Here}(sources, at);
  @ assigns sources->heap[0 .. sources->cap - 1],
  @ 	sources->holders[0 .. sources->cap - 1].at;
  @ ensures order_storage(sources) && order_oldest(sources);
  @ ensures order_kept{Pre,Post}(sources) && order_places(sources);
  @ ensures order_held{Pre,Post}(sources);
  @ ensures \result < sources->held;
  @ ensures sources->heap[\result] == \old(sources->heap[at]);
  @ ensures ordered_but{Pre,Post}(sources, \result);
  @ ensures ordered_across{Pre,Post}(sources, \result);
  @ ensures ordered_above{Pre,Post}(sources, \result, sources->heap[\result]);
  @ ensures \old(ordered_below{Pre,Pre}(sources, at, sources->heap[at])) ==>
  @ 	heap_ordered{Pre,Post}(sources);
  @*/
static uint32_t sift_up(struct lbp_sources *sources, uint32_t at)
{
	uint32_t moving = sources->heap[at];

	/*@ assert moving < sources->cap &&
	  @ 	sources->holders[moving].at < sources->held;
	  @*/
	/*@ loop invariant order_storage(sources) && at < sources->held;
	  @ loop invariant order_kept{Pre,Here}(sources);
	  @ loop invariant order_held{Pre,Here}(sources);
	  @ loop invariant order_oldest(sources);
	  @ loop invariant heap_in_range(sources);
	  @ loop invariant places_but(sources, at, moving);
	  @ loop invariant ordered_but{Pre,Here}(sources, at);
	  @ loop invariant ordered_across{Pre,Here}(sources, at);
	  @ loop invariant at != \at(at, Pre) ||
	  @ 	ordered_below{Pre,Pre}(sources, \at(at, Pre), moving) ==>
	  @ 		ordered_below{Pre,Here}(sources, at, moving);
	  @ loop assigns at,
	  @ 	\at(sources->heap, Pre)[0 .. \at(sources->cap, Pre) - 1],
	  @ 	\at(sources->holders, Pre)
	  @ 		[0 .. \at(sources->cap, Pre) - 1].at;
	  @ loop variant at;
	  @*/
	while (at > 0) {
		uint32_t above = place_above(at);

		//@ assert above < at < sources->held <= sources->cap;
		/*@ assert sources->holders[sources->heap[above]].at == above;
		  @*/
		/*@ assert
		  @ 	holder_before(sources, moving, sources->heap[above]) <==>
		  @ 	holder_before{Pre}(
		  @ 		sources, moving, sources->heap[above]);
		  @*/
		if (!lbp_sources_before(sources, moving, sources->heap[above]))
			break;
		put(sources, at, sources->heap[above]);
		at = above;
	}
	put(sources, at, moving);
	return at;
}

/* The place below that goes first; the place itself if there is none. */
/*@ requires order_storage(sources) && order_oldest(sources);
  @ requires at < sources->held;
  @ requires \forall integer j; at < j < sources->held ==>
  @ 	sources->heap[j] < sources->cap &&
  @ 	sources->holders[sources->heap[j]].at < sources->held;
  @ assigns \nothing;
  @ ensures \result == at ==> 2 * at + 1 >= sources->held;
  @ ensures \result != at ==> \result < sources->held &&
  @ 	heap_above(at, \result) &&
  @ 	ordered_below{Here,Here}(sources, at, sources->heap[\result]);
  @*/
static uint32_t first_below(const struct lbp_sources *sources, uint32_t at)
{
	uint32_t child = 2 * at + 1;

	if (child >= sources->held)
		return at;
	if (child + 1 < sources->held &&
		lbp_sources_before(sources, sources->heap[child + 1],
			sources->heap[child]))
		child++;
	return child;
}

/* Moves what is at a place down to where it may be. */
/*@ requires order_storage(sources) && order_oldest(sources);
  @ requires order_places(sources) && at < sources->held;
  @ requires ordered_but{Here,Here}(sources, at);
  @ requires ordered_across{Here,Here}(sources, at);
  @ requires ordered_above{Here,Here}(sources, at, sources->heap[at]);
  @ assigns sources->heap[0 .. sources->cap - 1],
  @ 	sources->holders[0 .. sources->cap - 1].at;
  @ ensures order_storage(sources) && order_oldest(sources);
  @ ensures order_kept{Pre,Post}(sources) && order_places(sources);
  @ ensures order_held{Pre,Post}(sources);
  @ ensures heap_ordered{Pre,Post}(sources);
  @*/
static void sift_down(struct lbp_sources *sources, uint32_t at)
{
	uint32_t moving = sources->heap[at];

	/*@ assert moving < sources->cap &&
	  @ 	sources->holders[moving].at < sources->held;
	  @*/
	/*@ loop invariant order_storage(sources) && at < sources->held;
	  @ loop invariant order_kept{Pre,Here}(sources);
	  @ loop invariant order_held{Pre,Here}(sources);
	  @ loop invariant order_oldest(sources);
	  @ loop invariant heap_in_range(sources);
	  @ loop invariant places_but(sources, at, moving);
	  @ loop invariant ordered_but{Pre,Here}(sources, at);
	  @ loop invariant ordered_across{Pre,Here}(sources, at);
	  @ loop invariant ordered_above{Pre,Here}(sources, at, moving);
	  @ loop assigns at,
	  @ 	\at(sources->heap, Pre)[0 .. \at(sources->cap, Pre) - 1],
	  @ 	\at(sources->holders, Pre)
	  @ 		[0 .. \at(sources->cap, Pre) - 1].at;
	  @ loop variant sources->held - at;
	  @*/
	for (;;) {
		uint32_t child = first_below(sources, at);

		/*@ assert
		  @ 	holder_before(sources, sources->heap[child], moving) <==>
		  @ 	holder_before{Pre}(
		  @ 		sources, sources->heap[child], moving);
		  @*/
		/*@ assert child != at ==> ordered_below{Pre,Here}(
		  @ 	sources, at, sources->heap[child]);
		  @*/
		if (child == at || !lbp_sources_before(sources,
					   sources->heap[child], moving))
			break;
		put(sources, at, sources->heap[child]);
		at = child;
	}
	put(sources, at, moving);
}

void lbp_sources_sooner(struct lbp_sources *sources, uint32_t holder)
{
	/*@ assert
	  @ 	sources->heap[sources->holders[holder].at] == holder;
	  @*/
	sift_up(sources, sources->holders[holder].at);
	//@ assert heap_in_range(sources);
}

void lbp_sources_later(struct lbp_sources *sources, uint32_t holder)
{
	/*@ assert
	  @ 	sources->heap[sources->holders[holder].at] == holder;
	  @*/
	sift_down(sources, sources->holders[holder].at);
	//@ assert heap_in_range(sources);
}

uint32_t lbp_sources_hold(struct lbp_sources *sources)
{
	return sources->heap[sources->held++];
}

void lbp_sources_drop(struct lbp_sources *sources, uint32_t holder)
{
	uint32_t at = sources->holders[holder].at;
	uint32_t last = sources->heap[--sources->held];

	//@ assert order_places(sources);
	//@ assert heap_in_range(sources);
	//@ assert order_storage(sources) && order_keys{Pre,Here}(sources);
	//@ assert ordered_but{Pre,Here}(sources, at);
	//@ assert ordered_across{Pre,Here}(sources, at);
	//@ assert places_but(sources, sources->held, last);
	put(sources, sources->held, holder);
	//@ assert ordered_but{Pre,Here}(sources, at);
	if (last == holder) {
		//@ assert heap_ordered{Pre,Here}(sources);
		//@ assert held_but{Pre,Here}(sources, holder);
		return;
	}
	//@ assert places_but(sources, at, last);
	//@ assert ordered_across{Pre,Here}(sources, at);
	put(sources, at, last);
	//@ assert order_places(sources) && order_keys{Pre,Here}(sources);
	//@ assert held_but{Pre,Here}(sources, holder);
	//@ assert order_oldest(sources);
	/*@ assert ordered_but{Pre,Here}(sources, at) &&
	  @ 	ordered_across{Pre,Here}(sources, at);
	  @*/
	at = sift_up(sources, at);
	//@ assert held_but{Pre,Here}(sources, holder);
	//@ assert heap_in_range(sources);
	sift_down(sources, at);
	//@ assert held_but{Pre,Here}(sources, holder);
	//@ assert heap_in_range(sources);
}

/* By induction: what is above a place does not go after it. */
/*@ ghost
  /@ requires order_storage(sources) && order_places(sources);
   @ requires heap_ordered{Here,Here}(sources) && sources->held > 0;
   @ assigns \nothing;
   @ ensures \forall integer p; 0 <= p < sources->held ==>
   @ 	!holder_before(sources, sources->heap[p], sources->heap[0]);
   @/
  static void root_is_first(const struct lbp_sources *sources)
  {
	/@ loop invariant 1 <= p <= sources->held;
	 @ loop invariant \forall integer q; 0 <= q < p ==>
	 @ 	!holder_before(sources, sources->heap[q], sources->heap[0]);
	 @ loop assigns p;
	 @ loop variant sources->held - p;
	 @/
	for (uint32_t p = 1; p < sources->held; p++)
		/@ assert heap_above((p - 1) / 2, p); @/
		;
  }
*/

uint32_t lbp_sources_first(const struct lbp_sources *sources)
{
	//@ ghost root_is_first(sources);
	return sources->heap[0];
}
