#include "control_private.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "server/figures.h"
#include "server/json.h"

void control_say(struct http_answer *answer, unsigned status, const char *text)
{
	answer->body = strdup(text);
	answer->status = answer->body == NULL ? 503 : status;
	answer->len = answer->body == NULL ? 0 : strlen(text);
}

void control_begin_line(struct log_line *line, const char *command,
	const struct http_peer *peer)
{
	log_begin(line, LBP_LOG_INFO, "admin");
	log_string(line, "command", command);
	log_uint(line, "uid", peer->user);
}

static struct served_app *find_app(const struct view *view, const char *id)
{
	size_t i;

	for (i = 0; i < view->len; i++) {
		if (strcmp(view->apps[i]->id, id) == 0)
			return view->apps[i];
	}
	return NULL;
}

/* --- upstreams --- */

/* The number of the upstream with this url; LBP_NONE: there is none. */
static uint32_t find_upstream(const struct lbp_app *app, const char *url)
{
	uint32_t u;

	for (u = 0; u < lbp_app_upstreams(app); u++) {
		const char *name = lbp_app_upstream_name(app, u);

		if (name != NULL && strcmp(name, url) == 0)
			return u;
	}
	return LBP_NONE;
}

static bool set_draining(
	struct served_app *app, const char *url, bool is_draining)
{
	bool ok;

	pthread_mutex_lock(&app->lock);
	ok = lbp_app_set_draining(app->app, find_upstream(app->app, url),
		     is_draining) == LBP_OK;
	pthread_mutex_unlock(&app->lock);
	return ok;
}

static void answer_drain(const struct view *view,
	const struct lbp_admin_wish *wish, const struct http_peer *peer,
	struct http_answer *answer)
{
	bool is_draining = wish->what == LBP_ADMIN_DRAIN;
	struct served_app *app = find_app(view, wish->app);
	struct log_line line;

	if (app == NULL) {
		control_say(answer, 404, "there is no such app\n");
		return;
	}
	if (!set_draining(app, wish->upstream, is_draining)) {
		control_say(answer, 404,
			"the app has no such upstream; accepted: a url as it "
			"is configured\n");
		return;
	}
	control_begin_line(&line, is_draining ? "drain" : "resume", peer);
	log_string(&line, "app", wish->app);
	log_string(&line, "upstream", wish->upstream);
	log_end(&line);
	control_say(answer, 200, "");
}

/* --- clients --- */

/* The number of the client with this id; LBP_NONE: no client has it. */
static uint32_t find_client(const struct lbp_policy *policy, const char *id)
{
	uint32_t n;

	for (n = 0; n < policy->client_len; n++) {
		if (policy->clients[n] != NULL &&
			strcmp(policy->clients[n], id) == 0)
			return n;
	}
	return LBP_NONE;
}

bool control_is_listed(const struct view *view, const char *id)
{
	struct served_app *app = view->apps[0];
	bool ok;

	pthread_mutex_lock(&app->lock);
	ok = find_client(&app->policy->policy, id) != LBP_NONE;
	pthread_mutex_unlock(&app->lock);
	return ok;
}

/* What is counted of a client; false: it may not use the app. */
static bool look_at_client(
	struct served_app *app, const char *id, struct lbp_client_look *look)
{
	uint32_t client;
	bool ok;

	pthread_mutex_lock(&app->lock);
	client = find_client(&app->policy->policy, id);
	ok = client != LBP_NONE &&
	     lbp_app_look_clients(app->app, client, clock_now_ns(), look, 1) ==
		     1 &&
	     look->client == client;
	pthread_mutex_unlock(&app->lock);
	return ok;
}

static void answer_client(const struct view *view,
	const struct lbp_admin_wish *wish, struct http_answer *answer)
{
	struct served_app *app = find_app(view, wish->app);
	struct lbp_client_figures figures = {
		.app = wish->app, .id = wish->client};
	struct lbp_json json;

	if (app == NULL || !look_at_client(app, wish->client, &figures.look)) {
		control_say(answer, 404, "no such client may use the app\n");
		return;
	}
	answer->body = malloc(LBP_FIGURES_SESSION_MAX);
	if (answer->body == NULL) {
		answer->status = 503;
		return;
	}
	lbp_json_init(&json, answer->body, LBP_FIGURES_SESSION_MAX);
	lbp_figures_client(&figures, &json);
	answer->len = json.len;
	answer->type = "application/json";
}

/* --- reload --- */

static bool reload_work(void *user)
{
	struct control *control = user;

	control->ask_reload(control->user);
	return false;
}

static void put_key(struct lbp_json *json, const char *key)
{
	lbp_json_key(json, key, strlen(key));
}

static void write_reload(
	const struct control_reload *reload, struct lbp_json *json)
{
	lbp_json_begin_object(json);
	put_key(json, "ok");
	lbp_json_bool(json, reload->ok);
	put_key(json, "generation");
	lbp_json_uint(json, reload->generation);
	put_key(json, "duration_ms");
	lbp_json_uint(json, reload->duration_ms);
	/* Lines of the log, which are JSON already. */
	put_key(json, "log");
	lbp_json_begin_array(json);
	lbp_json_raw(json, reload->log.buf, reload->log.len);
	lbp_json_end_array(json);
	put_key(json, "log_omitted");
	lbp_json_uint(json, reload->log.omitted);
	lbp_json_end_object(json);
	lbp_json_raw(json, "\n", 1);
}

static void answer_reload(
	struct control_asker *asker, struct http_answer *answer)
{
	struct control *control = asker->control;
	const size_t cap = CONTROL_LOG_MAX + LBP_FIGURES_SESSION_MAX;
	struct lbp_json json;

	control->reload = (struct control_reload){.log.cap = CONTROL_LOG_MAX};
	control->reload.log.buf = control->reload.text;
	/* If the main thread has ended its work, so has a drain. */
	if (!asker_run(&asker->asker, &control->crew->mailbox, reload_work,
		    control) ||
		control->reload.is_draining) {
		control_say(answer, 409,
			"the server is draining, and reloads nothing\n");
		return;
	}
	answer->body = malloc(cap);
	if (answer->body == NULL) {
		answer->status = 503;
		return;
	}
	lbp_json_init(&json, answer->body, cap);
	write_reload(&control->reload, &json);
	answer->len = json.len;
	answer->type = "application/json";
}

/* --- all of them --- */

/* What takes others to answer. */
static void answer_errand(struct control_asker *asker, const struct view *view,
	const struct lbp_admin_wish *wish, const struct http_peer *peer,
	struct http_answer *answer)
{
	if (!asker_take(&asker->asker)) {
		control_say(answer, 503, "the server is stopping\n");
		return;
	}
	if (wish->what == LBP_ADMIN_SESSIONS)
		control_list(asker, answer);
	else if (wish->what == LBP_ADMIN_KILL)
		control_kill(asker, view, wish, peer, answer);
	else
		answer_reload(asker, answer);
	asker_give(&asker->asker);
}

bool control_answer(struct control_asker *asker, struct view *view,
	const struct lbp_admin_wish *wish, const struct http_peer *peer,
	struct http_answer *answer)
{
	if (wish->what < LBP_ADMIN_SESSIONS)
		return false;
	if (view == NULL)
		control_say(answer, 503, "the server is starting\n");
	else if (wish->what == LBP_ADMIN_CLIENT)
		answer_client(view, wish, answer);
	else if (wish->what == LBP_ADMIN_DRAIN ||
		 wish->what == LBP_ADMIN_RESUME)
		answer_drain(view, wish, peer, answer);
	else
		answer_errand(asker, view, wish, peer, answer);
	return true;
}

void control_init(struct control *control, struct crew *crew)
{
	*control = (struct control){.crew = crew};
	errand_init(&control->errand);
}

void control_release(struct control *control)
{
	sessions_release(&control->batch);
	errand_release(&control->errand);
}

void control_reloaded(struct control *control)
{
	errand_done(&control->errand);
}
