/*
 * Lists of the names in a configuration: values that must be unique among
 * their kind, or that other values refer to. Private to lbp_config_*.
 */
#ifndef LBP_CONFIG_NAMES_H
#define LBP_CONFIG_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/config.h"
#include "server/config_message.h"
#include "server/config_value.h"
#include "server/toml.h"

struct lbp_config_reader;

struct lbp_config_name {
	const void *key; /* what is compared, key_len bytes */
	size_t key_len;
	struct lbp_toml_string shown; /* as it was written */
	const char *label;            /* which key it is the value of */
	struct lbp_config_pos pos;
	uint32_t index; /* which app or client it belongs to */
};

/* Starts as zeros. */
struct lbp_config_names {
	struct lbp_config_name *items; /* len of cap used; in scratch */
	size_t len;
	size_t cap;
};

/*
 * Adds a name to a list; what it points to must live as long as the reader.
 * Here and below: if memory runs out, nothing is added and the reader
 * remembers it.
 */
void lbp_config_names_add(struct lbp_config_reader *reader,
	struct lbp_config_names *names, struct lbp_config_name name);

/* Adds a string as a name. */
void lbp_config_names_add_string(struct lbp_config_reader *reader,
	struct lbp_config_names *names, const char *label,
	const struct lbp_toml_value *value, uint32_t index);

/* Adds the id of an app or client, if it has one. */
void lbp_config_names_add_id(struct lbp_config_reader *reader,
	struct lbp_config_names *names, const char *label,
	const struct lbp_config_text *id, uint32_t index);

/* Adds an address or url, which is compared in its canonical form. */
void lbp_config_names_add_parts(struct lbp_config_reader *reader,
	struct lbp_config_names *names, const char *label,
	const struct lbp_toml_value *value,
	const struct lbp_config_parts *parts);

/* Sorts names by key, and equal ones by place. */
void lbp_config_names_sort(struct lbp_config_names *names);

/*
 * Sorts names, and records an error for each one but the first of those with
 * the same key; the message has the first one's line. Returns true if all keys
 * differ. Source: [CFG-14].
 */
bool lbp_config_names_unique(
	struct lbp_config_reader *reader, struct lbp_config_names *names);

/* Finds the first of the sorted names with this key; NULL if there is none. */
const struct lbp_config_name *lbp_config_names_find(
	const struct lbp_config_names *names, struct lbp_toml_string key);

/*
 * Appends "; did you mean 'x'? accepted: x, y" to a message, or the list alone
 * if no name is near the word. Returns the index of x in names, or their
 * number. Source: [CFG-10], [CFG-15].
 */
size_t lbp_config_say_nearest(struct lbp_config_reader *reader,
	struct lbp_config_message *message, struct lbp_toml_string word,
	const struct lbp_config_names *names);

#endif
