/*
 * The log: one JSON object a line on standard error. [LOG-*].
 *
 * A line is begun, gets its fields through its lbp_json, and is ended, which
 * writes it in one piece. Any thread may log.
 */
#ifndef LOG_H
#define LOG_H

#include "server/config.h"
#include "server/json.h"
#include "sink.h"

#define LOG_LINE_MAX SINK_LINE_MAX

struct log_line {
	struct lbp_json json;
	bool wanted; /* the level is one that is printed */
	bool yields; /* to be set for a line that may not take all room */
	bool in_array;
	unsigned fields_omitted;
	unsigned items_omitted; /* of the array that was begun last */
	char buf[LOG_LINE_MAX];
};

/* To be called before the first line. */
void log_open(void);

/*
 * To be called before the last line and after it: gives a line that was begun
 * a second to become whole.
 */
void log_flush(void);

/* Sets what is printed from now on; before the first line, info. */
void log_set_level(enum lbp_log_level level);

/* Is a line of this level printed? */
bool log_is_wanted(enum lbp_log_level level);

/* Begins a line of this level and event. */
void log_begin(
	struct log_line *line, enum lbp_log_level level, const char *event);

/*
 * Adds a field; NULL as a string adds none. One that does not fit is left out
 * as a whole and counted in `fields_omitted`. [LOG-10].
 */
void log_string(struct log_line *line, const char *key, const char *value);
void log_uint(struct log_line *line, const char *key, uint64_t value);
void log_bool(struct log_line *line, const char *key, bool value);

/*
 * Adds an array of strings: log_array, log_item for each, log_array_end. Items
 * that do not fit are left out, and a field omitted_key says how many.
 */
void log_array(struct log_line *line, const char *key);
void log_item(struct log_line *line, const char *value);
void log_array_end(struct log_line *line, const char *omitted_key);

/*
 * Writes the line. It is dropped and counted if standard error does not take
 * it at once; the next line that goes out says how many were. [LOG-7].
 */
void log_end(struct log_line *line);

/* The same, but that it is not counted; false: it is the caller's to do so. */
bool log_try_end(struct log_line *line);

/*
 * One `error` event: what could not be done, and why (NULL for no more than
 * that).
 */
void log_error(enum lbp_log_level level, const char *what, const char *why);

#endif
