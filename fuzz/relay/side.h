/*
 * The two peers of a session and the sockets to them, as cmd's relay and
 * stream see them: their calls of sockets, of TLS, of the poller and for rings
 * end here, where they are checked.
 */
#ifndef SIDE_H
#define SIDE_H

#include "../cmd/lbproxyd/conn.h"

/* How much has arrived at most, from one peer in one run. */
#define SIDE_BYTES_MAX (1 << 20)

/* One peer and the socket to it. The peer: */
struct side {
	uint64_t arrived; /* bytes of it that the socket has, or had */
	bool has_ended;   /* cleanly, after those */
	bool is_reset;
	uint64_t room;         /* bytes that it would take now */
	bool read_needs_write; /* TLS has a message to write first */
	bool write_needs_read; /* and one to read first, */
	bool has_message;      /* which is there */
	bool may_be_idle;      /* only that message made it ready, perhaps */

	/* What the relay did: */
	uint64_t taken;
	uint64_t pending; /* TLS has taken more, in whole records */
	bool saw_end;
	bool saw_reset;
	uint64_t given; /* of the other one's bytes */
	bool notified;  /* close_notify was written */
	bool shut;      /* FIN was sent */
	uint64_t retry; /* TLS: so many bytes are to be offered again */
	/* The last call did all it was asked for: the next may be in vain. */
	bool may_be_empty;
	bool may_be_full;
	bool no_delay;  /* TCP_NODELAY is set */
	bool no_linger; /* a close is a reset */
	bool forgotten; /* by the poller */
	bool released;
	bool closed;
};

struct sides {
	struct side side[2]; /* the client, the upstream */
	struct conn *conn;
	bool is_interrupted; /* the next call of a socket is */
	bool no_ring;        /* there is no memory for the next ring */
	bool no_watch;       /* the next call of the poller fails */
	bool no_shutdown;    /* the next end of sending fails */
	unsigned rings;      /* that are lent out, a bit for each */
	bool refused;        /* a ring or a watch was */
	bool called;         /* something was got from a call */
	bool moved;          /* [SES-11] */
	uint64_t budget[2];  /* what the relay may take in this turn */
};

extern struct sides sides;

/*
 * Starts anew, with a session that begins to relay. With TLS, early bytes have
 * come with the handshake.
 */
void sides_start(
	struct conn *conn, bool client_tls, bool upstream_tls, uint64_t early);

/* Closes both. */
void sides_close(bool reset);

/* What the poller would say of a side, were it asked for all. */
unsigned side_readiness(const struct side *side);

/* The stream of a side, and the other side. */
struct stream *side_stream(const struct side *side);
struct side *side_other(const struct side *side);

#endif
