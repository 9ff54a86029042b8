#include "admin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "gather.h"
#include "listen.h"
#include "log.h"
#include "page.h"
#include "server/json.h"

/* Room for an answer, at first. */
#define ANSWER_BYTES ((size_t)32 * 1024)

/* --- answers, in the thread of the HTTP server --- */

/* What is shown now, held; or NULL. */
static struct view *hold_view(struct admin *admin)
{
	struct view *view;

	pthread_mutex_lock(&admin->lock);
	view = admin->view;
	if (view != NULL)
		view_hold(view);
	pthread_mutex_unlock(&admin->lock);
	return view;
}

static void answer_readyz(const struct admin *admin, const struct view *view,
	struct http_answer *answer)
{
	struct lbp_admin_readiness readiness = {
		.is_starting = view == NULL,
		.is_draining = atomic_load(&admin->crew->drain_begun),
	};
	char text[LBP_ADMIN_SAYS_MAX];
	unsigned status;

	if (view != NULL)
		readiness.waits_for = view_waits_for(view);
	status = lbp_admin_readyz(&readiness, text);
	control_say(answer, status, text);
}

/* Writes all figures as metrics. False: they do not fit. */
static bool write_metrics(const struct lbp_figures *figures,
	struct http_answer *answer, size_t cap)
{
	struct lbp_metrics metrics;

	lbp_metrics_init(&metrics, answer->body, cap);
	lbp_figures_metrics(figures, &metrics);
	answer->len = metrics.len;
	answer->type = "text/plain; version=0.0.4; charset=utf-8";
	return !metrics.overflow;
}

static bool write_status(const struct lbp_figures *figures,
	struct http_answer *answer, size_t cap)
{
	struct lbp_json json;

	lbp_json_init(&json, answer->body, cap);
	lbp_figures_status(figures, &json);
	lbp_json_raw(&json, "\n", 1);
	answer->len = json.len;
	answer->type = "application/json";
	return !json.overflow;
}

/* As long as it gets: a configuration bounds it. False: out of memory. */
static bool write_whole(const struct lbp_figures *figures,
	enum lbp_admin_resource what, struct http_answer *answer)
{
	bool (*write)(const struct lbp_figures *figures,
		struct http_answer *answer, size_t cap) =
		what == LBP_ADMIN_METRICS ? write_metrics : write_status;
	size_t cap = ANSWER_BYTES;

	answer->body = malloc(cap);
	while (answer->body != NULL && !write(figures, answer, cap)) {
		free(answer->body);
		answer->body = malloc(cap *= 2);
	}
	return answer->body != NULL;
}

static void answer_with(const struct admin *admin, const struct view *view,
	const struct lbp_admin_wish *wish, struct http_answer *answer)
{
	struct gathered gathered = {0};

	if (view == NULL)
		control_say(answer, 503, "the server is starting\n");
	else if (!gather(&gathered, admin->crew, view, wish->clients) ||
		 !write_whole(&gathered.figures, wish->what, answer))
		control_say(answer, 503, "out of memory\n");
	gathered_release(&gathered);
}

/* What the port answers, and the socket too: all but commands. */
static void answer_all(struct admin *admin, const struct view *view,
	const struct lbp_admin_wish *wish, struct http_answer *answer)
{
	switch (wish->what) {
	case LBP_ADMIN_HEALTHZ:
		control_say(answer, 200, "ok\n");
		break;
	case LBP_ADMIN_READYZ:
		answer_readyz(admin, view, answer);
		break;
	case LBP_ADMIN_METRICS:
	case LBP_ADMIN_STATUS:
		answer_with(admin, view, wish, answer);
		break;
	default:
		/* LBP_ADMIN_PAGE: nothing else is left. */
		control_say(answer, 200, page_begin);
		answer->type = "text/html; charset=utf-8";
		answer->policy = page_policy;
	}
}

static void answer_port(void *user, const struct lbp_admin_wish *wish,
	const struct http_peer *peer, struct http_answer *answer)
{
	struct admin *admin = user;
	struct view *view = hold_view(admin);

	(void)peer;
	answer_all(admin, view, wish, answer);
	view_release(view);
}

static void answer_socket(void *user, const struct lbp_admin_wish *wish,
	const struct http_peer *peer, struct http_answer *answer)
{
	struct control_asker *asker = user;
	struct admin *admin =
		CONTAINER_OF(asker->control, struct admin, control);
	struct view *view = hold_view(admin);

	if (!control_answer(asker, view, wish, peer, answer))
		answer_all(admin, view, wish, answer);
	view_release(view);
}

/* --- the port, in the main thread --- */

static void port_release(struct admin_port *port)
{
	http_stop(port->http);
	free(port->addresses);
	free(port->fds);
	*port = (struct admin_port){0};
}

static void log_failure(const char *address, const char *cause)
{
	struct log_line line;

	log_begin(&line, LBP_LOG_ERROR, "error");
	log_string(&line, "message", "cannot listen");
	log_string(&line, "listen", address);
	log_string(&line, "cause", cause);
	log_end(&line);
}

static void log_unresolved(const struct snapshot *snapshot)
{
	const struct lbp_config_address *name = &snapshot->config->admin;
	/* A host name, a colon and a port. */
	char text[256 + 8];

	snprintf(text, sizeof(text), "%s:%u", name->host, name->port);
	log_failure(text, snapshot->admin.cause);
}

/* A socket that the current port has is shared with the next one. */
static int open_address(
	const struct admin_port *current, const union address *address)
{
	size_t i;

	for (i = 0; i < current->len; i++) {
		if (address_equal(&current->addresses[i], address))
			return fcntl(current->fds[i], F_DUPFD_CLOEXEC, 0);
	}
	return listen_open(address);
}

static bool open_addresses(struct admin_port *port,
	const struct admin_port *current, const struct addresses *addresses)
{
	char text[ADDRESS_TEXT_MAX];
	bool ok = true;
	size_t i;

	for (i = 0; i < addresses->len; i++) {
		int fd = open_address(current, &addresses->items[i]);

		if (fd < 0) {
			log_failure(address_text(&addresses->items[i], text),
				strerror(errno));
			ok = false;
			continue;
		}
		port->addresses[port->len] = addresses->items[i];
		port->fds[port->len++] = fd;
	}
	return ok;
}

static void close_all(struct admin_port *port)
{
	while (port->len > 0)
		close(port->fds[--port->len]);
}

static bool is_local(const struct snapshot *snapshot)
{
	const char *host = snapshot->config->admin.host;

	return host != NULL && lbp_admin_is_local(host);
}

static bool port_open(struct admin_port *port, struct admin *admin,
	const struct snapshot *snapshot)
{
	const struct addresses *addresses = &snapshot->admin;
	const struct http_handler handler = {
		answer_port, admin, is_local(snapshot), false};

	port->is_local = handler.is_local;
	port->addresses = calloc(addresses->len, sizeof(*port->addresses));
	port->fds = calloc(addresses->len, sizeof(*port->fds));
	if (port->addresses == NULL || port->fds == NULL) {
		log_error(LBP_LOG_ERROR, "cannot open the admin port",
			strerror(ENOMEM));
		return false;
	}
	if (!open_addresses(port, &admin->port, addresses)) {
		close_all(port);
		return false;
	}
	port->http = http_start(port->fds, port->len, &handler);
	if (port->http == NULL)
		log_error(LBP_LOG_ERROR, "cannot open the admin port",
			strerror(errno));
	return port->http != NULL;
}

/* --- the socket, in the main thread --- */

static void socket_release(struct admin_socket *socket)
{
	if (socket->asker != NULL)
		asker_stop(&socket->asker->asker);
	http_stop(socket->http);
	control_socket_remove(&socket->file);
	free(socket->asker);
	*socket = (struct admin_socket){0};
}

static bool socket_serve(
	struct admin_socket *socket, struct admin *admin, int fd)
{
	struct http_handler handler = {answer_socket, NULL, false, true};

	socket->asker = calloc(1, sizeof(*socket->asker));
	if (socket->asker == NULL) {
		close(fd);
		return false;
	}
	socket->asker->control = &admin->control;
	socket->asker->asker.errand = &admin->control.errand;
	handler.user = socket->asker;
	socket->http = http_start(&fd, 1, &handler);
	return socket->http != NULL;
}

static bool socket_open(
	struct admin_socket *socket, struct admin *admin, const char *path)
{
	const char *cause = NULL;
	int fd = control_socket_open(&socket->file, path, &cause);

	if (fd < 0) {
		log_failure(path, cause);
		return false;
	}
	if (socket_serve(socket, admin, fd))
		return true;
	log_error(
		LBP_LOG_ERROR, "cannot open the admin socket", strerror(errno));
	return false;
}

/* Is it what a snapshot asks for? */
static bool socket_fits(
	const struct admin_socket *socket, const struct snapshot *snapshot)
{
	if (snapshot->admin_socket == NULL)
		return socket->http == NULL;
	return control_socket_is_at(&socket->file, snapshot->admin_socket);
}

/* --- both --- */

/* Is this port what a snapshot asks for? */
static bool fits(const struct admin_port *port, const struct snapshot *snapshot)
{
	const struct addresses own = {
		.items = port->addresses, .len = port->len};

	return addresses_equal(&own, &snapshot->admin) &&
	       port->is_local == is_local(snapshot);
}

static bool prepare_port(struct admin_change *change, struct admin *admin,
	const struct snapshot *snapshot)
{
	change->keeps_port = fits(&admin->port, snapshot);
	if (snapshot->config->admin.host == NULL)
		return true;
	if (snapshot->admin.len == 0) {
		log_unresolved(snapshot);
		return false;
	}
	return change->keeps_port || port_open(&change->port, admin, snapshot);
}

static bool prepare_socket(struct admin_change *change, struct admin *admin,
	const struct snapshot *snapshot)
{
	change->keeps_socket = socket_fits(&admin->socket, snapshot);
	return change->keeps_socket || snapshot->admin_socket == NULL ||
	       socket_open(&change->socket, admin, snapshot->admin_socket);
}

bool admin_prepare(struct admin_change *change, struct admin *admin,
	const struct served_change *served, const struct snapshot *snapshot,
	uint64_t generation)
{
	*change = (struct admin_change){
		.view = view_new(served, snapshot, generation)};
	if (change->view == NULL) {
		log_error(LBP_LOG_ERROR, "cannot load the configuration",
			strerror(ENOMEM));
		return false;
	}
	return prepare_port(change, admin, snapshot) &&
	       prepare_socket(change, admin, snapshot);
}

void admin_change_close_port(struct admin_change *change)
{
	port_release(&change->port);
}

void admin_change_release(struct admin_change *change)
{
	port_release(&change->port);
	socket_release(&change->socket);
	view_release(change->view);
	*change = (struct admin_change){0};
}

static void swap_ports(struct admin *admin, struct admin_change *change)
{
	struct admin_port before = admin->port;

	admin->port = change->port;
	change->port = before;
}

static void swap_sockets(struct admin *admin, struct admin_change *change)
{
	struct admin_socket before = admin->socket;

	admin->socket = change->socket;
	change->socket = before;
}

void admin_commit(struct admin *admin, struct admin_change *change)
{
	struct view *before;

	pthread_mutex_lock(&admin->lock);
	before = admin->view;
	admin->view = change->view;
	pthread_mutex_unlock(&admin->lock);
	change->view = before;
	if (!change->keeps_port)
		swap_ports(admin, change);
	if (!change->keeps_socket)
		swap_sockets(admin, change);
}

void admin_init(struct admin *admin, struct crew *crew)
{
	*admin = (struct admin){.crew = crew};
	control_init(&admin->control, crew);
	pthread_mutex_init(&admin->lock, NULL);
}

void admin_stop(struct admin *admin)
{
	port_release(&admin->port);
	socket_release(&admin->socket);
	view_release(admin->view);
	admin->view = NULL;
}

void admin_release(struct admin *admin)
{
	control_release(&admin->control);
}
