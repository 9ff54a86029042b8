/*
 * What a binary heap is made of, for those who embed its nodes in their own
 * objects (timers.h). Nothing here is to be called or read by a user of the
 * library.
 */
#ifndef LBP_HEAP_NODE_H
#define LBP_HEAP_NODE_H

#include <stdint.h>

/* One that is in order: the least key is first, then the least tie. */
struct lbp_heap_node {
	uint64_t key;
	uint64_t tie;
	int32_t at; /* its place; negative: in no heap */
};

struct lbp_heap {
	struct lbp_heap_node **nodes; /* len of cap used; the caller's */
	uint32_t len;
	uint32_t cap; /* at most INT32_MAX */
};

#endif
