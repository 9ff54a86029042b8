/*
 * A JSON writer over the caller's storage.
 *
 * It writes commas by itself; the caller nests begin and end calls properly
 * and gives each member of an object a key first. What does not fit is
 * dropped and remembered: after the first such call nothing more is written,
 * so one look at overflow at the end is enough.
 * Source: RFC 8259, SPEC.md [JSN-*].
 */
#ifndef LBP_JSON_H
#define LBP_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lbp_json {
	char *buf;     /* the caller's; holds len bytes, without a NUL */
	size_t cap;    /* bytes */
	size_t len;    /* bytes, at most cap */
	bool overflow; /* something did not fit: buf is not whole */
	bool comma;    /* private: the next value or key needs a comma */
};

/* Starts an empty text in cap bytes at buf, which outlive the writer. */
void lbp_json_init(struct lbp_json *json, char *buf, size_t cap);

/* Appends len bytes as they are, and no comma: the caller's own syntax. */
void lbp_json_raw(struct lbp_json *json, const char *text, size_t len);

void lbp_json_begin_object(struct lbp_json *json);
void lbp_json_end_object(struct lbp_json *json);
void lbp_json_begin_array(struct lbp_json *json);
void lbp_json_end_array(struct lbp_json *json);

/* Appends the key of the next value; escaped as a string is. */
void lbp_json_key(struct lbp_json *json, const char *key, size_t len);

/*
 * Appends len bytes of any content as one string (NULL allowed if len is 0).
 * The result is valid UTF-8 on one line, whatever the bytes are: what is not
 * UTF-8 becomes U+FFFD, and quotes, backslashes, control characters, U+2028
 * and U+2029 are escaped.
 */
void lbp_json_string(struct lbp_json *json, const char *text, size_t len);

void lbp_json_uint(struct lbp_json *json, uint64_t value);
void lbp_json_bool(struct lbp_json *json, bool value);

#endif
