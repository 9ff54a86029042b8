/* Which files an item of `include` stands for. [CFG-73], [CFG-79]. */
#ifndef INCLUDE_H
#define INCLUDE_H

#include <stdbool.h>
#include <stddef.h>

struct include {
	char **paths; /* len of them, in the order of their names */
	size_t len;
	const char *why; /* they were not found; NULL: out of memory */
};

/*
 * Finds the files of an item of the configuration in file. False: why says why
 * not. The caller must release it in either case.
 */
bool include_find(struct include *include, const char *file, const char *item);

void include_release(struct include *include);

#endif
