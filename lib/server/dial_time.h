/*
 * How long the parts of a dial may take. Source: SPEC.md [SRV-92], [SRV-96].
 */
#ifndef LBP_DIAL_TIME_H
#define LBP_DIAL_TIME_H

#include <stdint.h>

/*
 * Until when the next of left addresses (at least 1) may take, in a dial that
 * ends at end_ns: each has an equal part of the time that is left at now_ns, so
 * that a silent one leaves the others theirs, and the last one has it all.
 */
uint64_t lbp_dial_due(uint64_t now_ns, uint64_t end_ns, uint32_t left);

/*
 * Until when a check that ends at end_ns watches the connection that was made
 * from start_ns to now_ns: as long as that took, which is more than a round
 * trip, and for 100 ms at least.
 */
uint64_t lbp_dial_settle_due(
	uint64_t start_ns, uint64_t now_ns, uint64_t end_ns);

#endif
