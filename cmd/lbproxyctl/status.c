/* What a server is doing: status, sessions, top. [CTL-10], [CTL-11], [CTL-18].
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ask.h"
#include "print.h"
#include "status.h"

static const char *word_of_state(const json_t *upstream)
{
	const char *state = text_of(upstream, "state");

	if (bool_of(upstream, "draining"))
		return strcmp(state, "up") == 0 ? "draining" : "down, draining";
	return strcmp(state, "no_address") == 0 ? "no address" : state;
}

const char *choice_text(const json_t *upstream)
{
	static const char *const words[][2] = {{"next", "next"},
		{"removed", "removed by a reload"},
		{"no_address", "its name has no address"}, {"down", "down"},
		{"draining", "draining"}, {"full", "at its bound"},
		{"backup", "a backup, not needed"},
		{"load", "more load than the next"},
		{"turn", "chosen after the next"}};
	const char *choice = text_of(upstream, "choice");
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(choice, words[i][0]) == 0)
			return words[i][1];
	}
	return "";
}

static void add_upstream(
	struct table *table, const json_t *upstream, uint64_t now)
{
	uint64_t changed = uint_of(upstream, "changed");
	char span[SPAN_MAX];

	table_add(table, "%s", text_of(upstream, "url"));
	table_add(table, "%s", word_of_state(upstream));
	table_add(table, "%" PRIu64, uint_of(upstream, "open"));
	table_add(table, "%" PRIu64, uint_of(upstream, "weight"));
	table_add(table, "%s", choice_text(upstream));
	if (changed == 0)
		table_add(table, "%s", "");
	else
		table_add(table, "%s ago: %s",
			span_text(now > changed ? now - changed : 0, span),
			text_of(upstream, "cause"));
}

static void print_app(const json_t *app, uint64_t now)
{
	static const char *const heads[] = {"upstream", "state", "open",
		"weight", "new sessions", "last change", NULL};
	struct table table;
	size_t i;
	json_t *upstream;

	fputs("\napp ", stdout);
	print_text(stdout, text_of(app, "id"));
	printf(": %s; sessions: %" PRIu64 " open, %" PRIu64
	       " admitted; refused: %" PRIu64 " by concurrent, %" PRIu64
	       " by rate\n",
		bool_of(app, "ready") ? "ready" : "NOT READY",
		uint_of(app, "sessions"), uint_of(app, "admitted"),
		uint_of(app, "refused_concurrent"),
		uint_of(app, "refused_rate"));
	table_begin(&table, heads);
	json_array_foreach(json_object_get(app, "upstreams"), i, upstream)
		add_upstream(&table, upstream, now);
	table_end(&table, "  ");
}

static void print_server(const json_t *status)
{
	const json_t *process = json_object_get(status, "process");
	uint64_t now = uint_of(status, "now");
	char span[SPAN_MAX], bytes[SPAN_MAX];

	printf("lbproxyd ");
	print_text(stdout, text_of(status, "version"));
	printf(": %s, up for %s, generation %" PRIu64 "\n",
		bool_of(status, "draining") ? "draining"
		: bool_of(status, "ready")  ? "ready"
					    : "NOT READY",
		span_text(now - uint_of(status, "started"), span),
		uint_of(status, "generation"));
	printf("sessions: %" PRIu64 " of %" PRIu64 "; connections: %" PRIu64
	       "; descriptors: %" PRIu64 " of %" PRIu64 "; memory: %s\n",
		uint_of(status, "sessions"), uint_of(status, "max_sessions"),
		uint_of(status, "connections"), uint_of(process, "descriptors"),
		uint_of(process, "max_descriptors"),
		bytes_text(uint_of(process, "resident_bytes"), bytes));
}

static void add_limit(struct table *table, uint64_t used, uint64_t limit)
{
	if (limit == 0)
		table_add(table, "%" PRIu64, used);
	else
		table_add(table, "%" PRIu64 " of %" PRIu64, used, limit);
}

static void add_client(struct table *table, const json_t *client)
{
	const json_t *next = json_object_get(client, "next_place_ms");

	table_add(table, "%s", text_of(client, "client"));
	table_add(table, "%s", text_of(client, "app"));
	add_limit(
		table, uint_of(client, "open"), uint_of(client, "concurrent"));
	add_limit(table, uint_of(client, "admitted"),
		uint_of(client, "connections"));
	if (next == NULL)
		table_add(table, "%s", "when one of theirs ends");
	else if (json_integer_value(next) == 0)
		table_add(table, "%s", "now");
	else
		table_add(table, "in %.1f s",
			(double)json_integer_value(next) / 1000);
}

static void print_clients(const json_t *status)
{
	static const char *const heads[] = {
		"client", "app", "open", "in window", "next place", NULL};
	const json_t *clients = json_object_get(status, "clients");
	struct table table;
	size_t i;
	json_t *client;

	if (json_array_size(clients) == 0)
		return;
	putchar('\n');
	table_begin(&table, heads);
	json_array_foreach(clients, i, client) add_client(&table, client);
	table_end(&table, "");
	if (uint_of(status, "clients_left_out") > 0)
		printf("and %" PRIu64 " more\n",
			uint_of(status, "clients_left_out"));
}

static void add_reject(struct table *table, const json_t *reject, uint64_t now)
{
	uint64_t at = uint_of(reject, "at");
	const char *client = text_of(reject, "client");
	const char *serial = text_of(reject, "serial");
	char span[SPAN_MAX];

	table_add(table, "%s ago", span_text(now > at ? now - at : 0, span));
	table_add(table, "%s", text_of(reject, "app"));
	table_add(table, "%s", text_of(reject, "peer"));
	table_add(table, "%s", client[0] != '\0' ? client : serial);
	table_add(table, "%s: %s", text_of(reject, "reason"),
		text_of(reject, "explanation"));
}

static void print_rejects(const json_t *status)
{
	static const char *const heads[] = {
		"last rejects", "app", "peer", "client", "reason", NULL};
	const json_t *rejects = json_object_get(status, "rejects");
	struct table table;
	size_t i;
	json_t *reject;

	if (json_array_size(rejects) == 0)
		return;
	putchar('\n');
	table_begin(&table, heads);
	json_array_foreach(rejects, i, reject)
		add_reject(&table, reject, uint_of(status, "now"));
	table_end(&table, "");
}

static void add_expiring(struct table *table, const json_t *expiring)
{
	table_add(table, "%s", text_of(expiring, "key"));
	table_add(table, "%s:%" PRIu64, text_of(expiring, "file"),
		uint_of(expiring, "line"));
	if (bool_of(expiring, "expired"))
		table_add(table, "%s", "EXPIRED");
	else
		table_add(table, "%" PRIu64, uint_of(expiring, "days_left"));
}

static void print_expiring(const json_t *status)
{
	static const char *const heads[] = {
		"certificates and lists", "file", "days left", NULL};
	struct table table;
	size_t i;
	json_t *expiring;

	putchar('\n');
	table_begin(&table, heads);
	json_array_foreach(json_object_get(status, "expiring"), i, expiring)
		add_expiring(&table, expiring);
	table_end(&table, "");
}

void status_print_short(const json_t *status)
{
	size_t i;
	json_t *app;

	print_server(status);
	json_array_foreach(json_object_get(status, "apps"), i, app)
		print_app(app, uint_of(status, "now"));
	print_clients(status);
}

static void status_print(const json_t *status)
{
	status_print_short(status);
	print_rejects(status);
	print_expiring(status);
}

static void print_sessions(const json_t *sessions)
{
	static const char *const heads[] = {"id", "app", "client", "serial",
		"peer", "upstream", "age", "up", "down", NULL};
	uint64_t now = (uint64_t)time(NULL);
	char text[SPAN_MAX];
	struct table table;
	size_t i;
	json_t *session;

	table_begin(&table, heads);
	json_array_foreach(sessions, i, session)
	{
		uint64_t since = uint_of(session, "since");

		table_add(&table, "%s", text_of(session, "id"));
		table_add(&table, "%s", text_of(session, "app"));
		table_add(&table, "%s", text_of(session, "client"));
		table_add(&table, "%s", text_of(session, "serial"));
		table_add(&table, "%s", text_of(session, "peer"));
		table_add(&table, "%s", text_of(session, "upstream"));
		table_add(&table, "%s",
			span_text(now > since ? now - since : 0, text));
		table_add(&table, "%s",
			bytes_text(uint_of(session, "bytes_up"), text));
		table_add(&table, "%s",
			bytes_text(uint_of(session, "bytes_down"), text));
	}
	table_end(&table, "");
}

/* Asks for what there is, and prints it. */
static int show(const struct options *options, const char *path,
	void (*print)(const json_t *parsed))
{
	struct reply reply;
	int status = ask_server(options, "GET", path, ask_nothing, &reply);
	json_t *parsed;

	if (status != EXIT_SUCCESS)
		return status;
	parsed = reply_parse(&reply);
	if (parsed == NULL)
		status = EXIT_FAILURE;
	else if (options->json)
		fwrite(reply.body, 1, reply.len, stdout);
	else
		print(parsed);
	json_decref(parsed);
	reply_release(&reply);
	return status;
}

int status_run(const struct options *options, int word_len, char **words)
{
	if (word_len > 0)
		return usage_error("unexpected '%s'", words[0]);
	return show(options, "/status", status_print);
}

int sessions_run(const struct options *options, int word_len, char **words)
{
	if (word_len > 0)
		return usage_error("unexpected '%s'", words[0]);
	return show(options, "/sessions", print_sessions);
}
