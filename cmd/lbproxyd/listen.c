#include "listen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

/* The kernel reduces it to its own maximum. */
#define BACKLOG 4096

static int open_socket(const union address *address)
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
	log_string(&line, "app", lbp_app_id(app->app));
	log_string(&line, "listen", address);
	log_string(&line, "cause", cause);
	log_end(&line);
}

/* Opens all addresses of one name, or fails. */
static bool open_name(struct listeners *listeners, struct served_app *app,
	const struct addresses *addresses)
{
	char text[ADDRESS_TEXT_MAX];
	bool ok = true;
	size_t i;

	for (i = 0; i < addresses->len; i++) {
		struct listener *listener = &listeners->items[listeners->len++];

		listener->app = app;
		listener->address = addresses->items[i];
		listener->fd = open_socket(&listener->address);
		if (listener->fd >= 0)
			continue;
		log_failure(app, address_text(&listener->address, text),
			strerror(errno));
		ok = false;
	}
	return ok;
}

static bool open_app(struct listeners *listeners, struct served_app *app)
{
	/* A host name, a colon and a port. */
	char text[256 + 8];
	bool ok = true;
	size_t i;

	for (i = 0; i < app->config->listen_len; i++) {
		const struct lbp_config_address *from = &app->config->listen[i];

		ok = open_name(listeners, app, &app->listen[i]) && ok;
		if (app->listen[i].len > 0)
			continue;
		snprintf(text, sizeof(text), "%s:%u", from->host, from->port);
		log_failure(app, text, app->listen[i].cause);
		ok = false;
	}
	return ok;
}

bool listeners_open(struct listeners *listeners, struct snapshot *snapshot)
{
	bool ok = true;
	size_t a;

	listeners->len = 0;
	listeners->items =
		calloc(snapshot->listeners + 1u, sizeof(*listeners->items));
	if (listeners->items == NULL) {
		log_error(LBP_LOG_ERROR, "cannot listen", "out of memory");
		return false;
	}
	for (a = 0; a < snapshot->config->app_len; a++)
		ok = open_app(listeners, &snapshot->apps[a]) && ok;
	if (!ok) {
		listeners_close(listeners);
		listeners_release(listeners);
	}
	return ok;
}

void listeners_close(struct listeners *listeners)
{
	size_t i;

	for (i = 0; i < listeners->len; i++) {
		if (listeners->items[i].fd >= 0)
			close(listeners->items[i].fd);
		listeners->items[i].fd = -1;
	}
}

void listeners_release(struct listeners *listeners)
{
	free(listeners->items);
	*listeners = (struct listeners){0};
}
