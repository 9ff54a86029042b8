/*
 * Log lines with hostile values, and standard error that takes them or not.
 * Linked with write and poll wrapped, so that nothing is really written.
 *
 * Input: a byte for the level that is printed; then lines, each of a level, an
 * event, how many fields, the fields (draw_field) and what standard error does
 * when it is written to.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cmd/lbproxyd/log.h"
#include "bytes.h"
#include "model/model_log.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);
ssize_t __real_write(int fd, const void *buf, size_t len);
int __wrap_poll(struct pollfd *fds, nfds_t len, int timeout_ms);
int __real_poll(struct pollfd *fds, nfds_t len, int timeout_ms);

#define LINES_MAX  8
#define FIELDS_MAX 6
#define VALUE_MAX  5000

static const char *const levels[] = {"error", "warn", "info", "debug"};

/* What standard error does at the next attempts, and what it was given. */
static struct {
	bool capture;
	unsigned refuse; /* a bit for each attempt, from the lowest */
	unsigned long lost;
	struct model_log_line lines[2];
	size_t len;
} sink;

int __wrap_poll(struct pollfd *fds, nfds_t len, int timeout_ms)
{
	if (!sink.capture)
		return __real_poll(fds, len, timeout_ms);
	ORACLE("LOG-7", timeout_ms == 0, "poll waits");
	fds->revents = (sink.refuse & 1) != 0 ? POLLERR : POLLOUT;
	return 1;
}

ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	bool fails = (sink.refuse & 2) != 0;
	struct model_log_line *line = &sink.lines[sink.len];

	if (!sink.capture)
		return __real_write(fd, buf, len);
	ORACLE("LOG-7", (sink.refuse & 1) == 0, "a write that can block");
	ORACLE("LOG-6", fd == STDERR_FILENO && len <= LOG_LINE_MAX,
		"%zu bytes in one line", len);
	if (fails) {
		errno = EAGAIN;
		return -1;
	}
	ORACLE("LOG-1", sink.len < 2 && model_log_read(line, buf, len),
		"not a line of JSON: %.*s", (int)len, (const char *)buf);
	ORACLE("LOG-1", line->len >= 3 && model_log_is_header(line),
		"it does not begin with ts, level and event");
	sink.len++;
	return (ssize_t)len;
}

/* A value: some bytes, again and again up to a length. */
static void draw_value(struct bytes *bytes, char *value)
{
	size_t len = bytes_u8(bytes);
	size_t pattern_len = bytes_below(bytes, 32) + 1;
	const uint8_t *pattern = bytes->ptr;

	/* Few are long, as these take their time. */
	if (len < 0xf0)
		len %= 48;
	else if (len >= 0xfc)
		len = (len - 0xfb) * (VALUE_MAX / 4);
	if (pattern_len > bytes->len)
		pattern_len = bytes->len;
	if (pattern_len == 0)
		len = 0;
	for (size_t i = 0; i < len; i++)
		value[i] = (char)pattern[i % pattern_len];
	value[len] = '\0';
	bytes->ptr += pattern_len;
	bytes->len -= pattern_len;
}

static void draw_field(struct bytes *bytes, struct log_line *line,
	struct model_log_line *model)
{
	static const char *const keys[] = {
		"app", "client", "serial", "peer", "reason", "detail", "cause"};
	struct model_log_field *field = &model->fields[model->len++];
	unsigned kind = bytes_below(bytes, 6);

	field->key = keys[bytes_below(bytes, sizeof(keys) / sizeof(*keys))];
	field->kind = MODEL_LOG_STRING;
	if (kind == 0) {
		field->kind = MODEL_LOG_UINT;
		field->number = bytes_time(bytes);
		log_uint(line, field->key, field->number);
	} else if (kind == 1) {
		field->kind = MODEL_LOG_BOOL;
		field->number = bytes_bool(bytes);
		log_bool(line, field->key, field->number != 0);
	} else if (kind == 2) {
		log_string(line, field->key, NULL);
		model->len--;
	} else {
		draw_value(bytes, field->text);
		log_string(line, field->key, field->text);
		field->text_len = strlen(field->text);
	}
}

/* The line in the log has what was put in, but for what did not fit. */
static void check_line(
	const struct model_log_line *got, const struct model_log_line *want)
{
	size_t at = 3;
	size_t len = got->fields[at - 1].end;

	for (size_t i = 0; i < want->len; i++) {
		const struct model_log_field *field = &want->fields[i];
		size_t need = model_log_len(field);

		/* 32 bytes are left for the end of the line. */
		if (len + need > LOG_LINE_MAX - 32)
			continue;
		ORACLE("LOG-6",
			at < got->len &&
				model_log_is_same(&got->fields[at], field),
			"field %s is missing or another", field->key);
		len = got->fields[at++].end;
	}
	ORACLE("LOG-6", at == got->len, "%zu fields instead of %zu", got->len,
		at);
}

static void check_dropped(const struct model_log_line *line, unsigned long lost)
{
	const struct model_log_field *field = &line->fields[line->len - 1];

	ORACLE("LOG-7",
		strcmp(field->key, "dropped") == 0 && field->number == lost,
		"%s %llu instead of %lu", field->key,
		(unsigned long long)field->number, lost);
}

/* How the two attempts at most that one line makes should end. */
static void check_output(const struct model_log_line *want, unsigned refuse)
{
	bool told = sink.lost > 0 && refuse == 0;
	size_t lines = refuse == 0 ? 1 : 0;

	ORACLE("LOG-7", sink.len == lines + told, "%zu lines instead of %zu",
		sink.len, lines + told);
	if (told) {
		check_dropped(&sink.lines[0], sink.lost);
		sink.lost = 0;
	}
	if (lines > 0)
		check_line(&sink.lines[sink.len - 1], want);
	else
		sink.lost++;
}

static void log_line(struct bytes *bytes, enum lbp_log_level printed)
{
	static const char *const events[] = {"ready", "session", "reject",
		"upstream_up", "reload", "drain", "stopped", "error"};
	static struct model_log_line want;
	static struct log_line line;
	unsigned level = bytes_below(bytes, 4);
	const char *event = events[bytes_below(bytes, 8)];
	unsigned fields = bytes_below(bytes, FIELDS_MAX + 1);

	want.len = 0;
	sink.len = 0;
	log_begin(&line, (enum lbp_log_level)level, event);
	while (fields-- > 0)
		draw_field(bytes, &line, &want);
	sink.refuse = bytes_u8(bytes) % 4;
	sink.capture = true;
	log_end(&line);
	sink.capture = false;
	ORACLE("LOG-5", level <= printed || sink.len == 0,
		"level %s is printed", levels[level]);
	if (level > printed)
		return;
	check_output(&want, sink.refuse);
	if (sink.len == 0)
		return;
	ORACLE("LOG-1",
		model_log_has(&sink.lines[sink.len - 1], 1, levels[level]) &&
			model_log_has(&sink.lines[sink.len - 1], 2, event),
		"another level or event");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t flush[4] = {LBP_LOG_ERROR, 0, 0, 0};
	struct bytes bytes = {data, len};
	struct bytes last = {flush, sizeof(flush)};
	enum lbp_log_level printed;

	printed = (enum lbp_log_level)bytes_below(&bytes, 4);
	log_set_level(printed);
	for (int i = 0; i < LINES_MAX && bytes.len > 0; i++)
		log_line(&bytes, printed);
	/* A line that is written leaves no count for the next input. */
	if (sink.lost > 0)
		log_line(&last, printed);
	return 0;
}
