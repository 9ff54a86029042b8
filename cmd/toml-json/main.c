/*
 * toml-json: converts TOML 1.0 on standard input to the tagged JSON of the
 * toml-test decoder protocol on standard output. For invalid input it prints
 * LINE:COLUMN: error: MESSAGE on standard error, and exits with 1.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/json.h"
#include "server/toml.h"

/* Reads up to the end of the file; NULL: it failed, and said so. */
static char *read_all(FILE *file, size_t *len)
{
	size_t cap = 32768;
	char *text = NULL;

	*len = 0;
	do {
		char *larger = realloc(text, cap *= 2);

		if (!larger)
			free(text);
		text = larger;
		if (text)
			*len += fread(text + *len, 1, cap - *len, file);
	} while (text && *len == cap);
	if (!text || ferror(file)) {
		(void)fprintf(stderr, "toml-json: cannot read the input\n");
		free(text);
		return NULL;
	}
	return text;
}

static void write_name(struct lbp_json *json, const char *name)
{
	lbp_json_key(json, name, strlen(name));
}

static void write_tagged(
	struct lbp_json *json, const char *type, const char *text, size_t len)
{
	lbp_json_begin_object(json);
	write_name(json, "type");
	lbp_json_string(json, type, strlen(type));
	write_name(json, "value");
	lbp_json_string(json, text, len);
	lbp_json_end_object(json);
}

/* Arrays and tables have none: they are plain JSON. */
static const char *const tags[] = {
	[LBP_TOML_STRING] = "string",
	[LBP_TOML_INTEGER] = "integer",
	[LBP_TOML_FLOAT] = "float",
	[LBP_TOML_BOOLEAN] = "bool",
	[LBP_TOML_OFFSET_DATETIME] = "datetime",
	[LBP_TOML_LOCAL_DATETIME] = "datetime-local",
	[LBP_TOML_LOCAL_DATE] = "date-local",
	[LBP_TOML_LOCAL_TIME] = "time-local",
};

/* A scalar's text; the longest, a date-time, takes 36 bytes. */
struct scalar {
	char text[64];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void append(
	struct scalar *scalar, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	scalar->len += (size_t)vsnprintf(scalar->text + scalar->len,
		sizeof(scalar->text) - scalar->len, format, args);
	va_end(args);
}

static void append_time(
	struct scalar *scalar, const struct lbp_toml_datetime *time)
{
	append(scalar, "%02u:%02u:%02u", time->hour, time->minute,
		time->second);
	if (time->nanosecond == 0)
		return;
	append(scalar, ".%09" PRIu32, time->nanosecond);
	while (scalar->text[scalar->len - 1] == '0')
		scalar->text[--scalar->len] = '\0';
}

static void append_offset(struct scalar *scalar, int offset_min)
{
	int minutes = abs(offset_min);

	if (offset_min == 0)
		append(scalar, "Z");
	else
		append(scalar, "%c%02d:%02d", offset_min < 0 ? '-' : '+',
			minutes / 60, minutes % 60);
}

static void append_datetime(
	struct scalar *scalar, const struct lbp_toml_value *value)
{
	const struct lbp_toml_datetime *datetime = &value->as.datetime;

	if (value->type != LBP_TOML_LOCAL_TIME)
		append(scalar, "%04u-%02u-%02u", datetime->year,
			datetime->month, datetime->day);
	if (value->type == LBP_TOML_LOCAL_DATE)
		return;
	if (value->type != LBP_TOML_LOCAL_TIME)
		append(scalar, "T");
	append_time(scalar, datetime);
	if (value->type == LBP_TOML_OFFSET_DATETIME)
		append_offset(scalar, datetime->offset_min);
}

static void append_float(struct scalar *scalar, double real)
{
	if (isnan(real))
		append(scalar, "nan");
	else
		append(scalar, "%.17g", real);
}

static void write_scalar(
	struct lbp_json *json, const struct lbp_toml_value *value)
{
	struct scalar scalar = {.len = 0};

	if (value->type == LBP_TOML_STRING) {
		write_tagged(json, tags[value->type], value->as.string.ptr,
			value->as.string.len);
		return;
	}
	if (value->type == LBP_TOML_INTEGER)
		append(&scalar, "%" PRId64, value->as.integer);
	else if (value->type == LBP_TOML_FLOAT)
		append_float(&scalar, value->as.real);
	else if (value->type == LBP_TOML_BOOLEAN)
		append(&scalar, "%s", value->as.boolean ? "true" : "false");
	else
		append_datetime(&scalar, value);
	write_tagged(json, tags[value->type], scalar.text, scalar.len);
}

static void write_table(
	struct lbp_json *json, const struct lbp_toml_table *table);

static void write_value(
	struct lbp_json *json, const struct lbp_toml_value *value)
{
	if (value->type == LBP_TOML_TABLE) {
		write_table(json, value->as.table);
	} else if (value->type == LBP_TOML_ARRAY) {
		lbp_json_begin_array(json);
		for (size_t i = 0; i < value->as.array->len; i++)
			write_value(json, &value->as.array->items[i]);
		lbp_json_end_array(json);
	} else {
		write_scalar(json, value);
	}
}

static void write_table(
	struct lbp_json *json, const struct lbp_toml_table *table)
{
	lbp_json_begin_object(json);
	for (size_t i = 0; i < table->len; i++) {
		const struct lbp_toml_entry *entry = &table->entries[i];

		lbp_json_key(json, entry->key.ptr, entry->key.len);
		write_value(json, &entry->value);
	}
	lbp_json_end_object(json);
}

/* Doubles the buffer until the whole document fits. */
static int print(const struct lbp_toml *doc)
{
	struct lbp_json json = {.overflow = true};
	char *buf = NULL;
	bool ok;

	for (size_t cap = 65536; json.overflow; cap *= 2) {
		char *larger = realloc(buf, cap);

		if (!larger) {
			(void)fprintf(stderr, "toml-json: out of memory\n");
			free(buf);
			return 1;
		}
		buf = larger;
		lbp_json_init(&json, buf, cap);
		write_table(&json, lbp_toml_root(doc));
		lbp_json_raw(&json, "\n", 1);
	}
	ok = fwrite(buf, 1, json.len, stdout) == json.len &&
	     fflush(stdout) == 0;
	free(buf);
	if (!ok)
		(void)fprintf(stderr, "toml-json: cannot write the output\n");
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct lbp_toml_error error;
	struct lbp_toml *doc;
	size_t len;
	char *text;
	int status = 1;

	if (argc > 1) {
		(void)fprintf(
			stderr, "usage: %s <FILE.toml >FILE.json\n", argv[0]);
		return 2;
	}
	text = read_all(stdin, &len);
	if (!text)
		return 1;
	if (lbp_toml_parse(text, len, &doc, &error)) {
		(void)fprintf(stderr, "%u:%u: error: %s\n", error.pos.line,
			error.pos.column, error.message);
	} else {
		status = print(doc);
		lbp_toml_free(doc);
	}
	free(text);
	return status;
}
