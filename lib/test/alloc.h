/*
 * Lets the n-th allocation of the code under test fail. For programs linked
 * with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc.
 *
 * A test of a function that allocates:
 *
 *	alloc_fail_at(0);
 *	run it; expect success;
 *	long allocations = alloc_count();
 *	for (long n = 1; n <= allocations; n++) {
 *		alloc_fail_at(n);
 *		run it; expect LBP_ERR_NOMEM;
 *	}
 *	alloc_fail_at(0);
 */
#ifndef LBP_TEST_ALLOC_H
#define LBP_TEST_ALLOC_H

#include <stddef.h>

/*
 * From now on the n-th allocation fails, counted from 1, once; 0: none does.
 * One that no machine could grant fails always, and so does one of no bytes,
 * for which a C library may return NULL.
 */
void alloc_fail_at(long n);

/* Allocations asked for since alloc_fail_at, failed ones included. */
long alloc_count(void);

/* The bytes asked for in them. */
size_t alloc_bytes(void);

#endif
