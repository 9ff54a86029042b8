/* What has a server do something: drain, resume, kill, reload. [CTL-12] to
 * [CTL-15]. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "print.h"

/* --json: what the server answers; else a line that says what was done. */
static int steer(const struct options *options, const char *path,
	const struct argument *arguments, const char *done)
{
	struct reply reply;
	int status = ask_server(options, "POST", path, arguments, &reply);

	if (status != EXIT_SUCCESS)
		return status;
	if (options->json)
		printf("{\"done\":true}\n");
	else
		puts(done);
	reply_release(&reply);
	return EXIT_SUCCESS;
}

static int steer_upstream(const struct options *options, int word_len,
	char **words, const char *path, const char *done)
{
	struct argument arguments[] = {
		{"app", NULL}, {"upstream", NULL}, {NULL, NULL}};

	if (word_len != 2)
		return usage_error("it takes APP UPSTREAM, and nothing else");
	arguments[0].value = words[0];
	arguments[1].value = words[1];
	return steer(options, path, arguments, done);
}

int drain_run(const struct options *options, int word_len, char **words)
{
	return steer_upstream(options, word_len, words, "/drain",
		"it gets no new sessions, until it is resumed");
}

int resume_run(const struct options *options, int word_len, char **words)
{
	return steer_upstream(options, word_len, words, "/resume",
		"it gets new sessions again");
}

int kill_run(const struct options *options, int word_len, char **words)
{
	struct argument arguments[] = {{"client", NULL}, {NULL, NULL}};
	struct reply reply;
	json_t *parsed;
	int status;

	if (word_len + (options->client != NULL) != 1)
		return usage_error("kill takes a SESSION-ID or --client ID");
	if (word_len == 1)
		arguments[0].name = "session";
	arguments[0].value = word_len == 1 ? words[0] : options->client;
	status = ask_server(options, "POST", "/kill", arguments, &reply);
	if (status != EXIT_SUCCESS)
		return status;
	parsed = reply_parse(&reply);
	if (parsed == NULL)
		status = EXIT_FAILURE;
	else if (options->json)
		fwrite(reply.body, 1, reply.len, stdout);
	else
		printf("sessions that were ended: %" PRIu64 "\n",
			uint_of(parsed, "killed"));
	json_decref(parsed);
	reply_release(&reply);
	return status;
}

/* --- reload --- */

/* A line of the log, as --check has it if it has a place. */
static void print_line(const json_t *line)
{
	bool is_error = strcmp(text_of(line, "level"), "error") == 0;
	const char *listen = text_of(line, "listen");
	const char *cause = text_of(line, "cause");

	if (json_object_get(line, "file") != NULL) {
		print_text(stderr, text_of(line, "file"));
		if (json_object_get(line, "line") != NULL)
			fprintf(stderr, ":%" PRIu64 ":%" PRIu64,
				uint_of(line, "line"), uint_of(line, "column"));
		fputs(": ", stderr);
	}
	fprintf(stderr, "%s: ", is_error ? "error" : "warning");
	print_text(stderr, text_of(line, "message"));
	if (listen[0] != '\0') {
		fputs(" on ", stderr);
		print_text(stderr, listen);
	}
	if (cause[0] != '\0') {
		fputs(": ", stderr);
		print_text(stderr, cause);
	}
	fputc('\n', stderr);
}

/* Its own line says nothing that is not told here. */
static void print_log(const json_t *answer)
{
	size_t i;
	json_t *line;

	json_array_foreach(json_object_get(answer, "log"), i, line)
	{
		if (strcmp(text_of(line, "event"), "reload") != 0)
			print_line(line);
	}
	if (uint_of(answer, "log_omitted") > 0)
		fprintf(stderr, "and %" PRIu64 " more, in the server's log\n",
			uint_of(answer, "log_omitted"));
}

static int print_reload(const struct options *options,
	const struct reply *reply, const json_t *answer)
{
	bool ok = bool_of(answer, "ok");

	if (options->json) {
		fwrite(reply->body, 1, reply->len, stdout);
		return ok ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	print_log(answer);
	if (ok)
		printf("generation %" PRIu64 " is in force, after %" PRIu64
		       " ms\n",
			uint_of(answer, "generation"),
			uint_of(answer, "duration_ms"));
	else
		fprintf(stderr,
			"lbproxyctl: nothing has changed: generation %" PRIu64
			" is still in force\n",
			uint_of(answer, "generation"));
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int reload_run(const struct options *options, int word_len, char **words)
{
	struct reply reply;
	json_t *answer;
	int status;

	if (word_len > 0)
		return usage_error("unexpected '%s'", words[0]);
	status = ask_server(options, "POST", "/reload", ask_nothing, &reply);
	if (status != EXIT_SUCCESS)
		return status;
	answer = reply_parse(&reply);
	status = answer == NULL ? EXIT_FAILURE
				: print_reload(options, &reply, answer);
	json_decref(answer);
	reply_release(&reply);
	return status;
}
