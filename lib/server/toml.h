/*
 * TOML 1.0 text to a tree, every node with its place in the text.
 *
 * The tree is one object: lbp_toml_parse makes it, lbp_toml_free frees it, and
 * every pointer reached through it is valid until then.
 * Source: TOML v1.0.0, SPEC.md [TOM-*].
 */
#ifndef LBP_TOML_H
#define LBP_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/*
 * Most levels of tables and arrays below the root, however they are written,
 * so that a walk over the tree may recurse.
 */
#define LBP_TOML_DEPTH_MAX 128
/* Room for a parse error's message, the final NUL included. */
#define LBP_TOML_MESSAGE_MAX 160

enum lbp_toml_type {
	LBP_TOML_STRING,
	LBP_TOML_INTEGER,
	LBP_TOML_FLOAT,
	LBP_TOML_BOOLEAN,
	LBP_TOML_OFFSET_DATETIME,
	LBP_TOML_LOCAL_DATETIME,
	LBP_TOML_LOCAL_DATE,
	LBP_TOML_LOCAL_TIME,
	LBP_TOML_ARRAY,
	LBP_TOML_TABLE,
};

/*
 * A place in the text, counted from 1; columns are Unicode characters. A byte
 * order mark has no column.
 */
struct lbp_toml_pos {
	uint32_t line;
	uint32_t column;
};

/* UTF-8: len bytes, which may include NULs, and a final NUL. */
struct lbp_toml_string {
	const char *ptr;
	size_t len;
};

/* Fields that the type does not have are zero. */
struct lbp_toml_datetime {
	uint16_t year;
	uint8_t month;
	uint8_t day;
	uint8_t hour;
	uint8_t minute;
	uint8_t second; /* 60 is a leap second */
	uint32_t nanosecond;
	int16_t offset_min; /* east of UTC is positive */
};

struct lbp_toml_value {
	enum lbp_toml_type type;
	/*
	 * Of the value's first character. For a table with a header, of the
	 * header's '['; for one made by a dotted key or a longer header, of
	 * its part of the key.
	 */
	struct lbp_toml_pos pos;
	union {
		struct lbp_toml_string string;
		int64_t integer;
		double real;
		bool boolean;
		struct lbp_toml_datetime datetime;
		struct lbp_toml_array *array;
		struct lbp_toml_table *table;
	} as;
};

struct lbp_toml_array {
	struct lbp_toml_value *items; /* len of them, in the text's order */
	size_t len;
};

/* A key of a table. */
struct lbp_toml_entry {
	struct lbp_toml_string key; /* unquoted, escapes resolved */
	struct lbp_toml_pos pos;    /* of the key where it is first defined */
	struct lbp_toml_value value;
};

struct lbp_toml_table {
	struct lbp_toml_entry *entries; /* len of them, in the text's order */
	size_t len;
	struct lbp_toml_index *index; /* private: for lbp_toml_get */
};

/* Why a text is not TOML, and where. */
struct lbp_toml_error {
	struct lbp_toml_pos pos;
	char message[LBP_TOML_MESSAGE_MAX];
};

struct lbp_toml; /* a parsed document */

/*
 * Parses len bytes of text (not NUL-terminated; may be NULL if len is 0) into
 * a new document in *out, which the caller frees with lbp_toml_free. The
 * document keeps no pointer into text.
 *
 * LBP_ERR_SYNTAX: *error says in one line of UTF-8 what is wrong, where, and
 * what would be accepted; parsing stops at the first fault. A text of 4 GiB or
 * more is a fault too. LBP_ERR_NOMEM: *error has the place that was reached.
 * On error *out is NULL.
 */
LBP_MUST_CHECK enum lbp_err lbp_toml_parse(const char *text, size_t len,
	struct lbp_toml **out, struct lbp_toml_error *error);

/* Frees a document and all that it owns; NULL is allowed. */
void lbp_toml_free(struct lbp_toml *doc);

/* The document's root table; owned by doc. */
const struct lbp_toml_table *lbp_toml_root(const struct lbp_toml *doc);

/*
 * Returns the entry of a key of key_len bytes, owned by the document, or NULL
 * if the table has none. O(log n) in the table's size, whatever the keys are.
 */
const struct lbp_toml_entry *lbp_toml_get(
	const struct lbp_toml_table *table, const char *key, size_t key_len);

/* The name of a type for messages: "a string", "an integer", ...; static. */
const char *lbp_toml_type_text(enum lbp_toml_type type);

#endif
