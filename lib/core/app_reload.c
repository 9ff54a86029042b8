#include "core/app_state.h"
#include "reload.h"

static bool is_held(const struct lbp_app *app, uint32_t at)
{
	return lbp_pool_open(&app->pool, at) > 0 ||
	       app->places[at].health.checking;
}

/* Takes an upstream out of service; what is open on it stays counted. */
static void stop_serving(struct lbp_app *app, uint32_t at)
{
	struct lbp_app_place *place = &app->places[at];

	place->serves = false;
	lbp_timers_disarm(&app->timers, &place->timer);
	place->is_draining = false;
	lbp_app_settle(app, at);
}

/* An upstream that stays continues as it was, under the next one's options. */
static void inherit_place(
	struct lbp_app *next, const struct lbp_app *app, uint32_t at)
{
	struct lbp_app_place *place = &next->places[at];
	/* One that comes back has no times: it was not checked meanwhile. */
	bool keep_times = app->places[at].serves && app->health.enabled &&
			  app->health.interval_ns == next->health.interval_ns;

	lbp_pool_inherit(&next->pool, &app->pool, at);
	lbp_health_inherit(&place->health, &next->health,
		&app->places[at].health, keep_times);
	lbp_timers_disarm(&next->timers, &place->timer);
	lbp_app_arm_check(next, at);
	place->is_draining = app->places[at].is_draining;
	lbp_app_settle(next, at);
	place->dial_failures = app->places[at].dial_failures;
	place->check_failures = app->places[at].check_failures;
}

/* One that was removed keeps its number while it is in use. */
static void keep_removed(struct lbp_app *next, struct lbp_app *app, uint32_t at)
{
	struct lbp_app_place *place = &next->places[at];

	if (!is_held(app, at))
		return;
	lbp_pool_inherit(&next->pool, &app->pool, at);
	place->health = app->places[at].health;
	place->name = app->places[at].name;
	place->user = app->places[at].user;
	place->dial_failures = app->places[at].dial_failures;
	place->check_failures = app->places[at].check_failures;
	app->places[at].name = NULL;
	app->places[at].user = NULL;
}

static void inherit_places(struct lbp_app *next, struct lbp_app *app)
{
	for (uint32_t at = 0; at < app->pool.len; at++) {
		if (next->places[at].stays)
			inherit_place(next, app, at);
		else
			keep_removed(next, app, at);
	}
}

void lbp_app_commit(struct lbp_app *app, struct lbp_app *next)
{
	struct lbp_app before;

	inherit_places(next, app);
	lbp_app_commit_members(next);
	before = *app;
	*app = *next;
	*next = before;
	/* The text is the same, and others may hold a pointer to it. */
	next->id = app->id;
	app->id = before.id;
	/* What is left over is freed with the options that it belonged to. */
	next->change = app->change;
	next->owns = LBP_APP_OWNS_NONE;
	app->change = before.change;
	app->owns = LBP_APP_OWNS_ALL;
}

void lbp_app_retire(struct lbp_app *app)
{
	app->acl = NULL;
	for (uint32_t at = 0; at < app->pool.len; at++)
		stop_serving(app, at);
}
