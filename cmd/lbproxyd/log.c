#include "log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Kept free for fields_omitted and the end of the object. */
#define LOG_TAIL 32

/* Kept free for the end of an array and the field on omitted items. */
#define ARRAY_TAIL 64

static _Atomic(enum lbp_log_level) log_level = LBP_LOG_INFO;
static atomic_ulong dropped;
/* Where lines of this thread are copied to, or NULL. */
static _Thread_local struct log_copy *copy;

void log_open(void)
{
	sink_open();
}

void log_flush(void)
{
	sink_flush();
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

void log_copy_to(struct log_copy *to)
{
	copy = to;
}

/* A line without its end. */
static void copy_line(const char *line, size_t len)
{
	size_t comma = copy->len > 0;

	if (copy->cap - copy->len < len + comma) {
		copy->omitted++;
		return;
	}
	if (comma)
		copy->buf[copy->len++] = ',';
	memcpy(copy->buf + copy->len, line, len);
	copy->len += len;
}

void log_begin(
	struct log_line *line, enum lbp_log_level level, const char *event)
{
	line->wanted = log_is_wanted(level);
	line->yields = false;
	line->is_copied = false;
	line->fields_omitted = 0;
	if (!line->wanted)
		return;
	lbp_json_init(&line->json, line->buf, sizeof(line->buf) - LOG_TAIL);
	lbp_json_begin_object(&line->json);
	add_timestamp(line);
	log_string(line, "level", level_text(level));
	log_string(line, "event", event);
	line->is_copied = copy != NULL && level <= LBP_LOG_WARN;
}

/* Adds a key; a field that does not fit is omitted as a whole. */
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
	if (!line->json.overflow)
		return;
	line->json = *before;
	line->fields_omitted++;
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

void log_array(struct log_line *line, const char *key)
{
	struct lbp_json before;

	line->in_array = begin_field(line, key, &before);
	line->items_omitted = 0;
	if (!line->in_array)
		return;
	lbp_json_begin_array(&line->json);
	if (line->json.cap - line->json.len < ARRAY_TAIL)
		line->json.overflow = true;
	line->in_array = !line->json.overflow;
	end_field(line, &before);
	if (line->in_array)
		line->json.cap -= ARRAY_TAIL;
}

void log_item(struct log_line *line, const char *value)
{
	struct lbp_json before = line->json;

	if (!line->in_array)
		return;
	lbp_json_string(&line->json, value, strlen(value));
	/* After an item that did not fit, others would be out of order. */
	if (line->items_omitted > 0 || line->json.overflow) {
		line->json = before;
		line->items_omitted++;
	}
}

void log_array_end(struct log_line *line, const char *omitted_key)
{
	if (!line->in_array)
		return;
	line->json.cap += ARRAY_TAIL;
	lbp_json_end_array(&line->json);
	if (line->items_omitted > 0)
		log_uint(line, omitted_key, line->items_omitted);
}

/* Ends the object and the line; returns its length. */
static size_t finish(struct log_line *line)
{
	static const char omitted[] = "fields_omitted";

	line->json.cap = sizeof(line->buf);
	if (line->fields_omitted > 0) {
		lbp_json_key(&line->json, omitted, sizeof(omitted) - 1);
		lbp_json_uint(&line->json, line->fields_omitted);
	}
	lbp_json_end_object(&line->json);
	line->buf[line->json.len] = '\n';
	return line->json.len + 1;
}

/* Before a line that yields it must not take what is left for others. */
static bool report_dropped(bool yields)
{
	unsigned long n = atomic_exchange(&dropped, 0);
	struct log_line line;

	if (n == 0)
		return true;
	log_begin(&line, LBP_LOG_ERROR, "error");
	log_string(&line, "message", "log lines were dropped");
	log_uint(&line, "dropped", n);
	if (sink_write(line.buf, finish(&line), yields))
		return true;
	atomic_fetch_add(&dropped, n);
	return false;
}

bool log_try_end(struct log_line *line)
{
	size_t len;

	if (!line->wanted)
		return true;
	len = finish(line);
	if (line->is_copied)
		copy_line(line->buf, len - 1);
	/* A line for which there is room must not overtake a longer count. */
	if (atomic_load_explicit(&dropped, memory_order_relaxed) > 0 &&
		!report_dropped(line->yields))
		return false;
	return sink_write(line->buf, len, line->yields);
}

void log_end(struct log_line *line)
{
	if (!log_try_end(line))
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
