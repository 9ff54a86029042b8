/*
 * How the health of upstreams is judged, and what changes in it. Source:
 * SPEC.md [HLT-*].
 */
#ifndef LBP_HEALTH_H
#define LBP_HEALTH_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base.h"

LBP_BEGIN_DECLS

struct lbp_health_options {
	bool enabled;         /* false: always eligible, never checked */
	uint64_t interval_ns; /* at least 1 */
	uint64_t timeout_ns;  /* for whoever carries out the check */
	uint32_t rise;        /* successes in a row that bring it back, >= 1 */
	uint32_t fall;        /* failures in a row that take it out, >= 1 */
	uint64_t reserved[2];
};

/*
 * Never checked and always eligible, since only a caller that carries out
 * checks brings an upstream back; the rest as the server has it.
 */
static inline void lbp_health_options_init(struct lbp_health_options *health)
{
	memset(health, 0, sizeof(*health));
	health->interval_ns = 2 * LBP_NS_PER_S;
	health->timeout_ns = LBP_NS_PER_S;
	health->rise = 2;
	health->fall = 3;
}

/* What a result changed. */
enum lbp_health_change {
	LBP_HEALTH_SAME,
	LBP_HEALTH_UP,   /* became eligible */
	LBP_HEALTH_DOWN, /* became ineligible */
};

LBP_END_DECLS

#endif
