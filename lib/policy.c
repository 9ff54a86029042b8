#include "policy.h"

#include <stdlib.h>

#include "balancer.h"

/* Standard streams, signal pipe, and what libraries open now and then. */
#define DESCRIPTORS_BASE 16
/* A wake-up pipe and the event loop's own. */
#define DESCRIPTORS_PER_WORKER 3

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

static void list_serials(
	const struct lbp_config *config, struct lbp_acl_serial *serials)
{
	uint32_t c;
	size_t i;

	for (c = 0; c < config->client_len; c++) {
		for (i = 0; i < config->clients[c].serial_len; i++) {
			serials->serial = config->clients[c].serials[i];
			serials->client = c;
			serials++;
		}
	}
}

static void list_grants(
	const struct lbp_config *config, struct lbp_acl_grant *grants)
{
	uint32_t c;
	size_t i;

	for (c = 0; c < config->client_len; c++) {
		for (i = 0; i < config->clients[c].grant_len; i++) {
			grants->client = c;
			grants->app = config->clients[c].grants[i].app;
			grants++;
		}
	}
}

static enum lbp_err make_acl(
	struct lbp_policy *policy, const struct lbp_config *config)
{
	size_t serial_len = count_serials(config);
	size_t grant_len = count_grants(config);
	struct lbp_acl_serial *serials;
	struct lbp_acl_grant *grants;
	enum lbp_err err = LBP_ERR_NOMEM;

	/* One more than needed: calloc of nothing may return NULL. */
	serials = calloc(serial_len + 1, sizeof(*serials));
	grants = calloc(grant_len + 1, sizeof(*grants));
	if (serials == NULL || grants == NULL)
		goto out;
	list_serials(config, serials);
	list_grants(config, grants);
	err = lbp_acl_new(&policy->acl, serials, serial_len, grants, grant_len,
		(uint32_t)config->client_len, (uint32_t)config->app_len);
out:
	free(serials);
	free(grants);
	return err;
}

/* The clients of one application, with their limits; returns how many. */
static size_t list_clients(const struct lbp_config *config, uint32_t app,
	struct lbp_app_client *clients)
{
	size_t n = 0;
	uint32_t c;
	size_t i;

	for (c = 0; c < config->client_len; c++) {
		for (i = 0; i < config->clients[c].grant_len; i++) {
			if (config->clients[c].grants[i].app != app)
				continue;
			clients[n].client = c;
			clients[n].limits = config->clients[c].grants[i].limits;
			n++;
		}
	}
	return n;
}

static enum lbp_err make_app(struct lbp_policy *policy,
	const struct lbp_config *config, uint32_t number, uint64_t now_ns)
{
	const struct lbp_config_app *from = &config->apps[number];
	uint32_t weights[LBP_UPSTREAMS_MAX];
	struct lbp_app_client *clients;
	struct lbp_app_options options;
	enum lbp_err err;
	size_t i;

	if (from->upstream_len > LBP_UPSTREAMS_MAX)
		return LBP_ERR_RANGE;
	for (i = 0; i < from->upstream_len; i++)
		weights[i] = from->upstreams[i].weight;
	clients = calloc(config->client_len + 1, sizeof(*clients));
	if (clients == NULL)
		return LBP_ERR_NOMEM;
	options = (struct lbp_app_options){
		.id = from->id.ptr,
		.acl = policy->acl,
		.number = number,
		.weights = weights,
		.upstream_len = from->upstream_len,
		.health = from->health,
		.clients = clients,
		.client_len = list_clients(config, number, clients),
	};
	err = lbp_app_new(&policy->apps[number], &options, now_ns);
	free(clients);
	return err;
}

enum lbp_err lbp_policy_init(struct lbp_policy *policy,
	const struct lbp_config *config, uint64_t now_ns)
{
	enum lbp_err err;
	uint32_t i;

	*policy = (struct lbp_policy){0};
	err = make_acl(policy, config);
	if (err != LBP_OK)
		return err;
	policy->apps = calloc(config->app_len + 1, sizeof(struct lbp_app *));
	if (policy->apps == NULL)
		err = LBP_ERR_NOMEM;
	policy->app_len = config->app_len;
	for (i = 0; err == LBP_OK && i < config->app_len; i++)
		err = make_app(policy, config, i, now_ns);
	if (err != LBP_OK)
		lbp_policy_release(policy);
	return err;
}

void lbp_policy_release(struct lbp_policy *policy)
{
	size_t i;

	for (i = 0; policy->apps != NULL && i < policy->app_len; i++)
		lbp_app_free(policy->apps[i]);
	free(policy->apps);
	lbp_acl_free(policy->acl);
	*policy = (struct lbp_policy){0};
}

uint64_t lbp_policy_descriptors(
	const struct lbp_config *config, uint32_t workers, uint32_t listeners)
{
	uint64_t n = DESCRIPTORS_BASE;
	size_t i;

	n += (uint64_t)workers * DESCRIPTORS_PER_WORKER;
	n += listeners;
	/* A client's connection and its upstream's. */
	n += (uint64_t)config->max_connections * 2;
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

	if (config->event_loop == LBP_EVENT_LOOP_SELECT && !fits)
		return LBP_ERR_RANGE;
	if (config->event_loop == LBP_EVENT_LOOP_AUTO)
		*out = fits ? LBP_EVENT_LOOP_SELECT : LBP_EVENT_LOOP_EPOLL;
	else
		*out = config->event_loop;
	return LBP_OK;
}
