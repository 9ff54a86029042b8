#include "app.h"

#include <stdlib.h>
#include <string.h>

#include "balancer.h"
#include "timers.h"

/* Two years and a bit: sums of times stay far from wrapping around. */
#define INTERVAL_MAX_NS (UINT64_C(1) << 56)

struct upstream {
	struct lbp_timer timer; /* first: a taken timer is its upstream */
	struct lbp_health health;
};

struct client {
	uint32_t number;
	struct lbp_limiter limiter;
};

struct lbp_app {
	char *id;
	const struct lbp_acl *acl;
	uint32_t number;
	struct lbp_health_options health;
	struct lbp_balancer balancer;
	struct lbp_balancer_slot *slots;
	uint32_t *heap;
	struct upstream *upstreams;
	struct lbp_timers timers;
	struct lbp_timer **timer_heap;
	struct client *clients; /* by number */
	size_t client_len;
	uint64_t *rings; /* of all limiters, one after the other */
};

static int compare_clients(const void *a, const void *b)
{
	uint32_t x = ((const struct client *)a)->number;
	uint32_t y = ((const struct client *)b)->number;

	return (x > y) - (x < y);
}

static bool options_are_valid(const struct lbp_app_options *options)
{
	const struct lbp_health_options *health = &options->health;
	size_t i;

	if (options->upstream_len < 1 ||
		options->upstream_len > LBP_UPSTREAMS_MAX)
		return false;
	for (i = 0; i < options->upstream_len; i++) {
		if (options->weights[i] < 1 ||
			options->weights[i] > LBP_WEIGHT_MAX)
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

static void arm_check(struct lbp_app *app, uint32_t upstream)
{
	struct upstream *u = &app->upstreams[upstream];
	uint64_t due = lbp_health_due(&u->health, &app->health);

	/* The heap has a place for each upstream: arming can't fail. */
	if (due != LBP_NEVER)
		(void)lbp_timers_arm(&app->timers, &u->timer, due);
}

static enum lbp_err init_upstreams(struct lbp_app *app,
	const struct lbp_app_options *options, uint64_t now_ns)
{
	uint32_t n = (uint32_t)options->upstream_len;
	uint32_t i;

	app->slots = calloc(n, sizeof(*app->slots));
	app->heap = calloc(n, sizeof(*app->heap));
	app->upstreams = calloc(n, sizeof(*app->upstreams));
	app->timer_heap = calloc(n, sizeof(struct lbp_timer *));
	if (!app->slots || !app->heap || !app->upstreams || !app->timer_heap)
		return LBP_ERR_NOMEM;
	for (i = 0; i < n; i++)
		app->slots[i].weight = options->weights[i];
	lbp_balancer_init(&app->balancer, app->slots, app->heap, n);
	lbp_timers_init(&app->timers, app->timer_heap, n);
	for (i = 0; i < n; i++) {
		lbp_timer_init(&app->upstreams[i].timer);
		lbp_health_init(
			&app->upstreams[i].health, &app->health, now_ns, i, n);
		arm_check(app, i);
	}
	return LBP_OK;
}

static enum lbp_err init_clients(
	struct lbp_app *app, const struct lbp_app_options *options)
{
	size_t n = options->client_len;
	size_t ring_len = 0;
	uint64_t *ring;
	size_t i;

	for (i = 0; i < n; i++)
		ring_len += options->clients[i].limits.connections;
	/* One more than needed: calloc of nothing may return NULL. */
	app->clients = calloc(n + 1, sizeof(*app->clients));
	app->rings = calloc(ring_len + 1, sizeof(*app->rings));
	if (!app->clients || !app->rings)
		return LBP_ERR_NOMEM;
	app->client_len = n;
	ring = app->rings;
	for (i = 0; i < n; i++) {
		app->clients[i].number = options->clients[i].client;
		lbp_limiter_init(&app->clients[i].limiter,
			&options->clients[i].limits, ring);
		ring += options->clients[i].limits.connections;
	}
	qsort(app->clients, n, sizeof(*app->clients), compare_clients);
	for (i = 1; i < n; i++) {
		if (app->clients[i - 1].number == app->clients[i].number)
			return LBP_ERR_RANGE;
	}
	return LBP_OK;
}

static char *copy_text(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	return copy == NULL ? NULL : memcpy(copy, text, size);
}

enum lbp_err lbp_app_new(struct lbp_app **out,
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
		err = init_upstreams(app, options, now_ns);
	if (err == LBP_OK)
		err = init_clients(app, options);
	if (err != LBP_OK) {
		lbp_app_free(app);
		return err;
	}
	*out = app;
	return LBP_OK;
}

void lbp_app_free(struct lbp_app *app)
{
	if (app == NULL)
		return;
	free(app->id);
	free(app->slots);
	free(app->heap);
	free(app->upstreams);
	free(app->timer_heap);
	free(app->clients);
	free(app->rings);
	free(app);
}

const char *lbp_app_id(const struct lbp_app *app)
{
	return app->id;
}

uint32_t lbp_app_upstreams(const struct lbp_app *app)
{
	return app->balancer.slot_len;
}

enum lbp_err lbp_app_identify(const struct lbp_app *app,
	const struct lbp_serial *serial, uint32_t *client)
{
	enum lbp_err err = lbp_acl_identify(app->acl, serial, client);

	if (err != LBP_OK)
		return err;
	return lbp_acl_authorize(app->acl, *client, app->number);
}

static struct lbp_limiter *find_limiter(struct lbp_app *app, uint32_t client)
{
	struct client key = {.number = client};
	struct client *found = bsearch(&key, app->clients, app->client_len,
		sizeof(*app->clients), compare_clients);

	return found == NULL ? NULL : &found->limiter;
}

enum lbp_err lbp_app_admit(
	struct lbp_app *app, uint32_t client, uint64_t now_ns)
{
	struct lbp_limiter *limiter = find_limiter(app, client);

	return limiter == NULL ? LBP_ERR_NOT_ALLOWED
			       : lbp_limiter_admit(limiter, now_ns);
}

enum lbp_err lbp_app_leave(struct lbp_app *app, uint32_t client)
{
	struct lbp_limiter *limiter = find_limiter(app, client);

	return limiter == NULL ? LBP_ERR_STATE : lbp_limiter_release(limiter);
}

enum lbp_err lbp_app_choose(
	struct lbp_app *app, const uint8_t *tried, uint32_t *upstream)
{
	return lbp_balancer_choose(&app->balancer, tried, upstream);
}

/* Lets the balancer know what changed in an upstream's health. */
static enum lbp_health_change apply(
	struct lbp_app *app, uint32_t upstream, enum lbp_health_change change)
{
	if (change != LBP_HEALTH_SAME)
		(void)lbp_balancer_set_eligible(
			&app->balancer, upstream, change == LBP_HEALTH_UP);
	return change;
}

enum lbp_health_change lbp_app_dialed(
	struct lbp_app *app, uint32_t upstream, bool ok)
{
	if (upstream >= app->balancer.slot_len)
		return LBP_HEALTH_SAME;
	if (!ok)
		(void)lbp_balancer_release(&app->balancer, upstream);
	return apply(app, upstream,
		lbp_health_dialed(
			&app->upstreams[upstream].health, &app->health, ok));
}

enum lbp_err lbp_app_release(struct lbp_app *app, uint32_t upstream)
{
	return lbp_balancer_release(&app->balancer, upstream);
}

uint64_t lbp_app_check_due(const struct lbp_app *app)
{
	return lbp_timers_due(&app->timers);
}

bool lbp_app_take_check(
	struct lbp_app *app, uint64_t now_ns, uint32_t *upstream)
{
	struct lbp_timer *timer = lbp_timers_take(&app->timers, now_ns);
	struct upstream *taken = (struct upstream *)timer;

	if (taken == NULL)
		return false;
	*upstream = (uint32_t)(taken - app->upstreams);
	return lbp_health_take(&taken->health, &app->health, now_ns);
}

enum lbp_health_change lbp_app_checked(
	struct lbp_app *app, uint32_t upstream, bool ok)
{
	enum lbp_health_change change;

	if (upstream >= app->balancer.slot_len)
		return LBP_HEALTH_SAME;
	change = lbp_health_checked(
		&app->upstreams[upstream].health, &app->health, ok);
	arm_check(app, upstream);
	return apply(app, upstream, change);
}

void lbp_app_check_dropped(struct lbp_app *app, uint32_t upstream)
{
	if (upstream >= app->balancer.slot_len)
		return;
	lbp_health_check_dropped(&app->upstreams[upstream].health);
	arm_check(app, upstream);
}

bool lbp_app_is_ready(const struct lbp_app *app)
{
	return app->balancer.heap_len > 0;
}

uint32_t lbp_app_open(const struct lbp_app *app, uint32_t upstream)
{
	return upstream < app->balancer.slot_len
		       ? app->balancer.slots[upstream].open
		       : 0;
}
