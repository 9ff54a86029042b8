/* Reads log lines back, with a parser of its own for the little JSON of it. */
#ifndef LBP_FUZZ_MODEL_LOG_H
#define LBP_FUZZ_MODEL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_LOG_FIELDS_MAX 16
#define MODEL_LOG_TEXT_MAX   5120

enum model_log_kind {
	MODEL_LOG_STRING,
	MODEL_LOG_UINT,
	MODEL_LOG_BOOL,
	MODEL_LOG_ARRAY, /* of strings; the text has a NUL after each */
};

struct model_log_field {
	const char *key; /* what was logged; or key_text, if it was read */
	char key_text[32];
	enum model_log_kind kind;
	uint64_t number; /* UINT, BOOL */
	char text[MODEL_LOG_TEXT_MAX];
	size_t text_len;
	size_t end; /* of the line: bytes up to the end of this field */
};

struct model_log_line {
	struct model_log_field fields[MODEL_LOG_FIELDS_MAX];
	size_t len;
};

/* Reads one line, its line end included; false if it is not exactly one. */
bool model_log_read(struct model_log_line *line, const char *text, size_t len);

/* Does it begin with ts, level and event, the first a time with ms? */
bool model_log_is_header(const struct model_log_line *line);

/* Is field number i the string value? */
bool model_log_has(
	const struct model_log_line *line, size_t i, const char *value);

/* Is what was read what was logged, with U+FFFD for what is not UTF-8? */
bool model_log_is_same(const struct model_log_field *read,
	const struct model_log_field *logged);

/* How many bytes a field takes after another one. */
size_t model_log_len(const struct model_log_field *logged);

/*
 * Lets as many items of an array that is begun after len bytes stay as end
 * within max bytes, its last bracket not counted; how many do not.
 */
size_t model_log_cut(struct model_log_field *array, size_t len, size_t max);

#endif
