/*
 * Limits the log lines that strangers cause in all threads, any of which may
 * call these. [LOG-17].
 */
#ifndef STRANGERS_H
#define STRANGERS_H

#include "address.h"
#include "session.h"

/*
 * Returns true if an attempt gets a line of its own; else it is counted, and
 * strangers_sum_up must be called at *due_ns.
 */
bool strangers_admit(const union address *peer, enum lbp_reason reason,
	uint64_t now_ns, uint64_t *due_ns);

/*
 * Logs the sums of the windows that have ended by now_ns; LBP_NEVER, at the
 * end, is for all that was counted. Returns when to call it next, or LBP_NEVER.
 */
uint64_t strangers_sum_up(uint64_t now_ns);

#endif
