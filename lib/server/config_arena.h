/*
 * Memory that is freed all at once. Private to lbp_config_*.
 *
 * An arena is a pointer that starts as NULL and changes as the arena grows.
 */
#ifndef LBP_CONFIG_ARENA_H
#define LBP_CONFIG_ARENA_H

#include <stddef.h>

struct lbp_config_arena;

/*
 * Returns zeroed memory for count objects of size bytes each (at least 1),
 * aligned for any type, which lives as long as the arena. With count 0 the
 * pointer must not be dereferenced. NULL: out of memory, and the arena is
 * unchanged.
 */
void *lbp_config_arena_alloc(
	struct lbp_config_arena **arena, size_t count, size_t size);

/* Frees everything in an arena; NULL is allowed. */
void lbp_config_arena_free(struct lbp_config_arena *arena);

#endif
