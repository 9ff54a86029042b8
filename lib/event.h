/*
 * What happens to a session, and what its caller does about it: an event in a
 * state leads to the next state and to duties.
 *
 *  state, event            next         duties
 *  HANDSHAKE, AUTHORIZED
 *    IDENTIFIED            AUTHORIZED   -
 *      if not welcome      CLOSING      REFUSE REPORT; step HANDSHAKE_FAILED
 *                                       once the alert is written
 *    HANDSHAKE_FAILED      CLOSING      LINGER REPORT
 *    EVICTED               ENDED        RESET_CLIENT REPORT END
 *  HANDSHAKE
 *    HANDSHAKE_DONE        ENDED        RESET_CLIENT REPORT END
 *  AUTHORIZED
 *    HANDSHAKE_DONE        DIALING      DIAL; step DIAL_DONE, DIAL_FAILED or
 *                                       DIAL_LOCAL, at once or later
 *      if over a limit     CLOSING      CLOSE_NOTIFY LINGER REPORT
 *  DIALING
 *    DIAL_DONE             RELAY        RELAY
 *    DIAL_FAILED           DIALING      DIAL, of the next upstream
 *      if none is left     CLOSING      CLOSE_NOTIFY LINGER REPORT
 *    DIAL_LOCAL            as DIAL_FAILED, or, if none is left:
 *                          ENDED        RESET_CLIENT REPORT END
 *    TICK at the deadline  as DIAL_FAILED, and DROP_DIAL
 *    CLIENT_RESET, CLIENT_TRUNCATED
 *                          ENDED        DROP_DIAL RESET_CLIENT REPORT END
 *  RELAY, by lbp_session_relay
 *    ANSWERED              RELAY        -
 *    FLOW_FINISHED         ENDED        REPORT END
 *    a reset or truncation RESETTING    RELAY, of what that side sent before
 *  RESETTING, by lbp_session_relay
 *    ANSWERED              RESETTING    -
 *    DELIVERED             ENDED        RESET_CLIENT RESET_UPSTREAM REPORT END
 *    TICK before that      RESETTING    RELAY: look whether all has arrived
 *  CLOSING, by lbp_session_relay or by the caller
 *    CLIENT_ENDED          ENDED        END
 *    CLIENT_RESET          ENDED        END
 *    HANDSHAKE_FAILED      CLOSING      LINGER
 *  any but ENDED
 *    TICK at the deadline, STOP, and RELOADED for a client that is not welcome
 *    any more, end the session:
 *                          ENDED        REPORT END, RESET_CLIENT unless it was
 *                                       CLOSING, DROP_DIAL if it was DIALING,
 *                                       RESET_UPSTREAM if it had one
 *
 * REPORT comes once, as soon as the reason is final. Source: SPEC.md [SES-*].
 */
#ifndef LBP_EVENT_H
#define LBP_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "duty.h"
#include "name.h"
#include "reason.h"

LBP_BEGIN_DECLS

enum lbp_state {
	LBP_SESSION_HANDSHAKE,  /* with a client that is not known yet */
	LBP_SESSION_AUTHORIZED, /* with a client that may use the app */
	LBP_SESSION_DIALING,    /* admitted; an upstream is being dialed */
	LBP_SESSION_RELAY,
	LBP_SESSION_RESETTING, /* one side broke off; its bytes are delivered */
	LBP_SESSION_CLOSING,   /* refused; waiting for the client's end */
	LBP_SESSION_ENDED,
};

enum lbp_event_kind {
	LBP_EVENT_IDENTIFIED,       /* names: what the client is known by */
	LBP_EVENT_HANDSHAKE_DONE,   /* the client's */
	LBP_EVENT_HANDSHAKE_FAILED, /* reason: why */
	LBP_EVENT_DIAL_DONE,        /* the upstream's TLS included */
	LBP_EVENT_DIAL_FAILED,
	LBP_EVENT_FLOW_FINISHED, /* the relay's: both ends were passed on */
	LBP_EVENT_CLIENT_RESET,  /* a reset, or TLS that is broken */
	LBP_EVENT_UPSTREAM_RESET,
	LBP_EVENT_CLIENT_TRUNCATED, /* a TCP end without close_notify */
	LBP_EVENT_UPSTREAM_TRUNCATED,
	LBP_EVENT_DELIVERED,    /* the relay's: all, or all that can be */
	LBP_EVENT_CLIENT_ENDED, /* while closing: clean or not */
	LBP_EVENT_TICK,         /* time has passed */
	LBP_EVENT_RELOADED,     /* the application was reloaded or retired, or
				 * trust has changed */
	LBP_EVENT_EVICTED,      /* another handshake took its place */
	LBP_EVENT_STOP,         /* reason: why the server ends the session */
	LBP_EVENT_DIAL_LOCAL,   /* failed for want of our own resources */
	LBP_EVENT_ANSWERED, /* the relay's: the upstream's first byte or end */
};

struct lbp_event {
	enum lbp_event_kind kind;
	/* IDENTIFIED; they must outlive the session, which looks them up
	 * again after a reload. */
	const struct lbp_name *names;
	size_t name_len;
	/* HANDSHAKE_FAILED, STOP; RELOADED: why the certificate is no longer
	 * trusted, or LBP_REASON_NONE. */
	enum lbp_reason reason;
	bool is_full; /* HANDSHAKE_DONE: no room for one more session */
};

LBP_END_DECLS

#endif
