/*
 * A binary heap: the node with the least key is first, among equal keys the
 * one with the least tie.
 *
 * The nodes are embedded in the caller's objects and the array that orders
 * them is the caller's: nothing is allocated. A node stays where it is in
 * memory as long as it is in the heap. Setting and removing are O(log n). Both
 * numbers of a node are changed by lbp_heap_set alone while it is in the heap.
 *
 * Timers are in such a heap. The balancer has one of its own (balancer.h says
 * why).
 */
#ifndef LBP_HEAP_H
#define LBP_HEAP_H

#include <stdbool.h>

#include "heap_node.h"

/* Starts an empty heap over an array of cap pointers, at most INT32_MAX. */
void lbp_heap_init(
	struct lbp_heap *heap, struct lbp_heap_node **nodes, uint32_t cap);

/* Is a node in a heap? A new one has .at = -1. */
static inline bool lbp_heap_has(const struct lbp_heap_node *node)
{
	return node->at >= 0;
}

/* Does a go before b? */
static inline bool lbp_heap_before(
	const struct lbp_heap_node *a, const struct lbp_heap_node *b)
{
	return a->key < b->key || (a->key == b->key && a->tie < b->tie);
}

/*
 * Puts a node into the heap, which has room for it, or moves it if it is there
 * already, to where this key and tie belong.
 */
void lbp_heap_set(struct lbp_heap *heap, struct lbp_heap_node *node,
	uint64_t key, uint64_t tie);

/* Takes out a node that is in the heap; its key and tie stay. */
void lbp_heap_remove(struct lbp_heap *heap, struct lbp_heap_node *node);

/* The node that no other one goes before; NULL if the heap is empty. */
struct lbp_heap_node *lbp_heap_first(const struct lbp_heap *heap);

/* Is it in order, and does each node know its place? For tests; O(n). */
bool lbp_heap_validate(const struct lbp_heap *heap);

#ifdef __FRAMAC__
#include "proof/heap.h"
#endif

#endif
