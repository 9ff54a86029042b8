#include "model/model_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const char *ptr;
	size_t len;
	size_t at;
};

static bool take_char(struct reader *reader, char c)
{
	if (reader->at == reader->len || reader->ptr[reader->at] != c)
		return false;
	reader->at++;
	return true;
}

static bool take(struct reader *reader, const char *text)
{
	size_t len = strlen(text);

	if (reader->len - reader->at < len ||
		memcmp(reader->ptr + reader->at, text, len) != 0)
		return false;
	reader->at += len;
	return true;
}

/*
 * The length of the UTF-8 character at text, from the table 3-7 of Unicode;
 * or 0, with *bad the length of what to replace.
 */
static size_t utf8_len(const char *text, size_t len, size_t *bad)
{
	static const struct {
		uint8_t first, last;     /* of the first byte */
		uint8_t second, second2; /* of the second */
		uint8_t len;
	} rows[] = {{0x00, 0x7f, 0, 0, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4}};
	uint8_t byte = (uint8_t)text[0];
	size_t i, n;

	*bad = 1;
	if (byte <= rows[0].last)
		return 1;
	for (i = 1; i < sizeof(rows) / sizeof(*rows); i++) {
		if (byte >= rows[i].first && byte <= rows[i].last)
			break;
	}
	if (i == sizeof(rows) / sizeof(*rows))
		return 0;
	for (n = 1; n < rows[i].len; n++) {
		uint8_t low = n == 1 ? rows[i].second : 0x80;
		uint8_t high = n == 1 ? rows[i].second2 : 0xbf;

		if (n == len || (uint8_t)text[n] < low ||
			(uint8_t)text[n] > high) {
			*bad = n;
			return 0;
		}
	}
	return n;
}

/* A control or separator, which some viewers take as the end of a line. */
static bool is_line_end(const char *text, size_t len)
{
	uint8_t first = (uint8_t)text[0];
	uint8_t second = len > 1 ? (uint8_t)text[1] : 0;

	if (len == 1)
		return first < 0x20 || first == 0x7f;
	if (len == 2)
		return first == 0xc2 && second < 0xa0;
	return len == 3 && (memcmp(text, "\xe2\x80\xa8", 3) == 0 ||
				   memcmp(text, "\xe2\x80\xa9", 3) == 0);
}

static bool put_code(struct model_log_field *field, unsigned code)
{
	char *out = field->text + field->text_len;

	if (code == 0 || code > 0xffff)
		return false;
	if (code < 0x80) {
		out[0] = (char)code;
		field->text_len += 1;
	} else if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		field->text_len += 2;
	} else {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		field->text_len += 3;
	}
	return true;
}

/* What stands after a backslash. */
static bool read_escape(struct reader *reader, struct model_log_field *field)
{
	char digits[5] = "";
	char *end;

	if (take_char(reader, '"'))
		return put_code(field, '"');
	if (take_char(reader, '\\'))
		return put_code(field, '\\');
	if (!take_char(reader, 'u') || reader->len - reader->at < 4)
		return false;
	memcpy(digits, reader->ptr + reader->at, 4);
	if (strspn(digits, "0123456789abcdef") != 4)
		return false;
	reader->at += 4;
	return put_code(field, (unsigned)strtoul(digits, &end, 16));
}

/* The rest of a string whose quotation mark was taken. */
static bool read_string(struct reader *reader, struct model_log_field *field)
{
	field->text_len = 0;
	while (!take_char(reader, '"')) {
		const char *text = reader->ptr + reader->at;
		size_t left = reader->len - reader->at;
		size_t bad;
		size_t n;

		if (left == 0 || field->text_len + 4 > MODEL_LOG_TEXT_MAX)
			return false;
		if (take_char(reader, '\\')) {
			if (!read_escape(reader, field))
				return false;
			continue;
		}
		n = utf8_len(text, left, &bad);
		if (n == 0 || is_line_end(text, n))
			return false;
		memcpy(field->text + field->text_len, text, n);
		field->text_len += n;
		reader->at += n;
	}
	return true;
}

/* The rest of an array whose bracket was taken. */
static bool read_array(struct reader *reader, struct model_log_field *array)
{
	static struct model_log_field item;

	array->text_len = 0;
	if (take_char(reader, ']'))
		return true;
	do {
		if (!take_char(reader, '"') || !read_string(reader, &item) ||
			array->text_len + item.text_len >= MODEL_LOG_TEXT_MAX)
			return false;
		memcpy(array->text + array->text_len, item.text, item.text_len);
		array->text_len += item.text_len;
		array->text[array->text_len++] = '\0';
	} while (take_char(reader, ','));
	return take_char(reader, ']');
}

static bool read_number(struct reader *reader, struct model_log_field *field)
{
	char digits[24] = "";
	size_t n = 0;

	while (reader->at < reader->len && n + 1 < sizeof(digits) &&
		strchr("0123456789", reader->ptr[reader->at]) != NULL &&
		reader->ptr[reader->at] != '\0')
		digits[n++] = reader->ptr[reader->at++];
	field->number = strtoull(digits, NULL, 10);
	return n > 0 && (n == 1 || digits[0] != '0');
}

static bool read_value(struct reader *reader, struct model_log_field *field)
{
	field->kind = MODEL_LOG_STRING;
	if (take_char(reader, '"'))
		return read_string(reader, field);
	field->kind = MODEL_LOG_ARRAY;
	if (take_char(reader, '['))
		return read_array(reader, field);
	field->kind = MODEL_LOG_BOOL;
	field->number = 1;
	if (take(reader, "true"))
		return true;
	field->number = 0;
	if (take(reader, "false"))
		return true;
	field->kind = MODEL_LOG_UINT;
	return read_number(reader, field);
}

static bool read_field(struct reader *reader, struct model_log_field *field)
{
	if (!take_char(reader, '"') || !read_string(reader, field) ||
		field->text_len >= sizeof(field->key_text) ||
		!take_char(reader, ':'))
		return false;
	memcpy(field->key_text, field->text, field->text_len);
	field->key_text[field->text_len] = '\0';
	field->key = field->key_text;
	if (!read_value(reader, field))
		return false;
	field->end = reader->at;
	return true;
}

bool model_log_read(struct model_log_line *line, const char *text, size_t len)
{
	struct reader reader = {text, len, 0};

	line->len = 0;
	if (!take_char(&reader, '{'))
		return false;
	do {
		if (line->len == MODEL_LOG_FIELDS_MAX ||
			!read_field(&reader, &line->fields[line->len++]))
			return false;
	} while (take_char(&reader, ','));
	return take(&reader, "}\n") && reader.at == len;
}

static bool is_key(const struct model_log_line *line, size_t i, const char *key)
{
	return i < line->len && strcmp(line->fields[i].key, key) == 0 &&
	       line->fields[i].kind == MODEL_LOG_STRING;
}

bool model_log_is_header(const struct model_log_line *line)
{
	static const char shape[] = "0000-00-00T00:00:00.000Z";
	const struct model_log_field *ts = &line->fields[0];

	if (!is_key(line, 0, "ts") || !is_key(line, 1, "level") ||
		!is_key(line, 2, "event") || ts->text_len != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < ts->text_len; i++) {
		bool is_digit = ts->text[i] >= '0' && ts->text[i] <= '9';

		if (shape[i] == '0' ? !is_digit : ts->text[i] != shape[i])
			return false;
	}
	return true;
}

bool model_log_has(
	const struct model_log_line *line, size_t i, const char *value)
{
	const struct model_log_field *field = &line->fields[i];

	return i < line->len && field->kind == MODEL_LOG_STRING &&
	       field->text_len == strlen(value) &&
	       memcmp(field->text, value, field->text_len) == 0;
}

bool model_log_is_same(const struct model_log_field *read,
	const struct model_log_field *logged)
{
	size_t at = 0;
	size_t i = 0;

	if (strcmp(read->key, logged->key) != 0 || read->kind != logged->kind)
		return false;
	if (read->kind == MODEL_LOG_UINT || read->kind == MODEL_LOG_BOOL)
		return read->number == logged->number;
	while (i < logged->text_len) {
		const char *text = logged->text + i;
		size_t bad;
		size_t n = utf8_len(text, logged->text_len - i, &bad);
		size_t want = n == 0 ? 3 : n;

		if (read->text_len - at < want ||
			memcmp(read->text + at, n == 0 ? "\xef\xbf\xbd" : text,
				want) != 0)
			return false;
		at += want;
		i += n == 0 ? bad : n;
	}
	return at == read->text_len;
}

static size_t string_len(const char *ptr, size_t ptr_len)
{
	size_t len = 2;
	size_t i = 0;

	while (i < ptr_len) {
		const char *text = ptr + i;
		size_t bad;
		size_t n = utf8_len(text, ptr_len - i, &bad);

		if (n == 0)
			len += 3;
		else if (is_line_end(text, n))
			len += 6;
		else if (*text == '"' || *text == '\\')
			len += 2;
		else
			len += n;
		i += n == 0 ? bad : n;
	}
	return len;
}

size_t model_log_len(const struct model_log_field *logged)
{
	size_t len = strlen(",\"\":") + strlen(logged->key);
	char digits[24];

	switch (logged->kind) {
	case MODEL_LOG_STRING:
		return len + string_len(logged->text, logged->text_len);
	case MODEL_LOG_ARRAY:
		return len + strlen("[");
	case MODEL_LOG_BOOL:
		return len + strlen(logged->number != 0 ? "true" : "false");
	case MODEL_LOG_UINT:
		break;
	}
	return len + (size_t)snprintf(digits, sizeof(digits), "%" PRIu64,
			     logged->number);
}

size_t model_log_cut(struct model_log_field *array, size_t len, size_t max)
{
	size_t at = 0;
	size_t items = 0;
	size_t omitted = 0;
	size_t end = array->text_len;

	for (len += model_log_len(array); at < end; items++) {
		size_t n = strlen(array->text + at);

		len += string_len(array->text + at, n) + (items > 0);
		if (len > max && omitted == 0)
			array->text_len = at;
		omitted += len > max;
		at += n + 1;
	}
	return omitted;
}
