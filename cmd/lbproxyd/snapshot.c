#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "clock.h"
#include "configuration.h"
#include "content.h"
#include "listen.h"
#include "process.h"
#include "server/descriptors.h"
#include "server/session_timeouts.h"
#include "socket_path.h"
#include "tls_memory.h"

/* As many as the configuration may ask for. */
#define WORKERS_MAX 256

/* How long names that do not resolve may delay the start. [SRV-116]. */
#define NAMES_LOST_NS (5 * LBP_NS_PER_S)

static const struct lbp_config_pos start = {1, 1, 0};

struct names {
	uint64_t lost_ns; /* on those that have no address now */
};

/* Opens the directory to which relative paths in a file refer. */
static int open_directory_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *dir;
	int fd;

	if (slash == NULL)
		return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = strndup(file, (size_t)(slash - file) + 1);
	if (dir == NULL)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	return fd;
}

/*
 * Resolves a name, unless those that did not resolve took too long; the
 * resolver will then try this one too. [SRV-114].
 */
static bool resolve_upstream(struct names *names, struct addresses *out,
	const struct lbp_config_address *from)
{
	uint64_t began = clock_now_ns();
	bool ok;

	if (names->lost_ns >= NAMES_LOST_NS &&
		!address_is_literal(from->host)) {
		out->cause = "earlier names took too long to resolve";
		return true;
	}
	ok = addresses_resolve(out, from->host, from->port);
	if (out->len == 0)
		names->lost_ns += clock_now_ns() - began;
	return ok;
}

/* False: out of memory. */
static bool load_target(struct lbp_config_upstream *from, int dir_fd,
	struct names *names, struct problems *problems)
{
	struct target *target = target_new(from->url.ptr);

	if (target == NULL)
		return false;
	from->user = place_new(target);
	if (from->user == NULL)
		return false;
	if (!(from->is_unix ? addresses_of_path(
				      &target->addresses, from->address.host)
			    : resolve_upstream(names, &target->addresses,
				      &from->address)))
		return false;
	if (from->tls)
		target->tls = tls_client_new(from, dir_fd, problems);
	return true;
}

static bool load_targets(const struct snapshot_app *app, int dir_fd,
	struct names *names, struct problems *problems)
{
	size_t i;

	for (i = 0; i < app->config->upstream_len; i++) {
		if (!load_target(&app->config->upstreams[i], dir_fd, names,
			    problems))
			return false;
	}
	return true;
}

static bool load_listen(struct snapshot_app *app)
{
	size_t i;

	app->listen = calloc(app->config->listen_len, sizeof(*app->listen));
	if (app->listen == NULL)
		return false;
	for (i = 0; i < app->config->listen_len; i++) {
		const struct lbp_config_address *from = &app->config->listen[i];

		if (!addresses_resolve(&app->listen[i], from->host, from->port))
			return false;
	}
	return true;
}

/* False: out of memory. */
static bool resolve_admin(struct snapshot *snapshot)
{
	const struct lbp_config_address *from = &snapshot->config->admin;

	return from->host == NULL ||
	       addresses_resolve(&snapshot->admin, from->host, from->port);
}

/* The same. */
static bool find_admin_socket(
	struct snapshot *snapshot, struct problems *problems)
{
	const struct lbp_config_text *text = &snapshot->config->admin_socket;

	if (text->ptr == NULL)
		return true;
	snapshot->admin_socket = socket_path(problems->file, text->ptr);
	if (snapshot->admin_socket == NULL)
		return false;
	if (!socket_path_fits(snapshot->admin_socket))
		problem(problems, text->pos,
			"server.admin_socket: its path '%s' has %zu bytes; "
			"accepted: at most %d",
			snapshot->admin_socket, strlen(snapshot->admin_socket),
			SOCKET_PATH_MAX);
	return true;
}

/* False: out of memory. */
static bool set_settings(
	struct snapshot_app *app, const struct lbp_config *config)
{
	app->settings = (struct snapshot_settings){
		.timeouts = lbp_session_timeouts_of(config, app->config),
		.lifetime_ns = app->config->timeouts.lifetime_ns,
		.keepalive_ns = config->keepalive_ns,
		.check_timeout_ns = app->config->health.timeout_ns,
		.alpn = app->config->alpn,
		.takes_unclean_end =
			app->config->unclean_end == LBP_UNCLEAN_END,
		.keeps_expired = config->expired_sessions == LBP_EXPIRED_KEEP,
		.sends_proxy_header = app->config->proxy_protocol,
	};
	if (app->config->accept_proxy_len == 0)
		return true;
	app->settings.accept_proxy = networks_new(
		app->config->accept_proxy, app->config->accept_proxy_len);
	return app->settings.accept_proxy != NULL;
}

static bool load_apps(
	struct snapshot *snapshot, int dir_fd, struct problems *problems)
{
	size_t n = snapshot->config->app_len;
	struct names names = {0};
	size_t i;

	snapshot->apps = calloc(n, sizeof(*snapshot->apps));
	if (snapshot->apps == NULL)
		return false;
	for (i = 0; i < n; i++) {
		snapshot->apps[i].config = &snapshot->config->apps[i];
		if (!set_settings(&snapshot->apps[i], snapshot->config))
			return false;
	}
	for (i = 0; i < n; i++) {
		if (!load_listen(&snapshot->apps[i]) ||
			!load_targets(
				&snapshot->apps[i], dir_fd, &names, problems))
			return false;
	}
	return resolve_admin(snapshot) &&
	       find_admin_socket(snapshot, problems) &&
	       listen_check(snapshot, problems);
}

static uint32_t count_cpus(void)
{
	uint32_t n = process_cpus();

	return n > WORKERS_MAX ? WORKERS_MAX : n;
}

static uint32_t count_listeners(const struct snapshot *snapshot)
{
	size_t n = 0;
	size_t a, i;

	for (a = 0; a < snapshot->config->app_len; a++) {
		for (i = 0; i < snapshot->apps[a].config->listen_len; i++)
			n += snapshot->apps[a].listen[i].len;
	}
	return (uint32_t)n;
}

/* [SRV-22]. */
static void choose_event_loop(
	struct snapshot *snapshot, struct problems *problems)
{
	const struct lbp_config *config = snapshot->config;
	uint64_t fewest;

	snapshot->workers =
		config->workers != 0 ? config->workers : count_cpus();
	snapshot->listeners = count_listeners(snapshot);
	snapshot->descriptors = lbp_descriptors_needed(config,
		snapshot->workers, snapshot->listeners, snapshot->inherited);
	if (lbp_descriptors_event_loop(config, snapshot->descriptors,
		    FD_SETSIZE, &snapshot->event_loop) == LBP_OK) {
		snapshot->handshakes =
			lbp_descriptors_handshakes(config, snapshot->event_loop,
				snapshot->descriptors, FD_SETSIZE);
		return;
	}
	fewest = snapshot->descriptors - config->max_handshakes + 1;
	problem(problems, config->event_loop_pos,
		"server.event_loop: select can watch %d descriptors, but "
		"max_connections = %u may need %" PRIu64
		" with one handshake at a "
		"time and %u inherited ones; accepted: \"epoll\", \"auto\", or "
		"a smaller max_connections",
		FD_SETSIZE, config->max_connections, fewest,
		snapshot->inherited);
}

static void warn_limit(
	void *user, struct lbp_config_pos pos, const char *message)
{
	problem_warn(user, pos, NULL, "%s", message);
}

/* Is every serial of a client revoked, and has it no other name? */
static bool is_revoked(
	const struct tls_server *tls, const struct lbp_config_client *client)
{
	size_t i;

	if (client->uri_len + client->dns_len > 0)
		return false;
	for (i = 0; i < client->serial_len; i++) {
		if (!tls_server_revokes(tls, &client->serials[i]))
			return false;
	}
	return true;
}

/* [SRV-135]. */
static void warn_revoked(
	const struct snapshot *snapshot, struct problems *problems)
{
	size_t i;

	for (i = 0; i < snapshot->config->client_len; i++) {
		const struct lbp_config_client *client =
			&snapshot->config->clients[i];

		if (is_revoked(snapshot->tls, client))
			problem_warn(problems, client->id.pos, NULL,
				"client '%s': all of its serials are revoked, "
				"and it has no other name, so it cannot be "
				"admitted",
				client->id.ptr);
	}
}

/*
 * Makes what the configuration names. Where memory ran out in OpenSSL, what it
 * says of a file may be wrong, and what it made may be of no use. [SRV-160].
 */
static bool make_parts(
	struct snapshot *snapshot, int dir_fd, struct problems *problems)
{
	if (!tls_memory_load_algorithms())
		return false;
	snapshot->tls = tls_server_new(snapshot->config, dir_fd, problems);
	if (snapshot->tls != NULL) {
		tls_server_number(snapshot->tls, snapshot->config);
		warn_revoked(snapshot, problems);
	}
	return load_apps(snapshot, dir_fd, problems) && !tls_memory_ran_out();
}

static bool load(
	struct snapshot *snapshot, const char *file, struct problems *problems)
{
	int dir_fd;

	snapshot->config = configuration_load(&snapshot->texts, problems);
	if (snapshot->config == NULL)
		return false;
	/* What goes to the log shows no lines. */
	if (problems->say != NULL)
		snapshot_shrink(snapshot);
	dir_fd = open_directory_of(file);
	if (dir_fd < 0) {
		problem(problems, start, "cannot open its directory: %s",
			strerror(errno));
		return false;
	}
	if (snapshot->config->watch_ns != 0)
		snapshot->content = content_of(snapshot->config, dir_fd);
	lbp_config_warn(snapshot->config, warn_limit, problems);
	if (!make_parts(snapshot, dir_fd, problems))
		problem(problems, start, "out of memory");
	else
		choose_event_loop(snapshot, problems);
	close(dir_fd);
	return problems->count == 0;
}

static struct snapshot *snapshot_new(
	const char *file, uint32_t inherited, struct problems *problems)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (snapshot == NULL) {
		problem(problems, start, "out of memory");
		return NULL;
	}
	snapshot->inherited = inherited;
	snapshot->notices.file = file;
	snapshot->notices.texts = &snapshot->texts;
	problems->texts = &snapshot->texts;
	problems->notices = &snapshot->notices;
	return snapshot;
}

/* Frees it if it cannot be loaded. */
static struct snapshot *load_or_free(
	struct snapshot *snapshot, struct problems *problems)
{
	if (snapshot == NULL || load(snapshot, problems->file, problems))
		return snapshot;
	snapshot_free(snapshot);
	return NULL;
}

struct snapshot *snapshot_load(const char *file, uint32_t inherited,
	void (*say)(const char *file, struct lbp_config_pos pos,
		const char *message))
{
	struct problems problems = {.file = file, .say = say};

	return load_or_free(
		snapshot_new(file, inherited, &problems), &problems);
}

struct snapshot *snapshot_load_again(const struct snapshot *last,
	void (*say)(const char *file, struct lbp_config_pos pos,
		const char *message))
{
	struct problems problems = {.file = last->notices.file, .say = say};
	struct snapshot *snapshot =
		snapshot_new(last->notices.file, last->inherited, &problems);

	if (snapshot == NULL)
		return NULL;
	if (!texts_copy(&snapshot->texts, &last->texts)) {
		problem(&problems, start, "out of memory");
		snapshot_free(snapshot);
		return NULL;
	}
	return load_or_free(snapshot, &problems);
}

uint64_t snapshot_look(const struct snapshot *snapshot)
{
	int dir_fd = open_directory_of(snapshot->notices.file);
	uint64_t content = content_of(snapshot->config, dir_fd);

	if (dir_fd >= 0)
		close(dir_fd);
	return content;
}

bool snapshot_file_bytes(const struct snapshot *snapshot, uint64_t *bytes)
{
	int dir_fd = open_directory_of(snapshot->notices.file);
	bool ok = dir_fd >= 0 && content_bytes(snapshot->config, dir_fd, bytes);
	int error = errno;

	if (dir_fd >= 0)
		close(dir_fd);
	errno = error;
	return ok;
}

static void warn(struct problems *problems,
	const struct lbp_config_address *from, const char *key,
	const struct addresses *addresses, const char *then)
{
	if (addresses_count(addresses) == 0)
		problem_warn(problems, from->pos, NULL,
			"%s: cannot resolve '%s' now: %s; %s", key, from->host,
			addresses->cause, then);
}

static void warn_app(const struct snapshot_app *app, struct problems *problems)
{
	size_t i;

	for (i = 0; i < app->config->listen_len; i++)
		warn(problems, &app->config->listen[i], "app.listen",
			&app->listen[i],
			"the server will not start until it resolves");
	for (i = 0; i < app->config->upstream_len; i++)
		warn(problems, &app->config->upstreams[i].address,
			"app.upstream.url",
			&snapshot_place(&app->config->upstreams[i])
				 ->target->addresses,
			"its upstream is down until it resolves");
}

void snapshot_warn(struct snapshot *snapshot)
{
	struct problems problems = {.file = snapshot->notices.file,
		.texts = &snapshot->texts,
		.notices = &snapshot->notices};
	size_t i;

	for (i = 0; i < snapshot->config->app_len; i++)
		warn_app(&snapshot->apps[i], &problems);
	if (snapshot->config->admin.host != NULL)
		warn(&problems, &snapshot->config->admin, "server.admin",
			&snapshot->admin,
			"the server will not start until it resolves");
}

static void release_app(struct snapshot_app *app)
{
	size_t i;

	for (i = 0; app->listen != NULL && i < app->config->listen_len; i++)
		addresses_release(&app->listen[i]);
	free(app->listen);
	networks_release(app->settings.accept_proxy);
	for (i = 0; app->config != NULL && i < app->config->upstream_len; i++)
		place_release(snapshot_place(&app->config->upstreams[i]));
}

void snapshot_free(struct snapshot *snapshot)
{
	size_t i;

	if (snapshot == NULL)
		return;
	for (i = 0; snapshot->apps != NULL && i < snapshot->config->app_len;
		i++)
		release_app(&snapshot->apps[i]);
	free(snapshot->apps);
	addresses_release(&snapshot->admin);
	free(snapshot->admin_socket);
	tls_server_free(snapshot->tls);
	lbp_config_free(snapshot->config);
	notices_release(&snapshot->notices);
	texts_release(&snapshot->texts);
	free(snapshot);
}
