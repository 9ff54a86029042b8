/*
 * Memory for the configuration, freed in one go. Private to lbp_config_*.
 *
 * An arena is a pointer that starts as NULL and changes as it grows.
 */
#ifndef LBP_CONFIG_ARENA_H
#define LBP_CONFIG_ARENA_H

#include <stddef.h>

struct lbp_config_arena;

/*
 * Zeroed room for count objects of size bytes each, at least 1, aligned for
 * any type, which lives as long as the arena; count 0 gives a pointer that
 * must not be followed. NULL: out of memory, the arena is as before.
 */
void *lbp_config_arena_alloc(
	struct lbp_config_arena **arena, size_t count, size_t size);

/* Frees everything in an arena; NULL is allowed. */
void lbp_config_arena_free(struct lbp_config_arena *arena);

#endif
