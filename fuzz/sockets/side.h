/*
 * The two peers of a session and the sockets to them, as cmd's streams see
 * them: their calls of sockets (socket_calls.c), of TLS (tls_calls.c) and of
 * the poller end here, where they are checked.
 */
#ifndef SIDE_H
#define SIDE_H

#include "../cmd/lbproxyd/conn.h"
#include "core/session_state.h"
#include "server/proxy.h"

/* As the kernel has them: of the client, and of what it connected to. */
#define SIDE_PEER_PORT 1234
#define SIDE_OWN_PORT  2

#define SIDE_FD 1000 /* of the client's socket; the next is the upstream's */

/* How much has arrived at most, from one peer in one run. */
#define SIDE_BYTES_MAX (1 << 20)

/* One peer and the socket to it. The peer: */
struct side {
	uint64_t arrived;  /* bytes of it that the socket has, or had */
	bool has_ended;    /* cleanly, after those, */
	bool is_truncated; /* or its TCP without its TLS */
	bool is_reset;
	bool has_error;        /* which the socket has not been asked about */
	bool floods;           /* TLS with records that have no data */
	unsigned lags;         /* so many bytes its TCP has not got yet */
	bool is_shaking;       /* in a TLS handshake, */
	unsigned flights;      /* of which so many are to be read */
	bool is_connecting;    /* and that is not decided */
	int refusal;           /* why it could not connect, an errno; or 0 */
	uint64_t room;         /* bytes that it would take now */
	bool read_needs_write; /* TLS has a message to write first */
	bool write_needs_read; /* and one to read first, */
	unsigned messages;     /* of TLS itself that are there */
	bool may_be_idle;      /* only that message made it ready, perhaps */

	/* What the relay did: */
	uint64_t taken;
	uint64_t pending; /* TLS has taken more, in whole records */
	bool saw_end;
	bool saw_end_late; /* after it was told of a reset */
	bool saw_truncation;
	bool saw_flood;
	bool saw_reset;
	uint8_t header[LBP_PROXY_MAX]; /* that it was sent before those, */
	size_t header_len;
	uint64_t given; /* of the other one's bytes */
	bool notified;  /* close_notify was written */
	bool shut;      /* FIN was sent */
	uint64_t retry; /* TLS: so many bytes are to be offered again */
	/* A message of TLS made it readable, and a write has taken it. */
	bool took_message;
	/* The last call did all it was asked for: the next may be in vain. */
	bool may_be_empty;
	bool may_be_full;
	bool no_delay;    /* TCP_NODELAY is set */
	bool keeps_alive; /* SO_KEEPALIVE is set */
	int user_timeout_ms;
	bool resets;     /* a close is a reset */
	bool is_watched; /* by the poller */
	bool closed;
};

struct sides {
	struct side side[2]; /* the client, the upstream */
	struct conn *conn;
	bool has_headers;    /* for the upstream, as long as it is dialed */
	bool is_interrupted; /* the next call of a socket is */
	bool no_watch;       /* the next socket cannot be watched */
	bool no_shutdown;    /* the next end of sending fails */
	int no_socket;       /* why there is none for the next dial, or 0 */
	int connects;        /* what the next connect comes to: 0 or an errno */
	bool reads_ahead;    /* TLS has what came with a handshake */
	bool refused;        /* a call for want of something of ours, */
	bool is_reported;    /* and there is a line about it */
	bool called;         /* something was got from a call */
	unsigned idle;       /* turns since that was so */
	uint64_t budget[2];  /* what may be taken in this turn [SRV-34] */
	uint64_t dropped;    /* bytes of a refused client */
};

extern struct sides sides;

/* Starts anew, with closed sockets. */
void sides_start(struct conn *conn);

/* A turn of the session begins. */
void sides_turn(void);

/* It ends, and may have ended the session. [SRV-35] */
void sides_turned(bool is_over);

/* An amount of bytes by a number below 16: small ones, and those that matter.
 */
uint32_t sides_amount(unsigned how);

/* Opens a socket, which takes no bytes and has none yet. */
void side_open(struct side *side);

/* More bytes arrive, or the end, after what TLS waits for. */
void side_arrive(struct side *side, uint64_t n);
void side_end(struct side *side);

/* The peer resets: what has arrived stays, and nothing more comes. */
void side_reset(struct side *side);

/* Its TCP ends without its TLS, if it has TLS. */
void side_truncate(struct side *side);

/* So many bytes are taken from a socket, in this turn. [SRV-34]. */
void side_spend(const struct side *side, uint64_t n);

/* Is a side done: has it ended, and was the other's end passed on to it? */
bool side_is_done(const struct side *side);

/* Takes a part of a PROXY header, and says how much. [PRX-23]. */
size_t side_take_header(struct side *side, const void *buf, size_t len);

/* Does the upstream have what must come before all else? [PRX-20]. */
bool side_has_header(const struct side *side);

/* The relay read an end of a side, if is_clean one that counts. */
void side_saw_end(struct side *side, bool is_clean);

/* Gives the relay at most n bytes of a side, and a side at most n bytes from
 * the relay; how many it came to. */
size_t side_take(struct side *side, void *buf, size_t len, uint64_t n);
size_t side_give(struct side *side, const void *buf, uint64_t n);

/* For a struct poller_ops. */
void side_stop(struct poller *poller, struct watch *watch);
int side_watch(struct poller *poller, struct watch *watch, unsigned want);
void side_forget(struct poller *poller, struct watch *watch);

/* Nothing is ready: has all been passed on that can be? [SRV-35] */
void side_check_rest(const struct side *from);

/* What the poller would say of a side, were it asked for all. */
/* Unasked, it says POLLER_ERROR. */
unsigned side_readiness(const struct side *side);

/* The stream of a side, and the other side. */
struct stream *side_stream(const struct side *side);
struct side *side_other(const struct side *side);

struct side *side_of_fd(int fd);
struct side *side_of_tls(const struct tls *tls);
bool side_is_tls(const struct side *side);

#endif
