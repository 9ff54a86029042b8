/*
 * Reading a line of the log: one JSON object, of which single members are
 * asked for. Source: RFC 8259, SPEC.md [JSN-20] to [JSN-22].
 */
#ifndef LBP_JSON_READ_H
#define LBP_JSON_READ_H

#include <stddef.h>

#include "err.h"

/*
 * Finds the first member of an object with this key and copies its string, in
 * UTF-8 with a NUL, to the cap bytes at out; a string of length 0 also if there
 * is no such member, or if it is no string. LBP_ERR_SYNTAX: the text is not one
 * object. LBP_ERR_RANGE: the string does not fit, has a NUL, or is not UTF-8.
 * On error out holds a string of length 0.
 */
LBP_MUST_CHECK enum lbp_err lbp_json_find(
	const char *text, size_t len, const char *key, char *out, size_t cap);

#endif
