/*
 * When a peer that says nothing is gone. The kernel asks it on an idle
 * connection (keepalive), and waits for it to acknowledge what was sent
 * (TCP_USER_TIMEOUT). Source: SPEC.md [SRV-171], [SRV-172].
 */
#ifndef LBP_KEEPALIVE_H
#define LBP_KEEPALIVE_H

#include <stdbool.h>
#include <stdint.h>

/* For setsockopt, in the kernel's units and within its bounds. */
struct lbp_keepalive {
	int idle_s;     /* TCP_KEEPIDLE: silence before the first probe */
	int interval_s; /* TCP_KEEPINTVL: between two probes */
	int probes;     /* TCP_KEEPCNT */
	int timeout_ms; /* TCP_USER_TIMEOUT */
	/* How often to look at a peer that has yet to acknowledge bytes. */
	uint64_t look_ns;
};

/*
 * Returns what makes a peer count as gone after keepalive_ns of silence, which
 * is rounded up to a second; at most some 24 days, as more does not fit.
 */
struct lbp_keepalive lbp_keepalive_of(uint64_t keepalive_ns);

/*
 * Returns true if a peer that has yet to acknowledge bytes is still there: then
 * TCP_USER_TIMEOUT is to be 0, as the kernel would also apply it to a peer that
 * answers and takes nothing. in_flight is how many segments are on their way to
 * it (none: its window is closed, and the kernel probes it ever more seldom),
 * and silent_ms for how long it has acknowledged nothing, not even a probe.
 */
bool lbp_keepalive_is_answered(const struct lbp_keepalive *keepalive,
	uint32_t in_flight, uint32_t silent_ms);

#endif
