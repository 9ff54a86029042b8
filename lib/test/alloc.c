#include "alloc.h"

#include <stdbool.h>
#include <stdint.h>

/* Refused here, because a sanitizer would end the program. */
#define TOO_MUCH ((size_t)1 << 30)

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t len, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t len, size_t size);
void *__real_realloc(void *ptr, size_t size);

static long fail_at;
static long count;
static size_t bytes;

void alloc_fail_at(long n)
{
	fail_at = n;
	count = 0;
	bytes = 0;
}

long alloc_count(void)
{
	return count;
}

size_t alloc_bytes(void)
{
	return bytes;
}

/* Nothing is refused too, as the C library may do. */
static bool fails(size_t len, size_t size)
{
	bytes += len * size;
	return ++count == fail_at || len * size == 0 || size > TOO_MUCH / len;
}

void *__wrap_malloc(size_t size)
{
	return fails(1, size) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t len, size_t size)
{
	return fails(len, size) ? NULL : __real_calloc(len, size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
	return fails(1, size) ? NULL : __real_realloc(ptr, size);
}
