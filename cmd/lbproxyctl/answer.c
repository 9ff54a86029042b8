#include "answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "memory.h"
#include "print.h"
#include "server/json.h"
#include "status.h"

/* Of each app there are fewer bytes of JSON than this, and of each name. */
#define ITEM_MAX 4096

/* A path, its line and a NUL. */
#define PLACE_MAX 4200

bool answer_is_let_in(const struct answer *answer)
{
	size_t i;

	for (i = 0; i < answer->len; i++) {
		if (answer->decisions[i].verdict.reason == LBP_REASON_NONE)
			return true;
	}
	return false;
}

static const char *file_of(
	const struct answer *answer, struct lbp_config_pos pos)
{
	return texts_path(
		&answer->snapshot->texts, answer->snapshot->notices.file, pos);
}

/* FILE:LINE, or NULL if nothing in the configuration decides. */
static const char *place_text(const struct answer *answer,
	struct lbp_config_pos pos, char buf[PLACE_MAX])
{
	if (pos.line == 0)
		return NULL;
	snprintf(buf, PLACE_MAX, "%s:%" PRIu32, file_of(answer, pos), pos.line);
	return buf;
}

static const char *client_id(const struct answer *answer, uint32_t client)
{
	return answer->snapshot->config->clients[client].id.ptr;
}

/* What kind of name it is, and its text. */
static const char *name_text(const struct lbp_name *name,
	char serial[LBP_SERIAL_TEXT_MAX], const char **text)
{
	switch (name->kind) {
	case LBP_NAME_URI:
		*text = name->text;
		return "uri";
	case LBP_NAME_DNS:
		*text = name->text;
		return "dns";
	default:
		lbp_serial_format(&name->issued.serial, serial);
		*text = serial;
		return "serial";
	}
}

/* --- for people --------------------------------------------------------- */

static void print_name(const struct answer *answer, const struct lbp_name *name)
{
	const struct lbp_explain_listed listed = lbp_explain_name(
		answer->snapshot->config, answer->policy, name);
	char serial[LBP_SERIAL_TEXT_MAX];
	char place[PLACE_MAX];
	const char *text;
	const char *kind = name_text(name, serial, &text);

	printf("%s %s: ", kind, text);
	if (listed.client == LBP_NONE)
		printf("no client lists it\n");
	else
		printf("of client %s, %s\n", client_id(answer, listed.client),
			place_text(answer, listed.pos, place));
}

static void print_limits(
	const struct answer *answer, const struct lbp_config_grant *grant)
{
	static const enum lbp_reason reasons[] = {
		LBP_REASON_CONCURRENT_LIMIT, LBP_REASON_RATE_LIMIT};
	const struct lbp_explain_about about = {.grant = grant};
	char place[PLACE_MAX];
	size_t i;

	for (i = 0; i < 2; i++) {
		uint32_t limit = i == 0 ? grant->limits.concurrent
					: grant->limits.connections;
		const char *at = place_text(answer,
			lbp_explain_place(answer->snapshot->config, NULL,
				reasons[i], &about),
			place);

		if (limit == 0)
			printf("  %s: no limit\n", lbp_explain_key(reasons[i]));
		else
			printf("  %s: %" PRIu32 ", %s\n",
				lbp_explain_key(reasons[i]), limit, at);
	}
	if (grant->limits.connections != 0)
		printf("  window: %" PRIu64 "ms\n",
			grant->limits.window_ns / LBP_NS_PER_MS);
}

/* As a running server has it. */
static void print_use(const json_t *use)
{
	const char *refused_by = text_of(use, "refused_by");
	const json_t *next = json_object_get(use, "next_place_ms");

	printf("  now: %" PRIu64 " open, %" PRIu64 " admitted in the window; ",
		uint_of(use, "open"), uint_of(use, "admitted"));
	if (refused_by[0] == '\0')
		puts("one more is let in");
	else if (next == NULL)
		printf("one more is refused, %s_limit, until one of theirs "
		       "ends\n",
			refused_by);
	else
		printf("one more is refused, %s_limit, for %.1f s\n",
			refused_by, (double)json_integer_value(next) / 1000);
}

static void print_upstreams(const json_t *upstreams)
{
	size_t i;
	json_t *upstream;

	json_array_foreach(upstreams, i, upstream)
	{
		bool is_next = strcmp(text_of(upstream, "choice"), "next") == 0;

		fputs(is_next ? "  next upstream: " : "  not ", stdout);
		print_text(stdout, text_of(upstream, "url"));
		if (!is_next)
			printf(": %s", choice_text(upstream));
		printf(" (%" PRIu64 " open, weight %" PRIu64 ")\n",
			uint_of(upstream, "open"), uint_of(upstream, "weight"));
	}
}

static void print_decision(
	const struct answer *answer, const struct decision *decision)
{
	enum lbp_reason reason = decision->verdict.reason;
	const struct lbp_explain_reason *say = lbp_explain_reason(reason);
	const char *key = lbp_explain_key(reason);
	char place[PLACE_MAX];
	const char *at = place_text(answer, decision->verdict.pos, place);

	if (decision->app != LBP_NONE)
		printf("app %s: ",
			answer->snapshot->config->apps[decision->app].id.ptr);
	if (reason == LBP_REASON_NONE)
		printf("let in");
	else
		printf("refused, %s: %s", lbp_reason_text(reason),
			say->meaning);
	if (reason != LBP_REASON_NONE && answer->detail != NULL)
		printf(" (%s)", answer->detail);
	printf(" [%s]\n", say->ids);
	if (at != NULL)
		printf("  decided by %s%s%s\n", at, key != NULL ? ", " : "",
			key != NULL ? key : "");
	else if (key != NULL)
		printf("  decided by the default of %s, which %s does not "
		       "set\n",
			key, answer->snapshot->notices.file);
	if (decision->grant != NULL)
		print_limits(answer, decision->grant);
	if (decision->use != NULL)
		print_use(decision->use);
	print_upstreams(decision->upstreams);
}

static void print(const struct answer *answer)
{
	size_t i;

	if (answer->client != LBP_NONE)
		printf("client %s\n", client_id(answer, answer->client));
	else
		printf("no client\n");
	for (i = 0; i < answer->name_len; i++)
		print_name(answer, &answer->names[i]);
	for (i = 0; i < answer->len; i++)
		print_decision(answer, &answer->decisions[i]);
}

/* --- for programs ------------------------------------------------------- */

static void put_key(struct lbp_json *json, const char *key)
{
	lbp_json_key(json, key, strlen(key));
}

/* A member; not written if text is NULL. */
static void put_text(struct lbp_json *json, const char *key, const char *text)
{
	if (text == NULL)
		return;
	put_key(json, key);
	lbp_json_string(json, text, strlen(text));
}

static void put_name(const struct answer *answer, struct lbp_json *json,
	const struct lbp_name *name)
{
	const struct lbp_explain_listed listed = lbp_explain_name(
		answer->snapshot->config, answer->policy, name);
	char serial[LBP_SERIAL_TEXT_MAX];
	char place[PLACE_MAX];
	const char *text;
	const char *kind = name_text(name, serial, &text);

	lbp_json_begin_object(json);
	put_text(json, kind, text);
	if (listed.client != LBP_NONE)
		put_text(json, "client", client_id(answer, listed.client));
	put_text(json, "place", place_text(answer, listed.pos, place));
	lbp_json_end_object(json);
}

static void put_limits(struct lbp_json *json, const struct lbp_limits *limits)
{
	put_key(json, "limits");
	lbp_json_begin_object(json);
	put_key(json, "concurrent");
	lbp_json_uint(json, limits->concurrent);
	put_key(json, "connections");
	lbp_json_uint(json, limits->connections);
	put_key(json, "window_ms");
	lbp_json_uint(json, limits->window_ns / LBP_NS_PER_MS);
	lbp_json_end_object(json);
}

/* What a server said, as it said it. */
static char *dump_live(const struct decision *decision)
{
	json_t *live = json_object();
	char *text;

	if (decision->use != NULL)
		json_object_set(live, "client", decision->use);
	json_object_set(live, "upstreams", decision->upstreams);
	text = json_dumps(live, JSON_COMPACT);
	json_decref(live);
	return text;
}

/* The last member: there is no comma after what is raw. */
static void put_live(struct lbp_json *json, const struct decision *decision)
{
	char *text;

	if (decision->upstreams == NULL)
		return;
	text = dump_live(decision);
	put_key(json, "now");
	lbp_json_raw(json, text, strlen(text));
	free(text);
}

static void put_decision(const struct answer *answer, struct lbp_json *json,
	const struct decision *decision)
{
	enum lbp_reason reason = decision->verdict.reason;
	const struct lbp_explain_reason *say = lbp_explain_reason(reason);
	char place[PLACE_MAX];

	lbp_json_begin_object(json);
	if (decision->app != LBP_NONE)
		put_text(json, "app",
			answer->snapshot->config->apps[decision->app].id.ptr);
	put_key(json, "let_in");
	lbp_json_bool(json, reason == LBP_REASON_NONE);
	if (reason != LBP_REASON_NONE) {
		put_text(json, "reason", lbp_reason_text(reason));
		put_text(json, "detail", answer->detail);
	}
	put_text(json, "meaning", say->meaning);
	put_text(json, "spec", say->ids);
	put_text(json, "key", lbp_explain_key(reason));
	put_text(json, "place",
		place_text(answer, decision->verdict.pos, place));
	if (decision->grant != NULL)
		put_limits(json, &decision->grant->limits);
	put_live(json, decision);
	lbp_json_end_object(json);
}

static void put(const struct answer *answer, struct lbp_json *json)
{
	size_t i;

	lbp_json_begin_object(json);
	put_key(json, "let_in");
	lbp_json_bool(json, answer_is_let_in(answer));
	if (answer->client != LBP_NONE)
		put_text(json, "client", client_id(answer, answer->client));
	put_key(json, "names");
	lbp_json_begin_array(json);
	for (i = 0; i < answer->name_len; i++)
		put_name(answer, json, &answer->names[i]);
	lbp_json_end_array(json);
	put_key(json, "decisions");
	lbp_json_begin_array(json);
	for (i = 0; i < answer->len; i++)
		put_decision(answer, json, &answer->decisions[i]);
	lbp_json_end_array(json);
	lbp_json_end_object(json);
}

static size_t room_for_live(const struct answer *answer)
{
	size_t room = 0;
	size_t i;

	for (i = 0; i < answer->len; i++)
		room += ITEM_MAX *
			(1 + json_array_size(answer->decisions[i].upstreams));
	return room;
}

void answer_print(const struct answer *answer, bool json)
{
	size_t cap = (answer->len + answer->name_len + 1) *
			     (ITEM_MAX + 6 * PLACE_MAX) +
		     room_for_live(answer);
	struct lbp_json out;
	char *buf;

	if (!json) {
		print(answer);
		return;
	}
	buf = need(malloc(cap));
	lbp_json_init(&out, buf, cap);
	put(answer, &out);
	fwrite(buf, 1, out.len, stdout);
	putchar('\n');
	free(buf);
}
