#include <string.h>

#include "base.h"
#include "server/explain.h"
#include "server/figures.h"
#include "server/json.h"

#define DAY_S (24 * 60 * 60)

static void put_key(struct lbp_json *json, const char *key)
{
	lbp_json_key(json, key, strlen(key));
}

static void put_uint(struct lbp_json *json, const char *key, uint64_t value)
{
	put_key(json, key);
	lbp_json_uint(json, value);
}

static void put_bool(struct lbp_json *json, const char *key, bool value)
{
	put_key(json, key);
	lbp_json_bool(json, value);
}

static void put_text(struct lbp_json *json, const char *key, const char *text)
{
	put_key(json, key);
	lbp_json_string(json, text, strlen(text));
}

/* NULL is left out. */
static void put_known(struct lbp_json *json, const char *key, const char *text)
{
	if (text != NULL)
		put_text(json, key, text);
}

static void begin_object(struct lbp_json *json, const char *key)
{
	put_key(json, key);
	lbp_json_begin_object(json);
}

static void begin_array(struct lbp_json *json, const char *key)
{
	put_key(json, key);
	lbp_json_begin_array(json);
}

/* --- the server --- */

static uint64_t count_times(const struct lbp_times *times)
{
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < LBP_TIMES_BUCKETS; i++)
		n += times->counts[i];
	return n;
}

/* Those that have happened. */
static void put_reasons(
	struct lbp_json *json, const char *key, const uint64_t *counts)
{
	int reason;

	begin_object(json, key);
	for (reason = 0; reason < LBP_REASONS; reason++) {
		if (counts[reason] > 0)
			put_uint(json, lbp_reason_text((enum lbp_reason)reason),
				counts[reason]);
	}
	lbp_json_end_object(json);
}

static void put_counts(struct lbp_json *json, const struct lbp_counts *counts)
{
	begin_object(json, "counts");
	put_uint(json, "accepted", counts->accepted);
	put_uint(json, "admitted", counts->admitted);
	put_uint(json, "bytes_up", counts->bytes_up);
	put_uint(json, "bytes_down", counts->bytes_down);
	put_uint(json, "handshakes_full", count_times(&counts->full));
	put_uint(json, "handshakes_resumed", count_times(&counts->resumed));
	put_reasons(json, "ended", counts->ended);
	put_reasons(json, "rejected", counts->rejected);
	lbp_json_end_object(json);
}

static void put_process(
	struct lbp_json *json, const struct lbp_process_figures *process)
{
	begin_object(json, "process");
	put_uint(json, "descriptors", process->descriptors);
	put_uint(json, "max_descriptors", process->max_descriptors);
	put_uint(json, "resident_bytes", process->resident_bytes);
	put_uint(json, "virtual_bytes", process->virtual_bytes);
	put_uint(json, "cpu_ms", process->cpu_ns / LBP_NS_PER_MS);
	lbp_json_end_object(json);
}

static void put_server(struct lbp_json *json, const struct lbp_figures *f)
{
	put_text(json, "version", f->version);
	put_uint(json, "now", f->now_s);
	put_uint(json, "started", (uint64_t)f->process.started_s);
	put_uint(json, "generation", f->generation);
	put_bool(json, "ready", f->is_ready);
	put_bool(json, "draining", f->is_draining);
	put_uint(json, "workers", f->workers);
	put_text(json, "event_loop", f->event_loop);
	put_uint(json, "connections", f->connections);
	put_uint(json, "sessions", f->sessions);
	put_uint(json, "max_sessions", f->max_sessions);
	put_process(json, &f->process);
	put_counts(json, &f->counts);
}

/* --- applications and upstreams --- */

static const char *state_of(const struct lbp_upstream_look *look)
{
	if (!look->serves)
		return "removed";
	if (!look->has_address)
		return "no_address";
	return look->is_up ? "up" : "down";
}

static const char *choice_of(const struct lbp_upstream_look *look)
{
	static const char *const texts[] = {
		[LBP_CHOICE_NEXT] = "next",
		[LBP_CHOICE_REMOVED] = "removed",
		[LBP_CHOICE_NO_ADDRESS] = "no_address",
		[LBP_CHOICE_DOWN] = "down",
		[LBP_CHOICE_DRAINING] = "draining",
		[LBP_CHOICE_FULL] = "full",
		[LBP_CHOICE_BACKUP] = "backup",
		[LBP_CHOICE_LOAD] = "load",
		[LBP_CHOICE_TURN] = "turn",
	};

	return texts[look->choice];
}

static void put_upstream(
	struct lbp_json *json, const struct lbp_upstream_figures *upstream)
{
	const struct lbp_upstream_look *look = &upstream->look;

	lbp_json_begin_object(json);
	put_text(json, "url", upstream->url);
	put_text(json, "state", state_of(look));
	put_bool(json, "draining", look->is_draining);
	put_text(json, "choice", choice_of(look));
	put_uint(json, "open", look->open);
	put_uint(json, "weight", look->weight);
	put_uint(json, "max_connections", look->max_connections);
	put_bool(json, "backup", look->is_backup);
	put_uint(json, "dial_failures", look->dial_failures);
	put_uint(json, "check_failures", look->check_failures);
	if (upstream->has_changed) {
		put_uint(json, "changed", upstream->changed_s);
		put_text(json, "cause", upstream->cause);
	}
	lbp_json_end_object(json);
}

static void put_app(struct lbp_json *json, const struct lbp_figures *f,
	const struct lbp_app_figures *app, size_t *upstream)
{
	lbp_json_begin_object(json);
	put_text(json, "id", app->id);
	put_bool(json, "ready", app->is_ready);
	put_uint(json, "sessions", app->admitted - app->ended);
	put_uint(json, "admitted", app->admitted);
	put_uint(json, "refused_concurrent", app->refused_concurrent);
	put_uint(json, "refused_rate", app->refused_rate);
	begin_array(json, "upstreams");
	while (*upstream < f->upstream_len &&
		strcmp(f->upstreams[*upstream].app, app->id) == 0)
		put_upstream(json, &f->upstreams[(*upstream)++]);
	lbp_json_end_array(json);
	lbp_json_end_object(json);
}

static void put_apps(struct lbp_json *json, const struct lbp_figures *f)
{
	size_t upstream = 0;
	size_t i;

	begin_array(json, "apps");
	for (i = 0; i < f->app_len; i++)
		put_app(json, f, &f->apps[i], &upstream);
	lbp_json_end_array(json);
}

/* --- clients --- */

/* When a session would be admitted; who knows when one of theirs ends? */
static void put_next_place(
	struct lbp_json *json, const struct lbp_client_look *look)
{
	uint32_t cap = look->limits.concurrent;

	if (cap != 0 && look->open >= cap) {
		put_text(json, "refused_by", "concurrent");
		return;
	}
	if (look->wait_ns > 0)
		put_text(json, "refused_by", "rate");
	/* Rounded up: not before that. */
	put_uint(json, "next_place_ms",
		look->wait_ns / LBP_NS_PER_MS +
			(look->wait_ns % LBP_NS_PER_MS > 0));
}

void lbp_figures_client(
	const struct lbp_client_figures *client, struct lbp_json *json)
{
	const struct lbp_client_look *look = &client->look;

	lbp_json_begin_object(json);
	put_text(json, "app", client->app);
	put_text(json, "client", client->id);
	put_uint(json, "open", look->open);
	put_uint(json, "admitted", look->admitted);
	put_uint(json, "concurrent", look->limits.concurrent);
	put_uint(json, "connections", look->limits.connections);
	put_uint(json, "window_ms", look->limits.window_ns / LBP_NS_PER_MS);
	put_next_place(json, look);
	lbp_json_end_object(json);
}

static void put_clients(struct lbp_json *json, const struct lbp_figures *f)
{
	size_t i;

	begin_array(json, "clients");
	for (i = 0; i < f->client_len; i++)
		lbp_figures_client(&f->clients[i], json);
	lbp_json_end_array(json);
	put_uint(json, "clients_left_out", f->clients_left_out);
}

/* --- sessions --- */

void lbp_figures_session(
	const struct lbp_session_figures *session, struct lbp_json *json)
{
	char id[LBP_SESSION_ID_MAX];

	lbp_json_begin_object(json);
	put_text(json, "id", lbp_session_id_format(&session->id, id));
	put_text(json, "app", session->app);
	put_text(json, "client", session->client);
	put_text(json, "serial", session->serial);
	put_text(json, "peer", session->peer);
	if (session->upstream != NULL)
		put_text(json, "upstream", session->upstream);
	put_uint(json, "since", session->since_s);
	put_uint(json, "bytes_up", session->bytes_up);
	put_uint(json, "bytes_down", session->bytes_down);
	lbp_json_end_object(json);
}

/* --- rejects, and what expires --- */

static void put_rejects(struct lbp_json *json, const struct lbp_figures *f)
{
	size_t i;

	begin_array(json, "rejects");
	for (i = 0; i < f->reject_len; i++) {
		const struct lbp_reject_figures *reject = &f->rejects[i];

		lbp_json_begin_object(json);
		put_uint(json, "at", reject->at_ms / 1000);
		put_text(json, "app", reject->app);
		put_text(json, "peer", reject->peer);
		put_known(json, "client", reject->client);
		put_known(json, "serial", reject->serial);
		put_text(json, "reason", lbp_reason_text(reject->reason));
		put_text(json, "explanation",
			lbp_explain_reason(reject->reason)->meaning);
		lbp_json_end_object(json);
	}
	lbp_json_end_array(json);
}

static void put_expiring_one(
	struct lbp_json *json, const struct lbp_expiring *one, uint64_t now_s)
{
	static const char *const kinds[] = {"certificate", "ca", "crl"};
	uint64_t until_s = one->until_s > 0 ? (uint64_t)one->until_s : 0;
	uint64_t left_s = until_s > now_s ? until_s - now_s : 0;

	lbp_json_begin_object(json);
	put_text(json, "kind", kinds[one->kind]);
	put_text(json, "key", one->key);
	put_text(json, "file", one->file);
	put_uint(json, "line", one->line);
	put_uint(json, "until", until_s);
	put_bool(json, "expired", left_s == 0);
	put_uint(json, "days_left", left_s / DAY_S);
	lbp_json_end_object(json);
}

static void put_expiring(struct lbp_json *json, const struct lbp_figures *f)
{
	size_t i;

	begin_array(json, "expiring");
	for (i = 0; i < f->expiring_len; i++)
		put_expiring_one(json, &f->expiring[i], f->now_s);
	lbp_json_end_array(json);
}

void lbp_figures_status(
	const struct lbp_figures *figures, struct lbp_json *json)
{
	lbp_json_begin_object(json);
	put_server(json, figures);
	put_apps(json, figures);
	put_clients(json, figures);
	put_rejects(json, figures);
	put_expiring(json, figures);
	lbp_json_end_object(json);
}
