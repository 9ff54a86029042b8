/*
 * The deadlines within a dial. Source: SPEC.md [SRV-92], [SRV-96].
 */
#ifndef LBP_DIAL_TIME_H
#define LBP_DIAL_TIME_H

#include <stdint.h>

/*
 * Returns the deadline for the next of left addresses (at least 1) in a dial
 * that ends at end_ns. Each address gets an equal share of the time left at
 * now_ns, so that a silent one leaves the others theirs; the last one gets all
 * of it.
 */
uint64_t lbp_dial_due(uint64_t now_ns, uint64_t end_ns, uint32_t left);

/*
 * Returns until when a health check that ends at end_ns watches a connection
 * that took from start_ns to now_ns to establish: for as long as that took,
 * which is more than a round trip, but for at least 100 ms.
 */
uint64_t lbp_dial_settle_due(
	uint64_t start_ns, uint64_t now_ns, uint64_t end_ns);

#endif
