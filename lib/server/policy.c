#include "server/policy.h"

#include <stdlib.h>

#include "core/app_state.h"

/* Standard streams, signal pipe, and what libraries open now and then. */
#define DESCRIPTORS_BASE 16
/* A wake-up, the event loop's own, and connections without a place. */
#define DESCRIPTORS_PER_WORKER (3 + LBP_LOOSE_PER_WORKER)

/* Applications that stay are where they were; next gets all the others. */
static void adopt_apps(struct lbp_policy *policy, struct lbp_policy *next)
{
	for (size_t i = 0; i < next->app_len; i++) {
		uint32_t origin = next->origins[i];
		struct lbp_app *made = next->apps[i];

		if (origin == LBP_NONE)
			continue;
		lbp_app_adopt(policy->apps[origin], made);
		next->apps[i] = policy->apps[origin];
		policy->apps[origin] = made;
	}
}

/* Who was removed has the number for as long as sessions are open. */
static void leave_numbers(struct lbp_policy *next)
{
	for (size_t i = 0; i < next->app_len; i++) {
		const struct lbp_app *app = next->apps[i];

		for (size_t m = 0; m < app->member_len; m++) {
			uint32_t number = app->members[m].client;

			if (next->clients[number] != NULL)
				continue;
			next->clients[number] = next->former[number];
			next->former[number] = NULL;
		}
	}
}

void lbp_policy_adopt(struct lbp_policy *policy, struct lbp_policy *next)
{
	struct lbp_policy before;

	adopt_apps(policy, next);
	leave_numbers(next);
	before = *policy;
	*policy = *next;
	*next = before;
	for (size_t i = 0; i < next->app_len; i++)
		lbp_app_retire(next->apps[i]);
}

const char *lbp_policy_client_id(
	const struct lbp_policy *policy, uint32_t client)
{
	return client < policy->client_len ? policy->clients[client] : NULL;
}

static void free_ids(char **ids, size_t len)
{
	for (size_t i = 0; ids != NULL && i < len; i++)
		free(ids[i]);
	free(ids);
}

void lbp_policy_release(struct lbp_policy *policy)
{
	for (size_t i = 0; i < policy->app_len; i++)
		lbp_app_free(policy->apps[i]);
	free(policy->apps);
	free(policy->origins);
	free_ids(policy->clients, policy->client_len);
	free_ids(policy->former, policy->client_len);
	lbp_acl_free(policy->acl);
	*policy = (struct lbp_policy){0};
}

uint64_t lbp_policy_descriptors(const struct lbp_config *config,
	uint32_t workers, uint32_t listeners, uint32_t inherited)
{
	uint64_t n = DESCRIPTORS_BASE;
	size_t i;

	n += (uint64_t)workers * DESCRIPTORS_PER_WORKER;
	n += listeners;
	/* They take numbers from ours, wherever they are. */
	n += inherited;
	/* A client's connection and its upstream's. */
	n += (uint64_t)config->max_connections * 2;
	/* A client's, before there is a session. */
	n += config->max_handshakes;
	/* At most one check of an upstream runs at a time. */
	for (i = 0; i < config->app_len; i++) {
		if (config->apps[i].health.enabled)
			n += config->apps[i].upstream_len;
	}
	return n;
}

enum lbp_err lbp_policy_event_loop(const struct lbp_config *config,
	uint64_t descriptors, uint64_t select_max, enum lbp_event_loop *out)
{
	bool fits = descriptors <= select_max;
	bool fits_with_one =
		fits || descriptors - select_max < config->max_handshakes;

	if (config->event_loop == LBP_EVENT_LOOP_SELECT && !fits_with_one)
		return LBP_ERR_RANGE;
	if (config->event_loop == LBP_EVENT_LOOP_AUTO)
		*out = fits && descriptors <= LBP_AUTO_SELECT_MAX
			       ? LBP_EVENT_LOOP_SELECT
			       : LBP_EVENT_LOOP_EPOLL;
	else
		*out = config->event_loop;
	return LBP_OK;
}

uint32_t lbp_policy_handshakes(const struct lbp_config *config,
	enum lbp_event_loop loop, uint64_t descriptors, uint64_t select_max)
{
	if (loop != LBP_EVENT_LOOP_SELECT || descriptors <= select_max)
		return config->max_handshakes;
	return config->max_handshakes - (uint32_t)(descriptors - select_max);
}
