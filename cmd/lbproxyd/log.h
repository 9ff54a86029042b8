/*
 * The log: one JSON object per line on standard error. [LOG-*].
 *
 * A line is begun, gets its fields, and is ended, which writes it in one piece.
 * Any thread may log.
 */
#ifndef LOG_H
#define LOG_H

#include "server/config.h"
#include "server/json.h"
#include "sink.h"

#define LOG_LINE_MAX SINK_LINE_MAX

struct log_line {
	struct lbp_json json;
	bool wanted;    /* lines of this level are printed */
	bool yields;    /* set it for a line that must leave room for others */
	bool is_copied; /* log_copy_to */
	bool in_array;
	unsigned fields_omitted;
	unsigned items_omitted; /* of the latest array */
	char buf[LOG_LINE_MAX];
};

/* To be called before the first line. */
void log_open(void);

/*
 * To be called before and after the last line: waits up to a second for a
 * partly written line to be completed.
 */
void log_flush(void);

/* Sets what is printed from now on; it is info at first. */
void log_set_level(enum lbp_log_level level);

/* Returns true if lines of this level are printed. */
bool log_is_wanted(enum lbp_log_level level);

/* Begins a line of this level and event. */
void log_begin(
	struct log_line *line, enum lbp_log_level level, const char *event);

/*
 * Adds a field; a NULL string adds none. A field that does not fit is omitted
 * and counted in `fields_omitted`. [LOG-10].
 */
void log_string(struct log_line *line, const char *key, const char *value);
void log_uint(struct log_line *line, const char *key, uint64_t value);
void log_bool(struct log_line *line, const char *key, bool value);

/*
 * Adds an array of strings: log_array, log_item for each, log_array_end. Items
 * that do not fit are omitted, and the field omitted_key says how many.
 */
void log_array(struct log_line *line, const char *key);
void log_item(struct log_line *line, const char *value);
void log_array_end(struct log_line *line, const char *omitted_key);

/*
 * Writes the line. If standard error does not take it at once, it is dropped
 * and counted; the next line that is written says how many were. [LOG-7].
 */
void log_end(struct log_line *line);

/* The same, but false if the line was dropped, which the caller counts. */
bool log_try_end(struct log_line *line);

/*
 * Lines of level error and warn, and a comma between them, in cap bytes at buf,
 * as far as they fit.
 */
struct log_copy {
	char *buf;
	size_t cap;
	size_t len;
	uint64_t omitted; /* lines that did not fit */
};

/* Has what this thread logs copied as well from now on; NULL: no more. */
void log_copy_to(struct log_copy *to);

/* Logs an `error` event: what could not be done, and why (may be NULL). */
void log_error(enum lbp_log_level level, const char *what, const char *why);

#endif
