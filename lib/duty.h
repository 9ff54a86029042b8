/*
 * What the caller of a session does after an event: event.h has the table of
 * which duties follow. Source: SPEC.md [SES-*].
 */
#ifndef LBP_DUTY_H
#define LBP_DUTY_H

#include <stdint.h>

#include "base.h"
#include "health.h"

LBP_BEGIN_DECLS

/* What to do after a step, in this order. */
enum lbp_duty {
	/* Let the TLS handshake in progress fail with a fatal alert. */
	LBP_DUTY_REFUSE = 1 << 0,
	/* Abandon the dial in progress. */
	LBP_DUTY_DROP_DIAL = 1 << 1,
	/* Dial duties.upstream; answer DIAL_DONE, _FAILED or _LOCAL. */
	LBP_DUTY_DIAL = 1 << 2,
	/* Call lbp_session_relay: at once after a step, in the next turn if
	 * it was that call itself that asked. */
	LBP_DUTY_RELAY = 1 << 3,
	/* Send close_notify to the client. */
	LBP_DUTY_CLOSE_NOTIFY = 1 << 4,
	/* End sending to the client; lbp_session_relay drops what it sends
	 * until it ends. */
	LBP_DUTY_LINGER = 1 << 5,
	/* Write the log line: the reason is final. */
	LBP_DUTY_REPORT = 1 << 6,
	/* Close this side as a reset rather than cleanly. */
	LBP_DUTY_RESET_CLIENT = 1 << 7,
	LBP_DUTY_RESET_UPSTREAM = 1 << 8,
	/* Close whatever is open; the session is over. */
	LBP_DUTY_END = 1 << 9,
};

struct lbp_duties {
	unsigned set;      /* of enum lbp_duty */
	uint32_t upstream; /* to dial */
	/* The change of an upstream's health, for the log. */
	enum lbp_health_change health;
	uint32_t health_upstream;
};

LBP_END_DECLS

#endif
