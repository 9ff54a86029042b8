/*
 * How the health of upstreams is judged, and what changes in it. Source:
 * SPEC.md [HLT-*].
 */
#ifndef LBP_HEALTH_H
#define LBP_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

LBP_BEGIN_DECLS

struct lbp_health_options {
	bool enabled;         /* false: always eligible, never checked */
	uint64_t interval_ns; /* at least 1 */
	uint64_t timeout_ns;  /* for whoever carries out the check */
	uint32_t rise;        /* at least 1 */
	uint32_t fall;        /* at least 1 */
};

/* What a result changed. */
enum lbp_health_change {
	LBP_HEALTH_SAME,
	LBP_HEALTH_UP,   /* became eligible */
	LBP_HEALTH_DOWN, /* became ineligible */
};

LBP_END_DECLS

#endif
