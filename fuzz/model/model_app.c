#include "model_app.h"

#include <string.h>

#include "model_balancer.h"

/* Holds any sum of times. */
__extension__ typedef unsigned __int128 wide;

/* A sum as it is, or never if no time is that late. */
static uint64_t at_most_never(wide time_ns)
{
	return time_ns < LBP_NEVER ? (uint64_t)time_ns : LBP_NEVER;
}

/* When the check of number i of n is first due. */
static uint64_t first_check(
	uint64_t now_ns, uint64_t interval_ns, uint32_t i, uint32_t n)
{
	return at_most_never(now_ns + (wide)interval_ns * i / n);
}

void model_app_start(struct model_app *model, uint64_t now_ns)
{
	uint32_t n = model->upstream_len;

	model->choices = 0;
	model->retired = false;
	for (uint32_t i = 0; i < n; i++) {
		struct model_app_upstream drawn = model->upstreams[i];
		uint64_t first =
			first_check(now_ns, model->health.interval_ns, i, n);

		model->upstreams[i] =
			(struct model_app_upstream){.name = (uint8_t)(i + 1),
				.weight = drawn.weight,
				.most = drawn.most,
				.backup = drawn.backup,
				.first_ns = first,
				.due_ns = first};
	}
	for (uint32_t i = n; i < MODEL_APP_UPSTREAMS; i++)
		model->upstreams[i] = (struct model_app_upstream){0};
	for (uint32_t i = 0; i < model->client_len; i++) {
		struct model_app_client *client = &model->clients[i];

		client->open = 0;
		client->latest_ns = 0;
		client->admissions = 0;
		client->forgotten = 0;
		client->room = client->granted ? client->limits.connections : 0;
	}
}

bool model_app_serves(const struct model_app *model, uint32_t number)
{
	return number < model->upstream_len &&
	       model->upstreams[number].name != 0 &&
	       !model->upstreams[number].gone;
}

/* Who has this name? Else a number that nothing has. */
static uint32_t place_for(const struct model_app *model, uint8_t name)
{
	uint32_t i;

	for (i = 0; i < model->upstream_len; i++) {
		if (model->upstreams[i].name == name)
			return i;
	}
	for (i = 0; i < model->upstream_len; i++) {
		if (model->upstreams[i].name == 0)
			return i;
	}
	return i;
}

/* An upstream that is wanted: what was known of it stays. */
static void want(struct model_app *model, const struct model_app_config *config,
	uint32_t i, uint64_t now_ns)
{
	const struct model_app_wanted *wanted = &config->wanted[i];
	const struct lbp_health_options *health = &config->health;
	uint32_t at = place_for(model, wanted->name);
	struct model_app_upstream *upstream = &model->upstreams[at];
	bool same_times = upstream->name == wanted->name && !upstream->gone &&
			  model->health.enabled &&
			  model->health.interval_ns == health->interval_ns;

	if (at == model->upstream_len)
		model->upstream_len++;
	if (upstream->name != wanted->name)
		*upstream = (struct model_app_upstream){.name = wanted->name};
	upstream->weight = wanted->weight;
	upstream->most = wanted->most;
	upstream->backup = wanted->backup;
	upstream->user = wanted->user;
	upstream->gone = false;
	if (!health->enabled) {
		upstream->down = false;
		upstream->failures = 0;
		upstream->successes = 0;
	}
	if (same_times && health->enabled)
		return;
	upstream->first_ns =
		first_check(now_ns, health->interval_ns, i, config->wanted_len);
	upstream->due_ns = upstream->first_ns;
}

static bool is_wanted(const struct model_app_config *config, uint8_t name)
{
	for (uint32_t i = 0; i < config->wanted_len; i++) {
		if (config->wanted[i].name == name)
			return true;
	}
	return false;
}

static void let_go(
	struct model_app *model, const struct model_app_config *config)
{
	for (uint32_t i = 0; i < model->upstream_len; i++) {
		struct model_app_upstream *upstream = &model->upstreams[i];

		if (upstream->name == 0 || is_wanted(config, upstream->name))
			continue;
		upstream->gone = true;
		upstream->draining = false;
		if (upstream->open == 0 && !upstream->checking)
			*upstream = (struct model_app_upstream){0};
	}
}

/* As many admissions stay known as the highest rate until now. */
static void change_client(struct model_app_client *client, bool granted,
	const struct lbp_limits *limits)
{
	if (!granted || !client->granted)
		client->room = 0;
	if (client->admissions - client->forgotten > client->room)
		client->forgotten = client->admissions - client->room;
	if (granted && limits->connections > client->room)
		client->room = limits->connections;
	if (client->open == 0 && (!granted || !client->granted))
		client->latest_ns = 0;
	client->granted = granted;
	client->limits = *limits;
}

void model_app_reload(struct model_app *model,
	const struct model_app_config *config, uint64_t now_ns)
{
	uint32_t i;

	for (i = 0; i < config->wanted_len; i++)
		want(model, config, i, now_ns);
	let_go(model, config);
	for (i = 0; i < model->client_len; i++)
		change_client(&model->clients[i], config->granted[i],
			&config->limits[i]);
	for (i = 0; i < model->serial_len; i++)
		model->serials[i].client = config->owners[i];
	model->health = config->health;
}

void model_app_retire(struct model_app *model)
{
	for (uint32_t i = 0; i < model->upstream_len; i++)
		model->upstreams[i].gone = true;
	for (uint32_t i = 0; i < model->client_len; i++)
		model->clients[i].granted = false;
	model->retired = true;
}

/* Is this one of the names, all of which are serials here? */
static bool is_among(
	const struct lbp_name *names, size_t len, const uint8_t octet)
{
	for (size_t i = 0; i < len; i++) {
		if (names[i].serial.len == 1 &&
			names[i].serial.octets[0] == octet)
			return true;
	}
	return false;
}

enum lbp_err model_app_identify(const struct model_app *model,
	const struct lbp_name *names, size_t len, uint32_t *client)
{
	uint32_t owner = LBP_NONE;

	if (model->retired)
		return LBP_ERR_NOT_ALLOWED;
	for (uint32_t i = 0; i < model->serial_len; i++) {
		const struct model_app_serial *listed = &model->serials[i];

		if (listed->client == LBP_NONE ||
			!is_among(names, len, listed->octet))
			continue;
		if (owner != LBP_NONE && owner != listed->client)
			return LBP_ERR_AMBIGUOUS;
		owner = listed->client;
	}
	if (owner == LBP_NONE)
		return LBP_ERR_UNKNOWN_CLIENT;
	*client = owner;
	return model->clients[owner].granted ? LBP_OK : LBP_ERR_NOT_ALLOWED;
}

uint32_t model_app_recent(
	const struct model_app_client *client, uint64_t now_ns)
{
	uint32_t recent = 0;

	for (uint64_t back = 1;
		back <= client->admissions - client->forgotten &&
		back <= MODEL_APP_ADMISSIONS;
		back++) {
		uint64_t i = (client->admissions - back) % MODEL_APP_ADMISSIONS;

		if (now_ns - client->times[i] >= client->limits.window_ns)
			break;
		recent++;
	}
	return recent;
}

enum lbp_err model_app_admit(
	struct model_app *model, uint32_t number, uint64_t now_ns)
{
	struct model_app_client *client;
	const struct lbp_limits *limits;

	if (number >= model->client_len || !model->clients[number].granted)
		return LBP_ERR_NOT_ALLOWED;
	client = &model->clients[number];
	limits = &client->limits;
	if (now_ns > client->latest_ns)
		client->latest_ns = now_ns;
	if (limits->concurrent > 0 && client->open + 1 > limits->concurrent)
		return LBP_ERR_CONCURRENT;
	if (limits->connections > 0 &&
		model_app_recent(client, client->latest_ns) + 1 >
			limits->connections)
		return LBP_ERR_RATE;
	client->times[client->admissions++ % MODEL_APP_ADMISSIONS] =
		client->latest_ns;
	client->open++;
	return LBP_OK;
}

enum lbp_err model_app_leave(struct model_app *model, uint32_t number)
{
	if (number >= model->client_len || model->clients[number].open == 0)
		return LBP_ERR_STATE;
	model->clients[number].open--;
	return LBP_OK;
}

/* Is b to be preferred to a, which stands before it? */
static bool is_better(
	const struct model_app_upstream *b, const struct model_app_upstream *a)
{
	int order = 0;

	if (a->backup != b->backup)
		return a->backup;
	if (a->open != b->open || a->weight != b->weight)
		order = model_compare_fractions(
			b->open, b->weight, a->open, a->weight);
	return order < 0 || (order == 0 && b->chosen < a->chosen);
}

enum lbp_err model_app_choose(
	struct model_app *model, uint32_t tried, uint32_t *upstream)
{
	struct model_app_upstream *best = NULL;

	for (uint32_t i = 0; i < model->upstream_len; i++) {
		struct model_app_upstream *this = &model->upstreams[i];

		if (!model_app_serves(model, i) || this->down || this->lost ||
			this->draining || (tried >> i & 1) != 0 ||
			(this->most > 0 && this->open >= this->most))
			continue;
		if (best == NULL || is_better(this, best))
			best = this;
	}
	if (best == NULL)
		return LBP_ERR_NO_UPSTREAM;
	best->open++;
	best->chosen = ++model->choices;
	*upstream = (uint32_t)(best - model->upstreams);
	return LBP_OK;
}

enum lbp_err model_app_release(struct model_app *model, uint32_t upstream)
{
	if (upstream >= model->upstream_len)
		return LBP_ERR_RANGE;
	if (model->upstreams[upstream].open == 0)
		return LBP_ERR_STATE;
	model->upstreams[upstream].open--;
	return LBP_OK;
}

/* A failure, of a check or a dial. */
static enum lbp_health_change failed(
	const struct model_app *model, struct model_app_upstream *upstream)
{
	if (upstream->lost)
		return LBP_HEALTH_SAME;
	upstream->successes = 0;
	upstream->failures++;
	if (upstream->down || upstream->failures < model->health.fall)
		return LBP_HEALTH_SAME;
	upstream->down = true;
	return LBP_HEALTH_DOWN;
}

/* Nobody is told of the health of an upstream that was removed. */
static enum lbp_health_change said(const struct model_app_upstream *upstream,
	enum lbp_health_change change)
{
	return upstream->gone || upstream->name == 0 ? LBP_HEALTH_SAME : change;
}

enum lbp_health_change model_app_dialed(
	struct model_app *model, uint32_t number, bool ok)
{
	struct model_app_upstream *upstream;

	if (number >= model->upstream_len)
		return LBP_HEALTH_SAME;
	upstream = &model->upstreams[number];
	if (!ok && upstream->open > 0)
		upstream->open--;
	if (!model->health.enabled)
		return LBP_HEALTH_SAME;
	if (!ok)
		return said(upstream, failed(model, upstream));
	upstream->failures = 0;
	return LBP_HEALTH_SAME;
}

enum lbp_health_change model_app_checked(
	struct model_app *model, uint32_t number, bool ok)
{
	struct model_app_upstream *upstream;

	if (number >= model->upstream_len || !model->upstreams[number].checking)
		return LBP_HEALTH_SAME;
	upstream = &model->upstreams[number];
	upstream->checking = false;
	if (!model->health.enabled)
		return LBP_HEALTH_SAME;
	if (!ok)
		return said(upstream, failed(model, upstream));
	if (upstream->lost)
		return LBP_HEALTH_SAME;
	upstream->failures = 0;
	upstream->successes++;
	if (!upstream->down || upstream->successes < model->health.rise) {
		if (!upstream->down)
			upstream->successes = 0;
		return LBP_HEALTH_SAME;
	}
	upstream->down = false;
	upstream->successes = 0;
	return said(upstream, LBP_HEALTH_UP);
}

void model_app_check_dropped(struct model_app *model, uint32_t number)
{
	if (number < model->upstream_len)
		model->upstreams[number].checking = false;
}

/* Whoever gets an address is as good as new. */
enum lbp_health_change model_app_set_address(
	struct model_app *model, uint32_t number, bool has_address)
{
	struct model_app_upstream *upstream;
	bool was_up;

	if (number >= model->upstream_len ||
		model->upstreams[number].lost == !has_address)
		return LBP_HEALTH_SAME;
	upstream = &model->upstreams[number];
	was_up = !upstream->lost && !upstream->down;
	upstream->lost = !has_address;
	upstream->down = false;
	upstream->failures = 0;
	upstream->successes = 0;
	if (has_address)
		return said(upstream, LBP_HEALTH_UP);
	return said(upstream, was_up ? LBP_HEALTH_DOWN : LBP_HEALTH_SAME);
}

enum lbp_err model_app_set_draining(
	struct model_app *model, uint32_t number, bool draining)
{
	if (!model_app_serves(model, number))
		return LBP_ERR_RANGE;
	model->upstreams[number].draining = draining;
	return LBP_OK;
}

uint64_t model_app_due_of(const struct model_app *model, uint32_t number)
{
	const struct model_app_upstream *upstream = &model->upstreams[number];

	if (!model->health.enabled || !model_app_serves(model, number))
		return LBP_NEVER;
	return upstream->checking ? LBP_NEVER : upstream->due_ns;
}

uint64_t model_app_check_due(const struct model_app *model)
{
	uint64_t due = LBP_NEVER;

	for (uint32_t i = 0; i < model->upstream_len; i++) {
		uint64_t this = model_app_due_of(model, i);

		if (this < due)
			due = this;
	}
	return due;
}

void model_app_take(struct model_app *model, uint32_t number, uint64_t now_ns)
{
	struct model_app_upstream *upstream = &model->upstreams[number];
	uint64_t interval = model->health.interval_ns;
	uint64_t passed = (now_ns - upstream->first_ns) / interval;

	upstream->checking = true;
	upstream->due_ns = at_most_never(
		upstream->first_ns + ((wide)passed + 1) * interval);
}

bool model_app_is_ready(const struct model_app *model)
{
	for (uint32_t i = 0; i < model->upstream_len; i++) {
		if (model_app_serves(model, i) && !model->upstreams[i].down &&
			!model->upstreams[i].lost &&
			!model->upstreams[i].draining)
			return true;
	}
	return false;
}
