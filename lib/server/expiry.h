/*
 * When a certificate or a revocation list ends, and from when on it is worth a
 * warning. Times are seconds since 1970, UTC, unless their names say otherwise.
 * Source: [SRV-79], [SRV-80].
 */
#ifndef LBP_EXPIRY_H
#define LBP_EXPIRY_H

#include <stdint.h>

/* In place of until_s: it has no end. */
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
	LBP_EXPIRY_SOON,  /* ends within 14 days; a CRL: past 4/5 of its life */
	LBP_EXPIRY_OVER,
};

/* How it stands with it at now_s. */
enum lbp_expiry_state lbp_expiry_judge(
	const struct lbp_expiry *expiry, int64_t now_s);

/*
 * When to judge things next that were judged at now_ns; both are monotonic.
 */
uint64_t lbp_expiry_next_ns(uint64_t now_ns);

#endif
