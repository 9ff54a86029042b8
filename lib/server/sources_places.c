#include "server/sources_state.h"

bool lbp_sources_has(
	const struct lbp_sources *sources, struct lbp_ticket ticket)
{
	const struct lbp_sources_place *place;

	if (ticket.place >= sources->cap)
		return false;
	place = &sources->places[ticket.place];
	return place->at < sources->taken && place->order == ticket.order;
}

/* --- the list of all places ---------------------------------------------- */

/*@ requires places_storage(sources);
  @ requires at < sources->cap && place < sources->cap;
  @ assigns sources->listed[at], sources->places[place].at;
  @ ensures sources->listed[at] == place && sources->places[place].at == at;
  @*/
static void list(struct lbp_sources *sources, uint32_t at, uint32_t place)
{
	sources->listed[at] = place;
	sources->places[place].at = at;
}

void lbp_sources_list_all(struct lbp_sources *sources)
{
	/*@ loop invariant i <= sources->cap && places_storage(sources);
	  @ loop invariant \forall integer j; 0 <= j < i ==>
	  @ 	sources->listed[j] == j;
	  @ loop invariant \forall integer j; 0 <= j < i ==>
	  @ 	sources->places[j].at == j;
	  @ loop assigns i,
	  @ 	\at(sources->listed, Pre)[0 .. \at(sources->cap, Pre) - 1],
	  @ 	\at(sources->places, Pre)
	  @ 		[0 .. \at(sources->cap, Pre) - 1].at;
	  @ loop variant sources->cap - i;
	  @*/
	for (uint32_t i = 0; i < sources->cap; i++)
		list(sources, i, i);
}

/* The first free place is the last one that is taken. */
/*@ requires places_storage(sources) && places_listed(sources);
  @ requires sources->taken < sources->cap;
  @ assigns sources->taken;
  @ ensures places_storage(sources) && places_listed(sources);
  @ ensures sources->taken == \old(sources->taken) + 1;
  @ ensures is_taken(sources, \result);
  @ ensures !\old(sources->places[\result].at < sources->taken);
  @ ensures taken_kept{Pre,Post}(sources, \result);
  @*/
static uint32_t enlist(struct lbp_sources *sources)
{
	return sources->listed[sources->taken++];
}

/* A place that was taken is the first that is free. */
/*@ requires places_storage(sources) && places_listed(sources);
  @ requires is_taken(sources, p);
  @ assigns sources->taken, sources->listed[0 .. sources->cap - 1],
  @ 	sources->places[0 .. sources->cap - 1].at;
  @ ensures places_storage(sources) && places_listed(sources);
  @ ensures sources->taken == \old(sources->taken) - 1;
  @ ensures !is_taken(sources, p);
  @ ensures taken_kept{Pre,Post}(sources, p);
  @ ensures places_kept{Pre,Post}(sources);
  @ ensures tickets_kept{Pre,Post}(sources, -1);
  @ ensures \forall integer i; 0 <= i < sources->cap ==>
  @ 	sources->holders[i].taken == \old(sources->holders[i].taken);
  @*/
static void unlist(struct lbp_sources *sources, uint32_t p)
{
	uint32_t last = sources->listed[--sources->taken];

	list(sources, sources->places[p].at, last);
	list(sources, sources->taken, p);
	/*@ assert \forall integer q; 0 <= q < sources->cap && q != p &&
	  @ 	q != last ==>
	  @ 		sources->places[q].at == \at(sources->places[q].at, Pre);
	  @*/
	/*@ assert \forall integer at; 0 <= at < sources->cap &&
	  @ 	at != \at(sources->places[p].at, Pre) &&
	  @ 	at != sources->taken ==>
	  @ 		sources->listed[at] == \at(sources->listed[at], Pre);
	  @*/
	/*@ assert last != p ==>
	  @ 	sources->places[last].at == \at(sources->places[p].at, Pre) &&
	  @ 	sources->listed[\at(sources->places[p].at, Pre)] == last;
	  @*/
	//@ assert places_storage(sources);
	/*@ assert sources->places[p].at == sources->taken &&
	  @ 	sources->listed[sources->taken] == p;
	  @*/
	/*@ assert \forall integer q; 0 <= q < sources->cap ==>
	  @ 	sources->places[q].at < sources->cap &&
	  @ 	sources->listed[sources->places[q].at] == q;
	  @*/
	/*@ assert \forall integer at; 0 <= at < sources->cap ==>
	  @ 	sources->listed[at] < sources->cap &&
	  @ 	sources->places[sources->listed[at]].at == at;
	  @*/
}

/* --- the lists of the holders -------------------------------------------- */

/*@ requires places_storage(sources) && p < sources->cap;
  @ requires holder < sources->cap && sources->orders < UINT64_MAX;
  @ requires sources->holders[holder].taken < UINT32_MAX;
  @ requires sources->holders[holder].taken > 0 ==>
  @ 	sources->holders[holder].newest < sources->cap;
  @ assigns sources->orders, sources->places[p].order,
  @ 	sources->places[p].heard, sources->places[p].holder,
  @ 	sources->places[p].older,
  @ 	sources->places[0 .. sources->cap - 1].newer,
  @ 	sources->holders[holder].oldest, sources->holders[holder].newest,
  @ 	sources->holders[holder].taken;
  @ ensures places_storage(sources);
  @ ensures list_kept{Pre,Post}(sources);
  @ ensures sources->orders == \old(sources->orders) + 1;
  @ ensures sources->places[p].order == sources->orders;
  @ ensures sources->places[p].holder == holder && !sources->places[p].heard;
  @ ensures tickets_kept{Pre,Post}(sources, p);
  @ ensures sources->holders[holder].newest == p;
  @ ensures sources->holders[holder].taken ==
  @ 	\old(sources->holders[holder].taken) + 1;
  @ ensures \old(sources->holders[holder].taken) == 0 ==>
  @ 	sources->holders[holder].oldest == p;
  @ ensures \old(sources->holders[holder].taken) > 0 ==>
  @ 	sources->holders[holder].oldest ==
  @ 		\old(sources->holders[holder].oldest);
  @*/
static void link_place(struct lbp_sources *sources, uint32_t p, uint32_t holder)
{
	struct lbp_sources_holder *by = &sources->holders[holder];
	struct lbp_sources_place *place = &sources->places[p];

	place->order = ++sources->orders;
	place->heard = false;
	place->holder = holder;
	place->older = by->taken > 0 ? by->newest : LBP_NONE;
	place->newer = LBP_NONE;
	if (place->older != LBP_NONE)
		sources->places[place->older].newer = p;
	else
		by->oldest = p;
	by->newest = p;
	by->taken++;
}

/*@ requires places_storage(sources) && p < sources->cap;
  @ requires sources->places[p].holder < sources->cap;
  @ requires sources->holders[sources->places[p].holder].taken > 0;
  @ requires place_or_none(sources, sources->places[p].older);
  @ requires place_or_none(sources, sources->places[p].newer);
  @ assigns sources->places[0 .. sources->cap - 1].older,
  @ 	sources->places[0 .. sources->cap - 1].newer,
  @ 	sources->holders[sources->places[p].holder].oldest,
  @ 	sources->holders[sources->places[p].holder].newest,
  @ 	sources->holders[sources->places[p].holder].taken;
  @ ensures places_storage(sources);
  @ ensures list_kept{Pre,Post}(sources);
  @ ensures tickets_kept{Pre,Post}(sources, -1);
  @ ensures sources->holders[sources->places[p].holder].taken ==
  @ 	\old(sources->holders[sources->places[p].holder].taken) - 1;
  @*/
static void unlink_place(struct lbp_sources *sources, uint32_t p)
{
	const struct lbp_sources_place *place = &sources->places[p];
	struct lbp_sources_holder *by = &sources->holders[place->holder];
	uint32_t older = place->older;
	uint32_t newer = place->newer;

	if (older != LBP_NONE)
		sources->places[older].newer = newer;
	else
		by->oldest = newer;
	if (newer != LBP_NONE)
		sources->places[newer].older = older;
	else
		by->newest = older;
	by->taken--;
}

/* --- places -------------------------------------------------------------- */

uint32_t lbp_sources_take(struct lbp_sources *sources, uint32_t holder)
{
	uint32_t p = enlist(sources);

	//@ assert tickets_kept{Pre,Here}(sources, -1);
	link_place(sources, p, holder);
	return p;
}

void lbp_sources_give(struct lbp_sources *sources, uint32_t p)
{
	unlink_place(sources, p);
	//@ assert taken_kept{Pre,Here}(sources, -1);
	unlist(sources, p);
}
