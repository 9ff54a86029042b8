/*
 * The limits of one client on one application: how many sessions may be
 * open at once, and how many may be admitted in any window of time. Both
 * exact, both O(1). Source: SPEC.md [LIM-*].
 */
#ifndef LBP_LIMITER_H
#define LBP_LIMITER_H

#include <stdint.h>

#include "err.h"

struct lbp_limits {
	uint32_t concurrent;  /* sessions open at once; 0: no cap */
	uint32_t connections; /* admissions in any window; 0: no rate */
	uint64_t window_ns;   /* length of the window, at least 1 */
};

/*
 * The ring holds the times of the last admissions: len of them, oldest at
 * head, which is 0 until the ring is full. All fields are private; tests may
 * read them.
 */
struct lbp_limiter {
	struct lbp_limits limits;
	uint64_t *ring; /* limits.connections entries, the caller's */
	uint32_t head;
	uint32_t len;
	uint32_t open;
	uint64_t last_ns; /* the latest time seen, at a refusal too */
};

/*
 * Starts a limiter with nothing open and nothing admitted. ring has
 * limits->connections entries (NULL if that is 0), belongs to the caller and
 * must outlive the limiter.
 */
void lbp_limiter_init(struct lbp_limiter *limiter,
	const struct lbp_limits *limits, uint64_t *ring);

/*
 * Asks to admit one session at now_ns, any monotonic clock's time; a time
 * before the latest one seen counts as that one. LBP_OK: admitted and
 * counted; lbp_limiter_release ends it. LBP_ERR_CONCURRENT, LBP_ERR_RATE:
 * refused, nothing counted, and only the latest time seen may change; the
 * cap is judged first.
 * Source: [LIM-1] to [LIM-5].
 */
LBP_MUST_CHECK enum lbp_err lbp_limiter_admit(
	struct lbp_limiter *limiter, uint64_t now_ns);

/*
 * Gives back one open session. The admission stays in the window.
 * LBP_ERR_STATE: none is open; nothing changes. Source: [LIM-6].
 */
enum lbp_err lbp_limiter_release(struct lbp_limiter *limiter);

#endif
