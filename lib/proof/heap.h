/*
 * What is proved of core/heap.h, which includes this at its end for Frama-C
 * alone; what core/heap.c needs for that is at the end.
 */
#ifndef LBP_PROOF_HEAP_H
#define LBP_PROOF_HEAP_H

/*@ // Does a go before b, or just as b?
  @ predicate node_no_later(
  @ 	struct lbp_heap_node *a, struct lbp_heap_node *b) =
  @ 	a->key < b->key || (a->key == b->key && a->tie <= b->tie);
  @
  @ // Is it one of the nodes in the heap?
  @ predicate heap_holds(struct lbp_heap *h, struct lbp_heap_node *node) =
  @ 	0 <= node->at < h->len && h->nodes[node->at] == node;
  @
  @ // The node may be set: it shares no memory with anything here.
  @ predicate heap_apart(struct lbp_heap *h, struct lbp_heap_node *node) =
  @ 	\valid(node) && \separated(node, h) &&
  @ 	\separated(node, h->nodes + (0 .. h->cap - 1)) &&
  @ 	(\forall struct lbp_heap_node *other;
  @ 		heap_holds(h, other) && other != node ==>
  @ 			\separated(node, other));
  @
  @ predicate heap_array(struct lbp_heap *h) =
  @ 	\valid(h) && h->len <= h->cap <= INT32_MAX &&
  @ 	\valid(h->nodes + (0 .. h->cap - 1)) &&
  @ 	\separated(h, h->nodes + (0 .. h->cap - 1));
  @
  @ predicate heap_storage(struct lbp_heap *h) =
  @ 	heap_array(h) && (\forall struct lbp_heap_node *node;
  @ 		heap_holds(h, node) ==> heap_apart(h, node));
  @
  @ // Every place holds a node that says so, thus each at most once.
  @ predicate heap_places(struct lbp_heap *h) =
  @ 	\forall integer at; 0 <= at < h->len ==> h->nodes[at]->at == at;
  @
  @ // Is a place the one above another one?
  @ predicate is_above(integer above, integer at) =
  @ 	at == 2 * above + 1 || at == 2 * above + 2;
  @
  @ // The heap order.
  @ predicate heap_ordered(struct lbp_heap *h) =
  @ 	\forall integer above, at;
  @ 		0 <= above && at < h->len && is_above(above, at) ==>
  @ 			node_no_later(h->nodes[above], h->nodes[at]);
  @
  @ predicate heap_valid(struct lbp_heap *h) =
  @ 	heap_storage(h) && heap_places(h) && heap_ordered(h);
  @
  @ // The same nodes are in it, at K and L.
  @ predicate heap_same{K,L}(struct lbp_heap *h) =
  @ 	\forall struct lbp_heap_node *node;
  @ 		heap_holds{L}(h, node) <==> heap_holds{K}(h, node);
  @
  @ // The node is in it, and no other one goes before it.
  @ predicate heap_first(struct lbp_heap *h, struct lbp_heap_node *first) =
  @ 	heap_holds(h, first) && (\forall struct lbp_heap_node *node;
  @ 		heap_holds(h, node) ==> node_no_later(first, node));
  @
  @ // What lbp_heap_validate looks at.
  @ predicate heap_checked(struct lbp_heap *h) =
  @ 	h->len <= h->cap <= INT32_MAX && heap_places(h) && heap_ordered(h);
  @*/

/*@ requires \valid(heap) && \valid(nodes + (0 .. cap - 1));
  @ requires \separated(heap, nodes + (0 .. cap - 1));
  @ requires cap <= INT32_MAX;
  @ assigns *heap;
  @ ensures heap_valid(heap);
  @ ensures heap->nodes == nodes && heap->cap == cap && heap->len == 0;
  @*/
void lbp_heap_init(
	struct lbp_heap *heap, struct lbp_heap_node **nodes, uint32_t cap);

/*@ requires \valid_read(node);
  @ assigns \nothing;
  @ ensures \result <==> node->at >= 0;
  @*/
static inline bool lbp_heap_has(const struct lbp_heap_node *node);

/*@ requires \valid_read(a) && \valid_read(b);
  @ assigns \nothing;
  @ ensures \result <==> !node_no_later(b, a);
  @*/
static inline bool lbp_heap_before(
	const struct lbp_heap_node *a, const struct lbp_heap_node *b);

/*@ requires heap_valid(heap) && heap_apart(heap, node);
  @ requires node->at < 0 ? heap->len < heap->cap : heap_holds(heap, node);
  @ assigns heap->len, heap->nodes[0 .. heap->cap - 1], node->key, node->tie,
  @ 	{ other->at | struct lbp_heap_node *other;
  @ 		other == node || heap_holds(heap, other) };
  @ ensures heap_valid(heap);
  @ ensures node->key == key && node->tie == tie;
  @ ensures heap->nodes == \old(heap->nodes) && heap->cap == \old(heap->cap);
  @ ensures heap->len ==
  @ 	\old(node->at < 0 ? heap->len + 1 : heap->len);
  @ ensures \forall struct lbp_heap_node *other;
  @ 	heap_holds(heap, other) <==>
  @ 		other == node || \old(heap_holds(heap, other));
  @ ensures \forall struct lbp_heap_node *other;
  @ 	heap_holds(heap, other) && other != node ==>
  @ 		other->key == \old(other->key) &&
  @ 		other->tie == \old(other->tie);
  @*/
void lbp_heap_set(struct lbp_heap *heap, struct lbp_heap_node *node,
	uint64_t key, uint64_t tie);

/*@ requires heap_valid(heap) && heap_holds(heap, node);
  @ assigns heap->len, heap->nodes[0 .. heap->len - 1],
  @ 	{ other->at | struct lbp_heap_node *other; heap_holds(heap, other) };
  @ ensures heap_valid(heap);
  @ ensures node->at < 0;
  @ ensures heap->nodes == \old(heap->nodes) && heap->cap == \old(heap->cap);
  @ ensures heap->len == \old(heap->len) - 1;
  @ ensures \forall struct lbp_heap_node *other;
  @ 	heap_holds(heap, other) <==>
  @ 		other != node && \old(heap_holds(heap, other));
  @*/
void lbp_heap_remove(struct lbp_heap *heap, struct lbp_heap_node *node);

/*@ requires heap_valid(heap);
  @ assigns \nothing;
  @ ensures heap->len == 0 ==> \result == \null;
  @ ensures heap->len > 0 ==> \result == heap->nodes[0] &&
  @ 	heap_first(heap, \result);
  @*/
struct lbp_heap_node *lbp_heap_first(const struct lbp_heap *heap);

/*@ requires \valid_read(heap);
  @ requires \valid_read(heap->nodes + (0 .. heap->cap - 1));
  @ requires \forall integer at; 0 <= at < heap->len <= heap->cap ==>
  @ 	\valid_read(heap->nodes[at]);
  @ assigns \nothing;
  @ ensures \result <==> heap_checked(heap);
  @ ensures heap_valid(heap) ==> \result;
  @*/
bool lbp_heap_validate(const struct lbp_heap *heap);

/*@ // All places but the hole hold their nodes, of which none is moving.
  @ predicate places_but(struct lbp_heap *h, integer hole,
  @ 	struct lbp_heap_node *moving) =
  @ 	\forall integer at; 0 <= at < h->len && at != hole ==>
  @ 		h->nodes[at]->at == at && h->nodes[at] != moving;
  @
  @ // Is it the moving node, or one that has its place?
  @ predicate hold_but(struct lbp_heap *h, integer hole,
  @ 	struct lbp_heap_node *moving, struct lbp_heap_node *node) =
  @ 	node == moving || (node->at != hole && heap_holds(h, node));
  @
  @ // The nodes in it at K are the moving one and those with a place at L.
  @ predicate same_but{K,L}(struct lbp_heap *h, integer hole,
  @ 	struct lbp_heap_node *moving) =
  @ 	\forall struct lbp_heap_node *node;
  @ 		hold_but{L}(h, hole, moving, node) <==>
  @ 			heap_holds{K}(h, node);
  @
  @ // Between K and L the node came to a place.
  @ predicate came_to{K,L}(struct lbp_heap *h, integer to,
  @ 	struct lbp_heap_node *node) =
  @ 	\at(h->nodes, L) == \at(h->nodes, K) &&
  @ 	\at(h->len, L) == \at(h->len, K) &&
  @ 	\at(h->cap, L) == \at(h->cap, K) &&
  @ 	\at(h->nodes[to], L) == node && \at(node->at, L) == to &&
  @ 	(\forall integer at; 0 <= at < \at(h->len, K) && at != to ==>
  @ 		\at(h->nodes[at], L) == \at(h->nodes[at], K)) &&
  @ 	(\forall struct lbp_heap_node *other; other != node ==>
  @ 		\at(other->at, L) == \at(other->at, K));
  @
  @ // Another node fills the hole, and leaves one at its place.
  @ lemma moved_same{J,K,L}: \forall struct lbp_heap *h,
  @ 	integer from, to, struct lbp_heap_node *moving;
  @ 	came_to{K,L}(h, to, \at(h->nodes[from], K)) && from != to &&
  @ 	0 <= from < \at(h->len, K) && 0 <= to < \at(h->len, K) &&
  @ 	places_but{K}(h, to, moving) && same_but{J,K}(h, to, moving) ==>
  @ 		same_but{J,L}(h, from, moving);
  @ // The moving node fills the hole.
  @ lemma settled_same{J,K,L}: \forall struct lbp_heap *h,
  @ 	integer hole, struct lbp_heap_node *moving;
  @ 	came_to{K,L}(h, hole, moving) && 0 <= hole < \at(h->len, K) &&
  @ 	places_but{K}(h, hole, moving) &&
  @ 	same_but{J,K}(h, hole, moving) ==> heap_same{J,L}(h);
  @
  @ // The order holds for all but what is in the hole.
  @ predicate ordered_but(struct lbp_heap *h, integer hole) =
  @ 	(\forall integer above, at;
  @ 		0 <= above && at < h->len && is_above(above, at) &&
  @ 		above != hole && at != hole ==>
  @ 			node_no_later(h->nodes[above], h->nodes[at])) &&
  @ 	(\forall integer above, at;
  @ 		0 <= above && at < h->len && is_above(above, hole) &&
  @ 		is_above(hole, at) ==>
  @ 			node_no_later(h->nodes[above], h->nodes[at]));
  @
  @ // What is above the hole goes before this node.
  @ predicate below_above(struct lbp_heap *h, integer hole,
  @ 	struct lbp_heap_node *node) =
  @ 	\forall integer above; 0 <= above && is_above(above, hole) ==>
  @ 		node_no_later(h->nodes[above], node);
  @*/

#endif
