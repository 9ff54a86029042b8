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

/* An upstream whose name has no address yet. */
struct missing {
	struct served_app *app;
	uint32_t upstream;
};

/* Freed by whoever is done last, the server or the thread. */
struct resolver {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* stopped was set */
	bool stopped;
	unsigned users;
	struct missing *items; /* len of them */
	size_t len;
};

static struct target *target_of(const struct missing *missing)
{
	return &missing->app->targets[missing->upstream];
}

static void set_address(
	const struct missing *missing, bool has_address, const char *cause)
{
	struct served_app *app = missing->app;
	enum lbp_health_change change;

	pthread_mutex_lock(&app->lock);
	change = lbp_app_set_address(app->app, missing->upstream, has_address);
	pthread_mutex_unlock(&app->lock);
	report_health(app, missing->upstream, change, cause);
}

static void report_missing(const struct missing *missing)
{
	const struct lbp_config_upstream *config =
		&missing->app->config->upstreams[missing->upstream];
	char cause[HOST_MAX + 128];

	snprintf(cause, sizeof(cause), "cannot resolve '%s': %s",
		config->address.host, target_of(missing)->addresses.cause);
	set_address(missing, false, cause);
}

/* Under the lock, while the snapshot exists. */
static void publish(
	const struct missing *missing, const struct addresses *addresses)
{
	struct target *target = target_of(missing);

	addresses_release(&target->addresses);
	target->addresses = *addresses;
	atomic_store(&target->has_addresses, true);
	set_address(missing, true, "its name has an address");
}

static void resolver_free(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
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
	const struct lbp_config_address *from =
		&missing->app->config->upstreams[missing->upstream].address;
	struct addresses addresses;
	uint16_t port = from->port;
	char host[HOST_MAX];

	snprintf(host, sizeof(host), "%s", from->host);
	pthread_mutex_unlock(&resolver->lock);
	(void)addresses_resolve(&addresses, host, port);
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

	for (i = 0; i < resolver->len && !resolver->stopped; i++) {
		if (!ask(resolver, &resolver->items[i]))
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

static size_t list_missing(struct snapshot *snapshot, struct missing *items)
{
	size_t n = 0;
	size_t a;
	uint32_t u;

	for (a = 0; a < snapshot->config->app_len; a++) {
		struct served_app *app = &snapshot->apps[a];

		for (u = 0; u < app->config->upstream_len; u++) {
			if (app->targets[u].addresses.len > 0)
				continue;
			if (items != NULL)
				items[n] = (struct missing){app, u};
			n++;
		}
	}
	return n;
}

static struct resolver *resolver_new(struct snapshot *snapshot)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));
	size_t len = list_missing(snapshot, NULL);
	pthread_condattr_t attr;

	if (resolver == NULL)
		return NULL;
	resolver->items = calloc(len + 1, sizeof(*resolver->items));
	if (resolver->items == NULL) {
		free(resolver);
		return NULL;
	}
	resolver->len = list_missing(snapshot, resolver->items);
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

bool resolver_start(struct resolver **out, struct snapshot *snapshot)
{
	struct resolver *resolver;
	size_t i;
	int rc;

	*out = NULL;
	if (list_missing(snapshot, NULL) == 0)
		return true;
	resolver = resolver_new(snapshot);
	rc = resolver == NULL ? ENOMEM : 0;
	for (i = 0; rc == 0 && i < resolver->len; i++)
		report_missing(&resolver->items[i]);
	if (rc == 0)
		rc = start_thread(resolver);
	if (rc == 0) {
		*out = resolver;
		return true;
	}
	log_error(LBP_LOG_ERROR, "cannot resolve names in the background",
		strerror(rc));
	resolver_free(resolver);
	return false;
}

void resolver_stop(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
	pthread_mutex_lock(&resolver->lock);
	resolver->stopped = true;
	pthread_cond_signal(&resolver->changed);
	pthread_mutex_unlock(&resolver->lock);
	leave(resolver);
}
