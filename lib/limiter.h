/*
 * The limits of one client of one application: how many sessions it may have
 * open at once, and how many may be admitted within any window of time. Both
 * limits are exact, and both take constant time. Source: SPEC.md [LIM-*].
 */
#ifndef LBP_LIMITER_H
#define LBP_LIMITER_H

#include <stdint.h>

#include "err.h"

LBP_BEGIN_DECLS

struct lbp_limits {
	uint32_t concurrent;  /* sessions open at once; 0: no cap */
	uint32_t connections; /* admissions in any window; 0: no limit */
	uint64_t window_ns;   /* length of the window, at least 1 */
};

/*
 * The ring holds the times of the latest len admissions, the oldest at head,
 * which is 0 until the ring is full. All fields are private; tests may read
 * them.
 */
struct lbp_limiter {
	struct lbp_limits limits;
	uint64_t *ring; /* room entries, the caller's */
	uint32_t head;
	uint32_t len;
	uint32_t open;
	uint32_t room;    /* at least limits.connections */
	uint64_t last_ns; /* the latest time seen, at a refusal too */
};

/*
 * Initializes a limiter with nothing open and nothing admitted. limits is
 * copied. ring has limits->connections entries (NULL if that is 0), remains
 * the caller's and must outlive the limiter.
 */
void lbp_limiter_init(struct lbp_limiter *limiter,
	const struct lbp_limits *limits, uint64_t *ring);

/*
 * Asks to admit one session at now_ns, nanoseconds of any monotonic clock; a
 * time before the latest one seen counts as that one. LBP_OK: admitted and
 * counted, until lbp_limiter_release. LBP_ERR_CONCURRENT: too many are open;
 * LBP_ERR_RATE: too many were admitted within the window. The cap is checked
 * first; a refusal counts nothing and updates only the latest time seen.
 * Source: [LIM-1] to [LIM-5].
 */
LBP_MUST_CHECK enum lbp_err lbp_limiter_admit(
	struct lbp_limiter *limiter, uint64_t now_ns);

/*
 * Takes over the counts of another limiter, under limits of its own: the open
 * sessions, even above the cap, and the latest admissions, as many as both
 * rings hold. limiter has just been initialized, with its own ring; from does
 * not change. Source: [LIM-7].
 */
void lbp_limiter_inherit(
	struct lbp_limiter *limiter, const struct lbp_limiter *from);

/*
 * Replaces the limits, of which connections is at most what the limiter was
 * initialized with; limits is copied. What is counted stays, and the ring keeps
 * as many admissions as before: a rate that is lowered and raised again forgets
 * none. Source: [LIM-8].
 */
void lbp_limiter_set_limits(
	struct lbp_limiter *limiter, const struct lbp_limits *limits);

/*
 * Releases one open session; its admission still counts within the window.
 * LBP_ERR_STATE: none is open; nothing changes. Source: [LIM-6].
 */
enum lbp_err lbp_limiter_release(struct lbp_limiter *limiter);

LBP_END_DECLS

#ifdef __FRAMAC__
#include "proof/limiter.h"
#endif

#endif
