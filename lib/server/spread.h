/*
 * How connections are distributed over the worker threads. Source: SPEC.md
 * [SRV-53].
 */
#ifndef LBP_SPREAD_H
#define LBP_SPREAD_H

#include <stdint.h>

/*
 * Returns the number of the worker that gets the next connection: the one with
 * the fewest. Ties go to the last one chosen, whose caches are warm, or else to
 * the next one after it in turn. loads has each worker's number of connections;
 * len is at least 1, and last is below len. The caller counts the connection.
 */
uint32_t lbp_spread_choose(const uint32_t *loads, uint32_t len, uint32_t last);

#endif
