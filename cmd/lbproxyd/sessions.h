/*
 * What operators ask of a thread's sessions: which there are, and to end some.
 * To be called in that thread.
 */
#ifndef SESSIONS_H
#define SESSIONS_H

#include "conn.h"
#include "server/session_id.h"

/* How many are looked at in one go: the thread's connections wait meanwhile. */
#define SESSIONS_AT_ONCE 128

struct session_row {
	uint64_t number;
	struct served_app *app; /* held */
	struct target *target;  /* held; NULL: none was chosen yet */
	char client[LBP_ID_MAX + 1];
	struct lbp_serial serial;
	union address peer;
	uint64_t age_ns;
	uint64_t bytes_up;
	uint64_t bytes_down;
};

struct session_batch {
	struct conns *conns;
	uint64_t below; /* the numbers that are wanted: those below this */
	struct session_row rows[SESSIONS_AT_ONCE]; /* len, the newest first */
	size_t len;
};

/* Lists sessions, releasing what was listed; sessions_release must follow. */
void sessions_list(struct session_batch *batch);
void sessions_release(struct session_batch *batch);

struct session_kill {
	struct conns *conns;
	uint64_t number;             /* of a session, or */
	char client[LBP_ID_MAX + 1]; /* not "": all of this client */
	uint64_t killed;             /* how many were ended; added to */
};

/* Ends sessions. [CTL-14]. */
void sessions_kill(struct session_kill *kill);

#endif
