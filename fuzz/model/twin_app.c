#include "twin_app.h"

#include "oracle.h"

struct lbp_serial twin_serial(uint8_t octet)
{
	return (struct lbp_serial){.octets = {octet}, .len = 1};
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
		model->serials[i].serial = twin_serial((uint8_t)(i + 1));
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
	for (uint32_t i = 0; i < model->upstream_len; i++)
		model->upstreams[i].weight = 1 + bytes_below(bytes, 4);
	draw_clients(model, bytes);
}

static enum lbp_err make_acl(struct twin_app *twin)
{
	const struct model_app *model = &twin->model;
	struct lbp_acl_grant grants[MODEL_APP_CLIENTS];
	size_t grant_len = 0;

	for (uint32_t i = 0; i < model->client_len; i++) {
		/* Who may not use this application may use the other. */
		bool granted = model->clients[i].granted;

		grants[grant_len].client = i;
		grants[grant_len++].app =
			granted ? model->number : 1 - model->number;
	}
	return lbp_acl_new(&twin->acl, model->serials, model->serial_len,
		grants, grant_len, model->client_len, 2);
}

static enum lbp_err make_app(struct twin_app *twin, uint64_t now_ns)
{
	const struct model_app *model = &twin->model;
	struct lbp_app_client clients[MODEL_APP_CLIENTS];
	uint32_t weights[MODEL_APP_UPSTREAMS];
	struct lbp_app_options options = {.id = "twin",
		.acl = twin->acl,
		.number = model->number,
		.weights = weights,
		.upstream_len = model->upstream_len,
		.health = model->health,
		.clients = clients};

	for (uint32_t i = 0; i < model->upstream_len; i++)
		weights[i] = model->upstreams[i].weight;
	for (uint32_t i = model->client_len; i-- > 0;) {
		if (!model->clients[i].granted)
			continue;
		clients[options.client_len].client = i;
		clients[options.client_len++].limits = model->clients[i].limits;
	}
	return lbp_app_new(&twin->app, &options, now_ns);
}

void twin_app_make(struct twin_app *twin, uint64_t now_ns)
{
	enum lbp_err err;

	model_app_start(&twin->model, now_ns);
	err = make_acl(twin);
	ORACLE("ACL-1", err == LBP_OK, "%s", lbp_err_text(err));
	err = make_app(twin, now_ns);
	ORACLE("APP-1", err == LBP_OK, "%s", lbp_err_text(err));
}

void twin_app_free(struct twin_app *twin)
{
	lbp_app_free(twin->app);
	lbp_acl_free(twin->acl);
}

void twin_app_check(const struct twin_app *twin)
{
	const struct model_app *model = &twin->model;

	for (uint32_t i = 0; i < model->upstream_len; i++) {
		uint32_t open = lbp_app_open(twin->app, i);

		ORACLE("APP-4", open == model->upstreams[i].open,
			"upstream %u: %u open instead of %u", i, open,
			model->upstreams[i].open);
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
