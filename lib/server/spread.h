/*
 * How connections are spread over the threads that serve them. [SRV-53].
 */
#ifndef LBP_SPREAD_H
#define LBP_SPREAD_H

#include <stdint.h>

/*
 * Chooses who gets the next connection: the one with the fewest. Among equals
 * it is the last one chosen, whose caches are warm, or if that is not among
 * them, the first in turn after it. loads has the number of
 * connections of each, len of them, at least one; last is below len. Returns
 * the number of the chosen one, and the caller counts the connection.
 */
uint32_t lbp_spread_choose(const uint32_t *loads, uint32_t len, uint32_t last);

#endif
