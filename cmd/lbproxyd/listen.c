#include "listen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

/* The kernel cuts it down to what it allows. */
#define BACKLOG 4096

static int open_socket(const union address *address)
{
	int on = 1;
	int fd = socket(address->sa.sa_family,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* A restart need not wait for old connections' TIME_WAIT. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &address->sa, address_len(address)) == 0 &&
		listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

static void log_failure(const struct listener *listener, int error)
{
	char text[ADDRESS_TEXT_MAX];
	struct log_line line;

	log_begin(&line, LBP_LOG_ERROR, "error");
	log_string(&line, "message", "cannot listen");
	log_string(&line, "app", lbp_app_id(listener->app->app));
	log_string(&line, "listen", address_text(&listener->address, text));
	log_string(&line, "cause", strerror(error));
	log_end(&line);
}

static bool open_app(struct listeners *listeners, struct served_app *app)
{
	bool ok = true;
	size_t i, j;

	for (i = 0; i < app->config->listen_len; i++) {
		for (j = 0; j < app->listen[i].len; j++) {
			struct listener *listener =
				&listeners->items[listeners->len++];

			listener->app = app;
			listener->address = app->listen[i].items[j];
			listener->fd = open_socket(&listener->address);
			if (listener->fd >= 0)
				continue;
			log_failure(listener, errno);
			ok = false;
		}
	}
	return ok;
}

bool listeners_open(struct listeners *listeners, struct snapshot *snapshot)
{
	bool ok = true;
	size_t a;

	listeners->len = 0;
	listeners->items =
		calloc(snapshot->listeners, sizeof(*listeners->items));
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
