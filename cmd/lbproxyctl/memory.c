#include "memory.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"

static void *need_bytes(size_t size)
{
	return need(malloc(size));
}

void memory_init(void)
{
	json_set_alloc_funcs(need_bytes, free);
}

void *need(void *ptr)
{
	if (ptr == NULL)
		out_of_memory();
	return ptr;
}

_Noreturn void out_of_memory(void)
{
	fputs("lbproxyctl: out of memory\n", stderr);
	exit(EXIT_USAGE);
}
