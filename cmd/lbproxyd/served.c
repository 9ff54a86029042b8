#include "served.h"

#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "clock.h"
#include "report_health.h"

struct served_app *served_app_hold(struct served_app *app)
{
	atomic_fetch_add_explicit(&app->holders, 1, memory_order_relaxed);
	return app;
}

static struct served_policy *policy_new(void)
{
	struct served_policy *policy = calloc(1, sizeof(*policy));

	if (policy != NULL)
		atomic_init(&policy->holders, 1);
	return policy;
}

static void policy_release(struct served_policy *policy)
{
	if (policy == NULL || atomic_fetch_sub(&policy->holders, 1) > 1)
		return;
	lbp_policy_release(&policy->policy);
	free(policy);
}

/* Those that the library still names. */
static void release_targets(const struct lbp_app *app)
{
	uint32_t u;

	for (u = 0; u < lbp_app_upstreams(app); u++) {
		if (lbp_app_upstream_name(app, u) != NULL)
			place_release(lbp_app_upstream_user(app, u));
	}
}

/* One that was never put in force holds nothing. */
void served_app_release(struct served_app *app)
{
	if (app == NULL || atomic_fetch_sub(&app->holders, 1) > 1)
		return;
	if (app->policy != NULL)
		release_targets(app->app);
	policy_release(app->policy);
	networks_release(app->settings.accept_proxy);
	pthread_mutex_destroy(&app->lock);
	pthread_mutex_destroy(&app->lines);
	free(app);
}

struct target *served_app_target(struct served_app *app, uint32_t upstream)
{
	const struct place *place;
	struct target *target;

	pthread_mutex_lock(&app->lock);
	place = lbp_app_upstream_user(app->app, upstream);
	target = target_hold(place->target);
	pthread_mutex_unlock(&app->lock);
	return target;
}

bool served_app_is_ready(struct served_app *app)
{
	bool ready;

	pthread_mutex_lock(&app->lock);
	ready = app->is_removed || lbp_app_is_ready(app->app);
	pthread_mutex_unlock(&app->lock);
	return ready;
}

static struct served_app *app_new(struct lbp_app *made, uint32_t worker)
{
	struct served_app *app = calloc(1, sizeof(*app));

	if (app == NULL)
		return NULL;
	atomic_init(&app->holders, 1);
	app->id = lbp_app_id(made);
	app->app = made;
	app->worker = worker;
	pthread_mutex_init(&app->lock, NULL);
	pthread_mutex_init(&app->lines, NULL);
	return app;
}

/* The addresses of the upstream with this url, if it has any; or NULL. */
static struct target *find_target(struct served_app *app, const char *url)
{
	struct target *found = NULL;
	uint32_t u;

	pthread_mutex_lock(&app->lock);
	for (u = 0; u < lbp_app_upstreams(app->app); u++) {
		const char *name = lbp_app_upstream_name(app->app, u);
		const struct place *place = lbp_app_upstream_user(app->app, u);

		if (name != NULL && strcmp(name, url) == 0 &&
			addresses_count(&place->target->addresses) > 0) {
			found = target_hold(place->target);
			break;
		}
	}
	pthread_mutex_unlock(&app->lock);
	return found;
}

/* False: out of memory. */
static bool keep_address(
	struct served_app *app, const struct lbp_config_upstream *upstream)
{
	struct target *next = snapshot_place(upstream)->target;
	struct target *last;
	bool ok = true;

	if (addresses_count(&next->addresses) > 0)
		return true;
	last = find_target(app, upstream->url.ptr);
	if (last != NULL)
		ok = addresses_copy(&next->addresses, &last->addresses);
	target_release(last);
	return ok;
}

/* An upstream that stays keeps its addresses if it has no others. [RLD-18]. */
static bool keep_addresses(
	struct served_app *app, const struct lbp_config_app *config)
{
	bool ok = true;
	size_t u;

	for (u = 0; u < config->upstream_len; u++)
		ok &= keep_address(app, &config->upstreams[u]);
	return ok;
}

/* One that is new, or that stays. False: out of memory. */
static bool add_app(struct served_change *change, const struct served *served,
	const struct snapshot *snapshot, size_t i)
{
	const struct lbp_policy *next = &change->policy->policy;
	uint32_t origin = next->origins[i];
	struct served_app *app;

	if (origin == LBP_NONE)
		app = app_new(next->apps[i],
			change->next_worker++ % served->worker_len);
	else
		app = served_app_hold(served->apps[origin]);
	if (app == NULL)
		return false;
	change->apps[change->app_len++] = app;
	return origin == LBP_NONE ||
	       keep_addresses(app, snapshot->apps[i].config);
}

static bool list_apps(struct served_change *change, const struct served *served,
	const struct snapshot *snapshot)
{
	size_t len = change->policy->policy.app_len;
	size_t i;

	change->apps = calloc(len + 1, sizeof(struct served_app *));
	if (change->apps == NULL)
		return false;
	change->next_worker = served->next_worker;
	for (i = 0; i < len; i++) {
		if (!add_app(change, served, snapshot, i))
			return false;
	}
	return true;
}

bool served_prepare(struct served_change *change, const struct served *served,
	const struct snapshot *snapshot)
{
	*change = (struct served_change){.policy = policy_new()};
	if (change->policy == NULL)
		return false;
	return lbp_policy_prepare(&change->policy->policy,
		       &served->policy->policy, snapshot->config,
		       clock_now_ns()) == LBP_OK &&
	       list_apps(change, served, snapshot);
}

uint32_t served_change_upstreams(const struct served_change *change, size_t i)
{
	return lbp_app_upstreams(change->policy->policy.apps[i]);
}

/*
 * The library's applications that were removed are still in the old policy; in
 * the place of the others it has what they were before.
 */
static bool was_removed(const struct served_policy *last,
	const struct served_app *app, size_t number)
{
	return last->policy.apps[number] == app->app;
}

/* Under its lock. */
static void set_policy(struct served_app *app, struct served_policy *policy)
{
	atomic_fetch_add(&policy->holders, 1);
	policy_release(app->policy);
	app->policy = policy;
}

static void hold_targets(const struct lbp_config_app *config)
{
	size_t i;

	for (i = 0; i < config->upstream_len; i++)
		place_hold(config->upstreams[i].user);
}

/* Under its lock. */
static void use_settings(struct served_app *app, const struct served *served,
	const struct snapshot_app *from)
{
	if (app->policy == NULL)
		set_policy(app, served->policy);
	networks_release(app->settings.accept_proxy);
	app->settings = from->settings;
	networks_hold(app->settings.accept_proxy);
	app->is_checked = true;
	app->checks = lbp_app_upstreams(app->app) > app->checks
			      ? lbp_app_upstreams(app->app)
			      : app->checks;
	hold_targets(from->config);
}

/* An upstream that stays may have had no address until now. [SRV-114]. */
static void set_address(struct served_app *app, uint32_t upstream)
{
	enum lbp_health_change change = LBP_HEALTH_SAME;
	const struct place *place;
	struct target *target = NULL;

	pthread_mutex_lock(&app->lock);
	place = lbp_app_upstream_user(app->app, upstream);
	if (place != NULL && addresses_count(&place->target->addresses) > 0) {
		target = target_hold(place->target);
		change = lbp_app_set_address(app->app, upstream, true);
	}
	report_health(app, upstream, target == NULL ? NULL : target->url,
		change, "its name has an address");
	target_release(target);
}

static void set_addresses(struct served_app *app)
{
	uint32_t n, u;

	pthread_mutex_lock(&app->lock);
	n = lbp_app_upstreams(app->app);
	pthread_mutex_unlock(&app->lock);
	for (u = 0; u < n; u++)
		set_address(app, u);
}

/* What is noted of an upstream that stays goes on with it. */
static void keep_note(
	struct lbp_app *app, struct lbp_app *before, uint32_t upstream)
{
	const char *name = lbp_app_upstream_name(app, upstream);
	const char *was = lbp_app_upstream_name(before, upstream);
	struct place *place = lbp_app_upstream_user(app, upstream);
	struct place *last = lbp_app_upstream_user(before, upstream);
	struct note *note;

	/* One that was removed but is in use has its own place as before. */
	if (name == NULL || was == NULL || strcmp(name, was) != 0)
		return;
	note = place->note;
	place->note = last->note;
	last->note = note;
}

/* Under the lock of the application that was before. */
static void keep_notes(struct lbp_app *app, struct lbp_app *before)
{
	uint32_t u;

	for (u = 0; u < lbp_app_upstreams(before); u++)
		keep_note(app, before, u);
}

static void swap_apps(struct served *served, struct served_change *change)
{
	struct served_app **apps = served->apps;
	size_t len = served->app_len;

	served->apps = change->apps;
	served->app_len = change->app_len;
	served->next_worker = change->next_worker;
	change->apps = apps;
	change->app_len = len;
	change->is_committed = true;
}

void served_commit(struct served *served, struct served_change *change,
	const struct snapshot *snapshot)
{
	struct served_policy *last = change->policy;
	size_t i;

	for (i = 0; i < served->app_len; i++)
		pthread_mutex_lock(&served->apps[i]->lock);
	lbp_policy_commit(&served->policy->policy, &last->policy);
	for (i = 0; i < served->app_len; i++) {
		served->apps[i]->is_removed =
			was_removed(last, served->apps[i], i);
		if (served->apps[i]->is_removed)
			set_policy(served->apps[i], last);
		else
			keep_notes(served->apps[i]->app, last->policy.apps[i]);
	}
	for (i = 0; i < change->app_len; i++)
		use_settings(change->apps[i], served, &snapshot->apps[i]);
	swap_apps(served, change);
	for (i = 0; i < change->app_len; i++)
		pthread_mutex_unlock(&change->apps[i]->lock);
	for (i = 0; i < served->app_len; i++)
		set_addresses(served->apps[i]);
}

void served_change_release(struct served_change *change)
{
	struct served_policy *last = change->policy;
	size_t i;

	for (i = 0; i < change->app_len; i++) {
		struct served_app *app = change->apps[i];

		if (change->is_committed && !was_removed(last, app, i))
			release_targets(last->policy.apps[i]);
		served_app_release(app);
	}
	free(change->apps);
	policy_release(last);
	*change = (struct served_change){0};
}

bool served_init(struct served *served, uint32_t worker_len)
{
	*served = (struct served){
		.policy = policy_new(), .worker_len = worker_len};
	return served->policy != NULL;
}

void served_release(struct served *served)
{
	size_t i;

	for (i = 0; i < served->app_len; i++)
		served_app_release(served->apps[i]);
	free(served->apps);
	policy_release(served->policy);
	*served = (struct served){0};
}
