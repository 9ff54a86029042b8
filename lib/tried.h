/*
 * A set of upstreams by number: those that a session has tried.
 */
#ifndef LBP_TRIED_H
#define LBP_TRIED_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

LBP_BEGIN_DECLS

/* Its size in bytes: upstream i is bit i % 8 of byte i / 8. */
#define LBP_TRIED_BYTES(upstream_len) (((upstream_len) + 7u) / 8u)

#ifdef __FRAMAC__
#include "proof/tried.h"
#endif

/* Each of these expects i to be less than the set's upstream_len. */

/* Returns true if upstream i is in the set. */
static inline bool lbp_tried_has(const uint8_t *tried, uint32_t i)
{
	return (tried[i / 8] >> (i % 8) & 1) != 0;
}

/* Adds upstream i to the set. */
static inline void lbp_tried_add(uint8_t *tried, uint32_t i)
{
	tried[i / 8] = (uint8_t)(tried[i / 8] | 1u << (i % 8));
}

/* Removes upstream i from the set. */
static inline void lbp_tried_remove(uint8_t *tried, uint32_t i)
{
	tried[i / 8] = (uint8_t)(tried[i / 8] & ~(uint8_t)(1u << (i % 8)));
}

LBP_END_DECLS

#endif
