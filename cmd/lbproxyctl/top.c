/* The status again and again, as top(1) shows processes. [CTL-18]. */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "ask.h"
#include "print.h"
#include "status.h"

#define INTERVAL_MS 1000

/* The alternate screen without a cursor, and back. */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"
/* Home; and, at the end, clear what is below. */
#define HOME  "\033[H"
#define BELOW "\033[J"

static volatile sig_atomic_t stopped;

/* How the terminal was. */
static struct termios before;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

/* What is counted of a server, to see how fast it goes. */
struct counts {
	uint64_t admitted;
	uint64_t rejected;
	uint64_t up;
	uint64_t down;
};

static struct counts counts_of(const json_t *status)
{
	const json_t *counts = json_object_get(status, "counts");
	json_t *rejected = json_object_get(counts, "rejected");
	struct counts now = {.admitted = uint_of(counts, "admitted"),
		.up = uint_of(counts, "bytes_up"),
		.down = uint_of(counts, "bytes_down")};
	const char *reason;
	json_t *n;

	json_object_foreach(rejected, reason, n) now.rejected +=
		(uint64_t)json_integer_value(n);
	return now;
}

static void print_rates(const struct counts *last, const struct counts *now)
{
	char up[SPAN_MAX], down[SPAN_MAX];

	printf("each second: %" PRIu64 " admitted, %" PRIu64
	       " rejected, %s up, %s down\n",
		now->admitted - last->admitted, now->rejected - last->rejected,
		bytes_text(now->up - last->up, up),
		bytes_text(now->down - last->down, down));
}

/* Waits a second, or until a key says that it is enough. */
static bool wait_for_key(void)
{
	struct pollfd keys = {.fd = STDIN_FILENO, .events = POLLIN};
	char key = 0;

	if (poll(&keys, 1, INTERVAL_MS) > 0 && read(STDIN_FILENO, &key, 1) <= 0)
		key = 'q';
	return key == 'q';
}

/* One screen; last is NULL on the first one. */
static void show(const json_t *status, const struct counts *last,
	const struct counts *now)
{
	fputs(HOME BELOW, stdout);
	status_print_short(status);
	if (last != NULL) {
		putchar('\n');
		print_rates(last, now);
	}
	puts("q ends");
	fflush(stdout);
}

static int show_until_stopped(const struct options *options)
{
	struct counts last, now;
	bool has_last = false;
	int status = EXIT_SUCCESS;

	while (!stopped) {
		struct reply reply;
		json_t *parsed;

		status = ask_server(
			options, "GET", "/status", ask_nothing, &reply);
		if (status != EXIT_SUCCESS)
			break;
		parsed = reply_parse(&reply);
		reply_release(&reply);
		if (parsed == NULL)
			return EXIT_FAILURE;
		now = counts_of(parsed);
		show(parsed, has_last ? &last : NULL, &now);
		last = now;
		has_last = true;
		json_decref(parsed);
		if (wait_for_key())
			break;
	}
	return status;
}

static void leave(void)
{
	fputs(LEAVE, stdout);
	fflush(stdout);
	fflush(stderr);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

int top_run(const struct options *options, int word_len, char **words)
{
	static char errors[BUFSIZ];
	struct sigaction action = {.sa_handler = stop};
	struct termios raw;

	if (word_len > 0)
		return usage_error("unexpected '%s'", words[0]);
	if (tcgetattr(STDIN_FILENO, &before) != 0 || !isatty(STDOUT_FILENO))
		return usage_error("top needs a terminal");
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* What is wrong is said on the screen that stays. */
	(void)setvbuf(stderr, errors, _IOFBF, sizeof(errors));
	/* However the program ends. It has room for so few at any rate. */
	(void)atexit(leave);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs(ENTER, stdout);
	return show_until_stopped(options);
}
