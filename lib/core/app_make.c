#include <stdlib.h>
#include <string.h>

#include "core/app_state.h"
#include "core/numbers.h"
#include "core/options.h"
#include "reload.h"

/* Two years and a bit: sums of times stay far from wrapping around. */
#define INTERVAL_MAX_NS (UINT64_C(1) << 56)

static enum lbp_err judge_upstreams(const struct lbp_app_options *options)
{
	if (options->upstream_len < 1)
		return LBP_ERR_FEW_UPSTREAMS;
	if (options->upstream_len > LBP_UPSTREAMS_MAX)
		return LBP_ERR_MANY_UPSTREAMS;
	if (options->upstreams == NULL)
		return LBP_ERR_NULL;
	for (size_t i = 0; i < options->upstream_len; i++) {
		const struct lbp_upstream *upstream = &options->upstreams[i];

		if (upstream->name == NULL)
			return LBP_ERR_NULL;
		if (upstream->weight < 1 || upstream->weight > LBP_WEIGHT_MAX)
			return LBP_ERR_WEIGHT;
	}
	return LBP_OK;
}

static enum lbp_err judge_health(const struct lbp_health_options *health)
{
	if (!health->enabled)
		return LBP_OK;
	if (health->interval_ns < 1 || health->interval_ns > INTERVAL_MAX_NS)
		return LBP_ERR_INTERVAL;
	if (health->rise < 1)
		return LBP_ERR_RISE;
	return health->fall < 1 ? LBP_ERR_FALL : LBP_OK;
}

/* The caller's options over the defaults, if they can be put to work. */
static enum lbp_err read_options(
	struct lbp_app_options *own, const struct lbp_app_options *options)
{
	enum lbp_err err;

	lbp_app_options_init(own);
	err = lbp_options_copy(own, sizeof(*own), options);
	if (err != LBP_OK)
		return err;
	if (own->id == NULL || own->acl == NULL)
		return LBP_ERR_NULL;
	err = judge_upstreams(own);
	return err != LBP_OK ? err : judge_health(&own->health);
}

static char *copy_text(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	return copy == NULL ? NULL : memcpy(copy, text, size);
}

static const char *name_wanted(const void *list, size_t i)
{
	return ((const struct lbp_upstream *)list)[i].name;
}

/* What serves or still holds something under a name. */
static const char *name_known(const void *list, size_t number)
{
	return ((const struct lbp_app_place *)list)[number].name;
}

static bool allocate_places(struct lbp_app *app, size_t len)
{
	app->pool_members = calloc(len, sizeof(*app->pool_members));
	app->slots = calloc(2 * len, sizeof(*app->slots));
	app->heap = calloc(2 * len, sizeof(*app->heap));
	app->places = calloc(len, sizeof(*app->places));
	app->timer_heap = calloc(len, sizeof(struct lbp_heap_node *));
	if (!app->pool_members || !app->slots || !app->heap || !app->places ||
		!app->timer_heap)
		return false;
	/* A number that nothing has is as light as any, and never up. */
	for (size_t i = 0; i < len; i++)
		app->slots[i].weight = 1;
	return true;
}

/* Fills the places of those that are wanted, by their numbers. */
static enum lbp_err fill_places(struct lbp_app *app, const struct lbp_app *from,
	const struct lbp_app_options *options, const uint32_t *numbers,
	uint64_t now_ns)
{
	uint32_t known = from == NULL ? 0 : from->pool.len;
	uint32_t len = (uint32_t)options->upstream_len;

	for (uint32_t i = 0; i < len; i++) {
		uint32_t at = numbers[i];
		struct lbp_app_place *place = &app->places[at];

		place->name = copy_text(options->upstreams[i].name);
		if (place->name == NULL)
			return LBP_ERR_NOMEM;
		place->user = options->upstreams[i].user;
		place->serves = true;
		lbp_pool_set_up(&app->pool, at, true);
		place->stays = at < known && from->places[at].name != NULL;
		lbp_health_init(&place->health, &app->health, now_ns, i, len);
		lbp_app_arm_check(app, at);
	}
	return LBP_OK;
}

static enum lbp_err init_places(struct lbp_app *app, const struct lbp_app *from,
	const struct lbp_app_options *options, const uint32_t *numbers,
	size_t all, uint64_t now_ns)
{
	uint32_t at;

	if (!allocate_places(app, all))
		return LBP_ERR_NOMEM;
	for (size_t i = 0; i < options->upstream_len; i++) {
		const struct lbp_upstream *upstream = &options->upstreams[i];

		at = numbers[i];
		app->slots[at].weight = upstream->weight;
		app->pool_members[at] = (struct lbp_pool_member){
			.max_connections = upstream->max_connections,
			.is_backup = upstream->is_backup};
	}
	lbp_pool_init(&app->pool, app->pool_members, app->slots, app->heap,
		(uint32_t)all);
	lbp_timers_init(&app->timers, app->timer_heap, (uint32_t)all);
	for (at = 0; at < all; at++)
		lbp_timer_init(&app->places[at].timer);
	return fill_places(app, from, options, numbers, now_ns);
}

static enum lbp_err init_upstreams(struct lbp_app *app,
	const struct lbp_app *from, const struct lbp_app_options *options,
	uint64_t now_ns)
{
	struct lbp_named wanted = {
		name_wanted, options->upstreams, options->upstream_len};
	struct lbp_named known = {.name_of = name_known};
	uint32_t *numbers = calloc(wanted.len, sizeof(*numbers));
	enum lbp_err err = LBP_ERR_NOMEM;
	size_t all;

	if (numbers == NULL)
		return LBP_ERR_NOMEM;
	if (from != NULL) {
		known.list = from->places;
		known.len = from->pool.len;
	}
	err = lbp_numbers_keep(numbers, &wanted, &known);
	if (err != LBP_OK)
		goto out;
	all = lbp_numbers_give(numbers, wanted.len, &known);
	err = all > LBP_UPSTREAMS_MAX
		      ? LBP_ERR_MANY_UPSTREAMS
		      : init_places(app, from, options, numbers, all, now_ns);
out:
	free(numbers);
	return err;
}

static enum lbp_err fill(struct lbp_app *app, const struct lbp_app *from,
	const struct lbp_app_options *options, uint64_t now_ns)
{
	enum lbp_err err;

	app->acl = options->acl;
	app->number = options->number;
	app->health = options->health;
	app->id = copy_text(options->id);
	if (app->id == NULL)
		return LBP_ERR_NOMEM;
	err = lbp_app_make_members(app, from);
	if (err != LBP_OK)
		return err;
	return init_upstreams(app, from, options, now_ns);
}

enum lbp_err lbp_app_prepare(struct lbp_app **out, const struct lbp_app *from,
	const struct lbp_app_options *options, uint64_t now_ns)
{
	struct lbp_app_options own;
	struct lbp_app *app;
	enum lbp_err err;

	if (out == NULL)
		return LBP_ERR_NULL;
	*out = NULL;
	err = read_options(&own, options);
	if (err != LBP_OK)
		return err;
	app = calloc(1, sizeof(*app));
	if (app == NULL)
		return LBP_ERR_NOMEM;
	err = fill(app, from, &own, now_ns);
	if (err != LBP_OK) {
		lbp_app_free(app);
		return err;
	}
	*out = app;
	return LBP_OK;
}

enum lbp_err lbp_app_new(struct lbp_app **out,
	const struct lbp_app_options *options, uint64_t now_ns)
{
	return lbp_app_prepare(out, NULL, options, now_ns);
}

void lbp_app_free(struct lbp_app *app)
{
	if (app == NULL)
		return;
	for (uint32_t at = 0; at < app->pool.len; at++)
		free(app->places[at].name);
	free(app->id);
	free(app->pool_members);
	free(app->slots);
	free(app->heap);
	free(app->places);
	free(app->timer_heap);
	lbp_app_free_members(app);
	free(app);
}
