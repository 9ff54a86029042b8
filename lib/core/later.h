/* Sums of times. Private. */
#ifndef LBP_LATER_H
#define LBP_LATER_H

#include <stdint.h>

#include "base.h"

/* A time and what is added to it; it stops at LBP_NEVER, and does not wrap. */
static inline uint64_t lbp_later(uint64_t time_ns, uint64_t by_ns)
{
	return by_ns < LBP_NEVER - time_ns ? time_ns + by_ns : LBP_NEVER;
}

#endif
