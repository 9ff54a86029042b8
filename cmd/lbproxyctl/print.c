#include "print.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* A cell that is longer is cut. */
#define CELL_MAX 512

/* A control character of ASCII, or of Latin-1 in UTF-8. */
static bool is_control(const unsigned char *at)
{
	return *at < 0x20 || *at == 0x7f ||
	       (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0);
}

void print_text(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	for (; *at != '\0'; at++) {
		if (*at == '\n' && at[1] == '\0')
			return;
		if (is_control(at)) {
			fputc('?', out);
			at += *at == 0xc2;
		} else {
			fputc(*at, out);
		}
	}
}

const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "" : text;
}

uint64_t uint_of(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

bool bool_of(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

/* --- tables --- */

static void add_cell(struct table *table, const char *text)
{
	if (table->rows == table->cap) {
		table->cap = table->cap * 2 + 64;
		table->cells = need(
			realloc(table->cells, table->cap * sizeof(char *)));
	}
	table->cells[table->rows++] = need(strdup(text));
}

void table_begin(struct table *table, const char *const *heads)
{
	*table = (struct table){0};
	for (; heads[table->columns] != NULL; table->columns++)
		add_cell(table, heads[table->columns]);
}

void table_add(struct table *table, const char *format, ...)
{
	char text[CELL_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	add_cell(table, text);
}

/* Columns of a terminal: bytes that go on with a character take none. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static bool is_number(const char *text)
{
	return text[0] >= '0' && text[0] <= '9';
}

static void find_widths(const struct table *table, int *widths)
{
	size_t i;

	for (i = 0; i < table->rows; i++) {
		int width = width_of(table->cells[i]);

		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
}

static void print_cell(const char *text, int width, bool ends)
{
	int pad = width - width_of(text);

	if (is_number(text))
		printf("%*s", pad, "");
	print_text(stdout, text);
	if (ends)
		putchar('\n');
	else
		printf("%*s", is_number(text) ? 2 : pad + 2, "");
}

/* Is nothing to be seen after this cell? */
static bool is_last(const struct table *table, size_t cell)
{
	for (cell++; cell % table->columns != 0; cell++) {
		if (table->cells[cell][0] != '\0')
			return false;
	}
	return true;
}

static void print_row(const struct table *table, size_t cell, const int *widths)
{
	size_t column = 0;

	while (!is_last(table, cell + column)) {
		print_cell(table->cells[cell + column], widths[column], false);
		column++;
	}
	print_cell(table->cells[cell + column], widths[column], true);
}

void table_end(struct table *table, const char *indent)
{
	int widths[TABLE_COLUMNS] = {0};
	size_t i;

	find_widths(table, widths);
	for (i = 0; i < table->rows; i += table->columns) {
		fputs(indent, stdout);
		print_row(table, i, widths);
	}
	for (i = 0; i < table->rows; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table){0};
}

/* --- amounts --- */

const char *span_text(uint64_t seconds, char buf[SPAN_MAX])
{
	static const struct {
		const char *unit;
		uint64_t length;
	} units[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
	size_t i = 0;

	while (i < 3 && seconds < 2 * units[i].length)
		i++;
	snprintf(buf, SPAN_MAX, "%" PRIu64 " %s", seconds / units[i].length,
		units[i].unit);
	return buf;
}

const char *bytes_text(uint64_t bytes, char buf[SPAN_MAX])
{
	static const char *const units[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double n = (double)bytes;
	size_t i = 0;

	/* No number of 64 bits has more than the last unit can say. */
	for (; n >= 1024; i++)
		n /= 1024;
	snprintf(buf, SPAN_MAX, i > 0 && n < 100 ? "%.1f %s" : "%.0f %s", n,
		units[i]);
	return buf;
}
