/*
 * What SPEC.md says of a moment after all that has happened to a session: each
 * reason to end it is one rule. Source: SPEC.md [SES-*].
 */
#ifndef LBP_VERDICT_H
#define LBP_VERDICT_H

#include "history.h"

/* What has to come of it. */
struct verdict {
	enum lbp_reason reason; /* for which it ends; NONE: it goes on */
	bool is_refused;        /* it closes, and its client is waited for */
	bool has_ended;
	bool is_admitted;
	bool is_dialed;
	uint32_t upstream; /* the one that is dialed; LBP_NONE: none is left */
	uint32_t client;   /* who has the names by now */
	enum lbp_health_change health;
	uint32_t health_upstream;
};

/*
 * Judges a moment that may be. The application is asked in the order of
 * SPEC.md, and is given back what the session has no more.
 */
struct verdict verdict_of(const struct moment *moment);

#endif
