/*
 * Two peers of a session, and what its turns did to them: each call of the
 * relay's functions is one word of a trace.
 */
#ifndef LBP_TEST_RELAY_WORLD_H
#define LBP_TEST_RELAY_WORLD_H

#include "session_world.h"

#define BUFFER 8

#define CLIENT   LBP_CLIENT
#define UPSTREAM LBP_UPSTREAM

struct peer {
	unsigned has;     /* bytes that can be read */
	enum lbp_io then; /* what a read says that gives none */
	enum lbp_io with; /* what one says that gives some */
	unsigned room;    /* bytes that can be written */
	enum lbp_io full; /* what a write says that takes none */
	enum lbp_io took; /* what one says that takes some */
	enum lbp_io at_end;
	unsigned most;  /* that a read gives; 0: any number */
	unsigned first; /* that the next one does */
	bool lies;      /* claims one byte more than it was asked for */
	unsigned unsent;
	uint8_t sent; /* the last byte, which counts up */
	uint8_t got;
};

extern struct peer peers[2];

/* No buffer for the next direction that asks. */
extern bool no_buffer;

/* The functions, for a session that has none yet. */
extern const struct lbp_relay_io relay_io;

/* A session in a state, with peers that have nothing and take anything. */
void relay_reach(enum lbp_state state);

/*
 * One turn. Its trace must be this: "b", "g" a buffer is taken or given back,
 * "x" there is none; "r8" 8 bytes are read from the client, "W8" written to the
 * upstream, "E" the upstream is ended; "R8", "w8", "e" the other way round; "u"
 * and "U": how many are unsent to the client, or upstream.
 */
void turn_is(const char *want);

/* It ended the session so, and the buffers are back. */
void ended_with(unsigned set, enum lbp_reason reason);

/* Ends what is left. */
void relay_finish(void);

#endif
