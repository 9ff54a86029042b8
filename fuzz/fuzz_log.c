/*
 * Log lines with hostile values, and standard error of any kind that takes
 * them, a part of them or nothing.
 *
 * Input: a byte for the level that is printed and what standard error is; then
 * lines, each of a level, an event, how many fields, the fields (draw_field),
 * what becomes of the attempts to write it, two bits each, and a byte of bits
 * for what else standard error does (draw_sink).
 */
#include <stdlib.h>
#include <string.h>

#include "../cmd/lbproxyd/log.h"
#include "bytes.h"
#include "oracle.h"
#include "sockets/log_sink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define LINES_MAX  8
#define FIELDS_MAX 6
#define VALUE_MAX  5000
#define ITEM_MAX   400

/* What fields have, and items of an array, at most. */
#define FIELDS_END (LOG_LINE_MAX - 32)
#define ITEMS_END  (FIELDS_END - 64)

static const char *const levels[] = {"error", "warn", "info", "debug"};

static unsigned long lost; /* lines, since a line told of it */

/* A value: some bytes, again and again up to a length. */
static size_t draw_value(struct bytes *bytes, char *value, size_t max)
{
	size_t len = bytes_u8(bytes);
	size_t pattern_len = bytes_below(bytes, 32) + 1;
	const uint8_t *pattern = bytes->ptr;

	/* Few are long, as these take their time. */
	if (len < 0xf0)
		len %= 48;
	else if (len >= 0xfc)
		len = (len - 0xfb) * (max / 4);
	if (pattern_len > bytes->len)
		pattern_len = bytes->len;
	if (pattern_len == 0)
		len = 0;
	for (size_t i = 0; i < len; i++)
		value[i] = (char)pattern[i % pattern_len];
	value[len] = '\0';
	bytes->ptr += pattern_len;
	bytes->len -= pattern_len;
	return strlen(value);
}

static void draw_array(struct bytes *bytes, struct log_line *line,
	struct model_log_field *array)
{
	unsigned items = bytes_u8(bytes);
	char item[ITEM_MAX + 1];
	size_t len = 0;

	array->key = "listen";
	array->kind = MODEL_LOG_ARRAY;
	array->text_len = 0;
	log_array(line, array->key);
	for (; items > 0; items--) {
		/* Another one now and then. */
		if (array->text_len == 0 || items % 64 == 0)
			len = draw_value(bytes, item, ITEM_MAX) + 1;
		if (array->text_len + len > MODEL_LOG_TEXT_MAX)
			break;
		memcpy(array->text + array->text_len, item, len);
		array->text_len += len;
		log_item(line, item);
	}
	log_array_end(line, "listen_omitted");
}

static void draw_field(struct bytes *bytes, struct log_line *line,
	struct model_log_line *model)
{
	static const char *const keys[] = {
		"app", "client", "serial", "peer", "reason", "detail", "cause"};
	struct model_log_field *field = &model->fields[model->len++];
	unsigned kind = bytes_below(bytes, 7);

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
	} else if (kind == 6) {
		draw_array(bytes, line, field);
	} else {
		field->text_len = draw_value(bytes, field->text, VALUE_MAX);
		log_string(line, field->key, field->text);
	}
}

/* What standard error does when this line is written to it. */
static void draw_sink(struct bytes *bytes, struct log_line *line)
{
	unsigned bits;

	log_sink.outcomes = bytes_u8(bytes);
	bits = bytes_u8(bytes);
	line->yields = bits & 1;
	log_sink.is_full = (bits & 2) != 0;
	log_sink.is_shared = (bits & 4) != 0;
	log_sink.interrupts = (bits & 8) != 0;
	log_sink.cut = bits >> 4;
	log_sink.refused = false;
	log_sink.len = 0;
}

static void check_number(const struct model_log_line *line, size_t at,
	const char *key, uint64_t number)
{
	const struct model_log_field *field = &line->fields[at];

	ORACLE("LOG-10",
		at < line->len && field->kind == MODEL_LOG_UINT &&
			strcmp(field->key, key) == 0 && field->number == number,
		"%s is not %llu", key, (unsigned long long)number);
}

/* The line has what was put in, and says what did not fit. */
static void check_line(
	const struct model_log_line *got, struct model_log_line *want)
{
	size_t at = 3;
	size_t len = got->fields[at - 1].end;
	size_t fields_omitted = 0;

	for (size_t i = 0; i < want->len; i++) {
		struct model_log_field *field = &want->fields[i];
		bool is_array = field->kind == MODEL_LOG_ARRAY;
		size_t max = is_array ? ITEMS_END : FIELDS_END;
		size_t omitted = 0;

		if (len + model_log_len(field) > max) {
			fields_omitted++;
			continue;
		}
		if (is_array)
			omitted = model_log_cut(field, len, ITEMS_END);
		ORACLE("LOG-6",
			at < got->len &&
				model_log_is_same(&got->fields[at], field),
			"field %s is missing or another", field->key);
		if (omitted > 0)
			check_number(got, ++at, "listen_omitted", omitted);
		len = got->fields[at++].end;
	}
	if (fields_omitted > 0)
		check_number(got, at++, "fields_omitted", fields_omitted);
	ORACLE("LOG-6", at == got->len, "%zu fields instead of %zu", got->len,
		at);
}

/* Does this line say how many were lost? */
static bool tells_of_lost(const struct model_log_line *line)
{
	const struct model_log_field *field = &line->fields[line->len - 1];

	if (strcmp(field->key, "dropped") != 0)
		return false;
	ORACLE("LOG-7", field->number == lost, "%llu lines instead of %lu",
		(unsigned long long)field->number, lost);
	lost = 0;
	return true;
}

/* What has arrived of the line, or of the count of those before it. */
static void check_output(struct model_log_line *want, bool yields)
{
	bool was_lost = lost > 0;
	bool told = log_sink.len > 0 && tells_of_lost(&log_sink.lines[0]);
	bool is_there = log_sink.len > told;
	bool can_be_full = log_sink.kind >= LOG_SINK_SOCKET;
	bool has_room = !yields || !can_be_full || !log_sink.is_full;

	ORACLE("LOG-7", log_sink.refused || told == (was_lost && has_room),
		"lost lines are not told, or without need");
	ORACLE("LOG-7", log_sink.refused || is_there == has_room,
		"a line is lost without need");
	ORACLE("LOG-15",
		!log_sink_is_torn() || log_sink.len == 0 ||
			!log_sink_can_take_back(),
		"a part of a line was not taken back");
	ORACLE("LOG-12", has_room || (!is_there && !told),
		"a line takes the room of others");
	ORACLE("LOG-9", !log_sink_is_torn() || log_sink.refused || !has_room,
		"a line stays torn without need");
	if (is_there)
		check_line(&log_sink.lines[told], want);
	else
		lost++;
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
	log_begin(&line, (enum lbp_log_level)level, event);
	while (fields-- > 0)
		draw_field(bytes, &line, &want);
	draw_sink(bytes, &line);
	log_sink.capture = true;
	log_end(&line);
	log_sink.capture = false;
	ORACLE("LOG-5", level <= printed || log_sink.len == 0,
		"level %s is printed", levels[level]);
	if (level > printed)
		return;
	check_output(&want, line.yields);
	if (lost > 0)
		return;
	ORACLE("LOG-1",
		model_log_has(
			&log_sink.lines[log_sink.len - 1], 1, levels[level]) &&
			model_log_has(
				&log_sink.lines[log_sink.len - 1], 2, event),
		"another level or event");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t flush[5] = {LBP_LOG_ERROR, 0, 0, 0, 0};
	struct bytes bytes = {data, len};
	struct bytes last = {flush, sizeof(flush)};
	enum lbp_log_level printed;
	unsigned first = bytes_u8(&bytes);

	printed = (enum lbp_log_level)(first % 4);
	log_set_level(printed);
	log_sink_open((enum log_sink_kind)(first / 4 % LOG_SINK_KINDS));
	for (int i = 0; i < LINES_MAX && bytes.len > 0; i++)
		log_line(&bytes, printed);
	/* A line that is written leaves nothing for the next input. */
	log_line(&last, printed);
	ORACLE("LOG-9", !log_sink_is_torn(), "a line has no end");
	return 0;
}
