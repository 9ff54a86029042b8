#include "twin_policy.h"

#include <stdio.h>
#include <string.h>

#include "oracle.h"

/* --- configurations ------------------------------------------------------- */

/* The names whose bits are set, or from the last one on; returns how many. */
static uint32_t draw_names(uint8_t *names, uint32_t most, struct bytes *bytes)
{
	uint8_t set = bytes_u8(bytes);
	uint32_t n = 0;

	for (uint32_t i = 0; i < most; i++) {
		uint32_t at = (set & 0x80) != 0 ? most - 1 - i : i;

		if ((set >> at & 1) != 0)
			names[n++] = (uint8_t)at;
	}
	return n;
}

static void draw_health(struct lbp_health_options *health, struct bytes *bytes)
{
	uint8_t how = bytes_u8(bytes);

	/* Mostly the same one, so that times may stay. */
	lbp_health_options_init(health);
	health->enabled = true;
	health->interval_ns = 16;
	health->fall = 2;
	if (how < 0x80)
		return;
	health->enabled = (how & 3) > 0;
	health->rise = 1 + (how >> 2 & 3);
	health->fall = 1 + (how >> 4 & 3);
	health->interval_ns = 1 + (uint64_t)bytes_u8(bytes);
}

static void draw_app(struct model_app_config *config, struct bytes *bytes)
{
	uint8_t names[TWIN_POLICY_UPSTREAMS] = {0};
	uint32_t n = draw_names(names, TWIN_POLICY_UPSTREAMS, bytes);
	uint8_t weights = bytes_u8(bytes);

	config->wanted_len = n == 0 ? 1 : n;
	for (uint32_t i = 0; i < config->wanted_len; i++) {
		config->wanted[i].name = 1 + names[i];
		config->wanted[i].weight = 1 + (weights >> i * 2 & 3);
	}
	draw_health(&config->health, bytes);
}

/* Who is listed may be granted each application, with limits of a byte. */
static void draw_grants(
	struct twin_policy_config *config, uint32_t client, struct bytes *bytes)
{
	uint8_t set = bytes_u8(bytes);

	for (uint32_t i = 0; i < config->app_len; i++) {
		struct model_app_config *app = &config->of[config->apps[i]];
		uint8_t caps;

		if ((set >> config->apps[i] & 1) == 0)
			continue;
		caps = bytes_u8(bytes);
		app->granted[client] = true;
		app->limits[client].concurrent = caps & 3;
		app->limits[client].connections = caps >> 2 & 7;
		app->limits[client].window_ns = 1 + (uint64_t)(caps >> 5) * 16;
	}
}

/* Serial i belongs to client i, or another, or nobody. */
static void draw_owners(struct twin_policy_config *config,
	const bool listed[TWIN_POLICY_CLIENTS], struct bytes *bytes)
{
	uint32_t owners[MODEL_APP_SERIALS];

	for (uint32_t i = 0; i < MODEL_APP_SERIALS; i++) {
		uint8_t owner = bytes_u8(bytes);
		uint32_t client = owner < 0x80 ? i % TWIN_POLICY_CLIENTS
					       : owner % TWIN_POLICY_CLIENTS;

		owners[i] =
			owner >= 0xe0 || !listed[client] ? LBP_NONE : client;
	}
	for (uint32_t i = 0; i < config->app_len; i++)
		memcpy(config->of[config->apps[i]].owners, owners,
			sizeof(owners));
}

void twin_policy_draw(struct twin_policy_config *config, struct bytes *bytes)
{
	bool listed[TWIN_POLICY_CLIENTS] = {false};

	memset(config, 0, sizeof(*config));
	config->app_len = draw_names(config->apps, TWIN_POLICY_APPS, bytes);
	for (uint32_t i = 0; i < config->app_len; i++)
		draw_app(&config->of[config->apps[i]], bytes);
	config->client_len =
		draw_names(config->clients, TWIN_POLICY_CLIENTS, bytes);
	for (uint32_t i = 0; i < config->client_len; i++) {
		listed[config->clients[i]] = true;
		draw_grants(config, config->clients[i], bytes);
	}
	draw_owners(config, listed, bytes);
}

/* A configuration as the library wants it, in storage of its own. */
struct made {
	struct lbp_config config;
	struct lbp_config_app apps[TWIN_POLICY_APPS];
	struct lbp_config_upstream upstreams[TWIN_POLICY_APPS]
					    [TWIN_POLICY_UPSTREAMS + 1];
	struct lbp_config_client clients[TWIN_POLICY_CLIENTS];
	struct lbp_config_ca ca;
	struct lbp_config_serial serials[TWIN_POLICY_CLIENTS]
					[MODEL_APP_SERIALS + 1];
	struct lbp_config_grant grants[TWIN_POLICY_CLIENTS][TWIN_POLICY_APPS];
	char app_ids[TWIN_POLICY_APPS][2];
	char client_ids[TWIN_POLICY_CLIENTS][2];
	char urls[TWIN_POLICY_UPSTREAMS][2];
};

/* "x", "y", ... */
static char app_letter(uint32_t name)
{
	return (char)('x' + (char)name);
}

/* "A", "B", ... */
static char client_letter(uint32_t name)
{
	return (char)('A' + (char)name);
}

static void name_all(struct made *made)
{
	for (uint32_t i = 0; i < TWIN_POLICY_APPS; i++)
		made->app_ids[i][0] = app_letter(i);
	for (uint32_t i = 0; i < TWIN_POLICY_CLIENTS; i++)
		made->client_ids[i][0] = client_letter(i);
	/* As twin_app names them. */
	for (uint32_t i = 0; i < TWIN_POLICY_UPSTREAMS; i++)
		made->urls[i][0] = (char)('a' + (char)i);
}

static void make_config_app(
	struct made *made, uint32_t at, const struct twin_policy_config *from)
{
	const struct model_app_config *of = &from->of[from->apps[at]];
	struct lbp_config_app *app = &made->apps[at];

	app->id.ptr = made->app_ids[from->apps[at]];
	app->health = of->health;
	app->upstreams = made->upstreams[at];
	app->upstream_len = of->wanted_len;
	for (uint32_t i = 0; i < of->wanted_len; i++) {
		app->upstreams[i].url.ptr = made->urls[of->wanted[i].name - 1];
		app->upstreams[i].weight = of->wanted[i].weight;
	}
}

static void make_config_client(
	struct made *made, uint32_t at, const struct twin_policy_config *from)
{
	struct lbp_config_client *client = &made->clients[at];
	uint8_t name = from->clients[at];

	client->id.ptr = made->client_ids[name];
	client->serials = made->serials[at];
	client->grants = made->grants[at];
	for (uint32_t i = 0; i < from->app_len; i++) {
		const struct model_app_config *of = &from->of[from->apps[i]];
		struct lbp_config_grant *grant =
			&client->grants[client->grant_len];

		if (!of->granted[name])
			continue;
		grant->app = i;
		grant->limits = of->limits[name];
		client->grant_len++;
	}
	for (uint32_t i = 0; from->app_len > 0 && i < MODEL_APP_SERIALS; i++) {
		if (from->of[from->apps[0]].owners[i] == name)
			client->serials[client->serial_len++].serial =
				twin_name((uint8_t)(i + 1)).serial;
	}
}

static void make_config(
	struct made *made, const struct twin_policy_config *from)
{
	memset(made, 0, sizeof(*made));
	name_all(made);
	made->config.cas = &made->ca;
	made->config.ca_len = 1;
	made->config.apps = made->apps;
	made->config.app_len = from->app_len;
	made->config.clients = made->clients;
	made->config.client_len = from->client_len;
	for (uint32_t i = 0; i < from->app_len; i++)
		make_config_app(made, i, from);
	for (uint32_t i = 0; i < from->client_len; i++)
		make_config_client(made, i, from);
}

/* False if there is nothing that could have this fault. */
static enum lbp_err spoil(struct made *made, enum twin_policy_fault fault)
{
	struct lbp_config *config = &made->config;
	struct lbp_config_app *app;

	if (config->app_len == 0)
		return LBP_OK;
	/* The last one, when all the others are made. */
	app = &config->apps[config->app_len - 1];
	switch (fault) {
	case TWIN_POLICY_TOO_MANY:
		app->upstream_len = LBP_UPSTREAMS_MAX + 1;
		return LBP_ERR_MANY_UPSTREAMS;
	case TWIN_POLICY_NO_UPSTREAM:
		app->upstream_len = 0;
		return LBP_ERR_FEW_UPSTREAMS;
	case TWIN_POLICY_WEIGHTLESS:
		app->upstreams[app->upstream_len - 1].weight = 0;
		return LBP_ERR_WEIGHT;
	case TWIN_POLICY_SAME_URL:
		app->upstreams[app->upstream_len++] = app->upstreams[0];
		return LBP_ERR_NAME_TWICE;
	case TWIN_POLICY_NO_INTERVAL:
		app->health.interval_ns = 0;
		return app->health.enabled ? LBP_ERR_INTERVAL : LBP_OK;
	case TWIN_POLICY_SAME_SERIAL:
		if (config->client_len < 2)
			return LBP_OK;
		for (int i = 0; i < 2; i++) {
			made->clients[i].serials[0].serial =
				twin_name(1).serial;
			made->clients[i].serial_len = 1;
		}
		return LBP_ERR_NAME_TWICE;
	default:
		return LBP_OK;
	}
}

/* --- reloads -------------------------------------------------------------- */

static bool is_listed(const struct twin_policy_config *config, uint32_t client)
{
	for (uint32_t i = 0; i < config->client_len; i++) {
		if (config->clients[i] == client)
			return true;
	}
	return false;
}

/* An application that nothing is known of yet. */
static void begin_app(struct twin_app *app)
{
	memset(app, 0, sizeof(*app));
	app->model.client_len = TWIN_POLICY_CLIENTS;
	app->model.serial_len = MODEL_APP_SERIALS;
	for (uint32_t i = 0; i < MODEL_APP_SERIALS; i++)
		app->model.serials[i].octet = (uint8_t)(i + 1);
}

/* Who has a number after the reload: the listed, and those with sessions. */
static void forget_numbers(struct twin_policy *twin)
{
	for (uint32_t c = 0; c < TWIN_POLICY_CLIENTS; c++) {
		bool known = is_listed(&twin->config, c);

		for (uint32_t i = 0; i < TWIN_POLICY_APPS; i++)
			known |= twin->there[i] &&
				 twin->apps[i].model.clients[c].open > 0;
		if (!known)
			twin->numbers[c] = LBP_NONE;
	}
}

static void reload_model(struct twin_policy *twin,
	const struct twin_policy_config *config, uint64_t now_ns,
	struct twin_policy_left *left)
{
	bool stays[TWIN_POLICY_APPS] = {false};

	memcpy(left->numbers, twin->numbers, sizeof(left->numbers));
	left->app_len = 0;
	for (uint32_t i = 0; i < config->app_len; i++)
		stays[config->apps[i]] = true;
	for (uint32_t i = 0; i < TWIN_POLICY_APPS; i++) {
		if (twin->there[i] && !stays[i]) {
			model_app_retire(&twin->apps[i].model);
			left->apps[left->app_len++] = twin->apps[i];
		}
		if (stays[i] && !twin->there[i])
			begin_app(&twin->apps[i]);
		twin->there[i] = stays[i];
		if (stays[i])
			model_app_reload(
				&twin->apps[i].model, &config->of[i], now_ns);
	}
	twin->config = *config;
	forget_numbers(twin);
}

/* Which numbers those got who had none; anyone who has one keeps it. */
static void learn_numbers(struct twin_policy *twin)
{
	const struct lbp_policy *policy = &twin->policy;

	for (uint32_t i = 0; i < policy->client_len; i++) {
		const char *id = lbp_policy_client_id(policy, i);
		uint32_t *number;

		if (id == NULL)
			continue;
		number = &twin->numbers[*id - client_letter(0)];
		if (*number == LBP_NONE)
			*number = i;
	}
}

/* Where those applications are that there were not before. */
static void learn_apps(struct twin_policy *twin)
{
	const struct twin_policy_config *config = &twin->config;

	ORACLE("POL-1", twin->policy.app_len == config->app_len,
		"%zu applications instead of %u", twin->policy.app_len,
		config->app_len);
	for (uint32_t i = 0; i < config->app_len; i++) {
		struct twin_app *app = &twin->apps[config->apps[i]];

		if (app->app == NULL)
			app->app = twin->policy.apps[i];
	}
}

static void learn(struct twin_policy *twin)
{
	learn_apps(twin);
	learn_numbers(twin);
	twin_policy_check(twin);
}

void twin_policy_make(struct twin_policy *twin,
	const struct twin_policy_config *config, uint64_t now_ns)
{
	struct twin_policy_left none;
	struct made made;
	enum lbp_err err;

	memset(twin, 0, sizeof(*twin));
	for (uint32_t i = 0; i < TWIN_POLICY_CLIENTS; i++)
		twin->numbers[i] = LBP_NONE;
	reload_model(twin, config, now_ns, &none);
	make_config(&made, config);
	err = lbp_policy_init(&twin->policy, &made.config, now_ns);
	memset(&made, 'z', sizeof(made));
	ORACLE("POL-1", err == LBP_OK, "%s", lbp_err_text(err));
	learn(twin);
}

void twin_policy_reload(struct twin_policy *twin,
	const struct twin_policy_config *config, uint64_t now_ns,
	struct twin_policy_left *left)
{
	struct made made;
	enum lbp_err err;

	reload_model(twin, config, now_ns, left);
	make_config(&made, config);
	err = lbp_policy_prepare(
		&left->policy, &twin->policy, &made.config, now_ns);
	/* It keeps no pointer into the configuration. */
	memset(&made, 'z', sizeof(made));
	ORACLE("POL-4", err == LBP_OK, "%s", lbp_err_text(err));
	lbp_policy_commit(&twin->policy, &left->policy);
	learn(twin);
	twin_policy_left_check(left);
}

void twin_policy_try(struct twin_policy *twin,
	const struct twin_policy_config *config, uint64_t now_ns,
	enum twin_policy_fault fault)
{
	struct lbp_policy next;
	struct made made;
	enum lbp_err err;
	enum lbp_err want;

	make_config(&made, config);
	want = spoil(&made, fault);
	memset(&next, 0xff, sizeof(next));
	err = lbp_policy_prepare(&next, &twin->policy, &made.config, now_ns);
	ORACLE("POL-4", err == want, "fault %d: %s", (int)fault,
		lbp_err_text(err));
	if (err == LBP_OK)
		lbp_policy_release(&next);
	ORACLE("POL-4",
		next.apps == NULL && next.clients == NULL && next.acl == NULL,
		"fault %d leaves something behind", (int)fault);
	twin_policy_check(twin);
}

/* --- comparison ----------------------------------------------------------- */

uint32_t twin_policy_owner(
	const uint32_t numbers[TWIN_POLICY_CLIENTS], uint32_t number)
{
	uint32_t c = 0;

	while (c < TWIN_POLICY_CLIENTS && numbers[c] != number)
		c++;
	return c;
}

static void check_ids(const struct lbp_policy *policy,
	const uint32_t numbers[TWIN_POLICY_CLIENTS])
{
	for (uint32_t i = 0; i <= policy->client_len; i++) {
		const char *id = lbp_policy_client_id(policy, i);
		uint32_t owner = twin_policy_owner(numbers, i);
		char want[2] = {0};

		if (owner < TWIN_POLICY_CLIENTS)
			want[0] = client_letter(owner);
		ORACLE("POL-5", strcmp(id == NULL ? "" : id, want) == 0,
			"number %u is of '%s' instead of '%s'", i,
			id == NULL ? "" : id, want);
	}
	for (uint32_t c = 0; c < TWIN_POLICY_CLIENTS; c++)
		ORACLE("POL-5",
			numbers[c] == LBP_NONE ||
				numbers[c] < policy->client_len,
			"client %u has number %u of %zu", c, numbers[c],
			policy->client_len);
}

void twin_policy_check(const struct twin_policy *twin)
{
	const struct twin_policy_config *config = &twin->config;

	for (uint32_t i = 0; i < config->app_len; i++) {
		const struct twin_app *app = &twin->apps[config->apps[i]];
		const char *id = lbp_app_id(twin->policy.apps[i]);
		char want[2] = {app_letter(config->apps[i])};

		ORACLE("POL-4", twin->policy.apps[i] == app->app,
			"application '%s' is not where it was", want);
		ORACLE("POL-4", strcmp(id, want) == 0,
			"application '%s' instead of '%s'", id, want);
		twin_app_check(app);
	}
	for (uint32_t c = 0; c < TWIN_POLICY_CLIENTS; c++)
		ORACLE("POL-5",
			!is_listed(config, c) || twin->numbers[c] != LBP_NONE,
			"client %u is listed and has no number", c);
	check_ids(&twin->policy, twin->numbers);
}

/* Is this one of the applications that the policy is to free? */
static bool has_app(const struct lbp_policy *policy, const struct lbp_app *app)
{
	for (size_t i = 0; i < policy->app_len; i++) {
		if (policy->apps[i] == app)
			return true;
	}
	return false;
}

void twin_policy_left_check(const struct twin_policy_left *left)
{
	for (uint32_t i = 0; i < left->app_len; i++) {
		ORACLE("POL-4", has_app(&left->policy, left->apps[i].app),
			"a retired application is not where it was");
		twin_app_check(&left->apps[i]);
	}
	check_ids(&left->policy, left->numbers);
}

/* --- the end -------------------------------------------------------------- */

static void give_back(
	struct twin_app *app, const uint32_t numbers[TWIN_POLICY_CLIENTS])
{
	for (uint32_t i = 0; i < app->model.upstream_len; i++) {
		while (model_app_release(&app->model, i) == LBP_OK)
			ORACLE("APP-11", lbp_app_release(app->app, i) == LBP_OK,
				"upstream %u has less open", i);
		ORACLE("APP-11", lbp_app_release(app->app, i) == LBP_ERR_STATE,
			"upstream %u has more open", i);
	}
	for (uint32_t c = 0; c < TWIN_POLICY_CLIENTS; c++) {
		while (model_app_leave(&app->model, c) == LBP_OK)
			ORACLE("APP-11",
				lbp_app_leave(app->app, numbers[c]) == LBP_OK,
				"client %u has less open", c);
		ORACLE("APP-11",
			lbp_app_leave(app->app, numbers[c]) == LBP_ERR_STATE,
			"client %u has more open", c);
	}
	twin_app_check(app);
}

void twin_policy_end(struct twin_policy *twin)
{
	for (uint32_t i = 0; i < TWIN_POLICY_APPS; i++) {
		if (twin->there[i])
			give_back(&twin->apps[i], twin->numbers);
	}
	lbp_policy_release(&twin->policy);
}

void twin_policy_left_end(struct twin_policy_left *left)
{
	for (uint32_t i = 0; i < left->app_len; i++)
		give_back(&left->apps[i], left->numbers);
	lbp_policy_release(&left->policy);
	left->app_len = 0;
}
