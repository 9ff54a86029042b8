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
