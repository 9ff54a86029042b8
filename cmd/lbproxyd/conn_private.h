/* Shared by the files that implement a connection. */
#ifndef CONN_PRIVATE_H
#define CONN_PRIVATE_H

#include "conn.h"

/*
 * Functions that may end the connection say so. An ended connection may still
 * be read, but not used: its memory is freed by conns_turn.
 */

/* --- conn.c: from start to end --- */

/* Steps the session, and carries out its duties; may end the connection. */
void conn_step(struct conn *conn, struct lbp_event event);

/*
 * Sets the alarm for what is due next. It may fire before the deadline but not
 * after it: since each byte may postpone the deadline, that is read only when
 * the alarm fires.
 */
void conn_set_alarm(struct conn *conn);

/*
 * lbp_session_step under the lock of the session's application; user is the
 * connection.
 */
enum lbp_err conn_step_locked(void *user, const struct lbp_event *event,
	uint64_t now_ns, struct lbp_duties *duties);

/* Relays, unless it yielded in this turn; may end the connection. */
void conn_continue(struct conn *conn);

/*
 * Logs what failed for lack of a resource, with its errno, and returns the
 * event that ends the connection for that. [SRV-60].
 */
struct lbp_event conn_failed(struct conn *conn, const char *what, int error);

/* --- conns.c: the lists of a thread --- */

/* Adds a connection that conns_expect has counted to the list of all. */
void conns_add(struct conn *conn);

/* Removes it from all lists and the count; conns_turn will free it. */
void conns_remove(struct conn *conn);

/* Undoes one conns_expect. */
void conns_uncount(struct conns *conns);

/* Returns true for a session that was admitted, and not refused after all. */
bool conn_is_session(const struct conn *conn);

/*
 * Has the sums logged that are due then (LBP_NEVER: none are). All threads
 * share them; the one that counted first logs them.
 */
void conns_await_sums(struct conns *conns, uint64_t due_ns);

/* --- conn_handshake.c: the client, until it is admitted --- */

/* Prepares a connection, whose client stream is open, for its handshake. */
void conn_init_handshake(struct conn *conn);

/*
 * Gives it a place among the handshakes in progress, for which another one may
 * be evicted.
 */
void conn_take_place(struct conn *conn);

/* Returns its place among the handshakes in progress, if it has one. */
void conn_leave_place(struct conn *conn);

/* Ends connections that were evicted. [SES-23]. */
void conn_deliver_evictions(struct mail *mail);

/*
 * Starts with what has to come first, a PROXY header or the handshake. False:
 * out of memory.
 */
bool conn_open(struct conn *conn);

/*
 * Waits for more from a client in its handshake, for a while if it sends tiny
 * pieces; may end the connection. [SES-30].
 */
void conn_await_client(struct conn *conn);

/* Starts TLS and takes a step of it; may end the connection. */
void conn_start_tls(struct conn *conn);

/* Queues the next step of the handshake on this watch. [SRV-107]. */
void conn_queue_handshake(struct conn *conn, struct watch *watch);

/* --- conn_trust.c: whether client and upstream are still trusted --- */

/* Judges them again, as they may have lost their right; may end it. */
void conn_judge(struct conn *conn);

/* Sets when to judge an admitted client again, as its certificate expires. */
void conn_await_expiry(struct conn *conn);

/* --- conn_dial.c: from there until an upstream is connected --- */

/* Dials this upstream. True: *event has the result, and must be stepped. */
bool conn_start_dial(
	struct conn *conn, uint32_t upstream, struct lbp_event *event);

/* The upstream's socket is ready; may end the connection. */
void conn_continue_dial(struct conn *conn);

/* The current address took too long; may end the connection. */
void conn_try_next_address(struct conn *conn);

/*
 * The client sent something, or is gone, before an upstream is connected. What
 * it sent must wait; if it is gone, the connection ends. [SRV-32].
 */
void conn_await_upstream(struct conn *conn);

/* Records why the upstream failed, if this event says that it did. */
void conn_note_cause(struct conn *conn, enum lbp_event_kind kind);

/* --- conn_opening.c: PROXY headers of balancers in front --- */

/* Prepares for a header. False: out of memory. */
bool conn_init_opening(struct conn *conn);

/* Reads what is there of it, and goes on; may end the connection. */
void conn_read_opening(struct conn *conn);

/* --- conn_proxy.c: PROXY headers for upstreams --- */

/* Has the next dial tell the upstream who the client is, if it is to. */
void conn_introduce(struct conn *conn);

/* --- conn_relay.c: its bytes --- */

/* Tells a new session how to read and write. */
void conn_init_relay(struct conn *conn);

/* The upstream is connected: what came with the handshakes can be read. */
void conn_begin_relay(struct conn *conn);

/*
 * Looks whether peers that have not acknowledged all still answer; the alarm is
 * then to be set anew. [SRV-172].
 */
void conn_look(struct conn *conn, uint64_t now_ns);

/*
 * Moves what can be moved in one turn; the connection must not have yielded,
 * and does so if more is left. False: nothing happened. [SRV-34].
 */
bool conn_relay(struct conn *conn, uint64_t now_ns, struct lbp_duties *duties);

/* Watches both sides of a relay for what they wait for. */
void conn_watch(struct conn *conn);

#endif
