#include "networks.h"

#include <stdlib.h>
#include <string.h>

struct networks *networks_new(const struct lbp_network *items, size_t len)
{
	struct networks *networks =
		malloc(sizeof(*networks) + len * sizeof(*items));

	if (networks == NULL)
		return NULL;
	atomic_init(&networks->holders, 1);
	networks->len = len;
	memcpy(networks->items, items, len * sizeof(*items));
	return networks;
}

struct networks *networks_hold(struct networks *networks)
{
	if (networks != NULL)
		atomic_fetch_add_explicit(
			&networks->holders, 1, memory_order_relaxed);
	return networks;
}

void networks_release(struct networks *networks)
{
	if (networks != NULL && atomic_fetch_sub(&networks->holders, 1) == 1)
		free(networks);
}

bool networks_contain(
	const struct networks *networks, const union address *address)
{
	struct lbp_ip ip = address_ip(address);

	return networks != NULL &&
	       lbp_networks_contain(networks->items, networks->len, &ip);
}
