#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

/* The kernel reduces it to its own maximum. */
#define BACKLOG 4096

int listen_open(const union address *address)
{
	int on = 1;
	int fd = socket(address->sa.sa_family,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* A restart must not have to wait for connections in TIME_WAIT. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &address->sa, address_len(address)) == 0 &&
		listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

static void log_failure(
	const struct served_app *app, const char *address, const char *cause)
{
	struct log_line line;

	log_begin(&line, LBP_LOG_ERROR, "error");
	log_string(&line, "message", "cannot listen");
	log_string(&line, "app", app->id);
	log_string(&line, "listen", address);
	log_string(&line, "cause", cause);
	log_end(&line);
}

static struct listener *find(
	const struct listeners *listeners, const union address *address)
{
	size_t i;

	for (i = 0; i < listeners->len; i++) {
		if (address_equal(&listeners->items[i]->address, address))
			return listeners->items[i];
	}
	return NULL;
}

static struct listener *open_new(const union address *address)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (listener == NULL)
		return NULL;
	listener->address = *address;
	listener->watch.fd = listen_open(address);
	if (listener->watch.fd >= 0)
		return listener;
	free(listener);
	return NULL;
}

struct listener *listener_of(int fd, const union address *address)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (listener == NULL) {
		close(fd);
		return NULL;
	}
	/* None of these can fail for a socket that listens. */
	fcntl(fd, F_SETFL, O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)listen(fd, BACKLOG);
	listener->address = *address;
	listener->watch.fd = fd;
	return listener;
}

/* Opens all addresses of one name, or fails. */
static bool open_name(struct listeners *listeners,
	const struct listeners *current, struct served_app *app,
	const struct addresses *addresses)
{
	char text[ADDRESS_TEXT_MAX];
	bool ok = true;
	size_t i;

	for (i = 0; i < addresses->len; i++) {
		const union address *address = &addresses->items[i];
		struct listener *listener = find(current, address);

		if (listener == NULL)
			listener = open_new(address);
		if (listener == NULL) {
			log_failure(app, address_text(address, text),
				strerror(errno));
			ok = false;
			continue;
		}
		listener->next = served_app_hold(app);
		listeners->items[listeners->len++] = listener;
	}
	return ok;
}

static bool open_app(struct listeners *listeners,
	const struct listeners *current, struct served_app *app,
	const struct snapshot_app *from)
{
	/* A host name, a colon and a port. */
	char text[256 + 8];
	bool ok = true;
	size_t i;

	for (i = 0; i < from->config->listen_len; i++) {
		const struct lbp_config_address *name =
			&from->config->listen[i];

		ok = open_name(listeners, current, app, &from->listen[i]) && ok;
		if (from->listen[i].len > 0)
			continue;
		snprintf(text, sizeof(text), "%s:%u", name->host, name->port);
		log_failure(app, text, from->listen[i].cause);
		ok = false;
	}
	return ok;
}

bool listeners_open(struct listeners *listeners,
	const struct listeners *current, const struct served_change *change,
	const struct snapshot *snapshot)
{
	bool ok = true;
	size_t a;

	listeners->len = 0;
	listeners->items =
		calloc(snapshot->listeners + 1u, sizeof(struct listener *));
	if (listeners->items == NULL) {
		log_error(LBP_LOG_ERROR, "cannot listen", "out of memory");
		return false;
	}
	for (a = 0; a < snapshot->config->app_len; a++)
		ok = open_app(listeners, current, change->apps[a],
			     &snapshot->apps[a]) &&
		     ok;
	if (!ok)
		listeners_undo(listeners, current);
	return ok;
}

static void close_socket(struct listener *listener)
{
	if (listener->watch.fd >= 0)
		close(listener->watch.fd);
	listener->watch.fd = -1;
}

static void listener_free(struct listener *listener)
{
	served_app_release(listener->app);
	served_app_release(listener->next);
	free(listener);
}

void listeners_undo(
	struct listeners *listeners, const struct listeners *current)
{
	size_t i;

	for (i = 0; i < listeners->len; i++) {
		struct listener *listener = listeners->items[i];

		if (find(current, &listener->address) == NULL) {
			close_socket(listener);
			listener_free(listener);
		} else {
			served_app_release(listener->next);
			listener->next = NULL;
		}
	}
	free(listeners->items);
	*listeners = (struct listeners){0};
}

void listeners_close(const struct listeners *listeners)
{
	size_t i;

	for (i = 0; i < listeners->len; i++)
		close_socket(listeners->items[i]);
}

void listeners_release(struct listeners *listeners)
{
	size_t i;

	for (i = 0; i < listeners->len; i++) {
		if (!listeners->items[i]->stays)
			listener_free(listeners->items[i]);
	}
	free(listeners->items);
	*listeners = (struct listeners){0};
}
