#include <stdlib.h>
#include <string.h>

#include "core/balancer.h"
#include "server/policy.h"

struct numbered {
	const char *id;
	uint32_t number;
};

/* What has numbers already, in the order of the ids. */
struct known {
	struct numbered *by_id;
	size_t len;
};

/*
 * A policy in the making. All grants are grouped once, so that the work does
 * not grow with clients times applications.
 */
struct plan {
	struct lbp_policy *policy;
	const struct lbp_policy *from; /* which it is to replace, or NULL */
	const struct lbp_config *config;
	uint32_t *numbers;              /* of the configuration's clients */
	struct lbp_app_client *members; /* of all applications, by number */
	size_t *ends;      /* by application: where its members end */
	struct known apps; /* those of from */
};

/* Zeroed; one more than needed, for calloc of nothing may return NULL. */
static void *make_array(size_t len, size_t size)
{
	return calloc(len + 1, size);
}

static size_t count_serials(const struct lbp_config *config)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < config->client_len; i++)
		n += config->clients[i].serial_len;
	return n;
}

static size_t count_grants(const struct lbp_config *config)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < config->client_len; i++)
		n += config->clients[i].grant_len;
	return n;
}

static void list_names(const struct plan *plan, struct lbp_acl_name *names)
{
	const struct lbp_config *config = plan->config;
	size_t c, i;

	for (c = 0; c < config->client_len; c++) {
		for (i = 0; i < config->clients[c].serial_len; i++) {
			names->name = lbp_name_of_serial(
				&config->clients[c].serials[i]);
			names->client = plan->numbers[c];
			names++;
		}
	}
}

static void list_grants(const struct plan *plan, struct lbp_acl_grant *grants)
{
	const struct lbp_config *config = plan->config;
	size_t c, i;

	for (c = 0; c < config->client_len; c++) {
		for (i = 0; i < config->clients[c].grant_len; i++) {
			grants->client = plan->numbers[c];
			grants->app = config->clients[c].grants[i].app;
			grants++;
		}
	}
}

static enum lbp_err make_acl(const struct plan *plan)
{
	const struct lbp_config *config = plan->config;
	size_t name_len = count_serials(config);
	size_t grant_len = count_grants(config);
	struct lbp_acl_name *names;
	struct lbp_acl_grant *grants;
	enum lbp_err err = LBP_ERR_NOMEM;

	names = make_array(name_len, sizeof(*names));
	grants = make_array(grant_len, sizeof(*grants));
	if (names == NULL || grants == NULL)
		goto out;
	list_names(plan, names);
	list_grants(plan, grants);
	err = lbp_acl_new(&plan->policy->acl, names, name_len, grants,
		grant_len, (uint32_t)plan->policy->client_len,
		(uint32_t)config->app_len);
out:
	free(names);
	free(grants);
	return err;
}

/* Where the members of each application will start, while none is listed. */
static void count_members(const struct plan *plan)
{
	const struct lbp_config *config = plan->config;
	size_t start = 0;
	size_t c, i;

	for (c = 0; c < config->client_len; c++) {
		for (i = 0; i < config->clients[c].grant_len; i++)
			plan->ends[config->clients[c].grants[i].app]++;
	}
	for (i = 0; i < config->app_len; i++) {
		size_t n = plan->ends[i];

		plan->ends[i] = start;
		start += n;
	}
}

/* The grants, whose applications exist, by application and with limits. */
static enum lbp_err list_members(struct plan *plan)
{
	const struct lbp_config *config = plan->config;
	size_t c, i;

	plan->members =
		make_array(count_grants(config), sizeof(*plan->members));
	plan->ends = make_array(config->app_len, sizeof(*plan->ends));
	if (plan->members == NULL || plan->ends == NULL)
		return LBP_ERR_NOMEM;
	count_members(plan);
	for (c = 0; c < config->client_len; c++) {
		for (i = 0; i < config->clients[c].grant_len; i++) {
			const struct lbp_config_grant *grant =
				&config->clients[c].grants[i];
			size_t at = plan->ends[grant->app]++;

			plan->members[at].client = plan->numbers[c];
			plan->members[at].limits = grant->limits;
		}
	}
	return LBP_OK;
}

static int compare_ids(const void *a, const void *b)
{
	const struct numbered *x = a;
	const struct numbered *y = b;

	return strcmp(x->id, y->id);
}

static void sort_known(struct known *known)
{
	qsort(known->by_id, known->len, sizeof(*known->by_id), compare_ids);
}

/* The number that this id has already, or none. */
static uint32_t find_known(const struct known *known, const char *id)
{
	struct numbered key = {.id = id};
	const struct numbered *found = bsearch(&key, known->by_id, known->len,
		sizeof(*known->by_id), compare_ids);

	return found != NULL ? found->number : LBP_NONE;
}

/* Nothing is known of what is made anew. */
static enum lbp_err list_known_apps(struct plan *plan)
{
	const struct lbp_policy *from = plan->from;
	size_t len = from == NULL ? 0 : from->app_len;
	struct known *apps = &plan->apps;

	apps->by_id = make_array(len, sizeof(*apps->by_id));
	if (apps->by_id == NULL)
		return LBP_ERR_NOMEM;
	for (uint32_t i = 0; i < len; i++) {
		apps->by_id[i].id = lbp_app_id(from->apps[i]);
		apps->by_id[i].number = i;
	}
	apps->len = len;
	sort_known(apps);
	return LBP_OK;
}

static enum lbp_err make_app(
	const struct plan *plan, uint32_t number, uint64_t now_ns)
{
	const struct lbp_config_app *config = &plan->config->apps[number];
	struct lbp_app_upstream upstreams[LBP_UPSTREAMS_MAX];
	const struct lbp_app *from = NULL;
	size_t start = number == 0 ? 0 : plan->ends[number - 1];
	struct lbp_app_options options;
	uint32_t origin = LBP_NONE;

	if (config->upstream_len > LBP_UPSTREAMS_MAX)
		return LBP_ERR_RANGE;
	for (size_t i = 0; i < config->upstream_len; i++) {
		upstreams[i].name = config->upstreams[i].url.ptr;
		upstreams[i].weight = config->upstreams[i].weight;
	}
	options = (struct lbp_app_options){
		.id = config->id.ptr,
		.acl = plan->policy->acl,
		.number = number,
		.upstreams = upstreams,
		.upstream_len = config->upstream_len,
		.health = config->health,
		.clients = plan->members + start,
		.client_len = plan->ends[number] - start,
	};
	if (plan->from != NULL)
		origin = find_known(&plan->apps, config->id.ptr);
	if (origin != LBP_NONE)
		from = plan->from->apps[origin];
	plan->policy->origins[number] = origin;
	return lbp_app_next(
		&plan->policy->apps[number], from, &options, now_ns);
}

/* Who is known keeps the number, of which the others have none yet. */
static enum lbp_err keep_numbers(const struct plan *plan)
{
	const struct lbp_config *config = plan->config;
	const struct lbp_policy *from = plan->from;
	struct known clients = {.len = 0};

	clients.by_id = make_array(from->client_len, sizeof(*clients.by_id));
	if (clients.by_id == NULL)
		return LBP_ERR_NOMEM;
	for (uint32_t i = 0; i < from->client_len; i++) {
		if (from->clients[i] == NULL)
			continue;
		clients.by_id[clients.len].id = from->clients[i];
		clients.by_id[clients.len++].number = i;
	}
	sort_known(&clients);
	for (size_t c = 0; c < config->client_len; c++)
		plan->numbers[c] =
			find_known(&clients, config->clients[c].id.ptr);
	free(clients.by_id);
	return LBP_OK;
}

/* The others get the numbers that nobody has, then those after the last. */
static void give_numbers(const struct plan *plan)
{
	const struct lbp_policy *from = plan->from;
	size_t end = from == NULL ? 0 : from->client_len;
	size_t n = 0;

	plan->policy->client_len = end;
	for (size_t c = 0; c < plan->config->client_len; c++) {
		if (plan->numbers[c] != LBP_NONE)
			continue;
		while (n < end && from->clients[n] != NULL)
			n++;
		plan->numbers[c] = (uint32_t)n++;
		if (n > plan->policy->client_len)
			plan->policy->client_len = n;
	}
}

static enum lbp_err copy_id(char **out, const char *id)
{
	size_t size = strlen(id) + 1;
	char *copy = malloc(size);

	if (copy == NULL)
		return LBP_ERR_NOMEM;
	*out = memcpy(copy, id, size);
	return LBP_OK;
}

/* Those who are listed no more may have sessions when it is adopted. */
static enum lbp_err list_former_ids(const struct plan *plan)
{
	const struct lbp_policy *from = plan->from;
	struct lbp_policy *policy = plan->policy;
	enum lbp_err err = LBP_OK;

	for (size_t i = 0; err == LBP_OK && i < from->client_len; i++) {
		if (from->clients[i] != NULL && policy->clients[i] == NULL)
			err = copy_id(&policy->former[i], from->clients[i]);
	}
	return err;
}

static enum lbp_err list_ids(const struct plan *plan)
{
	const struct lbp_config *config = plan->config;
	struct lbp_policy *policy = plan->policy;
	enum lbp_err err = LBP_OK;

	policy->clients = make_array(policy->client_len, sizeof(char *));
	policy->former = make_array(policy->client_len, sizeof(char *));
	if (policy->clients == NULL || policy->former == NULL)
		return LBP_ERR_NOMEM;
	for (size_t c = 0; err == LBP_OK && c < config->client_len; c++)
		err = copy_id(&policy->clients[plan->numbers[c]],
			config->clients[c].id.ptr);
	if (err == LBP_OK && plan->from != NULL)
		err = list_former_ids(plan);
	return err;
}

static enum lbp_err number_clients(struct plan *plan)
{
	size_t len = plan->config->client_len;
	enum lbp_err err = LBP_OK;

	plan->numbers = make_array(len, sizeof(*plan->numbers));
	if (plan->numbers == NULL)
		return LBP_ERR_NOMEM;
	for (size_t c = 0; c < len; c++)
		plan->numbers[c] = LBP_NONE;
	if (plan->from != NULL)
		err = keep_numbers(plan);
	if (err == LBP_OK) {
		give_numbers(plan);
		err = list_ids(plan);
	}
	return err;
}

static enum lbp_err make_apps(struct plan *plan, uint64_t now_ns)
{
	struct lbp_policy *policy = plan->policy;
	size_t len = plan->config->app_len;
	enum lbp_err err = list_members(plan);

	if (err == LBP_OK)
		err = list_known_apps(plan);
	policy->apps = make_array(len, sizeof(struct lbp_app *));
	policy->origins = make_array(len, sizeof(*policy->origins));
	if (policy->apps == NULL || policy->origins == NULL)
		return LBP_ERR_NOMEM;
	policy->app_len = len;
	for (uint32_t i = 0; err == LBP_OK && i < len; i++)
		err = make_app(plan, i, now_ns);
	return err;
}

enum lbp_err lbp_policy_next(struct lbp_policy *next,
	const struct lbp_policy *policy, const struct lbp_config *config,
	uint64_t now_ns)
{
	struct plan plan = {.policy = next, .from = policy, .config = config};
	enum lbp_err err;

	*next = (struct lbp_policy){0};
	err = number_clients(&plan);
	if (err == LBP_OK)
		err = make_acl(&plan);
	if (err == LBP_OK)
		err = make_apps(&plan, now_ns);
	free(plan.numbers);
	free(plan.members);
	free(plan.ends);
	free(plan.apps.by_id);
	if (err != LBP_OK)
		lbp_policy_release(next);
	return err;
}

enum lbp_err lbp_policy_init(struct lbp_policy *policy,
	const struct lbp_config *config, uint64_t now_ns)
{
	return lbp_policy_next(policy, NULL, config, now_ns);
}
