/*
 * An operator at the admin socket: in the place of cmd/lbproxyd/http.c,
 * control_socket.c and process_figures.c. What is asked goes to the server's
 * own code, in a thread that is scheduled like all others. The world says when
 * and what; what SPEC.md says of the answers is judged here.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../cmd/lbproxyd/control_socket.h"
#include "../cmd/lbproxyd/http.h"
#include "../cmd/lbproxyd/process.h"
#include "kernel/inside.h"
#include "oracle.h"
#include "server/figures.h"
#include "world.h"

struct http {
	pthread_t thread;
	struct http_handler handler;
	int fd;
	bool is_stopped;
};

static const char *const listed[] = {"alice", "bob", "carol"};

/* --- the socket --- */

int control_socket_open(
	struct control_socket *control, const char *path, const char **cause)
{
	int fd = eventfd(0, 0);

	*control = (struct control_socket){0};
	if (fd < 0) {
		*cause = strerror(errno);
		return -1;
	}
	control->path = strndup(path, strlen(path));
	if (control->path != NULL)
		return fd;
	close(fd);
	*cause = strerror(ENOMEM);
	return -1;
}

bool control_socket_is_at(
	const struct control_socket *control, const char *path)
{
	return control->path != NULL && strcmp(control->path, path) == 0;
}

void control_socket_remove(struct control_socket *control)
{
	free(control->path);
	*control = (struct control_socket){0};
}

void process_figures(struct lbp_process_figures *figures)
{
	*figures = (struct lbp_process_figures){0};
}

/* --- what is asked --- */

/* What changes nothing. */
static enum lbp_admin_resource question(unsigned drawn)
{
	static const enum lbp_admin_resource all[] = {LBP_ADMIN_READYZ,
		LBP_ADMIN_STATUS, LBP_ADMIN_METRICS, LBP_ADMIN_CLIENT};

	return all[drawn % 4];
}

void operator_order(unsigned drawn)
{
	struct order *order = &world.order;

	if (!world.has_operator || order->is_given || order->is_taken)
		return;
	order->is_given = true;
	order->who = (enum world_who)(drawn % 3);
	order->app = drawn / 3 % world.apps;
	switch (drawn % 8) {
	case 0:
	case 1:
		order->what = LBP_ADMIN_KILL;
		break;
	case 2:
	case 3:
		order->what = LBP_ADMIN_DRAIN;
		break;
	case 4:
		order->what = LBP_ADMIN_RESUME;
		break;
	case 5:
		order->what = LBP_ADMIN_RELOAD;
		/* Once what was asked for before is done. */
		order->is_given =
			world.terms > 0 ||
			(world.is_ready && world.hups == world.reloads);
		/* It may be asked before the signal to end is heard. */
		world.late_asks += world.terms > 0;
		if (world.terms == 0 && order->is_given) {
			world.hups++;
			world.is_asked = true;
		}
		break;
	case 6:
		order->what = LBP_ADMIN_SESSIONS;
		break;
	default:
		order->what = question(drawn / 8);
		break;
	}
}

bool operator_resume(void)
{
	struct order *order = &world.order;

	if (!world.has_operator)
		return false;
	if (order->is_given || order->is_taken)
		return true;
	for (unsigned a = 0; a < world.apps; a++) {
		if (world.app[a].items[0].drained_ns == 0)
			continue;
		order->is_given = true;
		order->what = LBP_ADMIN_RESUME;
		order->app = a;
		return true;
	}
	return false;
}

static bool is_asked(const void *object)
{
	const struct http *http = object;

	return http->is_stopped || world.order.is_given;
}

/* Those of the client who relay by now. */
static void mark_sessions(enum world_who who)
{
	for (unsigned i = 0; i < world.client_len; i++) {
		struct client *client = &world.clients[i];

		client->is_to_die = client->who == who &&
				    client->upstream != NULL &&
				    client->reported == 0;
	}
}

static void prepare(const struct order *order, struct lbp_admin_wish *wish,
	char app[8], const char *url)
{
	app[0] = '\0';
	strncat(app, "app", 7);
	app[3] = (char)('0' + order->app);
	app[4] = '\0';
	*wish = (struct lbp_admin_wish){.what = order->what};
	switch (order->what) {
	case LBP_ADMIN_KILL:
		wish->client = listed[order->who];
		mark_sessions(order->who);
		world.killed |= 1u << order->who;
		world.steered++;
		break;
	case LBP_ADMIN_DRAIN:
	case LBP_ADMIN_RESUME:
		wish->app = app;
		wish->upstream = url;
		world.steered++;
		break;
	case LBP_ADMIN_CLIENT:
		wish->app = app;
		wish->client = listed[order->who];
		break;
	case LBP_ADMIN_STATUS:
	case LBP_ADMIN_METRICS:
		wish->clients = LBP_ADMIN_CLIENTS;
		break;
	default:
		break;
	}
}

/* --- what is answered --- */

static void judge_kill(const struct order *order)
{
	for (unsigned i = 0; i < world.client_len; i++) {
		const struct client *client = &world.clients[i];

		ORACLE("CTL-14",
			!client->is_to_die || client->who != order->who ||
				far_is_closed(client->peer.sock),
			"client %u goes on", client->number);
	}
}

/* Each session once. An answer has a length, and no NUL. */
static void judge_sessions(const struct http_answer *answer)
{
	static const char key[] = "{\"id\":\"";
	const size_t key_len = sizeof(key) - 1;
	const char *end = answer->body + answer->len;
	const char *at = answer->body;
	struct {
		const char *text;
		size_t len;
	} known[64];
	unsigned n;

	for (n = 0; n < 64; n++) {
		at = memmem(at, (size_t)(end - at), key, key_len);
		if (at == NULL)
			break;
		at += key_len;
		known[n].text = at;
		at = memchr(at, '"', (size_t)(end - at));
		ORACLE("CTL-11", at != NULL, "an id without an end");
		known[n].len = (size_t)(at - known[n].text);
		for (unsigned i = 0; i < n; i++)
			ORACLE("CTL-11",
				known[i].len != known[n].len ||
					memcmp(known[i].text, known[n].text,
						known[n].len) != 0,
				"twice: %.*s", (int)known[n].len,
				known[n].text);
	}
}

/* The number after what is sought in the answer; 0 if it is not there. */
static unsigned long number_after(
	const struct http_answer *answer, const char *sought)
{
	const char *at =
		memmem(answer->body, answer->len, sought, strlen(sought));

	return at == NULL ? 0 : strtoul(at + strlen(sought), NULL, 10);
}

/* What was counted is not more than there was. */
static void judge_counts(const struct http_answer *answer)
{
	unsigned long accepted = number_after(answer, "\"accepted\":");

	ORACLE("ADM-20", accepted <= world.client_len,
		"%lu of %u clients were accepted", accepted, world.client_len);
}

/* May an upstream of an application be down, or gone with a reload? */
static bool may_be_down(const struct app_plan *app, unsigned u)
{
	bool is_last = app == &world.app[0] && u + 1 == app->upstreams;

	return app->items[u].is_to_blame || app->items[u].was_drained ||
	       (is_last && (world.ever & NO_LAST) != 0);
}

static void judge_readyz(const struct http_answer *answer)
{
	static const char waits[] = "no upstream of app 'app";
	const char *at =
		memmem(answer->body, answer->len, waits, sizeof(waits) - 1);
	const struct app_plan *app;
	unsigned a;

	if (at == NULL)
		return;
	a = (unsigned)(at[sizeof(waits) - 1] - '0');
	ORACLE("ADM-2", a < world.apps, "its upstream is always up: app%u", a);
	app = &world.app[a];
	for (unsigned u = 0; u < app->upstreams; u++)
		ORACLE("ADM-2", may_be_down(app, u), "upstream %u is up: %.*s",
			u, (int)answer->len, answer->body);
}

static void judge_answer(
	const struct order *order, const struct http_answer *answer)
{
	struct upstream *upstream = &world.app[order->app].items[0];

	world_note("the operator is answered %u: %.*s", answer->status,
		(int)(answer->len < 60 ? answer->len : 60),
		answer->body == NULL ? "" : answer->body);
	ORACLE("CTL-8",
		answer->status == 200 || answer->status == 503 ||
			(answer->status == 404 &&
				order->what != LBP_ADMIN_DRAIN &&
				order->what != LBP_ADMIN_RESUME) ||
			(answer->status == 409 &&
				order->what == LBP_ADMIN_RELOAD &&
				(world.terms > 0 || kernel_refused_thread())),
		"%u to %u", answer->status, (unsigned)order->what);
	ORACLE("ADM-20",
		answer->body == NULL ||
			memmem(answer->body, answer->len, "(null)", 6) == NULL,
		"a text that is not there: %.*s", (int)answer->len,
		answer->body);
	if (order->what == LBP_ADMIN_READYZ && answer->body != NULL)
		judge_readyz(answer);
	if (answer->status != 200)
		return;
	switch (order->what) {
	case LBP_ADMIN_STATUS:
		judge_counts(answer);
		break;
	case LBP_ADMIN_KILL:
		judge_kill(order);
		break;
	case LBP_ADMIN_SESSIONS:
		judge_sessions(answer);
		break;
	case LBP_ADMIN_DRAIN:
		upstream->drained_ns = kernel_now_ns();
		break;
	case LBP_ADMIN_RESUME:
		upstream->drained_ns = 0;
		break;
	default:
		break;
	}
}

static const char *url_of(unsigned app)
{
	return world.app[app].items[0].url;
}

static void serve(struct http *http)
{
	struct order *order = &world.order;
	struct http_answer answer = {.status = 200};
	const struct http_peer peer = {0};
	struct lbp_admin_wish wish;
	char app[8];

	order->is_given = false;
	order->is_taken = true;
	prepare(order, &wish, app, url_of(order->app));
	world_note("the operator asks for %u", (unsigned)order->what);
	world.app[order->app].items[0].was_drained |=
		order->what == LBP_ADMIN_DRAIN;
	http->handler.answer(http->handler.user, &wish, &peer, &answer);
	judge_answer(order, &answer);
	free(answer.body);
	order->is_taken = false;
}

static void *http_main(void *arg)
{
	struct http *http = arg;

	while (!http->is_stopped) {
		(void)kernel_block(is_asked, http, KERNEL_NEVER);
		if (!http->is_stopped)
			serve(http);
	}
	return NULL;
}

struct http *http_start(
	const int *fds, size_t len, const struct http_handler *handler)
{
	struct http *http = calloc(1, sizeof(*http));
	int error = ENOMEM;

	(void)len;
	if (http != NULL) {
		http->handler = *handler;
		http->fd = fds[0];
		error = pthread_create(&http->thread, NULL, http_main, http);
	}
	if (error == 0) {
		world.has_operator = true;
		/* Some ask before the server has started. */
		operator_order(world.max_connections);
		return http;
	}
	close(fds[0]);
	free(http);
	errno = error;
	return NULL;
}

void http_stop(struct http *http)
{
	if (http == NULL)
		return;
	http->is_stopped = true;
	pthread_join(http->thread, NULL);
	close(http->fd);
	free(http);
	world.has_operator = false;
}
