#include <stdlib.h>
#include <string.h>

#include "core/app_state.h"

/* Two years and a bit: sums of times stay far from wrapping around. */
#define INTERVAL_MAX_NS (UINT64_C(1) << 56)

/* An upstream that is asked for, to be found by its name. */
struct wanted {
	const char *name;
	uint32_t at; /* the number it gets, LBP_NONE: not known yet */
	uint32_t weight;
};

static bool options_are_valid(const struct lbp_app_options *options)
{
	const struct lbp_health_options *health = &options->health;
	size_t i;

	if (options->upstream_len < 1 ||
		options->upstream_len > LBP_UPSTREAMS_MAX)
		return false;
	for (i = 0; i < options->upstream_len; i++) {
		if (options->upstreams[i].weight < 1 ||
			options->upstreams[i].weight > LBP_WEIGHT_MAX)
			return false;
	}
	for (i = 0; i < options->client_len; i++) {
		if (options->clients[i].limits.connections > 0 &&
			options->clients[i].limits.window_ns == 0)
			return false;
	}
	return !health->enabled ||
	       (health->rise >= 1 && health->fall >= 1 &&
		       health->interval_ns >= 1 &&
		       health->interval_ns <= INTERVAL_MAX_NS);
}

static char *copy_text(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	return copy == NULL ? NULL : memcpy(copy, text, size);
}

static int compare_names(const void *a, const void *b)
{
	const char *x = (*(const struct wanted *const *)a)->name;
	const char *y = (*(const struct wanted *const *)b)->name;

	return strcmp(x, y);
}

static struct wanted *find_wanted(
	struct wanted **by_name, size_t len, const char *name)
{
	struct wanted key = {.name = name};
	struct wanted *key_at = &key;
	struct wanted **found = bsearch(
		&key_at, by_name, len, sizeof(struct wanted *), compare_names);

	return found == NULL ? NULL : *found;
}

/* What from serves or still holds under a name keeps its number. */
static void keep_numbers(
	const struct lbp_app *from, struct wanted **by_name, size_t len)
{
	for (uint32_t at = 0; at < from->balancer.slot_len; at++) {
		const char *name = from->places[at].name;
		struct wanted *wanted =
			name == NULL ? NULL : find_wanted(by_name, len, name);

		if (wanted != NULL)
			wanted->at = at;
	}
}

/*
 * Gives the others the numbers that nothing has, then those after the last;
 * returns how many numbers there are now.
 */
static size_t give_numbers(
	const struct lbp_app *from, struct wanted *wanted, size_t len)
{
	size_t end = from == NULL ? 0 : from->balancer.slot_len;
	size_t all = end;
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		if (wanted[i].at != LBP_NONE)
			continue;
		while (at < end && from->places[at].name != NULL)
			at++;
		wanted[i].at = (uint32_t)at++;
		if (at > all)
			all = at;
	}
	return all;
}

static bool allocate_places(struct lbp_app *app, size_t len)
{
	app->slots = calloc(len, sizeof(*app->slots));
	app->heap = calloc(len, sizeof(*app->heap));
	app->places = calloc(len, sizeof(*app->places));
	app->timer_heap = calloc(len, sizeof(struct lbp_timer *));
	if (!app->slots || !app->heap || !app->places || !app->timer_heap)
		return false;
	/* A number that nothing has is as light as any, and not eligible. */
	for (size_t i = 0; i < len; i++)
		app->slots[i].weight = 1;
	return true;
}

/* Fills the places of those that are wanted, of which there are len. */
static enum lbp_err fill_places(struct lbp_app *app, const struct lbp_app *from,
	const struct wanted *wanted, size_t len, uint64_t now_ns)
{
	uint32_t known = from == NULL ? 0 : from->balancer.slot_len;

	for (uint32_t i = 0; i < len; i++) {
		uint32_t at = wanted[i].at;
		struct lbp_app_place *place = &app->places[at];

		place->name = copy_text(wanted[i].name);
		if (place->name == NULL)
			return LBP_ERR_NOMEM;
		place->serves = true;
		place->stays = at < known && from->places[at].name != NULL;
		lbp_health_init(
			&place->health, &app->health, now_ns, i, (uint32_t)len);
		lbp_app_arm_check(app, at);
	}
	return LBP_OK;
}

static enum lbp_err init_places(struct lbp_app *app, const struct lbp_app *from,
	const struct wanted *wanted, size_t len, size_t all, uint64_t now_ns)
{
	enum lbp_err err;
	uint32_t at;

	if (!allocate_places(app, all))
		return LBP_ERR_NOMEM;
	for (size_t i = 0; i < len; i++)
		app->slots[wanted[i].at].weight = wanted[i].weight;
	lbp_balancer_init(&app->balancer, app->slots, app->heap, (uint32_t)all);
	lbp_timers_init(&app->timers, app->timer_heap, (uint32_t)all);
	for (at = 0; at < all; at++)
		lbp_timer_init(&app->places[at].timer);
	err = fill_places(app, from, wanted, len, now_ns);
	for (at = 0; at < all; at++) {
		if (!app->places[at].serves)
			(void)lbp_balancer_set_eligible(
				&app->balancer, at, false);
	}
	return err;
}

static enum lbp_err init_upstreams(struct lbp_app *app,
	const struct lbp_app *from, const struct lbp_app_options *options,
	uint64_t now_ns)
{
	size_t len = options->upstream_len;
	struct wanted *wanted = calloc(len, sizeof(*wanted));
	struct wanted **by_name = calloc(len, sizeof(struct wanted *));
	enum lbp_err err = LBP_ERR_NOMEM;
	size_t all;

	if (wanted == NULL || by_name == NULL)
		goto out;
	for (size_t i = 0; i < len; i++) {
		wanted[i].name = options->upstreams[i].name;
		wanted[i].weight = options->upstreams[i].weight;
		wanted[i].at = LBP_NONE;
		by_name[i] = &wanted[i];
	}
	err = LBP_ERR_RANGE;
	qsort(by_name, len, sizeof(struct wanted *), compare_names);
	for (size_t i = 1; i < len; i++) {
		if (strcmp(by_name[i - 1]->name, by_name[i]->name) == 0)
			goto out;
	}
	if (from != NULL)
		keep_numbers(from, by_name, len);
	all = give_numbers(from, wanted, len);
	/* From 1 on. */
	if (all - 1 < LBP_UPSTREAMS_MAX)
		err = init_places(app, from, wanted, len, all, now_ns);
out:
	free(by_name);
	free(wanted);
	return err;
}

int lbp_app_compare_members(const void *a, const void *b)
{
	uint32_t x = ((const struct lbp_app_member *)a)->client;
	uint32_t y = ((const struct lbp_app_member *)b)->client;

	return (x > y) - (x < y);
}

/* Those who may enter, each with a ring. */
static void fill_members(
	struct lbp_app *app, const struct lbp_app_options *options)
{
	uint64_t *ring = app->rings;

	for (size_t i = 0; i < options->client_len; i++) {
		const struct lbp_app_client *client = &options->clients[i];
		struct lbp_app_member *member = &app->members[i];

		member->client = client->client;
		member->may_enter = true;
		lbp_limiter_init(&member->limiter, &client->limits, ring);
		ring += client->limits.connections;
	}
	app->member_len = options->client_len;
	qsort(app->members, app->member_len, sizeof(*app->members),
		lbp_app_compare_members);
}

static enum lbp_err init_members(struct lbp_app *app,
	const struct lbp_app *from, const struct lbp_app_options *options)
{
	/* One more than needed: calloc of nothing may return NULL. */
	size_t len = options->client_len + 1;
	size_t ring_len = 1;
	size_t i;

	/* Room for those of an application that this one will go on with. */
	if (from != NULL)
		len += from->member_len;
	for (i = 0; i < options->client_len; i++)
		ring_len += options->clients[i].limits.connections;
	app->members = calloc(len, sizeof(*app->members));
	app->rings = calloc(ring_len, sizeof(*app->rings));
	if (!app->members || !app->rings)
		return LBP_ERR_NOMEM;
	fill_members(app, options);
	for (i = 1; i < app->member_len; i++) {
		if (app->members[i - 1].client == app->members[i].client)
			return LBP_ERR_RANGE;
	}
	return LBP_OK;
}

enum lbp_err lbp_app_next(struct lbp_app **out, const struct lbp_app *from,
	const struct lbp_app_options *options, uint64_t now_ns)
{
	struct lbp_app *app;
	enum lbp_err err;

	*out = NULL;
	if (!options_are_valid(options))
		return LBP_ERR_RANGE;
	app = calloc(1, sizeof(*app));
	if (app == NULL)
		return LBP_ERR_NOMEM;
	app->acl = options->acl;
	app->number = options->number;
	app->health = options->health;
	app->id = copy_text(options->id);
	err = app->id == NULL ? LBP_ERR_NOMEM : LBP_OK;
	if (err == LBP_OK)
		err = init_upstreams(app, from, options, now_ns);
	if (err == LBP_OK)
		err = init_members(app, from, options);
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
	return lbp_app_next(out, NULL, options, now_ns);
}

void lbp_app_free(struct lbp_app *app)
{
	if (app == NULL)
		return;
	for (uint32_t at = 0; at < app->balancer.slot_len; at++)
		free(app->places[at].name);
	free(app->id);
	free(app->slots);
	free(app->heap);
	free(app->places);
	free(app->timer_heap);
	free(app->members);
	free(app->rings);
	free(app);
}
