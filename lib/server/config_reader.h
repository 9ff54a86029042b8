/*
 * Reading a TOML tree by tables of keys. Private to lbp_config_*.
 *
 * A section describes the keys of one kind of table. Each key has a kind, whose
 * function checks its value and stores it at an offset in the object being
 * read. No function stops at an error: it records it and continues.
 *
 * These tables are the only list of keys there is: what --show prints, and the
 * reference configuration, the manual's tables and the JSON schema
 * (itest/reference) are made from them too.
 */
#ifndef LBP_CONFIG_READER_H
#define LBP_CONFIG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/config.h"
#include "server/toml.h"

struct lbp_config_key;
struct lbp_config_reader;
struct lbp_config_writer;

/* A kind of table; path is its name in messages, "" for the root. */
struct lbp_config_section {
	const char *path;
	const struct lbp_config_key *keys;
	size_t len;
	const void *defaults; /* an object without a given value; NULL: zeros */
};

/* A value of a key, and where it is to be stored. */
struct lbp_config_field {
	const struct lbp_config_section *section;
	const struct lbp_config_key *key;
	const struct lbp_toml_value *value;
	void *out;
};

enum lbp_config_shape {
	LBP_CONFIG_VALUE,
	LBP_CONFIG_ARRAY,
	LBP_CONFIG_TABLE,
	LBP_CONFIG_TABLES, /* an array of tables; with a schema, or a value */
	LBP_CONFIG_MAP,    /* a table of tables, with keys of any name */
};

/* What the values of some keys have in common. */
struct lbp_config_kind {
	/* Checks and stores the value. */
	void (*read)(struct lbp_config_reader *reader,
		const struct lbp_config_field *field);
	/*
	 * Writes, as TOML, the value that read stores at in. False: no value
	 * stands for what is there. NULL: tables, which others write.
	 */
	bool (*write)(struct lbp_config_writer *writer,
		const struct lbp_config_key *key, const void *in);
	enum lbp_config_shape shape;
	/*
	 * Members of the JSON schema of the value, or of an array's items; NULL
	 * for tables, and where bounds or choices say it.
	 */
	const char *schema;
};

struct lbp_config_key {
	const char *name;
	const struct lbp_config_kind *kind;
	size_t offset; /* of the value in the object */
	bool required;
	bool is_one_of;             /* one key of these is required */
	uint64_t min;               /* of integers, if max is not 0 */
	uint64_t max;               /* or the most items of an array */
	const char *const *choices; /* the texts of an enum, then NULL */
	const struct lbp_config_section *section; /* of a table */
	const char *accepts; /* "must be ..."; integers and choices: NULL */
	const char *help;    /* sentences in ASCII for the operator */
	const char *unset;   /* the default, where it is not a plain value */
	const char *example; /* a value for the reference configuration */
};

/* Says what a key accepts. */
struct lbp_config_message;
void lbp_config_say_accepts(
	struct lbp_config_message *message, const struct lbp_config_key *key);

/* The keys of the configuration's own file. */
extern const struct lbp_config_section lbp_config_root_section;

/*
 * Records the error "KEY must be ..., not VALUE: why". value is the field's
 * or one of its array's items. With why "" the message ends at VALUE; with
 * NULL the type of the value stands for the value. Source: [CFG-12].
 */
void lbp_config_reject(struct lbp_config_reader *reader,
	const struct lbp_config_field *field,
	const struct lbp_toml_value *value, const char *why);

/* Records the error "KEY must be ..., not empty". */
void lbp_config_reject_empty(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);

/* Records the error "KEY must be ..., not more" at the first one too many. */
void lbp_config_reject_more(struct lbp_config_reader *reader,
	const struct lbp_config_field *field,
	const struct lbp_toml_value *excess);

/*
 * Records at header that a key is missing, and what would be accepted, with
 * more after it. Source: [CFG-11].
 */
void lbp_config_reject_missing(struct lbp_config_reader *reader,
	const struct lbp_config_section *section,
	const struct lbp_config_key *key, struct lbp_config_pos header,
	const char *more);

/* Returns true if a value is of this type, else records an error. */
bool lbp_config_expect(struct lbp_config_reader *reader,
	const struct lbp_config_field *field,
	const struct lbp_toml_value *value, enum lbp_toml_type type);

/*
 * Returns the field's value as an array of at most key->max items (0: any
 * number), with at least one if the key is required; or records an error and
 * returns NULL. An error is recorded for each item that is not of this type;
 * the caller must skip those.
 */
const struct lbp_toml_array *lbp_config_expect_array(
	struct lbp_config_reader *reader, const struct lbp_config_field *field,
	enum lbp_toml_type type);

/*
 * Reads a table into an object; missing keys are reported at header. Returns
 * a set with a bit for each of the section's keys that is present, or that an
 * unknown key seems to have meant, and which therefore is not missing. Higher
 * bits mean nothing. Source: [CFG-10], [CFG-11], [CFG-33].
 */
uint32_t lbp_config_read_keys(struct lbp_config_reader *reader,
	const struct lbp_config_section *section,
	const struct lbp_toml_table *table, struct lbp_config_pos header,
	void *object);

#endif
