/*
 * How an application judges the health of its upstreams. Source: SPEC.md
 * [HLT-*].
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
	uint64_t interval_ns; /* between checks of an upstream; at least 1 */
	uint64_t timeout_ns;  /* of one check, for whoever carries it out */
	uint32_t rise;        /* successes in a row that bring it back: >= 1 */
	uint32_t fall;        /* failures in a row that take it out: >= 1 */
	uint64_t reserved[2];
};

/*
 * Sets every option to its default. Checks are disabled: without somebody who
 * carries them out an upstream that went down would stay down.
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
