/* Listing and ending sessions, worker by worker. [CTL-11], [CTL-14]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "control_private.h"
#include "server/figures.h"
#include "server/json.h"
#include "server/memory.h"

/* One more session, and the end of the list. */
#define ROOM (LBP_FIGURES_SESSION_MAX + sizeof("]\n"))

/* More is not told at once. */
#define ANSWER_MAX ((size_t)64 * 1024 * 1024)

_Static_assert(ANSWER_MAX <= LBP_MEMORY_LIST_MAX, "memory.h says less");

static bool list_work(void *user)
{
	sessions_list(user);
	return true;
}

/* Makes room for one more; false: too much, or out of memory. */
static bool make_room(struct lbp_json *json)
{
	size_t cap = json->cap * 2 + ROOM;
	char *buf;

	if (json->cap - json->len >= ROOM)
		return true;
	buf = cap > ANSWER_MAX ? NULL : realloc(json->buf, cap);
	if (buf == NULL)
		return false;
	json->buf = buf;
	json->cap = cap;
	return true;
}

static bool write_session(
	struct lbp_json *json, const struct session_row *row, uint32_t worker)
{
	char serial[LBP_SERIAL_TEXT_MAX];
	char peer[ADDRESS_TEXT_MAX];
	const struct lbp_session_figures figures = {
		.id = {worker, row->number},
		.app = row->app->id,
		.client = row->client,
		.serial = serial,
		.peer = address_text(&row->peer, peer),
		.upstream = row->target->url,
		.since_s =
			(clock_wall_ms() - row->age_ns / LBP_NS_PER_MS) / 1000,
		.bytes_up = row->bytes_up,
		.bytes_down = row->bytes_down,
	};

	lbp_serial_format(&row->serial, serial);
	if (!make_room(json))
		return false;
	lbp_figures_session(&figures, json);
	return true;
}

static bool write_batch(struct lbp_json *json,
	const struct session_batch *batch, uint32_t worker)
{
	size_t i;

	for (i = 0; i < batch->len; i++) {
		if (!write_session(json, &batch->rows[i], worker))
			return false;
	}
	return true;
}

/* A worker that has ended has no sessions. */
static bool write_worker(
	struct control_asker *asker, struct lbp_json *json, uint32_t number)
{
	struct worker *worker = &asker->control->crew->workers[number];
	struct session_batch *batch = &asker->control->batch;
	size_t len;
	bool ok;

	batch->conns = &worker->conns;
	batch->below = UINT64_MAX;
	do {
		if (!asker_run(
			    &asker->asker, &worker->mailbox, list_work, batch))
			return true;
		len = batch->len;
		if (len > 0)
			batch->below = batch->rows[len - 1].number;
		ok = write_batch(json, batch, number);
		sessions_release(batch);
	} while (ok && len == SESSIONS_AT_ONCE);
	return ok;
}

static bool write_sessions(struct control_asker *asker, struct lbp_json *json)
{
	bool ok = make_room(json);
	uint32_t i;

	lbp_json_begin_array(json);
	for (i = 0; ok && i < asker->control->crew->len; i++)
		ok = write_worker(asker, json, i);
	lbp_json_end_array(json);
	lbp_json_raw(json, "\n", 1);
	return ok;
}

void control_list(struct control_asker *asker, struct http_answer *answer)
{
	struct lbp_json json = {0};

	if (!write_sessions(asker, &json)) {
		free(json.buf);
		control_say(answer, 503,
			"there are too many sessions, or memory has run out\n");
		return;
	}
	answer->body = json.buf;
	answer->len = json.len;
	answer->type = "application/json";
}

/* --- ending sessions --- */

static bool kill_work(void *user)
{
	sessions_kill(user);
	return true;
}

/* Of this worker; one that has ended has none. */
static void kill_of(struct control_asker *asker, uint32_t number)
{
	struct control *control = asker->control;
	struct worker *worker = &control->crew->workers[number];

	control->kill.conns = &worker->conns;
	(void)asker_run(
		&asker->asker, &worker->mailbox, kill_work, &control->kill);
}

static void kill_meant(
	struct control_asker *asker, const struct lbp_admin_wish *wish)
{
	struct control *control = asker->control;
	uint32_t i;

	control->kill = (struct session_kill){.number = wish->session.number};
	if (wish->client != NULL)
		snprintf(control->kill.client, sizeof(control->kill.client),
			"%s", wish->client);
	for (i = 0; i < control->crew->len; i++) {
		if (!wish->has_session || i == wish->session.worker)
			kill_of(asker, i);
	}
}

static void report_kill(const struct lbp_admin_wish *wish,
	const struct http_peer *peer, uint64_t killed)
{
	char id[LBP_SESSION_ID_MAX];
	struct log_line line;

	control_begin_line(&line, "kill", peer);
	if (wish->has_session)
		log_string(&line, "session",
			lbp_session_id_format(&wish->session, id));
	else
		log_string(&line, "client", wish->client);
	log_uint(&line, "sessions", killed);
	log_end(&line);
}

void control_kill(struct control_asker *asker, const struct view *view,
	const struct lbp_admin_wish *wish, const struct http_peer *peer,
	struct http_answer *answer)
{
	char text[64];
	uint64_t killed;

	if (!wish->has_session && !control_is_listed(view, wish->client)) {
		control_say(answer, 404, "no client is listed with this id\n");
		return;
	}
	kill_meant(asker, wish);
	killed = asker->control->kill.killed;
	if (wish->has_session && killed == 0) {
		control_say(answer, 404, "there is no such session\n");
		return;
	}
	report_kill(wish, peer, killed);
	snprintf(text, sizeof(text), "{\"killed\":%llu}\n",
		(unsigned long long)killed);
	control_say(answer, 200, text);
	answer->type = "application/json";
}
