/* The whole server among clients and signals. */
#ifndef INTERLEAVE_SERVER_H
#define INTERLEAVE_SERVER_H

#include <stdbool.h>

/* deep: those too that take many seconds. */
void server_scripts(bool deep);

#endif
