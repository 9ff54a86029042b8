#include "core/heap.h"

#include <stddef.h>

/*@ requires heap_array(heap) && at < heap->len;
  @ requires \valid(node) && \separated(node, heap);
  @ requires \separated(node, heap->nodes + (0 .. heap->cap - 1));
  @ assigns heap->nodes[at], node->at;
  @ ensures came_to{Pre,Post}(heap, at, node);
  @*/
static void put(struct lbp_heap *heap, uint32_t at, struct lbp_heap_node *node)
{
	heap->nodes[at] = node;
	node->at = (int32_t)at;
}

/* The place above a place that is not the root. */
/*@ requires at > 0;
  @ assigns \nothing;
  @ ensures 0 <= \result < at && is_above(\result, at);
  @*/
static uint32_t place_above(uint32_t at)
{
	return (at - 1) / 2;
}

/* Moves what is at a place up to where it may be; returns that place. */
/*@ requires heap_storage(heap) && heap_places(heap);
  @ requires at < heap->len && ordered_but(heap, at);
  @ assigns heap->nodes[0 .. heap->len - 1],
  @ 	{ other->at | struct lbp_heap_node *other; heap_holds(heap, other) };
  @ ensures heap_array(heap);
  @ ensures heap_places(heap);
  @ ensures heap_same{Pre,Post}(heap);
  @ ensures heap_storage(heap);
  @ ensures \result < heap->len;
  @ ensures heap->nodes[\result] == \old(heap->nodes[at]);
  @ ensures ordered_but(heap, \result);
  @ ensures below_above(heap, \result, heap->nodes[\result]);
  @*/
static uint32_t sift_up(struct lbp_heap *heap, uint32_t at)
{
	struct lbp_heap_node *moving = heap->nodes[at];

	/*@ loop invariant at < heap->len && heap_array(heap);
	  @ loop invariant heap->nodes == \at(heap->nodes, Pre);
	  @ loop invariant places_but(heap, at, moving);
	  @ loop invariant same_but{Pre,Here}(heap, at, moving);
	  @ loop invariant ordered_but(heap, at);
	  @ loop assigns at,
	  @ 	\at(heap->nodes, Pre)[0 .. \at(heap->len, Pre) - 1],
	  @ 	{ other->at | struct lbp_heap_node *other;
	  @ 		heap_holds{Pre}(heap, other) };
	  @ loop variant at;
	  @*/
	while (at > 0) {
		uint32_t above = place_above(at);

		//@ assert heap_holds{Pre}(heap, heap->nodes[above]);
		if (!lbp_heap_before(moving, heap->nodes[above]))
			break;
		put(heap, at, heap->nodes[above]);
		at = above;
	}
	put(heap, at, moving);
	return at;
}

/* The place below a place of what goes first; the place itself if none. */
/*@ requires heap_array(heap) && at < heap->len;
  @ requires \forall integer i; at < i < heap->len ==>
  @ 	\valid_read(heap->nodes[i]);
  @ assigns \nothing;
  @ ensures \result == at ==> 2 * at + 1 >= heap->len;
  @ ensures \result != at ==> \result < heap->len && is_above(at, \result);
  @ ensures \forall integer i; is_above(at, i) && i < heap->len ==>
  @ 	node_no_later(heap->nodes[\result], heap->nodes[i]);
  @*/
static uint32_t least_child(const struct lbp_heap *heap, uint32_t at)
{
	uint32_t child = 2 * at + 1;

	if (child >= heap->len)
		return at;
	if (child + 1 < heap->len &&
		lbp_heap_before(heap->nodes[child + 1], heap->nodes[child]))
		child++;
	return child;
}

/* Moves what is at a place down to where it may be. */
/*@ requires heap_storage(heap) && heap_places(heap);
  @ requires at < heap->len && ordered_but(heap, at);
  @ requires below_above(heap, at, heap->nodes[at]);
  @ assigns heap->nodes[0 .. heap->len - 1],
  @ 	{ other->at | struct lbp_heap_node *other; heap_holds(heap, other) };
  @ ensures heap_places(heap);
  @ ensures heap_same{Pre,Post}(heap);
  @ ensures heap_storage(heap);
  @ ensures heap_ordered(heap);
  @*/
static void sift_down(struct lbp_heap *heap, uint32_t at)
{
	struct lbp_heap_node *moving = heap->nodes[at];

	//@ assert heap_holds(heap, moving);
	/*@ loop invariant at < heap->len && heap_array(heap);
	  @ loop invariant heap->nodes == \at(heap->nodes, Pre);
	  @ loop invariant places_but(heap, at, moving);
	  @ loop invariant same_but{Pre,Here}(heap, at, moving);
	  @ loop invariant ordered_but(heap, at);
	  @ loop invariant below_above(heap, at, moving);
	  @ loop assigns at,
	  @ 	\at(heap->nodes, Pre)[0 .. \at(heap->len, Pre) - 1],
	  @ 	{ other->at | struct lbp_heap_node *other;
	  @ 		heap_holds{Pre}(heap, other) };
	  @ loop variant heap->len - at;
	  @*/
	for (;;) {
		/*@ assert \forall integer i; at < i < heap->len ==>
		  @ 	heap_holds{Pre}(heap, heap->nodes[i]);
		  @*/
		uint32_t child = least_child(heap, at);

		if (child == at || !lbp_heap_before(heap->nodes[child], moving))
			break;
		//@ assert heap_holds{Pre}(heap, heap->nodes[child]);
		put(heap, at, heap->nodes[child]);
		at = child;
	}
	put(heap, at, moving);
}

/* By induction: what is above a place is no later, so the root is no later. */
/*@ ghost
  /@ requires heap_valid(heap) && heap->len > 0;
   @ assigns \nothing;
   @ ensures heap_first(heap, heap->nodes[0]);
   @/
  static void root_is_first(const struct lbp_heap *heap)
  {
	/@ loop invariant 1 <= len <= heap->len;
	 @ loop invariant \forall integer at; 0 <= at < len ==>
	 @ 	node_no_later(heap->nodes[0], heap->nodes[at]);
	 @ loop assigns len;
	 @ loop variant heap->len - len;
	 @/
	for (uint32_t len = 1; len < heap->len; len++)
		/@ assert is_above((len - 1) / 2, len); @/
		;
  }
  @*/

void lbp_heap_init(
	struct lbp_heap *heap, struct lbp_heap_node **nodes, uint32_t cap)
{
	*heap = (struct lbp_heap){.nodes = nodes, .cap = cap};
}

void lbp_heap_set(struct lbp_heap *heap, struct lbp_heap_node *node,
	uint64_t key, uint64_t tie)
{
	if (!lbp_heap_has(node)) {
		heap->len++;
		put(heap, heap->len - 1, node);
	}
	node->key = key;
	node->tie = tie;
	/*@ assert \forall struct lbp_heap_node *other;
	  @ 	heap_holds(heap, other) <==>
	  @ 		other == node || heap_holds{Pre}(heap, other);
	  @*/
	/*@ assert \forall struct lbp_heap_node *other;
	  @ 	heap_holds{Pre}(heap, other) && other != node ==>
	  @ 		other->key == \at(other->key, Pre) &&
	  @ 		other->tie == \at(other->tie, Pre);
	  @*/
	sift_down(heap, sift_up(heap, (uint32_t)node->at));
}

void lbp_heap_remove(struct lbp_heap *heap, struct lbp_heap_node *node)
{
	uint32_t at = (uint32_t)node->at;
	struct lbp_heap_node *last = heap->nodes[--heap->len];

	//@ assert heap_holds{Pre}(heap, last);
	node->at = -1;
	if (last == node)
		return;
	put(heap, at, last);
	/*@ assert \forall struct lbp_heap_node *other;
	  @ 	heap_holds(heap, other) <==>
	  @ 		other != node && heap_holds{Pre}(heap, other);
	  @*/
	sift_down(heap, sift_up(heap, at));
}

struct lbp_heap_node *lbp_heap_first(const struct lbp_heap *heap)
{
	if (heap->len == 0)
		return NULL;
	//@ ghost root_is_first(heap);
	return heap->nodes[0];
}

bool lbp_heap_validate(const struct lbp_heap *heap)
{
	if (heap->len > heap->cap || heap->cap > INT32_MAX)
		return false;
	/*@ loop invariant 0 <= at <= heap->len;
	  @ loop invariant \forall integer i; 0 <= i < at ==>
	  @ 	heap->nodes[i]->at == i;
	  @ loop invariant \forall integer above, i;
	  @ 	0 <= above && i < at && is_above(above, i) ==>
	  @ 		node_no_later(heap->nodes[above], heap->nodes[i]);
	  @ loop assigns at;
	  @ loop variant heap->len - at;
	  @*/
	for (uint32_t at = 0; at < heap->len; at++) {
		const struct lbp_heap_node *node = heap->nodes[at];

		if (node->at != (int32_t)at)
			return false;
		if (at > 0 &&
			lbp_heap_before(node, heap->nodes[place_above(at)]))
			return false;
	}
	return true;
}
