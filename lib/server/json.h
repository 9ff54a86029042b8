/*
 * A JSON writer over the caller's storage.
 *
 * It adds the commas; the caller must pair begin and end calls and write a key
 * before each member of an object. Overflow is sticky: after the first call
 * whose text does not fit, nothing more is written, so it is enough to check
 * overflow at the end. Source: RFC 8259, SPEC.md [JSN-*].
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
	bool overflow; /* something did not fit: the text is incomplete */
	bool comma;    /* private: the next value or key needs a comma */
};

/* Starts an empty text in cap bytes at buf, which must outlive json. */
void lbp_json_init(struct lbp_json *json, char *buf, size_t cap);

/* Appends len bytes as they are, without a comma. */
void lbp_json_raw(struct lbp_json *json, const char *text, size_t len);

void lbp_json_begin_object(struct lbp_json *json);
void lbp_json_end_object(struct lbp_json *json);
void lbp_json_begin_array(struct lbp_json *json);
void lbp_json_end_array(struct lbp_json *json);

/* Appends the key of the next value, escaped as a string is. */
void lbp_json_key(struct lbp_json *json, const char *key, size_t len);

/*
 * Appends len bytes of any content as one string (text may be NULL if len is
 * 0). The result is always one line of valid UTF-8: what is not UTF-8 becomes
 * U+FFFD, and quotes, backslashes, control characters, U+2028 and U+2029 are
 * escaped.
 */
void lbp_json_string(struct lbp_json *json, const char *text, size_t len);

void lbp_json_uint(struct lbp_json *json, uint64_t value);
void lbp_json_bool(struct lbp_json *json, bool value);

#endif
