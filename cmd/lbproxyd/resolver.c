#include "resolver.h"
#include "checks.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "report.h"

/* The delay before names are resolved again: the first one, and the longest. */
#define WAIT_MIN_S 1
#define WAIT_MAX_S 30

/* Room for any host name of the configuration. */
#define HOST_MAX 256

/* An upstream whose name has no address yet; both are held. */
struct missing {
	struct served_app *app;
	struct target *target;
	char host[HOST_MAX];
	uint16_t port;
};

/* Freed by whoever is done last, the server or the thread. */
struct resolver {
	bool begun; /* the main thread's: until then it holds the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* stopped was set */
	bool stopped;
	unsigned users;
	struct missing *items; /* len of them */
	size_t len;
};

/* The upstream with this target; LBP_NONE: a reload removed it. */
static uint32_t find_upstream(
	const struct lbp_app *app, const struct target *target)
{
	uint32_t u;

	for (u = 0; u < lbp_app_upstreams(app); u++) {
		if (lbp_app_upstream_user(app, u) == target)
			return u;
	}
	return LBP_NONE;
}

static void set_address(
	const struct missing *missing, bool has_address, const char *cause)
{
	struct served_app *app = missing->app;
	enum lbp_health_change change;
	uint32_t upstream;

	pthread_mutex_lock(&app->lock);
	upstream = find_upstream(app->app, missing->target);
	change = lbp_app_set_address(app->app, upstream, has_address);
	pthread_mutex_unlock(&app->lock);
	report_health(app, upstream, change, cause);
}

static void report_missing(const struct missing *missing)
{
	char cause[HOST_MAX + 128];

	snprintf(cause, sizeof(cause), "cannot resolve '%s': %s", missing->host,
		missing->target->addresses.cause);
	set_address(missing, false, cause);
}

/* Under the lock. */
static void publish(
	const struct missing *missing, const struct addresses *addresses)
{
	struct target *target = missing->target;

	addresses_release(&target->addresses);
	target->addresses = *addresses;
	atomic_store(&target->has_addresses, true);
	set_address(missing, true, "its name has an address");
}

static void let_go(const struct missing *missing)
{
	served_app_release(missing->app);
	target_release(missing->target);
}

static void resolver_free(struct resolver *resolver)
{
	size_t i;

	if (resolver == NULL)
		return;
	for (i = 0; i < resolver->len; i++)
		let_go(&resolver->items[i]);
	pthread_mutex_destroy(&resolver->lock);
	pthread_cond_destroy(&resolver->changed);
	free(resolver->items);
	free(resolver);
}

static void leave(struct resolver *resolver)
{
	bool is_last;

	pthread_mutex_lock(&resolver->lock);
	is_last = --resolver->users == 0;
	pthread_mutex_unlock(&resolver->lock);
	if (is_last)
		resolver_free(resolver);
}

/* Waits under the lock, unless it is stopped. */
static void wait_for(struct resolver *resolver, unsigned seconds)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	while (!resolver->stopped && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(
			&resolver->changed, &resolver->lock, &until);
}

/* Resolves a name, unlocked meanwhile; false: no address, or stopped. */
static bool ask(struct resolver *resolver, const struct missing *missing)
{
	struct addresses addresses;

	pthread_mutex_unlock(&resolver->lock);
	(void)addresses_resolve(&addresses, missing->host, missing->port);
	pthread_mutex_lock(&resolver->lock);
	if (addresses.len > 0 && !resolver->stopped) {
		publish(missing, &addresses);
		return true;
	}
	addresses_release(&addresses);
	return false;
}

/* Removes those that have an address by now. */
static void ask_all(struct resolver *resolver)
{
	size_t kept = 0;
	size_t i;

	for (i = 0; i < resolver->len; i++) {
		if (!resolver->stopped && ask(resolver, &resolver->items[i]))
			let_go(&resolver->items[i]);
		else
			resolver->items[kept++] = resolver->items[i];
	}
	resolver->len = kept;
}

static void *resolver_main(void *arg)
{
	struct resolver *resolver = arg;
	unsigned wait_s = WAIT_MIN_S;

	pthread_mutex_lock(&resolver->lock);
	while (!resolver->stopped && resolver->len > 0) {
		wait_for(resolver, wait_s);
		ask_all(resolver);
		wait_s = wait_s < WAIT_MAX_S / 2 ? wait_s * 2 : WAIT_MAX_S;
	}
	pthread_mutex_unlock(&resolver->lock);
	leave(resolver);
	return NULL;
}

static void hold(struct missing *missing, struct served_app *app,
	const struct lbp_config_upstream *upstream)
{
	missing->app = served_app_hold(app);
	missing->target = target_hold(snapshot_target(upstream));
	snprintf(missing->host, sizeof(missing->host), "%s",
		upstream->address.host);
	missing->port = upstream->address.port;
}

/* Counts them, and lists them in items unless that is NULL. */
static size_t list_missing(const struct snapshot *snapshot,
	struct served_app *const *apps, struct missing *items)
{
	size_t n = 0;
	size_t a, u;

	for (a = 0; a < snapshot->config->app_len; a++) {
		const struct lbp_config_app *app = snapshot->apps[a].config;

		for (u = 0; u < app->upstream_len; u++) {
			if (snapshot_target(&app->upstreams[u])->addresses.len >
				0)
				continue;
			if (items != NULL)
				hold(&items[n], apps[a], &app->upstreams[u]);
			n++;
		}
	}
	return n;
}

static struct resolver *resolver_new(
	const struct snapshot *snapshot, struct served_app *const *apps)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));
	size_t len = list_missing(snapshot, apps, NULL);
	pthread_condattr_t attr;

	if (resolver == NULL)
		return NULL;
	resolver->items = calloc(len + 1, sizeof(*resolver->items));
	if (resolver->items == NULL) {
		free(resolver);
		return NULL;
	}
	resolver->len = list_missing(snapshot, apps, resolver->items);
	resolver->users = 2;
	pthread_mutex_init(&resolver->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&resolver->changed, &attr);
	pthread_condattr_destroy(&attr);
	return resolver;
}

/* The main thread gets the signals; nobody joins this one. */
static int start_thread(struct resolver *resolver)
{
	sigset_t all, before;
	pthread_t thread;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, NULL, resolver_main, resolver);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		pthread_detach(thread);
	return rc;
}

bool resolver_prepare(struct resolver **out, const struct snapshot *snapshot,
	struct served_app *const *apps)
{
	struct resolver *resolver;
	int rc = ENOMEM;

	*out = NULL;
	if (list_missing(snapshot, apps, NULL) == 0)
		return true;
	resolver = resolver_new(snapshot, apps);
	if (resolver != NULL) {
		pthread_mutex_lock(&resolver->lock);
		rc = start_thread(resolver);
	}
	if (rc == 0) {
		*out = resolver;
		return true;
	}
	log_error(LBP_LOG_ERROR, "cannot resolve names in the background",
		strerror(rc));
	if (resolver != NULL)
		pthread_mutex_unlock(&resolver->lock);
	resolver_free(resolver);
	return false;
}

void resolver_begin(struct resolver *resolver)
{
	size_t i;

	if (resolver == NULL)
		return;
	for (i = 0; i < resolver->len; i++)
		report_missing(&resolver->items[i]);
	resolver->begun = true;
	pthread_mutex_unlock(&resolver->lock);
}

void resolver_stop(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
	if (resolver->begun)
		pthread_mutex_lock(&resolver->lock);
	resolver->stopped = true;
	pthread_cond_signal(&resolver->changed);
	pthread_mutex_unlock(&resolver->lock);
	leave(resolver);
}
