/* What the files that a connection is made of share. */
#ifndef CONN_PRIVATE_H
#define CONN_PRIVATE_H

#include "conn.h"

/*
 * A function that may end the connection says so. What it leaves then is of no
 * use but to be looked at: the memory stays until conns_turn.
 */

/* --- conn.c: from start to end --- */

/* Steps the session, and carries out its duties; may end the connection. */
void conn_step(struct conn *conn, struct lbp_event event);

/*
 * Sets the alarm for what is due next. It may ring before the deadline, never
 * after it: a deadline that moves on with each byte is looked up when the alarm
 * rings.
 */
void conn_set_alarm(struct conn *conn);

/*
 * The session's step, under the lock of its application, for user, which is the
 * connection: as lbp_session_step.
 */
enum lbp_err conn_step_locked(void *user, const struct lbp_event *event,
	uint64_t now_ns, struct lbp_duties *duties);

/* Relays, unless it gave way in this turn already; may end the connection. */
void conn_go_on(struct conn *conn);

/*
 * Logs what could not be done for want of a resource, error being its errno,
 * and is the event that ends the connection for it. [SRV-60].
 */
struct lbp_event conn_failed(struct conn *conn, const char *what, int error);

/* --- conns.c: the lists of a thread --- */

/* Puts a connection that was counted by conns_expect into the list of all. */
void conns_add(struct conn *conn);

/* Takes it out of all lists and the count; conns_turn will free it. */
void conns_bury(struct conn *conn);

/* Takes back one conns_expect. */
void conns_uncount(struct conns *conns);

/*
 * Sees to it that sums that are due then, or at LBP_NEVER, are logged. They are
 * all threads': whoever counted first looks for them in time.
 */
void conns_await_sums(struct conns *conns, uint64_t due_ns);

/* --- conn_handshake.c: the client, until it is let in --- */

/* Prepares a connection, whose client stream is open, for its handshake. */
void conn_init_handshake(struct conn *conn);

/*
 * Gives it a place among the handshakes in progress. If another one lost its
 * place to this one, that is without one now.
 */
void conn_take_place(struct conn *conn);

/* Gives back what it has as a handshake in progress, if it is one. */
void conn_leave_place(struct conn *conn);

/* Ends those that lost their places to others. [SES-23]. */
void conn_deliver_evictions(struct mail *mail);

/* Puts the step of a handshake, on this watch, off to its turn. [SRV-107]. */
void conn_put_off(struct conn *conn, struct watch *watch);

/* --- conn_dial.c: from there until an upstream is there --- */

/*
 * Dials this upstream. True: *event, the dial's result, happened at once and is
 * to be stepped.
 */
bool conn_start_dial(
	struct conn *conn, uint32_t upstream, struct lbp_event *event);

/* The upstream's socket is ready; may end the connection. */
void conn_continue_dial(struct conn *conn);

/* This address took too long; may end the connection. */
void conn_try_next_address(struct conn *conn);

/*
 * The client sends, or has gone, before an upstream is there: what it sends
 * has to wait, but a client that is gone need not be dialed for, and the
 * connection ends. [SRV-32].
 */
void conn_await_upstream(struct conn *conn);

/* What is wrong with the upstream, in words, if this event says so. */
void conn_note_cause(struct conn *conn, enum lbp_event_kind kind);

/* --- conn_relay.c: its bytes --- */

/* Says to the session, which is new, how it reads and writes. */
void conn_init_relay(struct conn *conn);

/* The upstream is there: what came with the handshakes can be read. */
void conn_begin_relay(struct conn *conn);

/*
 * One turn: moves what can be moved, of a connection that is not in the list of
 * those that gave way, and puts it there if it has to. False: nothing happened.
 * [SRV-34].
 */
bool conn_relay(struct conn *conn, uint64_t now_ns, struct lbp_duties *duties);

/*
 * Watches both sides of a relay for what would let them go on. False with errno
 * set: one cannot be watched.
 */
bool conn_watch(struct conn *conn);

#endif
