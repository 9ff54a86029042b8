/*
 * The configuration in force, from the first one on, and how another one takes
 * its place. All of it is the main thread's. [RLD-*].
 *
 *   load      the next snapshot, and all that it takes to serve it, is made
 *             beside what serves; whatever is wrong with it changes nothing
 *   commit    under the applications' locks the next policy is put in force.
 *             It cannot fail
 *   order     each thread turns to the next snapshot between two of its turns,
 *             and ends the connections that lost their right to be there
 *   done      when all threads have, what was before is freed
 *
 * One is carried out at a time. SIGHUP meanwhile asks for one more after it.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include "admin.h"
#include "crew.h"
#include "manager.h"
#include "resolver.h"
#include "server/rotation.h"

/* Why one is begun. */
enum reload_cause {
	RELOAD_SIGNAL,
	RELOAD_WATCH, /* a file has other content */
	RELOAD_CTL,   /* lbproxyctl */
};

struct reload {
	struct snapshot *snapshot; /* in force */
	struct served served;
	struct crew *crew;
	struct admin admin;
	struct manager *manager;
	struct cache *cache; /* of sessions that clients may resume */
	struct resolver *resolver;
	uint64_t generation;
	struct alarm look; /* at the files that it names */
	struct lbp_rotation rotation;

	/* The next one, and what is left of the last one: */
	struct snapshot *other;
	struct resolver *other_resolver;
	struct served_change served_change;
	struct crew_change crew_change;
	struct admin_change admin_change;
	uint64_t begun_ns;
	enum reload_cause cause;
	bool is_pending; /* threads are turning to it */
	bool is_wanted;  /* once more after that */
	bool is_asked;   /* at the admin socket, which waits for it */
};

/*
 * Begins with a snapshot, which it takes over, and a crew, which must outlive
 * it; manager is to be set then, and reload_release must be called.
 */
void reload_init(
	struct reload *reload, struct snapshot *snapshot, struct crew *crew);

/*
 * Puts the first snapshot in force, once the crew is made and before it runs.
 * False: an `error` event said why.
 */
bool reload_start(struct reload *reload);

/* Reads the configuration's file again, now or after what is pending. */
void reload_again(struct reload *reload);

/*
 * Nothing is reported of names any more, and the admin port is closed. To be
 * called before the crew is released.
 */
void reload_stop(struct reload *reload);

/* Lets go of it all, once the crew has been released. */
void reload_release(struct reload *reload);

#endif
