#include "log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What a pipe is asked to hold: some thousand lines. */
#define PIPE_BYTES (1 << 20)

/* Left for closing the object when the fields did not all fit. */
#define LOG_TAIL 32

static _Atomic(enum lbp_log_level) log_level = LBP_LOG_INFO;
static atomic_ulong dropped;

void log_make_room(void)
{
	/* Anything else than a pipe refuses, and needs no room. */
	(void)fcntl(STDERR_FILENO, F_SETPIPE_SZ, PIPE_BYTES);
}

void log_set_level(enum lbp_log_level level)
{
	atomic_store(&log_level, level);
}

bool log_is_wanted(enum lbp_log_level level)
{
	return level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

static const char *level_text(enum lbp_log_level level)
{
	switch (level) {
	case LBP_LOG_ERROR:
		return "error";
	case LBP_LOG_WARN:
		return "warn";
	case LBP_LOG_INFO:
		return "info";
	case LBP_LOG_DEBUG:
		break;
	}
	return "debug";
}

static void add_timestamp(struct log_line *line)
{
	char seconds[32], text[48];
	struct timespec now;
	struct tm utc;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, sizeof(text), "%s.%03dZ", seconds,
		(int)(now.tv_nsec / 1000000));
	log_string(line, "ts", text);
}

void log_begin(
	struct log_line *line, enum lbp_log_level level, const char *event)
{
	line->wanted = log_is_wanted(level);
	if (!line->wanted)
		return;
	lbp_json_init(&line->json, line->buf, sizeof(line->buf) - LOG_TAIL);
	lbp_json_begin_object(&line->json);
	add_timestamp(line);
	log_string(line, "level", level_text(level));
	log_string(line, "event", event);
}

/* Adds a key; a field that does not fit is left out as a whole. */
static bool begin_field(
	struct log_line *line, const char *key, struct lbp_json *before)
{
	if (!line->wanted)
		return false;
	*before = line->json;
	lbp_json_key(&line->json, key, strlen(key));
	return true;
}

static void end_field(struct log_line *line, const struct lbp_json *before)
{
	if (line->json.overflow)
		line->json = *before;
}

void log_string(struct log_line *line, const char *key, const char *value)
{
	struct lbp_json before;

	if (value == NULL || !begin_field(line, key, &before))
		return;
	lbp_json_string(&line->json, value, strlen(value));
	end_field(line, &before);
}

void log_uint(struct log_line *line, const char *key, uint64_t value)
{
	struct lbp_json before;

	if (!begin_field(line, key, &before))
		return;
	lbp_json_uint(&line->json, value);
	end_field(line, &before);
}

void log_bool(struct log_line *line, const char *key, bool value)
{
	struct lbp_json before;

	if (!begin_field(line, key, &before))
		return;
	lbp_json_bool(&line->json, value);
	end_field(line, &before);
}

/* Writes len bytes (at most LOG_LINE_MAX) at once or not at all. */
static bool write_now(const char *buf, size_t len)
{
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (poll(&fd, 1, 0) != 1 || !(fd.revents & POLLOUT))
		return false;
	return write(STDERR_FILENO, buf, len) == (ssize_t)len;
}

static void report_dropped(void)
{
	unsigned long n = atomic_exchange(&dropped, 0);
	struct log_line line;

	if (n == 0)
		return;
	log_begin(&line, LBP_LOG_ERROR, "error");
	log_string(&line, "message", "log lines were dropped");
	log_uint(&line, "dropped", n);
	lbp_json_end_object(&line.json);
	line.buf[line.json.len] = '\n';
	if (!write_now(line.buf, line.json.len + 1))
		atomic_fetch_add(&dropped, n);
}

void log_end(struct log_line *line)
{
	if (!line->wanted)
		return;
	line->json.cap = sizeof(line->buf);
	lbp_json_end_object(&line->json);
	line->buf[line->json.len] = '\n';
	if (atomic_load_explicit(&dropped, memory_order_relaxed) > 0)
		report_dropped();
	if (!write_now(line->buf, line->json.len + 1))
		atomic_fetch_add(&dropped, 1);
}

void log_error(enum lbp_log_level level, const char *what, const char *why)
{
	struct log_line line;

	log_begin(&line, level, "error");
	log_string(&line, "message", what);
	log_string(&line, "cause", why);
	log_end(&line);
}
