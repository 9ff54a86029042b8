#include "gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "lbproxy.h"
#include "process.h"

static void gather_workers(struct lbp_figures *figures, const struct crew *crew)
{
	uint32_t i;

	figures->workers = crew->len;
	figures->event_loop =
		crew->event_loop == LBP_EVENT_LOOP_EPOLL ? "epoll" : "select";
	figures->now_s = clock_wall_ms() / 1000;
	for (i = 0; i < crew->len; i++) {
		figures->connections += worker_load(&crew->workers[i]);
		counters_sum(
			&crew->workers[i].conns.counters, &figures->counts);
	}
	figures->sessions = atomic_load(&crew->capacity.used);
	figures->max_sessions = atomic_load(&crew->capacity.max);
	figures->is_draining = atomic_load(&crew->drain_begun);
}

/* --- applications --- */

/* Clients that are looked at under one lock. */
#define CLIENTS_AT_ONCE 32

static void gather_app(struct lbp_app_figures *out, struct served_app *app)
{
	pthread_mutex_lock(&app->lock);
	*out = (struct lbp_app_figures){
		.id = app->id,
		.is_ready = lbp_app_is_ready(app->app),
		.admitted = app->counts.admitted,
		.ended = app->counts.ended,
		.refused_concurrent = app->counts.refused_concurrent,
		.refused_rate = app->counts.refused_rate,
	};
	pthread_mutex_unlock(&app->lock);
}

static struct lbp_upstream_figures *next_upstream(struct gathered *gathered)
{
	size_t cap = gathered->upstream_cap * 2 + 16;
	struct lbp_upstream_figures *upstreams;

	if (gathered->figures.upstream_len == gathered->upstream_cap) {
		upstreams =
			realloc(gathered->upstreams, cap * sizeof(*upstreams));
		if (upstreams == NULL)
			return NULL;
		gathered->upstreams = upstreams;
		gathered->upstream_cap = cap;
	}
	return &gathered->upstreams[gathered->figures.upstream_len];
}

/* The target of an upstream in use, held, with what the library knows. */
static struct target *look_at(struct served_app *app, uint32_t upstream,
	struct lbp_upstream_figures *out, bool *was_last)
{
	struct lbp_upstream_look *look = &out->look;
	struct target *target = NULL;

	pthread_mutex_lock(&app->lock);
	*was_last = upstream + 1 >= lbp_app_upstreams(app->app);
	if (lbp_app_look_upstream(app->app, upstream, look)) {
		const struct place *place = look->user;

		target = target_hold(place->target);
		out->has_changed = place->note->has_changed;
		out->changed_s = place->note->changed_s;
		memcpy(out->cause, place->note->cause, sizeof(out->cause));
	}
	pthread_mutex_unlock(&app->lock);
	look->name = NULL;
	look->user = NULL;
	return target;
}

static bool gather_upstreams(struct gathered *gathered, struct served_app *app)
{
	bool was_last = false;
	uint32_t u;

	for (u = 0; !was_last; u++) {
		struct lbp_upstream_figures *next = next_upstream(gathered);
		struct target *target;

		if (next == NULL)
			return false;
		target = look_at(app, u, next, &was_last);
		if (target == NULL)
			continue;
		next->app = app->id;
		next->url = target->url;
		/* To be released. */
		next->look.user = target;
		gathered->figures.upstream_len++;
	}
	return true;
}

/* Under the lock: what is known of a client, if it is one of the busiest. */
static void offer_client(struct gathered *gathered,
	const struct served_app *app, const struct lbp_client_look *look)
{
	uint32_t place =
		lbp_busiest_offer(&gathered->busiest, lbp_busiest_use(look));

	if (place == LBP_NONE)
		return;
	snprintf(gathered->client_ids[place],
		sizeof(gathered->client_ids[place]), "%s",
		lbp_policy_client_id(&app->policy->policy, look->client));
	gathered->clients[place] = (struct lbp_client_figures){
		.app = app->id,
		.id = gathered->client_ids[place],
		.look = *look,
	};
}

static void gather_clients(struct gathered *gathered, struct served_app *app)
{
	struct lbp_client_look looks[CLIENTS_AT_ONCE];
	uint32_t first = 0;
	uint32_t len, i;

	do {
		pthread_mutex_lock(&app->lock);
		len = lbp_app_look_clients(app->app, first, clock_now_ns(),
			looks, CLIENTS_AT_ONCE);
		for (i = 0; i < len; i++)
			offer_client(gathered, app, &looks[i]);
		pthread_mutex_unlock(&app->lock);
		if (len > 0)
			first = looks[len - 1].client + 1;
	} while (len == CLIENTS_AT_ONCE);
}

static bool gather_apps(
	struct gathered *gathered, const struct view *view, uint32_t clients)
{
	struct lbp_figures *figures = &gathered->figures;
	size_t i;

	figures->is_ready = !figures->is_draining;
	for (i = 0; i < view->len; i++) {
		gather_app(&gathered->apps[i], view->apps[i]);
		figures->is_ready &= served_app_is_ready(view->apps[i]);
		if (!gather_upstreams(gathered, view->apps[i]))
			return false;
		if (clients > 0)
			gather_clients(gathered, view->apps[i]);
	}
	figures->apps = gathered->apps;
	figures->app_len = view->len;
	figures->upstreams = gathered->upstreams;
	figures->clients = gathered->clients;
	figures->client_len = gathered->busiest.len;
	figures->clients_left_out = gathered->busiest.left_out;
	return true;
}

/* --- rejects --- */

struct reject_texts {
	char peer[ADDRESS_TEXT_MAX];
	char serial[LBP_SERIAL_TEXT_MAX];
};

/* Points to the texts of a reject that was kept. */
static struct lbp_reject_figures describe(
	const struct reject *reject, struct reject_texts *texts)
{
	if (reject->has_serial)
		lbp_serial_format(&reject->serial, texts->serial);
	return (struct lbp_reject_figures){
		.at_ms = reject->at_ms,
		.is_stranger = reject->is_stranger,
		.reason = reject->reason,
		.app = reject->app,
		.peer = address_text(&reject->peer, texts->peer),
		.client = reject->client[0] != '\0' ? reject->client : NULL,
		.serial = reject->has_serial ? texts->serial : NULL,
	};
}

static bool gather_rejects(struct gathered *gathered, const struct crew *crew)
{
	size_t max = (size_t)crew->len * 2 * REJECTS_KEPT;
	size_t len = 0;
	size_t i;

	gathered->kept = calloc(max, sizeof(*gathered->kept));
	gathered->rejects = calloc(max, sizeof(*gathered->rejects));
	gathered->texts = calloc(max, sizeof(*gathered->texts));
	if (gathered->kept == NULL || gathered->rejects == NULL ||
		gathered->texts == NULL)
		return false;
	for (i = 0; i < crew->len; i++)
		len += rejects_copy(
			&crew->workers[i].conns.rejects, gathered->kept + len);
	for (i = 0; i < len; i++)
		gathered->rejects[i] =
			describe(&gathered->kept[i], &gathered->texts[i]);
	gathered->figures.rejects = gathered->rejects;
	gathered->figures.reject_len =
		lbp_rejects_latest(gathered->rejects, len, REJECTS_KEPT);
	return true;
}

bool gather(struct gathered *gathered, const struct crew *crew,
	const struct view *view, uint32_t clients)
{
	*gathered = (struct gathered){
		.figures = {.version = LBP_VERSION,
			.generation = view->generation,
			.expiring = view->expiring,
			.expiring_len = view->expiring_len},
		.apps = calloc(view->len + 1, sizeof(*gathered->apps)),
		.clients = calloc(clients + 1, sizeof(*gathered->clients)),
		.client_ids =
			calloc(clients + 1, sizeof(*gathered->client_ids)),
		.uses = calloc(clients + 1, sizeof(*gathered->uses)),
	};
	if (gathered->apps == NULL || gathered->clients == NULL ||
		gathered->client_ids == NULL || gathered->uses == NULL)
		return false;
	lbp_busiest_init(&gathered->busiest, gathered->uses, clients);
	gather_workers(&gathered->figures, crew);
	process_figures(&gathered->figures.process);
	return gather_apps(gathered, view, clients) &&
	       gather_rejects(gathered, crew);
}

void gathered_release(struct gathered *gathered)
{
	size_t i;

	for (i = 0; i < gathered->figures.upstream_len; i++)
		target_release(gathered->upstreams[i].look.user);
	free(gathered->apps);
	free(gathered->upstreams);
	free(gathered->clients);
	free(gathered->client_ids);
	free(gathered->uses);
	free(gathered->kept);
	free(gathered->rejects);
	free(gathered->texts);
	*gathered = (struct gathered){0};
}
