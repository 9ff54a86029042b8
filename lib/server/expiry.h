/*
 * When a certificate or revocation list expires, and when to warn of that.
 * Times in seconds are UTC, since 1970. Source: SPEC.md [SRV-79], [SRV-80].
 */
#ifndef LBP_EXPIRY_H
#define LBP_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "reason.h"

/* As until_s: it never expires. */
#define LBP_EXPIRY_NEVER INT64_MAX

enum lbp_expiry_kind {
	LBP_EXPIRY_CERTIFICATE,
	LBP_EXPIRY_CRL,
};

/* Valid from from_s on and before until_s. */
struct lbp_expiry {
	enum lbp_expiry_kind kind;
	int64_t from_s;
	int64_t until_s;
};

enum lbp_expiry_state {
	LBP_EXPIRY_FINE,
	LBP_EXPIRY_EARLY, /* not valid yet */
	LBP_EXPIRY_SOON,  /* within 14 days; a CRL: past 4/5 of its life */
	LBP_EXPIRY_OVER,  /* expired */
};

/* Returns the state at now_s. */
enum lbp_expiry_state lbp_expiry_judge(
	const struct lbp_expiry *expiry, int64_t now_s);

/*
 * Why an open session is to end, for which its certificate is judged so; it is
 * spared if that has but expired and keeps is set. Source: [RLD-20].
 */
enum lbp_reason lbp_expiry_spare(enum lbp_reason reason, bool keeps);

/* When to judge again what was judged at now_ns; both times are monotonic. */
uint64_t lbp_expiry_next_ns(uint64_t now_ns);

/*
 * When, on the monotonic clock, to judge what is valid until until_s: not
 * before that, and 10 ms later at most. Now it is now_ns by that clock, and
 * today_ns ns after today_s by the calendar. LBP_NEVER: it never expires, or
 * after the end of the clock. Source: [RLD-19].
 */
uint64_t lbp_expiry_due_ns(
	int64_t until_s, int64_t today_s, uint64_t today_ns, uint64_t now_ns);

#endif
