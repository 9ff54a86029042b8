/*
 * The server's threads: the main one, the acceptor and the workers, and the
 * signals and orders that control them from start to end.
 */
#ifndef CREW_H
#define CREW_H

#include "acceptor.h"

struct member;

struct crew {
	struct snapshot *snapshot;
	struct capacity capacity;
	struct handshakes handshakes;
	struct loop loop; /* the main thread's */
	struct mailbox mailbox;
	struct acceptor acceptor;
	struct mail acceptor_done;
	struct member *members; /* one for each worker, */
	struct worker *workers; /* len of them */
	uint32_t len;
	uint32_t made;    /* of them */
	uint32_t running; /* workers that are not done */
	bool drain_begun;
	bool accepts; /* until the acceptor is done */
	bool forced;  /* to stop at once */
	uint64_t drain_until_ns;
};

/* A worker as the main thread sees it. */
struct member {
	struct crew *crew;
	struct worker *worker;
	struct mail done; /* the worker's thread ended */
};

/*
 * Makes the main thread's loop, with this many alarms, and what the threads
 * share. False: an `error` event said why; crew_release must still be called.
 */
bool crew_init(
	struct crew *crew, struct snapshot *snapshot, uint32_t alarm_cap);

/*
 * Makes the workers, and the acceptor for open listeners; signals are handled
 * from now on. False: an `error` event said why.
 */
bool crew_man(struct crew *crew, struct listeners *listeners);

/*
 * Runs all threads until SIGTERM or SIGINT has ended them. False: they had to
 * stop at once, or could not be started. [SRV-136].
 */
bool crew_run(struct crew *crew);

void crew_release(struct crew *crew);

#endif
