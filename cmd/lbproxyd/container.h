/* From a member to the object that it is embedded in. */
#ifndef CONTAINER_H
#define CONTAINER_H

#include <stddef.h>

/* The object of this type whose member is at this address. */
#define CONTAINER_OF(address, type, member)                                    \
	((type *)(void *)((char *)(address)-offsetof(type, member)))

#endif
