/* Printing for people: what comes from elsewhere cannot steer a terminal. */
#ifndef PRINT_H
#define PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Prints a text without the end of its line; what cannot be seen becomes '?'.
 */
void print_text(FILE *out, const char *text);

/* Members of an object; "", 0 or false if it has none such. */
const char *text_of(const json_t *object, const char *key);
uint64_t uint_of(const json_t *object, const char *key);
bool bool_of(const json_t *object, const char *key);

#define TABLE_COLUMNS 9

/*
 * A table of at most TABLE_COLUMNS columns, each as wide as it has to be. The
 * first row is its head, and no row lacks a cell. Numbers stand to the right.
 */
struct table {
	size_t columns;
	size_t rows;
	size_t cap;
	char **cells; /* owned */
};

/* Begins a table with these heads, as many as there are before the NULL. */
void table_begin(struct table *table, const char *const *heads);

/* Adds the next cell of the last row, or the first one of the next. */
__attribute__((format(printf, 2, 3))) void table_add(
	struct table *table, const char *format, ...);

/* Prints it, with this before each line, and releases it. */
void table_end(struct table *table, const char *indent);

/* "3 min", "12 s", "4 d": the largest unit of which there are two. */
#define SPAN_MAX 32
const char *span_text(uint64_t seconds, char buf[SPAN_MAX]);

/* "1.5 MiB". */
const char *bytes_text(uint64_t bytes, char buf[SPAN_MAX]);

#endif
