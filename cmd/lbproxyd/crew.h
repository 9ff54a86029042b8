/*
 * The server's threads: the main one, the acceptor and the workers, and the
 * signals and orders that control them from start to end.
 */
#ifndef CREW_H
#define CREW_H

#include "acceptor.h"

struct member;

struct crew {
	struct capacity capacity;
	struct handshakes handshakes;
	struct loop loop; /* the main thread's */
	struct mailbox mailbox;
	struct acceptor acceptor;
	struct mail acceptor_done;
	struct member *members; /* one for each worker, */
	struct worker *workers; /* len of them */
	uint32_t len;
	enum lbp_event_loop event_loop;
	uint32_t max_handshakes;
	uint32_t made;           /* of them */
	uint32_t running;        /* workers that are not done */
	atomic_bool drain_begun; /* written by the main thread */
	struct alarm delay;      /* of the drain, until the listeners close */
	bool closes;             /* the acceptor was told to */
	bool accepts;            /* until the acceptor is done */
	bool forced;             /* to stop at once */
	uint64_t drain_delay_ns;
	uint64_t drain_ns;
	uint64_t drain_until_ns;
	/* The three may be NULL. */
	void (*started)(void *user); /* called when all threads run */
	void (*hung_up)(void *user); /* called for SIGHUP */
	void (*drains)(void *user);  /* called when a drain begins */
	void *user;
};

/* A worker as the main thread sees it. */
struct member {
	struct crew *crew;
	struct worker *worker;
	struct mail done; /* the worker's thread ended */
	bool has_ended;
};

/*
 * What all threads turn to at a reload. The main thread's; the threads have
 * their parts of it from crew_order until done is called.
 */
struct crew_change {
	struct crew *crew;
	struct acceptor_change acceptor;
	struct mail acceptor_done;
	struct crew_part *parts; /* one for each worker */
	bool is_ordered;
	uint32_t pending; /* threads that have not done it yet */
	void (*done)(struct crew_change *change);
};

/*
 * Makes the main thread's loop, with this many alarms beside its own, and what
 * the threads share. What it calls may be set afterwards. False: an `error`
 * event said why; crew_release must still be called.
 */
bool crew_init(
	struct crew *crew, const struct snapshot *snapshot, uint32_t alarm_cap);

/*
 * Makes the workers and the acceptor, for now without applications; signals are
 * handled from now on. False: an `error` event said why.
 */
bool crew_man(struct crew *crew, const struct snapshot *snapshot);

/*
 * Prepares that the threads turn to a snapshot, whose applications were
 * prepared as served says, and opens its listeners. False: an `error` event
 * said why. crew_change_release must be called in any case.
 */
bool crew_prepare(struct crew_change *change, struct crew *crew,
	const struct served_change *served, const struct snapshot *snapshot);
void crew_change_release(struct crew_change *change);

/*
 * Turns to what was prepared and put in force, before any thread runs. False:
 * an `error` event said why.
 */
bool crew_adopt(struct crew_change *change);

/*
 * Tells the threads to do so; change->done, which must be set, is called when
 * all have. Not to be called once the drain has begun.
 */
void crew_order(struct crew_change *change);

/*
 * Runs all threads until SIGTERM or SIGINT has ended them. False: they had to
 * stop at once, or could not be started. [SRV-136].
 */
bool crew_run(struct crew *crew);

/* After that: how many sessions were ended by it. [SRV-177]. */
uint64_t crew_cut(const struct crew *crew);

void crew_release(struct crew *crew);

#endif
