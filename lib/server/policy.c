#include "server/policy.h"
#include "reload.h"

#include <stdlib.h>

#include "core/app_state.h"

/* Applications that stay keep their address; next gets all the others. */
static void commit_apps(struct lbp_policy *policy, struct lbp_policy *next)
{
	for (size_t i = 0; i < next->app_len; i++) {
		uint32_t origin = next->origins[i];
		struct lbp_app *made = next->apps[i];

		if (origin == LBP_NONE)
			continue;
		lbp_app_commit(policy->apps[origin], made);
		next->apps[i] = policy->apps[origin];
		policy->apps[origin] = made;
	}
}

/* A removed client keeps its number while it has sessions open. */
static void keep_removed(struct lbp_policy *next)
{
	for (size_t i = 0; i < next->app_len; i++) {
		const struct lbp_app *app = next->apps[i];

		for (size_t m = 0; m < app->former_len; m++) {
			uint32_t number = app->former[m].client;

			if (next->clients[number] != NULL)
				continue;
			next->clients[number] = next->former[number];
			next->former[number] = NULL;
		}
	}
}

void lbp_policy_commit(struct lbp_policy *policy, struct lbp_policy *next)
{
	struct lbp_policy before;

	commit_apps(policy, next);
	keep_removed(next);
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
