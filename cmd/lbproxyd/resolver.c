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
#include "report_health.h"

/* The delay before a name without an address is resolved again. [SRV-114]. */
#define WAIT_MIN_S 1
#define WAIT_MAX_S 30

/* Room for any host name of the configuration. */
#define HOST_MAX 256

/* The name of an upstream; both are held. */
struct name {
	struct served_app *app;
	struct place *place;
	char host[HOST_MAX];
	uint16_t port;
	bool has_address; /* or had one */
	bool is_lost;     /* it has none any more */
	uint64_t due_ns;  /* when to resolve it again */
	unsigned wait_s;  /* after that, if it has none */
};

/* Freed by whoever is done last, the server or the thread. */
struct resolver {
	bool begun; /* the main thread's: until then it holds the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* stopped was set */
	bool stopped;
	unsigned users;
	uint64_t every_ns;  /* a name that has an address; 0: never */
	struct name *items; /* len of them */
	size_t len;
};

/* Of the upstream with this place; LBP_NONE: a reload removed it. */
static uint32_t find_upstream(
	const struct lbp_app *app, const struct place *place)
{
	uint32_t u;

	for (u = 0; u < lbp_app_upstreams(app); u++) {
		if (lbp_app_upstream_user(app, u) == place)
			return u;
	}
	return LBP_NONE;
}

/* Puts another target in its place, unless that is NULL. */
static void set_address(
	const struct name *name, struct target *target, const char *cause)
{
	struct served_app *app = name->app;
	enum lbp_health_change change;
	struct target *last = NULL;
	struct target *now;
	uint32_t upstream;

	pthread_mutex_lock(&app->lock);
	if (target != NULL) {
		last = name->place->target;
		name->place->target = target;
	}
	upstream = find_upstream(app->app, name->place);
	change = lbp_app_set_address(app->app, upstream, target != NULL);
	now = target_hold(name->place->target);
	report_health(app, upstream, now->url, change, cause);
	target_release(last);
	target_release(now);
}

static void say_why(const struct name *name, const char *why, char *cause)
{
	snprintf(cause, HOST_MAX + 128, "cannot resolve '%s': %s", name->host,
		why);
}

static void report_missing(const struct name *name)
{
	char cause[HOST_MAX + 128];

	say_why(name, name->place->target->addresses.cause, cause);
	set_address(name, NULL, cause);
}

/* Once, until it has one again. [SRV-190]. */
static void report_lost(struct name *name, const char *why)
{
	char cause[HOST_MAX + 128];
	struct log_line line;

	if (name->is_lost)
		return;
	name->is_lost = true;
	say_why(name, why, cause);
	log_begin(&line, LBP_LOG_WARN, "error");
	log_string(&line, "message",
		"a name has no address any more: its last ones are used");
	log_string(&line, "app", name->app->id);
	log_string(&line, "cause", cause);
	log_end(&line);
}

/* Its own thread is the only one that replaces its target. */
static void publish(struct name *name, struct addresses *addresses)
{
	const struct target *last = name->place->target;
	struct target *next;

	name->is_lost = false;
	if (addresses_equal(&last->addresses, addresses)) {
		name->has_address = true;
		addresses_release(addresses);
		return;
	}
	next = target_moved(last, addresses);
	/* Without memory it is tried again later. */
	if (next == NULL)
		return;
	name->has_address = true;
	set_address(name, next, "its name has an address");
}

static void let_go(struct name *name)
{
	served_app_release(name->app);
	place_release(name->place);
	name->app = NULL;
	name->place = NULL;
}

/*
 * Not by the thread when it ends: that may be while the program exits, when
 * OpenSSL is cleaned up.
 */
static void let_go_of_all(struct resolver *resolver)
{
	size_t i;

	for (i = 0; i < resolver->len; i++)
		let_go(&resolver->items[i]);
}

static void resolver_free(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
	let_go_of_all(resolver);
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

/* Waits under the lock until then, unless it is stopped. */
static void wait_until(struct resolver *resolver, uint64_t due_ns)
{
	struct timespec until = {.tv_sec = (time_t)(due_ns / LBP_NS_PER_S),
		.tv_nsec = (long)(due_ns % LBP_NS_PER_S)};
	int rc = 0;

	while (!resolver->stopped && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(
			&resolver->changed, &resolver->lock, &until);
}

/* Resolves a name, unlocked meanwhile. */
static void ask(struct resolver *resolver, struct name *name)
{
	struct addresses addresses;

	pthread_mutex_unlock(&resolver->lock);
	(void)addresses_resolve(&addresses, name->host, name->port);
	pthread_mutex_lock(&resolver->lock);
	if (resolver->stopped)
		addresses_release(&addresses);
	else if (addresses.len > 0)
		publish(name, &addresses);
	else if (name->has_address)
		report_lost(name, addresses.cause);
}

static void schedule(const struct resolver *resolver, struct name *name)
{
	uint64_t now = clock_now_ns();

	if (name->has_address) {
		name->due_ns = resolver->every_ns == 0
				       ? LBP_NEVER
				       : now + resolver->every_ns;
		return;
	}
	name->due_ns = now + name->wait_s * LBP_NS_PER_S;
	name->wait_s =
		name->wait_s < WAIT_MAX_S / 2 ? name->wait_s * 2 : WAIT_MAX_S;
}

/* The one that is due first; NULL: none is any more. */
static struct name *next_name(const struct resolver *resolver)
{
	struct name *next = NULL;
	size_t i;

	for (i = 0; i < resolver->len; i++) {
		struct name *name = &resolver->items[i];

		if (name->due_ns != LBP_NEVER &&
			(next == NULL || name->due_ns < next->due_ns))
			next = name;
	}
	return next;
}

static void *resolver_main(void *arg)
{
	struct resolver *resolver = arg;
	struct name *name;

	pthread_mutex_lock(&resolver->lock);
	while (!resolver->stopped && (name = next_name(resolver)) != NULL) {
		wait_until(resolver, name->due_ns);
		if (resolver->stopped)
			break;
		ask(resolver, name);
		schedule(resolver, name);
	}
	pthread_mutex_unlock(&resolver->lock);
	leave(resolver);
	return NULL;
}

static void hold(struct resolver *resolver, struct served_app *app,
	const struct lbp_config_upstream *upstream)
{
	struct name *name = &resolver->items[resolver->len++];

	name->app = served_app_hold(app);
	name->place = place_hold(snapshot_place(upstream));
	snprintf(name->host, sizeof(name->host), "%s", upstream->address.host);
	name->port = upstream->address.port;
	name->has_address =
		addresses_count(&name->place->target->addresses) > 0;
	name->wait_s = WAIT_MIN_S;
	schedule(resolver, name);
}

/* Is its name to be resolved again? */
static bool is_asked(const struct lbp_config_upstream *upstream,
	const struct snapshot *snapshot)
{
	if (upstream->is_unix || address_is_literal(upstream->address.host))
		return false;
	return snapshot->config->resolve_ns != 0 ||
	       addresses_count(&snapshot_place(upstream)->target->addresses) ==
		       0;
}

/* Counts the names, and has the resolver hold them unless that is NULL. */
static size_t list_names(const struct snapshot *snapshot,
	struct served_app *const *apps, struct resolver *resolver)
{
	size_t n = 0;
	size_t a, u;

	for (a = 0; a < snapshot->config->app_len; a++) {
		const struct lbp_config_app *app = snapshot->apps[a].config;

		for (u = 0; u < app->upstream_len; u++) {
			if (!is_asked(&app->upstreams[u], snapshot))
				continue;
			if (resolver != NULL)
				hold(resolver, apps[a], &app->upstreams[u]);
			n++;
		}
	}
	return n;
}

static struct resolver *resolver_new(
	const struct snapshot *snapshot, struct served_app *const *apps)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));
	size_t len = list_names(snapshot, apps, NULL);
	pthread_condattr_t attr;

	if (resolver == NULL)
		return NULL;
	resolver->items = calloc(len + 1, sizeof(*resolver->items));
	if (resolver->items == NULL) {
		free(resolver);
		return NULL;
	}
	resolver->every_ns = snapshot->config->resolve_ns;
	(void)list_names(snapshot, apps, resolver);
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
	if (list_names(snapshot, apps, NULL) == 0)
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
	for (i = 0; i < resolver->len; i++) {
		if (!resolver->items[i].has_address)
			report_missing(&resolver->items[i]);
	}
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
	let_go_of_all(resolver);
	pthread_cond_signal(&resolver->changed);
	pthread_mutex_unlock(&resolver->lock);
	leave(resolver);
}
