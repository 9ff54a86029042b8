#include "checks.h"
#include "core/acl_match.h"
#include "core/app_state.h"
#include "reload.h"

void lbp_app_arm_check(struct lbp_app *app, uint32_t upstream)
{
	struct lbp_app_place *place = &app->places[upstream];
	uint64_t due = lbp_health_due(&place->health, &app->health);

	/* The heap has a place for each upstream: arming can't fail. */
	if (place->serves && due != LBP_NEVER)
		(void)lbp_timers_arm(&app->timers, &place->timer, due);
}

const char *lbp_app_id(const struct lbp_app *app)
{
	return app->id;
}

uint32_t lbp_app_upstreams(const struct lbp_app *app)
{
	return app->pool.len;
}

const char *lbp_app_upstream_name(const struct lbp_app *app, uint32_t upstream)
{
	return upstream < app->pool.len ? app->places[upstream].name : NULL;
}

void *lbp_app_upstream_user(const struct lbp_app *app, uint32_t upstream)
{
	return upstream < app->pool.len ? app->places[upstream].user : NULL;
}

enum lbp_err lbp_app_match(const struct lbp_app *app,
	const struct lbp_name *names, size_t name_len, struct lbp_match *match)
{
	enum lbp_err err;

	if (app == NULL)
		return LBP_ERR_NULL;
	if (app->acl == NULL)
		return LBP_ERR_NOT_ALLOWED;
	err = lbp_acl_match(app->acl, names, name_len, match);
	if (err != LBP_OK)
		return err;
	return lbp_acl_authorize(app->acl, match->client, app->number);
}

enum lbp_err lbp_app_identify(const struct lbp_app *app,
	const struct lbp_name *names, size_t name_len, uint32_t *client)
{
	struct lbp_match match;
	enum lbp_err err;

	if (client == NULL)
		return LBP_ERR_NULL;
	match.client = *client;
	err = lbp_app_match(app, names, name_len, &match);
	*client = match.client;
	return err;
}

enum lbp_err lbp_app_admit(
	struct lbp_app *app, uint32_t client, uint64_t now_ns)
{
	struct lbp_app_budget *budget;

	if (app == NULL)
		return LBP_ERR_NULL;
	budget = lbp_app_budget_to_enter(app, client);
	return budget == NULL ? LBP_ERR_NOT_ALLOWED
			      : lbp_limiter_admit(&budget->limiter, now_ns);
}

enum lbp_err lbp_app_leave(struct lbp_app *app, uint32_t client)
{
	struct lbp_app_budget *budget;

	if (app == NULL)
		return LBP_ERR_NULL;
	budget = lbp_app_budget(app, client);
	return budget == NULL ? LBP_ERR_STATE
			      : lbp_limiter_release(&budget->limiter);
}

uint32_t lbp_app_sessions(const struct lbp_app *app, uint32_t client)
{
	const struct lbp_app_budget *budget = lbp_app_budget(app, client);

	return budget == NULL ? 0 : budget->limiter.open;
}

enum lbp_err lbp_app_choose(
	struct lbp_app *app, const uint8_t *tried, uint32_t *upstream)
{
	if (app == NULL || upstream == NULL)
		return LBP_ERR_NULL;
	return lbp_pool_choose(&app->pool, tried, upstream);
}

void lbp_app_settle(struct lbp_app *app, uint32_t upstream)
{
	const struct lbp_app_place *place = &app->places[upstream];

	lbp_pool_set_up(&app->pool, upstream,
		place->serves && place->health.up && !place->is_draining);
}

/*
 * Lets the balancer know what changed in an upstream's health; nothing does
 * for one that was removed.
 */
static enum lbp_health_change apply(
	struct lbp_app *app, uint32_t upstream, enum lbp_health_change change)
{
	if (!app->places[upstream].serves)
		return LBP_HEALTH_SAME;
	lbp_app_settle(app, upstream);
	return change;
}

enum lbp_err lbp_app_set_draining(
	struct lbp_app *app, uint32_t upstream, bool is_draining)
{
	if (app == NULL)
		return LBP_ERR_NULL;
	if (upstream >= app->pool.len || !app->places[upstream].serves)
		return LBP_ERR_RANGE;
	app->places[upstream].is_draining = is_draining;
	lbp_app_settle(app, upstream);
	return LBP_OK;
}

enum lbp_health_change lbp_app_dialed(
	struct lbp_app *app, uint32_t upstream, bool ok)
{
	if (upstream >= app->pool.len)
		return LBP_HEALTH_SAME;
	if (!ok) {
		(void)lbp_pool_release(&app->pool, upstream);
		app->places[upstream].dial_failures++;
	}
	return apply(app, upstream,
		lbp_health_dialed(
			&app->places[upstream].health, &app->health, ok));
}

enum lbp_err lbp_app_release(struct lbp_app *app, uint32_t upstream)
{
	if (app == NULL)
		return LBP_ERR_NULL;
	return lbp_pool_release(&app->pool, upstream);
}

uint64_t lbp_app_check_due(const struct lbp_app *app)
{
	return lbp_timers_due(&app->timers);
}

bool lbp_app_take_check(
	struct lbp_app *app, uint64_t now_ns, uint32_t *upstream)
{
	struct lbp_timer *timer = lbp_timers_take(&app->timers, now_ns);
	struct lbp_app_place *taken = (struct lbp_app_place *)timer;

	if (taken == NULL)
		return false;
	*upstream = (uint32_t)(taken - app->places);
	return lbp_health_take(&taken->health, &app->health, now_ns);
}

enum lbp_health_change lbp_app_checked(
	struct lbp_app *app, uint32_t upstream, bool ok)
{
	enum lbp_health_change change;

	if (upstream >= app->pool.len)
		return LBP_HEALTH_SAME;
	change = lbp_health_checked(
		&app->places[upstream].health, &app->health, ok);
	if (!ok)
		app->places[upstream].check_failures++;
	lbp_app_arm_check(app, upstream);
	return apply(app, upstream, change);
}

void lbp_app_check_dropped(struct lbp_app *app, uint32_t upstream)
{
	if (upstream >= app->pool.len)
		return;
	lbp_health_check_dropped(&app->places[upstream].health);
	lbp_app_arm_check(app, upstream);
}

enum lbp_health_change lbp_app_set_address(
	struct lbp_app *app, uint32_t upstream, bool has_address)
{
	if (upstream >= app->pool.len)
		return LBP_HEALTH_SAME;
	return apply(app, upstream,
		lbp_health_set_address(
			&app->places[upstream].health, has_address));
}

bool lbp_app_is_ready(const struct lbp_app *app)
{
	return app->pool.up_len > 0;
}

uint32_t lbp_app_open(const struct lbp_app *app, uint32_t upstream)
{
	return lbp_pool_open(&app->pool, upstream);
}
