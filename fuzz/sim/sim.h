/*
 * The simulation: clients, a server, upstreams and the network between them,
 * around one application and its sessions, in virtual time. Whatever happens
 * is drawn from bytes, so that a fuzz input and a seed are the same thing.
 *
 * Every step of a session is checked against its model (model/witness.h);
 * what is checked here is what the peers see.
 */
#ifndef LBP_SIM_H
#define LBP_SIM_H

#include "bytes.h"
#include "model/model_flow.h"
#include "model/witness.h"

#define SIM_CONNS 12
/* Bytes that the socket buffers of one direction of one side hold. */
#define SIM_SOCKET 48
#define SIM_RING   64 /* the largest ring */
#define SIM_NOTES  256

/* What is noted down, how it reads before its number, is it a fault? */
#define SIM_NOTE_MAP(X)                                                        \
	X(SIM_ACCEPTED, "a client connects with serial", 0)                    \
	X(SIM_IDENTIFIED, "the client is welcome with serial", 0)              \
	X(SIM_HANDSHAKE_DONE, "the handshake completes", 0)                    \
	X(SIM_ADMITTED, "is admitted as client", 0)                            \
	X(SIM_DIAL, "the server dials upstream", 0)                            \
	X(SIM_DIAL_DONE, "the dial is done, upstream", 0)                      \
	X(SIM_ANSWERED, "the upstream has answered", 0)                        \
	X(SIM_SENT, "a peer sends, bytes", 0)                                  \
	X(SIM_READ, "the server reads, bytes", 0)                              \
	X(SIM_WRITTEN, "the server writes, bytes", 0)                          \
	X(SIM_TAKEN, "a peer reads, bytes", 0)                                 \
	X(SIM_END_PASSED, "the end is passed on, direction", 0)                \
	X(SIM_CLOSED, "close_notify without data", 0)                          \
	X(SIM_REPORTED, "the reason stands", 0)                                \
	X(SIM_ENDED, "ends", 0)                                                \
	X(SIM_CLOCK, "the clock advances by", 0)                               \
	X(SIM_CHECK, "a check starts, upstream", 0)                            \
	X(SIM_HEAL, "the world heals", 0)                                      \
	X(SIM_NO_CERTIFICATE, "the client has no certificate", 1)              \
	X(SIM_STRANGER, "the client is not welcome with serial", 1)            \
	X(SIM_HANDSHAKE_BREAKS, "the handshake fails", 1)                      \
	X(SIM_CLIENT_RESETS, "the client resets", 1)                           \
	X(SIM_UPSTREAM_RESETS, "the upstream resets", 1)                       \
	X(SIM_DIAL_REFUSED, "the dial is refused, upstream", 1)                \
	X(SIM_DIAL_HANGS, "the dial hangs, upstream", 1)                       \
	X(SIM_DIAL_LOCAL, "the dial is short of something, upstream", 1)       \
	X(SIM_HALF_CLOSE, "a source ends, direction", 1)                       \
	X(SIM_ONE_BYTE, "the network cuts at one byte", 1)                     \
	X(SIM_BLOCKED, "a write is blocked, direction", 1)                     \
	X(SIM_FLAP, "changes its ways, upstream", 1)                           \
	X(SIM_UNRESOLVED, "loses its address, or gets one, upstream", 1)       \
	X(SIM_DRAINING, "drains, or does no longer, upstream", 1)              \
	X(SIM_CHECK_FAILS, "a check fails, upstream", 1)                       \
	X(SIM_CHECK_DROPPED, "a check is given up, upstream", 1)               \
	X(SIM_BURST, "a burst of clients", 1)                                  \
	X(SIM_STOP, "the server stops the session", 1)                         \
	X(SIM_EVICTED, "another handshake gets its place", 1)                  \
	X(SIM_FULL, "as many sessions as may be, when it completes", 1)        \
	X(SIM_RELOAD, "a reload", 1)                                           \
	X(SIM_TOLD, "the session is told of a reload", 0)                      \
	X(SIM_LOST, "a reload leaves no place for client", 1)                  \
	X(SIM_WRONG, "a wrong event, number", 1)                               \
	X(SIM_CLOCK_STILL, "the clock stands still", 1)                        \
	X(SIM_CLOCK_JUMPS, "the clock jumps ahead", 1)                         \
	X(SIM_LATE, "the timers are late", 1)                                  \
	X(SIM_HUNG, "a peer hangs for good", 1)

#define SIM_NOTE_ENUM(code, text, fault) code,
enum sim_note_kind {
	SIM_NOTE_MAP(SIM_NOTE_ENUM) SIM_NOTE_KINDS
};
#undef SIM_NOTE_ENUM

struct sim_note {
	uint64_t now_ns;
	uint32_t conn; /* its number; 0: none */
	uint32_t value;
	enum sim_note_kind kind;
};

/* Summed up over all runs. */
struct sim_stats {
	uint64_t runs;
	uint64_t steps;
	uint64_t events; /* steps of sessions */
	uint64_t bytes;  /* that were relayed */
	uint64_t notes[SIM_NOTE_KINDS];
	uint64_t reasons[LBP_REASONS];
};

enum sim_mode {
	SIM_UP,
	SIM_REFUSING,
	SIM_HANGING
};

/* One direction, as its two peers know it. */
struct sim_stream {
	struct model_pipe pipe; /* the server's, between them */
	uint64_t sent;
	uint64_t taken;
	bool source_ended;
	bool source_broke; /* off: what it sent is all there will be */
	bool sink_saw_end;
	bool sink_saw_reset;
};

struct sim_conn {
	struct witness witness;
	struct sim_stream streams[2]; /* by enum lbp_direction */
	uint32_t number;              /* in the order of acceptance, from 1 */
	uint32_t serial;              /* an octet; 0: no certificate */
	uint32_t client;              /* who may use the application, or none */
	uint32_t upstream;
	uint32_t tried;
	uint32_t reports;
	bool live;
	bool stale; /* not told of the last reload yet */
	bool handshaken;
	bool dialing;
	bool relayed; /* at any time */
	bool admitted;
};

struct sim {
	struct bytes bytes;
	struct twin_app app;
	struct lbp_session_timeouts timeouts;
	uint64_t now_ns;
	struct sim_conn conns[SIM_CONNS];
	enum sim_mode modes[MODEL_APP_UPSTREAMS];
	uint32_t checks; /* upstreams that are being checked, a bit for each */
	uint32_t accepted;
	uint8_t trouble; /* how likely faults are, of 256 */
	uint32_t max_connections;
	bool verbose; /* print each note at once */
	/* What the server lends to its pipes; a bit for each ring in use. */
	uint32_t ring_cap;
	uint32_t rings_out;
	uint8_t rings[2 * SIM_CONNS][SIM_RING];
	/* Every admission of each client, the last ones. */
	uint64_t admitted_ns[MODEL_APP_CLIENTS][MODEL_APP_ADMISSIONS];
	uint64_t admissions[MODEL_APP_CLIENTS];
	uint64_t forgotten[MODEL_APP_CLIENTS]; /* so many of them */
	struct sim_note notes[SIM_NOTES];
	uint64_t note_len;
	struct sim_stats stats;
};

/* Runs at most this many steps, then heals the world. */
void sim_run(struct sim *sim, const uint8_t *data, size_t len, uint64_t steps);

/* Notes something down; conn may be NULL, and value LBP_NONE for no number. */
void sim_note(struct sim *sim, const struct sim_conn *conn,
	enum sim_note_kind kind, uint32_t value);
void sim_print_note(const struct sim_note *note);
void sim_print_stats(const struct sim_stats *stats, double seconds);

/* The server's part: sim_server.c. */
void sim_accept(struct sim *sim, struct sim_conn *conn, uint32_t serial);
void sim_event(
	struct sim *sim, struct sim_conn *conn, const struct lbp_event *event);
void sim_event_kind(
	struct sim *sim, struct sim_conn *conn, enum lbp_event_kind kind);
void sim_read(struct sim *sim, struct sim_conn *conn, enum lbp_direction way,
	uint64_t most);
void sim_write(struct sim *sim, struct sim_conn *conn, enum lbp_direction way,
	uint64_t most);
/* A direction whose source broke off: is there nothing left of it? */
void sim_deliver(struct sim *sim, struct sim_conn *conn);
void sim_check_rings(const struct sim *sim);
/* The truth about a serial, from what was configured. */
uint32_t sim_who_is(const struct sim *sim, uint32_t serial);

/* Reloads with the configuration in sim->app, and tells nobody. */
void sim_reload(struct sim *sim);
/* Tells a session of it, if it has not been told. */
void sim_tell(struct sim *sim, struct sim_conn *conn);

/* The peers' part: sim_peers.c. */
/* Draws whether a fault happens now. */
bool sim_trouble(struct sim *sim);
void sim_connect(struct sim *sim, struct sim_conn *conn);
void sim_act(struct sim *sim, struct sim_conn *conn);
void sim_behave(struct sim *sim, struct sim_conn *conn);

#endif
