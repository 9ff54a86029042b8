/* Active health checks of a worker's applications. [SRV-27]. */
#ifndef CHECK_H
#define CHECK_H

#include "worker.h"

/*
 * Takes over the checks of the applications that fall to this worker. False:
 * out of memory.
 */
bool checkers_init(struct worker *worker);

/* Ends them, the running ones unanswered. */
void checkers_release(struct worker *worker);

#endif
