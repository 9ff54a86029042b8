/*
 * The rest of the server around one connection: dials and handshakes, the
 * clock, the poller's wait, places for connections and the log. Linked with
 * the calls of the system wrapped.
 */
#ifndef HOST_H
#define HOST_H

#include "side.h"

#define HOST_PEER_PORT SIDE_PEER_PORT

struct host {
	uint64_t now_ns;
	bool is_polling;      /* handlers of the poller run */
	unsigned steps;       /* of handshakes in this turn */
	struct lbp_name name; /* the client's */
	bool is_known;        /* it may use the application */
	bool no_tls;          /* there is no memory for the next one */
	bool no_ring;
	bool is_full;   /* no place for one more session */
	bool is_itself; /* the next connection is to itself */
	unsigned draws; /* of errors of connect */

	/* What the server did: */
	bool was_asked; /* who the client is */
	bool is_in;     /* the client's handshake is complete */
	unsigned dials; /* attempts to connect */
	bool is_dialed[2];
	unsigned tried[2];    /* addresses of each upstream, */
	unsigned local[2];    /* of which so many by our own fault */
	bool was_bad[2];      /* some by the upstream's */
	uint64_t began_ns;    /* the last one */
	unsigned target;      /* the last one dialed, */
	uint16_t dialed_port; /* its address's, as on the wire */
	int rings;            /* that are lent out */
	bool was_full;        /* when the handshake was complete */
	unsigned taken;       /* places for sessions */
	unsigned given;       /* back */
	bool has_place;       /* of a handshake, */
	bool is_evicted;      /* and lost it, */
	bool was_told;
	bool was_heard;
	int loose;          /* connections without a place */
	uint64_t relays_ns; /* since when; 0: it does not */

	/* What the log has: */
	unsigned reports; /* of the connection, the last one: */
	enum lbp_reason reason;
	uint64_t reported_ns;
	bool is_dialing;    /* when it ended: no upstream was there yet */
	bool is_down[2];    /* upstreams */
	unsigned exhausted; /* lines that say so */
};

extern struct host host;

/* Is an error of a dial that fails at once our own fault? */
bool host_is_ours(int error);

/* An address of the upstream that is dialed has failed. */
void host_failed(bool is_ours);

/* Another handshake takes the place of this one, if it has it. */
void host_evict(void);

/* Starts anew at this time, with no connection until one is accepted. */
void host_start(uint64_t now_ns);

#endif
