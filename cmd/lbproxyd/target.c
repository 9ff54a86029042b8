#include "target.h"

#include <stdlib.h>
#include <string.h>

struct target *target_new(const char *url)
{
	struct target *target = calloc(1, sizeof(*target));

	if (target == NULL)
		return NULL;
	atomic_init(&target->holders, 1);
	target->url = strdup(url);
	if (target->url != NULL)
		return target;
	free(target);
	return NULL;
}

struct target *target_moved(
	const struct target *target, struct addresses *addresses)
{
	struct target *moved = target_new(target->url);

	if (moved == NULL) {
		addresses_release(addresses);
		return NULL;
	}
	moved->addresses = *addresses;
	*addresses = (struct addresses){0};
	moved->tls = tls_client_hold(target->tls);
	return moved;
}

struct target *target_hold(struct target *target)
{
	atomic_fetch_add_explicit(&target->holders, 1, memory_order_relaxed);
	return target;
}

void target_release(struct target *target)
{
	if (target == NULL || atomic_fetch_sub(&target->holders, 1) > 1)
		return;
	addresses_release(&target->addresses);
	tls_client_free(target->tls);
	free(target->url);
	free(target);
}

struct place *place_new(struct target *target)
{
	struct place *place = calloc(1, sizeof(*place));

	if (place != NULL)
		place->note = calloc(1, sizeof(*place->note));
	if (place == NULL || place->note == NULL) {
		free(place);
		target_release(target);
		return NULL;
	}
	atomic_init(&place->holders, 1);
	place->target = target;
	return place;
}

struct place *place_hold(struct place *place)
{
	atomic_fetch_add_explicit(&place->holders, 1, memory_order_relaxed);
	return place;
}

void place_release(struct place *place)
{
	if (place == NULL || atomic_fetch_sub(&place->holders, 1) > 1)
		return;
	target_release(place->target);
	free(place->note);
	free(place);
}
