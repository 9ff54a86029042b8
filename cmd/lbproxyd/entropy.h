/* Random bytes of the system. */
#ifndef ENTROPY_H
#define ENTROPY_H

#include <stdbool.h>
#include <stddef.h>

/* Draws at most 256 bytes. False: errno says why there are none. */
bool entropy_draw(void *bytes, size_t len);

#endif
