/*
 * How many lines strangers get, over all threads, any of which may call
 * these. [LOG-17].
 */
#ifndef STRANGERS_H
#define STRANGERS_H

#include "address.h"
#include "session.h"

/*
 * Does an attempt get a line of its own? If not, it is counted, and
 * strangers_sum_up is to be called at *due_ns.
 */
bool strangers_admit(const union address *peer, enum lbp_reason reason,
	uint64_t now_ns, uint64_t *due_ns);

/*
 * Writes the sums of what was counted until a second ago, LBP_NEVER for all of
 * it, since nothing is left to wait for. When it is to be called again, or
 * LBP_NEVER.
 */
uint64_t strangers_sum_up(uint64_t now_ns);

#endif
