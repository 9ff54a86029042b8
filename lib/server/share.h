/*
 * Random shares, as for lifetimes of sessions: cheap, and not secret.
 */
#ifndef LBP_SHARE_H
#define LBP_SHARE_H

#include <stdint.h>

/*
 * Draws a number of 0 to 2^32 - 1, each equally likely, and advances *state,
 * which may start as anything: the same state gives the same numbers.
 */
uint32_t lbp_share_draw(uint64_t *state);

#endif
