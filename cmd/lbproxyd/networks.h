/*
 * The networks of an app's accept_proxy. Counted, since connections start after
 * the configuration that named them is freed; any thread may hold and release
 * them. NULL stands for no networks.
 */
#ifndef NETWORKS_H
#define NETWORKS_H

#include <stdatomic.h>

#include "address.h"

struct networks {
	atomic_uint holders;
	size_t len;
	struct lbp_network items[];
};

/* Copies len networks, at least one, held once; NULL: out of memory. */
struct networks *networks_new(const struct lbp_network *items, size_t len);

/* Holds them once more, and returns them. */
struct networks *networks_hold(struct networks *networks);

/* Releases what was held. */
void networks_release(struct networks *networks);

/* Returns true if the address is in one of them. */
bool networks_contain(
	const struct networks *networks, const union address *address);

#endif
