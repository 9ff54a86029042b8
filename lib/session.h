/*
 * One connection from accept to end, as a state machine.
 *
 * Whoever has the sockets turns what happens on them into events, hands each
 * to lbp_session_step together with the time, and carries out the duties that
 * come back; bytes are moved by relay.h. The session knows the order of things
 * and nothing else does. Source: SPEC.md [SES-*].
 */
#ifndef LBP_SESSION_H
#define LBP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "err.h"
#include "flow.h"
#include "name.h"

LBP_BEGIN_DECLS

/* The two peers of a session. */
enum lbp_side {
	LBP_CLIENT,
	LBP_UPSTREAM,
};

enum lbp_state {
	LBP_SESSION_HANDSHAKE,  /* with a client that is nobody yet */
	LBP_SESSION_AUTHORIZED, /* with a client that may come in */
	LBP_SESSION_DIALING,    /* admitted; an upstream is being dialed */
	LBP_SESSION_RELAY,
	LBP_SESSION_RESETTING, /* one side broke off; what it sent goes on */
	LBP_SESSION_CLOSING,   /* refused; waiting for the client's end */
	LBP_SESSION_ENDED,
};

/* The closed list of reasons for which a session ends. */
#define LBP_REASON_MAP(X)                                                      \
	X(LBP_REASON_NONE, "none")                                             \
	X(LBP_REASON_DONE, "done")                                             \
	X(LBP_REASON_HANDSHAKE_TIMEOUT, "handshake_timeout")                   \
	X(LBP_REASON_HANDSHAKE_FAILED, "handshake_failed")                     \
	X(LBP_REASON_HANDSHAKE_EVICTED, "handshake_evicted")                   \
	X(LBP_REASON_NO_CERTIFICATE, "no_certificate")                         \
	X(LBP_REASON_UNTRUSTED, "untrusted")                                   \
	X(LBP_REASON_EXPIRED, "expired")                                       \
	X(LBP_REASON_NOT_YET_VALID, "not_yet_valid")                           \
	X(LBP_REASON_REVOKED, "revoked")                                       \
	X(LBP_REASON_CRL_EXPIRED, "crl_expired")                               \
	X(LBP_REASON_WRONG_USAGE, "wrong_usage")                               \
	X(LBP_REASON_BAD_CERTIFICATE, "bad_certificate")                       \
	X(LBP_REASON_UNKNOWN_CLIENT, "unknown_client")                         \
	X(LBP_REASON_NOT_ALLOWED, "not_allowed")                               \
	X(LBP_REASON_CONCURRENT_LIMIT, "concurrent_limit")                     \
	X(LBP_REASON_RATE_LIMIT, "rate_limit")                                 \
	X(LBP_REASON_MAX_CONNECTIONS, "max_connections")                       \
	X(LBP_REASON_NO_UPSTREAM, "no_upstream")                               \
	X(LBP_REASON_CLIENT_RESET, "client_reset")                             \
	X(LBP_REASON_UPSTREAM_RESET, "upstream_reset")                         \
	X(LBP_REASON_CLIENT_TRUNCATED, "client_truncated")                     \
	X(LBP_REASON_UPSTREAM_TRUNCATED, "upstream_truncated")                 \
	X(LBP_REASON_CLIENT_FLOOD, "client_flood")                             \
	X(LBP_REASON_UPSTREAM_FLOOD, "upstream_flood")                         \
	X(LBP_REASON_IDLE_TIMEOUT, "idle_timeout")                             \
	X(LBP_REASON_DRAIN_TIMEOUT, "drain_timeout")                           \
	X(LBP_REASON_SHUTDOWN, "shutdown")                                     \
	X(LBP_REASON_INTERNAL, "internal")

#define LBP_REASON_ENUM(code, text) code,
enum lbp_reason {
	LBP_REASON_MAP(LBP_REASON_ENUM)
};
#undef LBP_REASON_ENUM

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
	LBP_EVENT_RELOADED,     /* the application was reloaded or retired */
	LBP_EVENT_EVICTED,      /* another handshake got its place */
	LBP_EVENT_STOP,         /* reason: why the server ends the session */
	LBP_EVENT_DIAL_LOCAL,   /* failed for want of our own resources */
	LBP_EVENT_ANSWERED, /* the relay's: the upstream's first byte or end */
};

struct lbp_event {
	enum lbp_event_kind kind;
	/* IDENTIFIED; must outlive the session, which asks again after a
	 * reload. */
	const struct lbp_name *names;
	size_t name_len;
	enum lbp_reason reason; /* HANDSHAKE_FAILED, STOP */
	bool is_full; /* HANDSHAKE_DONE: no place for one more session */
};

/* What to do after a step, in this order. */
enum lbp_duty {
	/* Let the TLS handshake in progress fail with a fatal alert. */
	LBP_DUTY_REFUSE = 1 << 0,
	/* Forget the dial in progress. */
	LBP_DUTY_DROP_DIAL = 1 << 1,
	/* Dial duties.upstream, answer DIAL_DONE, _FAILED or _LOCAL. */
	LBP_DUTY_DIAL = 1 << 2,
	/* There are bytes to move: call lbp_session_relay, at once after a
	 * step, in the next turn if that call itself says so. */
	LBP_DUTY_RELAY = 1 << 3,
	/* Send close_notify to the client. */
	LBP_DUTY_CLOSE_NOTIFY = 1 << 4,
	/* End sending to the client; lbp_session_relay drops what it sends
	 * until it ends. */
	LBP_DUTY_LINGER = 1 << 5,
	/* Write the log line: the reason stands, nothing will change it. */
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
	/* What the step changed in an upstream's health, to be logged. */
	enum lbp_health_change health;
	uint32_t health_upstream;
};

/*
 * How long a session may be in a state. 0 and LBP_NEVER both are off: no
 * deadline; nor has a state one whose deadline would be beyond the last time
 * that there is. Source: [SES-14], [SES-20].
 */
struct lbp_session_timeouts {
	uint64_t handshake_ns;
	uint64_t connect_ns;
	uint64_t idle_ns;
	uint64_t linger_ns; /* for LBP_SESSION_CLOSING and RESETTING */
};

/* A handshake in more pieces than any honest one is read more slowly. */
#define LBP_LOOKS_AT_ONCE 32
#define LBP_LOOK_PAUSE_NS UINT64_C(25000000)

/* What is dropped, in bytes, of a refused client that is nobody. */
#define LBP_STRANGER_DROPPED_MAX (256 * 1024)

/* The reason as the log has it; static. */
const char *lbp_reason_text(enum lbp_reason reason);

struct lbp_session;

/*
 * Makes in *out a session that was accepted at now_ns, which lbp_session_free
 * frees. app and timeouts must outlive it. LBP_ERR_NULL: an argument is NULL;
 * LBP_ERR_NOMEM. On error *out, if there is one, is NULL.
 */
LBP_MUST_CHECK enum lbp_err lbp_session_new(struct lbp_session **out,
	struct lbp_app *app, const struct lbp_session_timeouts *timeouts,
	uint64_t now_ns);

/* Frees a session that has ended; NULL is allowed. */
void lbp_session_free(struct lbp_session *session);

/*
 * The same in storage of the caller's: lbp_session_size bytes, aligned as
 * malloc aligns. The session is in the storage, and is not to be freed; NULL:
 * an argument is.
 */
size_t lbp_session_size(void);
struct lbp_session *lbp_session_init(void *storage, struct lbp_app *app,
	const struct lbp_session_timeouts *timeouts, uint64_t now_ns);

/* --- what is known of a session --- */

enum lbp_state lbp_session_state(const struct lbp_session *session);

/* LBP_REASON_NONE until it stands, which LBP_DUTY_REPORT tells. */
enum lbp_reason lbp_session_reason(const struct lbp_session *session);

/* Was it ever admitted, a session rather than a reject? */
bool lbp_session_is_admitted(const struct lbp_session *session);

/* Whose it is, by the number in the access list; LBP_NONE: nobody's. */
uint32_t lbp_session_client(const struct lbp_session *session);

/*
 * The names that it was last identified by, the caller's of then; NULL before.
 * How many there are goes to *len, unless that is NULL.
 */
const struct lbp_name *lbp_session_names(
	const struct lbp_session *session, size_t *len);

/* The upstream that was chosen last; LBP_NONE: none, or none was left. */
uint32_t lbp_session_upstream(const struct lbp_session *session);

/* How many bytes have been written to the sink of a direction. [FLW-8]. */
uint64_t lbp_session_delivered(
	const struct lbp_session *session, enum lbp_direction way);

/* --- how it goes on --- */

/*
 * One event in, duties out, to be carried out in the order of enum lbp_duty.
 * What the caller has to answer or to remember is told in the third column.
 * REPORT comes once, as soon as the reason stands.
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
 * After each step the timer of a session is to be set to lbp_session_deadline;
 * one that rings too early is no harm: step TICK, and look again.
 *
 * LBP_ERR_STATE: the event is not legal in this state; LBP_ERR_NULL: an
 * argument is NULL. Then nothing changed, and there is no duty. now_ns must not
 * go back. HANDSHAKE_DONE and DIAL_DONE at or after the deadline come too late
 * and count as a TICK.
 * Since steps change the application's counts, whoever shares the application
 * holds its lock.
 * A session holds the place of a handshake until it is admitted or has ended,
 * and from its admission to its end one of a session: while HANDSHAKE_DONE
 * says is_full it is refused, and EVICTED ends it only before.
 * Source: [SES-1] to [SES-16], [SES-18], [SES-19], [SES-22], [SES-23],
 * [SES-28], [SES-29], [ERR-4].
 */
LBP_MUST_CHECK enum lbp_err lbp_session_step(struct lbp_session *session,
	const struct lbp_event *event, uint64_t now_ns,
	struct lbp_duties *duties);

/*
 * IDENTIFIED and HANDSHAKE_DONE in one, for a connection without a handshake
 * whose client is known, by these names, which must outlive the session. The
 * duties are DIAL, or those of a refusal that needs no alert: CLOSE_NOTIFY
 * LINGER REPORT. Errors as of lbp_session_step; LBP_ERR_NULL also if names is
 * NULL. Source: [SES-32].
 */
LBP_MUST_CHECK enum lbp_err lbp_session_submit(struct lbp_session *session,
	const struct lbp_name *names, size_t name_len, uint64_t now_ns,
	struct lbp_duties *duties);

/* LBP_EVENT_TICK alone: time has passed. As lbp_session_step. */
LBP_MUST_CHECK enum lbp_err lbp_session_tick(struct lbp_session *session,
	uint64_t now_ns, struct lbp_duties *duties);

/*
 * When LBP_EVENT_TICK must be stepped even if nothing happens; LBP_NEVER once
 * ended, and while the state's timeout is off. Source: [SES-14], [SES-20],
 * [REL-7].
 */
uint64_t lbp_session_deadline(const struct lbp_session *session);

/*
 * Says that the handshake was driven at now_ns and waits for more bytes.
 * Returns when to look for them: now_ns if as soon as they come, else a time
 * before which it is not to be driven again. Source: [SES-30].
 */
LBP_MUST_CHECK uint64_t lbp_session_looked(
	struct lbp_session *session, uint64_t now_ns);

/*
 * Says that n bytes were dropped while closing. True: that was enough, step
 * LBP_EVENT_CLIENT_ENDED. Source: [SES-31].
 */
LBP_MUST_CHECK bool lbp_session_dropped(struct lbp_session *session, size_t n);

/*
 * Is the handshake to go on: was the last IDENTIFIED of somebody who may use
 * the application? For TLS stacks that must answer inside the handshake.
 */
bool lbp_session_is_authorized(const struct lbp_session *session);

LBP_END_DECLS

#endif
