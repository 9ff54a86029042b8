#include "twin_app.h"
#include "checks.h"
#include "reload.h"

#include "core/app_state.h"
#include "oracle.h"

struct lbp_name twin_name(uint8_t octet)
{
	const struct lbp_serial serial = {.octets = {octet}, .len = 1};

	return lbp_name_of_serial(&serial);
}

uint32_t twin_app_bound(uint8_t byte)
{
	return byte < 0x80 ? 0 : byte >> 2 & 3;
}

bool twin_app_backup(uint8_t byte)
{
	return byte >= 0xc0 && (byte >> 4 & 1) != 0;
}

static void draw_clients(struct model_app *model, struct bytes *bytes)
{
	model->client_len = 1 + bytes_below(bytes, MODEL_APP_CLIENTS);
	for (uint32_t i = 0; i < model->client_len; i++) {
		struct model_app_client *client = &model->clients[i];
		uint8_t caps = bytes_u8(bytes);

		client->granted = i == 0 || bytes_below(bytes, 4) > 0;
		client->limits.concurrent = caps % 8;
		client->limits.connections = caps / 8;
		client->limits.window_ns = 1 + (uint64_t)bytes_u8(bytes);
	}
	model->serial_len =
		model->client_len +
		bytes_below(bytes, MODEL_APP_SERIALS - model->client_len + 1);
	for (uint32_t i = 0; i < model->serial_len; i++) {
		model->serials[i].octet = (uint8_t)(i + 1);
		model->serials[i].client = i < model->client_len ? i : 0;
	}
}

void twin_app_draw(struct twin_app *twin, struct bytes *bytes)
{
	struct model_app *model = &twin->model;
	uint8_t health = bytes_u8(bytes);

	model->number = bytes_below(bytes, 2);
	model->health.enabled = (health & 3) > 0;
	model->health.rise = 1 + (health >> 2 & 3);
	model->health.fall = 1 + (health >> 4 & 3);
	model->health.interval_ns = 1 + (uint64_t)bytes_u8(bytes);
	model->upstream_len = 1 + bytes_below(bytes, MODEL_APP_UPSTREAMS);
	for (uint32_t i = 0; i < model->upstream_len; i++) {
		uint8_t byte = bytes_u8(bytes);

		model->upstreams[i].weight = 1 + byte % 4;
		model->upstreams[i].most = twin_app_bound(byte);
		model->upstreams[i].backup = twin_app_backup(byte);
	}
	draw_clients(model, bytes);
}

/* The last first. Who may not use this application may use the other. */
static void list_grants(
	const struct model_app *model, struct lbp_acl_grant *grants)
{
	for (uint32_t i = model->client_len; i-- > 0; grants++) {
		bool granted = model->clients[i].granted;

		*grants = (struct lbp_acl_grant){.client = i,
			.app = granted ? model->number : 1 - model->number,
			.limits = model->clients[i].limits};
	}
}

static enum lbp_err make_acl(
	const struct model_app *model, struct lbp_acl **acl)
{
	struct lbp_acl_name names[MODEL_APP_SERIALS];
	struct lbp_acl_grant grants[MODEL_APP_CLIENTS];
	struct lbp_acl_options options;

	lbp_acl_options_init(&options);
	options.names = names;
	options.grants = grants;
	options.grant_len = model->client_len;
	options.client_len = model->client_len;
	options.app_len = 2;
	list_grants(model, grants);
	for (uint32_t i = 0; i < model->serial_len; i++) {
		struct lbp_acl_name *name = &names[options.name_len];

		if (model->serials[i].client == LBP_NONE)
			continue;
		name->name = twin_name(model->serials[i].octet);
		name->client = model->serials[i].client;
		options.name_len++;
	}
	return lbp_acl_new(acl, &options);
}

static const char *name_of(uint8_t name)
{
	static const char *const names[] = {
		NULL, "a", "b", "c", "d", "e", "f", "g", "h"};

	return names[name];
}

/* What the application is next, or at first: its model has been told. */
static enum lbp_err make_app(const struct twin_app *twin,
	const struct model_app *model, const struct lbp_acl *acl,
	const struct model_app_wanted *wanted, size_t len, uint64_t now_ns,
	struct lbp_app **out)
{
	struct lbp_upstream upstreams[MODEL_APP_UPSTREAMS] = {{0}};
	struct lbp_app_options options;

	for (size_t i = 0; i < len; i++) {
		upstreams[i].name = name_of(wanted[i].name);
		upstreams[i].weight = wanted[i].weight;
		upstreams[i].max_connections = wanted[i].most;
		upstreams[i].is_backup = wanted[i].backup;
		upstreams[i].user = wanted[i].user;
	}
	lbp_app_options_init(&options);
	options.id = "twin";
	options.acl = acl;
	options.number = model->number;
	options.upstreams = upstreams;
	options.upstream_len = len;
	options.health = model->health;
	return lbp_app_prepare(out, twin->app, &options, now_ns);
}

/* Another one for each upstream at each reload; only its address counts. */
static void *user_of(const struct twin_app *twin, uint8_t name)
{
	static char users[64][MODEL_APP_UPSTREAMS + 1];

	return &users[twin->reloads % 64][name];
}

void twin_app_make(struct twin_app *twin, uint64_t now_ns)
{
	struct model_app_wanted wanted[MODEL_APP_UPSTREAMS];
	uint32_t len = twin->model.upstream_len;
	enum lbp_err err;

	twin->app = NULL;
	twin->reloads = 0;
	model_app_start(&twin->model, now_ns);
	for (uint32_t i = 0; i < len; i++) {
		wanted[i].name = twin->model.upstreams[i].name;
		wanted[i].weight = twin->model.upstreams[i].weight;
		wanted[i].most = twin->model.upstreams[i].most;
		wanted[i].backup = twin->model.upstreams[i].backup;
		wanted[i].user = user_of(twin, wanted[i].name);
		twin->model.upstreams[i].user = wanted[i].user;
	}
	err = make_acl(&twin->model, &twin->acl);
	ORACLE("ACL-1", err == LBP_OK, "%s", lbp_err_text(err));
	err = make_app(
		twin, &twin->model, twin->acl, wanted, len, now_ns, &twin->app);
	ORACLE("APP-1", err == LBP_OK, "%s", lbp_err_text(err));
}

static void draw_wanted(struct model_app_config *config, struct bytes *bytes)
{
	uint8_t names = bytes_u8(bytes);
	uint8_t weights = bytes_u8(bytes);
	uint8_t how = bytes_u8(bytes);
	bool backwards = (how & 1) != 0;

	if (names == 0)
		names = 1;
	config->wanted_len = 0;
	for (int i = 0; i < MODEL_APP_UPSTREAMS; i++) {
		int at = backwards ? MODEL_APP_UPSTREAMS - 1 - i : i;
		struct model_app_wanted *wanted =
			&config->wanted[config->wanted_len];

		if ((names >> at & 1) == 0)
			continue;
		wanted->name = (uint8_t)(at + 1);
		wanted->weight = 1 + (weights >> at % 4 * 2 & 3);
		/* One kind for each other of them. */
		wanted->most = at % 2 == 0 ? twin_app_bound(how) : 0;
		wanted->backup =
			at % 2 == (how >> 1 & 1) && twin_app_backup(how);
		config->wanted_len++;
	}
}

void twin_app_draw_config(struct twin_app *twin, struct bytes *bytes)
{
	const struct model_app *model = &twin->model;
	struct model_app_config *config = &twin->config;
	uint8_t health = bytes_u8(bytes);

	config->health = model->health;
	/* Mostly as it was, so that times may stay. */
	if (health >= 0x80) {
		config->health.enabled = (health & 3) > 0;
		config->health.rise = 1 + (health >> 2 & 3);
		config->health.fall = 1 + (health >> 4 & 3);
		config->health.interval_ns = 1 + (uint64_t)bytes_u8(bytes);
	}
	draw_wanted(config, bytes);
	for (uint32_t i = 0; i < model->client_len; i++) {
		uint8_t caps = bytes_u8(bytes);

		config->granted[i] = bytes_below(bytes, 4) > 0;
		config->limits[i].concurrent = caps % 8;
		config->limits[i].connections = caps / 8;
		config->limits[i].window_ns = 1 + (uint64_t)bytes_u8(bytes);
	}
	for (uint32_t i = 0; i < model->serial_len; i++) {
		uint8_t owner = bytes_u8(bytes);

		config->owners[i] = i < model->client_len ? i : 0;
		if (owner >= 0xc0)
			config->owners[i] = owner % model->client_len;
		else if (owner >= 0xa0)
			config->owners[i] = LBP_NONE;
	}
}

void twin_app_open_config(struct twin_app *twin)
{
	const struct model_app *model = &twin->model;
	struct model_app_config *config = &twin->config;

	config->health = model->health;
	config->wanted_len = MODEL_APP_UPSTREAMS;
	for (uint32_t i = 0; i < MODEL_APP_UPSTREAMS; i++) {
		config->wanted[i].name = (uint8_t)(i + 1);
		config->wanted[i].weight = 1;
		config->wanted[i].most = 0;
		config->wanted[i].backup = false;
	}
	for (uint32_t i = 0; i < model->client_len; i++) {
		config->granted[i] = true;
		config->limits[i] = model->clients[i].limits;
	}
	for (uint32_t i = 0; i < model->serial_len; i++)
		config->owners[i] = i < model->client_len ? i : 0;
}

/* What every upstream that is wanted has, whether it was there or not. */
static void check_reload(const struct twin_app *twin)
{
	const struct model_app *model = &twin->model;

	for (uint32_t i = 0; i < model->upstream_len; i++) {
		const char *name = lbp_app_upstream_name(twin->app, i);

		if (!model_app_serves(model, i))
			continue;
		ORACLE("APP-10",
			name != NULL &&
				*name == *name_of(model->upstreams[i].name),
			"upstream %u is of '%s'", i, name == NULL ? "" : name);
		ORACLE("APP-10",
			lbp_app_open(twin->app, i) == model->upstreams[i].open,
			"upstream %u: %u open instead of %u", i,
			lbp_app_open(twin->app, i), model->upstreams[i].open);
	}
	ORACLE("APP-22",
		lbp_app_check_due(twin->app) == model_app_check_due(model),
		"checks are not due when they should be");
	ORACLE("APP-10",
		lbp_app_is_ready(twin->app) == model_app_is_ready(model),
		"ready: %d", lbp_app_is_ready(twin->app));
}

void twin_app_prepare(struct twin_app *twin, uint64_t now_ns)
{
	struct model_app_config *config = &twin->config;
	struct model_app after = twin->model;
	enum lbp_err err;

	twin->reloads++;
	twin->prepared_ns = now_ns;
	for (uint32_t i = 0; i < config->wanted_len; i++)
		config->wanted[i].user = user_of(twin, config->wanted[i].name);
	model_app_reload(&after, config, now_ns);
	err = make_acl(&after, &twin->next_acl);
	ORACLE("ACL-1", err == LBP_OK, "%s", lbp_err_text(err));
	err = make_app(twin, &after, twin->next_acl, config->wanted,
		config->wanted_len, now_ns, &twin->next);
	ORACLE("APP-8", err == LBP_OK, "%s", lbp_err_text(err));
}

void twin_app_commit(struct twin_app *twin)
{
	model_app_reload(&twin->model, &twin->config, twin->prepared_ns);
	lbp_app_commit(twin->app, twin->next);
	lbp_app_free(twin->next);
	lbp_acl_free(twin->acl);
	twin->acl = twin->next_acl;
	check_reload(twin);
	twin_app_check(twin);
}

void twin_app_reload(struct twin_app *twin, uint64_t now_ns)
{
	twin_app_prepare(twin, now_ns);
	twin_app_commit(twin);
}

void twin_app_retire(struct twin_app *twin)
{
	model_app_retire(&twin->model);
	lbp_app_retire(twin->app);
	ORACLE("APP-12", lbp_app_check_due(twin->app) == LBP_NEVER,
		"a check of a retired application is due");
	ORACLE("APP-12", !lbp_app_is_ready(twin->app),
		"a retired application is ready");
	twin_app_check(twin);
}

void twin_app_free(struct twin_app *twin)
{
	lbp_app_free(twin->app);
	lbp_acl_free(twin->acl);
}

void twin_app_check(const struct twin_app *twin)
{
	const struct model_app *model = &twin->model;

	ORACLE("APP-11", lbp_app_upstreams(twin->app) == model->upstream_len,
		"%u numbers instead of %u", lbp_app_upstreams(twin->app),
		model->upstream_len);
	for (uint32_t i = 0; i < model->upstream_len; i++) {
		const char *name = lbp_app_upstream_name(twin->app, i);
		const char *want = name_of(model->upstreams[i].name);
		uint32_t open = lbp_app_open(twin->app, i);

		ORACLE("APP-11",
			(name == NULL) == (want == NULL) &&
				(want == NULL || *name == *want),
			"number %u is of '%s' instead of '%s'", i,
			name == NULL ? "" : name, want == NULL ? "" : want);
		ORACLE("APP-13",
			lbp_app_upstream_user(twin->app, i) ==
				model->upstreams[i].user,
			"number %u has another user", i);
		ORACLE("APP-4", open == model->upstreams[i].open,
			"upstream %u: %u open instead of %u", i, open,
			model->upstreams[i].open);
	}
	ORACLE("BAL-1", lbp_pool_validate(&twin->app->pool),
		"the order of the upstreams is none");
	for (uint32_t i = 0; i < model->upstream_len; i++) {
		const struct model_app_upstream *of = &model->upstreams[i];

		ORACLE("BAL-10",
			twin->app->pool.members[i].max_connections ==
					of->most ||
				!model_app_serves(model, i),
			"upstream %u has another bound", i);
	}
	ORACLE("APP-7",
		lbp_app_is_ready(twin->app) == model_app_is_ready(model),
		"ready: %d", lbp_app_is_ready(twin->app));
	ORACLE("APP-6",
		lbp_app_check_due(twin->app) == model_app_check_due(model),
		"the next check is due at another time");
}

uint32_t twin_app_take(struct twin_app *twin, uint64_t now_ns)
{
	uint64_t due = model_app_check_due(&twin->model);
	uint32_t upstream = LBP_NONE;
	bool taken = lbp_app_take_check(twin->app, now_ns, &upstream);

	ORACLE("APP-6", taken == (due != LBP_NEVER && due <= now_ns),
		"a check is taken: %d", taken);
	if (!taken) {
		ORACLE("APP-6", upstream == LBP_NONE,
			"an upstream without a check");
		return LBP_NONE;
	}
	ORACLE("APP-6",
		upstream < twin->model.upstream_len &&
			model_app_due_of(&twin->model, upstream) == due,
		"the check of upstream %u was not due first", upstream);
	model_app_take(&twin->model, upstream, now_ns);
	return upstream;
}

void twin_app_checked(struct twin_app *twin, uint32_t upstream, bool ok)
{
	enum lbp_health_change got = lbp_app_checked(twin->app, upstream, ok);
	enum lbp_health_change want =
		model_app_checked(&twin->model, upstream, ok);

	ORACLE("APP-5", got == want, "upstream %u: change %d instead of %d",
		upstream, (int)got, (int)want);
}

void twin_app_set_draining(
	struct twin_app *twin, uint32_t upstream, bool draining)
{
	enum lbp_err got = lbp_app_set_draining(twin->app, upstream, draining);
	enum lbp_err want =
		model_app_set_draining(&twin->model, upstream, draining);

	ORACLE("APP-30", got == want, "upstream %u: %s instead of %s", upstream,
		lbp_err_text(got), lbp_err_text(want));
	ORACLE("APP-30",
		lbp_app_is_ready(twin->app) == model_app_is_ready(&twin->model),
		"upstream %u: another state", upstream);
}

void twin_app_set_address(
	struct twin_app *twin, uint32_t upstream, bool has_address)
{
	enum lbp_health_change got =
		lbp_app_set_address(twin->app, upstream, has_address);
	enum lbp_health_change want =
		model_app_set_address(&twin->model, upstream, has_address);

	ORACLE("HLT-12", got == want, "upstream %u: change %d instead of %d",
		upstream, (int)got, (int)want);
	ORACLE("HLT-12",
		lbp_app_is_ready(twin->app) ==
				model_app_is_ready(&twin->model) &&
			lbp_app_check_due(twin->app) ==
				model_app_check_due(&twin->model),
		"upstream %u: another state", upstream);
}

void twin_app_check_dropped(struct twin_app *twin, uint32_t upstream)
{
	lbp_app_check_dropped(twin->app, upstream);
	model_app_check_dropped(&twin->model, upstream);
	ORACLE("HLT-10",
		lbp_app_check_due(twin->app) ==
			model_app_check_due(&twin->model),
		"upstream %u is not checked again", upstream);
	ORACLE("HLT-10",
		lbp_app_is_ready(twin->app) == model_app_is_ready(&twin->model),
		"a check that was given up has a result");
}

void twin_app_check_empty(struct twin_app *twin)
{
	for (uint32_t i = 0; i < twin->model.upstream_len; i++)
		ORACLE("SES-6", lbp_app_open(twin->app, i) == 0,
			"upstream %u: %u open", i, lbp_app_open(twin->app, i));
	for (uint32_t i = 0; i < twin->model.client_len; i++)
		ORACLE("SES-6", lbp_app_leave(twin->app, i) == LBP_ERR_STATE,
			"client %u holds a place", i);
}
