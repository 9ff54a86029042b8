/*
 * Gathers the figures of a running server, in the admin port's thread: what
 * workers count is read as it stands, what applications count is copied under
 * their locks, of one at a time, and never much.
 */
#ifndef GATHER_H
#define GATHER_H

#include "crew.h"
#include "server/busiest.h"
#include "server/figures.h"
#include "view.h"

/* The figures, and the memory that they are in. */
struct gathered {
	struct lbp_figures figures;
	struct lbp_app_figures *apps;
	struct lbp_upstream_figures *upstreams;
	size_t upstream_cap;
	struct lbp_client_figures *clients;
	char (*client_ids)[LBP_ID_MAX + 1];
	uint64_t *uses;
	struct lbp_busiest busiest;
	struct reject *kept; /* of all workers */
	struct lbp_reject_figures *rejects;
	struct reject_texts *texts;
};

/*
 * Gathers into *gathered, with at most so many clients; gathered_release must
 * be called in any case. The view must live until then. False: out of memory.
 */
bool gather(struct gathered *gathered, const struct crew *crew,
	const struct view *view, uint32_t clients);
void gathered_release(struct gathered *gathered);

#endif
