#include "server/config_arena.h"

#include <stdint.h>
#include <stdlib.h>

enum {
	CHUNK_MIN = 4096,
};

/* The newest chunk is the arena; allocations come from it alone. */
struct lbp_config_arena {
	struct lbp_config_arena *older;
	size_t used;
	size_t size;
	max_align_t data[];
};

void *lbp_config_arena_alloc(
	struct lbp_config_arena **arena, size_t count, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct lbp_config_arena *top = *arena;
	size_t needed;
	void *room;

	if (count > SIZE_MAX / 4 / size)
		return NULL;
	needed = (count * size + align - 1) / align * align;
	if (top == NULL || top->size - top->used < needed) {
		size_t chunk = needed < CHUNK_MIN ? CHUNK_MIN : needed;

		top = calloc(1, sizeof(*top) + chunk);
		if (top == NULL)
			return NULL;
		top->size = chunk;
		top->older = *arena;
		*arena = top;
	}
	room = (char *)top->data + top->used;
	top->used += needed;
	return room;
}

void lbp_config_arena_free(struct lbp_config_arena *arena)
{
	while (arena != NULL) {
		struct lbp_config_arena *older = arena->older;

		free(arena);
		arena = older;
	}
}
