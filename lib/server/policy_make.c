#include <stdlib.h>
#include <string.h>

#include "core/numbers.h"
#include "reload.h"
#include "server/policy.h"

/* A policy in the making. */
struct plan {
	struct lbp_policy *policy;
	const struct lbp_policy *from; /* which it is prepared for; or empty */
	const struct lbp_config *config;
	uint32_t *numbers; /* of the configuration's clients */
};

/* Zeroed; one more than needed, for calloc of nothing may return NULL. */
static void *make_array(size_t len, size_t size)
{
	return calloc(len + 1, size);
}

static size_t count_names(const struct lbp_config *config)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < config->client_len; i++)
		n += config->clients[i].serial_len +
		     config->clients[i].uri_len + config->clients[i].dns_len;
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

/* Stores the names of a client, and returns where the next one's go. */
static struct lbp_acl_name *list_client(struct lbp_acl_name *names,
	const struct lbp_config *config, const struct lbp_config_client *client)
{
	size_t i;

	for (i = 0; i < client->serial_len; i++) {
		const struct lbp_config_serial *serial = &client->serials[i];

		(names++)->name = lbp_name_of_issued(
			&serial->serial, config->cas[serial->ca].number);
	}
	for (i = 0; i < client->uri_len; i++)
		(names++)->name = lbp_name_of_uri(client->uris[i].ptr);
	for (i = 0; i < client->dns_len; i++)
		(names++)->name = lbp_name_of_dns(client->dns[i].ptr);
	return names;
}

static void list_names(const struct plan *plan, struct lbp_acl_name *names)
{
	const struct lbp_config *config = plan->config;

	for (size_t c = 0; c < config->client_len; c++) {
		struct lbp_acl_name *end =
			list_client(names, config, &config->clients[c]);

		for (; names < end; names++)
			names->client = plan->numbers[c];
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
			grants->limits = config->clients[c].grants[i].limits;
			grants++;
		}
	}
}

static enum lbp_err make_acl(const struct plan *plan)
{
	const struct lbp_config *config = plan->config;
	size_t name_len = count_names(config);
	size_t grant_len = count_grants(config);
	struct lbp_acl_name *names = make_array(name_len, sizeof(*names));
	struct lbp_acl_grant *grants = make_array(grant_len, sizeof(*grants));
	struct lbp_acl_options options;
	enum lbp_err err = LBP_ERR_NOMEM;

	if (names == NULL || grants == NULL)
		goto out;
	list_names(plan, names);
	list_grants(plan, grants);
	lbp_acl_options_init(&options);
	options.names = names;
	options.name_len = name_len;
	options.grants = grants;
	options.grant_len = grant_len;
	options.client_len = (uint32_t)plan->policy->client_len;
	options.app_len = (uint32_t)config->app_len;
	err = lbp_acl_new(&plan->policy->acl, &options);
out:
	free(names);
	free(grants);
	return err;
}

static const char *app_wanted(const void *list, size_t i)
{
	return ((const struct lbp_config_app *)list)[i].id.ptr;
}

static const char *app_known(const void *list, size_t number)
{
	return lbp_app_id(((struct lbp_app *const *)list)[number]);
}

static const char *client_wanted(const void *list, size_t i)
{
	return ((const struct lbp_config_client *)list)[i].id.ptr;
}

static const char *client_known(const void *list, size_t number)
{
	return ((char *const *)list)[number];
}

static enum lbp_err make_app(
	const struct plan *plan, uint32_t number, uint64_t now_ns)
{
	const struct lbp_config_app *config = &plan->config->apps[number];
	uint32_t origin = plan->policy->origins[number];
	struct lbp_upstream upstreams[LBP_UPSTREAMS_MAX];
	struct lbp_app_options options;

	if (config->upstream_len > LBP_UPSTREAMS_MAX)
		return LBP_ERR_MANY_UPSTREAMS;
	for (size_t i = 0; i < config->upstream_len; i++)
		upstreams[i] = (struct lbp_upstream){
			.name = config->upstreams[i].url.ptr,
			.weight = config->upstreams[i].weight,
			.max_connections = config->upstreams[i].max_connections,
			.is_backup = config->upstreams[i].backup,
			.user = config->upstreams[i].user,
		};
	lbp_app_options_init(&options);
	options.id = config->id.ptr;
	options.acl = plan->policy->acl;
	options.number = number;
	options.upstreams = upstreams;
	options.upstream_len = config->upstream_len;
	options.health = config->health;
	return lbp_app_prepare(&plan->policy->apps[number],
		origin == LBP_NONE ? NULL : plan->from->apps[origin], &options,
		now_ns);
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

/* Removed clients may have sessions open at the commit. */
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
	if (err == LBP_OK)
		err = list_former_ids(plan);
	return err;
}

static enum lbp_err number_clients(struct plan *plan)
{
	const struct lbp_config *config = plan->config;
	struct lbp_named wanted = {
		client_wanted, config->clients, config->client_len};
	struct lbp_named known = {
		client_known, plan->from->clients, plan->from->client_len};
	enum lbp_err err;

	plan->numbers = make_array(wanted.len, sizeof(*plan->numbers));
	if (plan->numbers == NULL)
		return LBP_ERR_NOMEM;
	err = lbp_numbers_keep(plan->numbers, &wanted, &known);
	if (err != LBP_OK)
		return err;
	plan->policy->client_len =
		lbp_numbers_give(plan->numbers, wanted.len, &known);
	return list_ids(plan);
}

static enum lbp_err make_apps(struct plan *plan, uint64_t now_ns)
{
	struct lbp_policy *policy = plan->policy;
	size_t len = plan->config->app_len;
	struct lbp_named wanted = {app_wanted, plan->config->apps, len};
	struct lbp_named known = {
		app_known, plan->from->apps, plan->from->app_len};
	enum lbp_err err;

	policy->apps = make_array(len, sizeof(struct lbp_app *));
	policy->origins = make_array(len, sizeof(*policy->origins));
	if (policy->apps == NULL || policy->origins == NULL)
		return LBP_ERR_NOMEM;
	policy->app_len = len;
	err = lbp_numbers_keep(policy->origins, &wanted, &known);
	for (uint32_t i = 0; err == LBP_OK && i < len; i++)
		err = make_app(plan, i, now_ns);
	return err;
}

enum lbp_err lbp_policy_prepare(struct lbp_policy *next,
	const struct lbp_policy *policy, const struct lbp_config *config,
	uint64_t now_ns)
{
	static const struct lbp_policy empty;
	struct plan plan = {.policy = next,
		.from = policy == NULL ? &empty : policy,
		.config = config};
	enum lbp_err err;

	*next = (struct lbp_policy){0};
	err = number_clients(&plan);
	if (err == LBP_OK)
		err = make_acl(&plan);
	if (err == LBP_OK)
		err = make_apps(&plan, now_ns);
	free(plan.numbers);
	if (err != LBP_OK)
		lbp_policy_release(next);
	return err;
}

enum lbp_err lbp_policy_init(struct lbp_policy *policy,
	const struct lbp_config *config, uint64_t now_ns)
{
	return lbp_policy_prepare(policy, NULL, config, now_ns);
}
