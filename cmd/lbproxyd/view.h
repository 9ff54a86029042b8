/*
 * What is in force, as the admin port sees it: made by the main thread with
 * each snapshot, read by others, and freed by the last one that holds it. It
 * points into no snapshot.
 */
#ifndef VIEW_H
#define VIEW_H

#include "served.h"
#include "server/figures.h"

struct view {
	atomic_uint holders;
	struct served_app **apps; /* len of them, each held */
	size_t len;
	uint64_t generation;
	struct lbp_expiring *expiring; /* expiring_len, with texts of its own */
	size_t expiring_len;
	char **files; /* theirs, owned */
};

/*
 * Makes the view of a snapshot, whose applications were prepared as served
 * says, held once; NULL: out of memory.
 */
struct view *view_new(const struct served_change *served,
	const struct snapshot *snapshot, uint64_t generation);

struct view *view_hold(struct view *view);
void view_release(struct view *view); /* NULL is allowed */

/* The id of an app of which no upstream is up; NULL: there is none. */
const char *view_waits_for(const struct view *view);

#endif
