/*
 * Reading a TOML tree by tables of keys, and collecting what is wrong with
 * it. Private to lbp_config_*.
 *
 * A section describes the keys of one kind of table. Each key has a function
 * that checks its value and stores it at an offset in the object read. No
 * function stops at an error: it tells the reader and goes on. Running out
 * of memory is sticky: the reader remembers it and the result is discarded.
 */
#ifndef LBP_CONFIG_READER_H
#define LBP_CONFIG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/config.h"
#include "server/config_arena.h"
#include "server/config_value.h"
#include "server/toml.h"

/* Room for a message, the final NUL included. */
#define LBP_CONFIG_MESSAGE_MAX 512

/* What several keys accept. */
#define LBP_CONFIG_DURATION                                                    \
	"a duration from \"1ms\" to \"8760h\": an integer and ms, s, m or h"
#define LBP_CONFIG_ADDRESS "\"host:port\", IPv6 in brackets"
#define LBP_CONFIG_ID                                                          \
	"1 to 64 printable ASCII characters, no space, '\"' or '\\'"

/* One value that must be unique among its kind, or that others refer to. */
struct lbp_config_name {
	const void *key; /* what is compared, key_len bytes */
	size_t key_len;
	struct lbp_toml_string shown; /* as it was written */
	const char *label;            /* which key it is the value of */
	struct lbp_config_pos pos;
	uint32_t index; /* which app or client it belongs to */
};

struct lbp_config_names {
	struct lbp_config_name *items; /* len of cap used; in scratch */
	size_t len;
	size_t cap;
};

struct lbp_config_told; /* an error, before all are sorted */

struct lbp_config_reader {
	struct lbp_config *config;
	struct lbp_config_arena *kept;     /* the configuration */
	struct lbp_config_arena *messages; /* the errors */
	struct lbp_config_arena *scratch; /* nothing that outlives the reader */
	struct lbp_config_told *told;     /* told_len errors, the last first */
	size_t told_len;
	bool nomem;
	size_t compared; /* known words, for a guess at what was meant */

	bool apps_known;                 /* each app has an id, its own */
	struct lbp_config_names app_ids; /* sorted before clients are read */
	struct lbp_config_names client_ids;
	struct lbp_config_names addresses;
	struct lbp_config_names serials;
	struct lbp_config_names urls; /* of the app being read */
	/* Of the client being read. */
	bool client_apps_known; /* nothing is wrong with its list of apps */
	struct lbp_config_names client_apps;
	struct lbp_config_names client_unknown; /* listed, but no app's ids */
};

struct lbp_config_key;

/* A table of a kind: path is its name in messages, "" for the root. */
struct lbp_config_section {
	const char *path;
	const struct lbp_config_key *keys;
	size_t len;
};

/* One value of a key on its way to where it is stored. */
struct lbp_config_field {
	const struct lbp_config_section *section;
	const struct lbp_config_key *key;
	const struct lbp_toml_value *value;
	void *out;
};

struct lbp_config_key {
	const char *name;
	/* Checks and stores. */
	void (*read)(struct lbp_config_reader *reader,
		const struct lbp_config_field *field);
	size_t offset; /* of the value in the object */
	bool required;
	uint64_t min; /* of integers, if max is not 0 */
	uint64_t max;
	const char *const *choices; /* the texts of an enum, then NULL */
	const struct lbp_config_section *section; /* of a table */
	const char *accepts; /* "must be ..."; integers and choices: NULL */
};

/* One message as it grows; what does not fit is cut off with "...". */
struct lbp_config_message {
	char text[LBP_CONFIG_MESSAGE_MAX];
	size_t len;
};

/* Zeroed room as of lbp_config_arena_alloc; NULL sets reader->nomem. */
void *lbp_config_alloc(struct lbp_config_reader *reader,
	struct lbp_config_arena **arena, size_t count, size_t size);

/* Adds formatted text. */
__attribute__((format(printf, 2, 3))) void lbp_config_say(
	struct lbp_config_message *message, const char *format, ...);

/* Adds a whole text, UTF-8; what is not printable ASCII is escaped. */
void lbp_config_say_plain(
	struct lbp_config_message *message, struct lbp_toml_string text);

/* Adds a text of the file, shortened, as it may stand between quotes. */
void lbp_config_say_escaped(
	struct lbp_config_message *message, struct lbp_toml_string text);

/* The same, in quotes. */
void lbp_config_say_quoted(
	struct lbp_config_message *message, struct lbp_toml_string text);

/*
 * Adds "; did you mean 'x'? accepted: x, y", or the list alone. Returns the
 * index of x in names, or their number.
 */
size_t lbp_config_say_nearest(struct lbp_config_reader *reader,
	struct lbp_config_message *message, struct lbp_toml_string word,
	const struct lbp_config_names *names);

/* Records an error with this message. */
void lbp_config_tell(struct lbp_config_reader *reader,
	struct lbp_config_pos pos, const struct lbp_config_message *message);

/*
 * Records "KEY must be ..., not VALUE: why". value is the field's or one of
 * its array's items; why "" adds nothing, and with NULL the type of the value
 * is named in its place.
 */
void lbp_config_reject(struct lbp_config_reader *reader,
	const struct lbp_config_field *field,
	const struct lbp_toml_value *value, const char *why);

/* Is a value of this type? If not, the error is recorded. */
bool lbp_config_expect(struct lbp_config_reader *reader,
	const struct lbp_config_field *field,
	const struct lbp_toml_value *value, enum lbp_toml_type type);

/*
 * The field's value as an array of at most key->max items (0: any number),
 * not empty if the key is required; NULL, and the error is recorded, if it is
 * not. Items of another type than this are recorded, and left for the caller
 * to pass over.
 */
const struct lbp_toml_array *lbp_config_expect_array(
	struct lbp_config_reader *reader, const struct lbp_config_field *field,
	enum lbp_toml_type type);

/*
 * Reads a table into an object; header is where missing keys are reported.
 * Returns the set, a bit for each of the section's keys, of those that are
 * there or that an unknown key was taken for: they are not missing. Bits of no
 * key mean nothing. [CFG-33].
 */
uint32_t lbp_config_read_keys(struct lbp_config_reader *reader,
	const struct lbp_config_section *section,
	const struct lbp_toml_table *table, struct lbp_config_pos header,
	void *object);

/*
 * The readers of keys. Each stores a value of the type that its name says:
 * uint32_t, bool, uint64_t (duration, nanoseconds), an enum (choice), struct
 * lbp_config_text (text, id, host), struct lbp_config_address, or, for a
 * table, what key->section says. Apps and clients are
 * stored in the reader's configuration.
 */
void lbp_config_read_integer(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);
void lbp_config_read_boolean(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);
void lbp_config_read_duration(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);
void lbp_config_read_choice(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);
void lbp_config_read_text(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);
void lbp_config_read_id(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);
void lbp_config_read_host(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);
void lbp_config_read_table(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);
void lbp_config_read_address(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);
void lbp_config_read_apps(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);
void lbp_config_read_clients(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);

/*
 * Reads limits over those in *out, which stay where the table is silent.
 * path is what the table is called in messages; *places is where it has them.
 */
void lbp_config_read_limits(struct lbp_config_reader *reader, const char *path,
	const struct lbp_toml_value *value, struct lbp_limits *out,
	struct lbp_config_limit_places *places);

/* Copies a string value; out->ptr is NULL if there is no memory. */
void lbp_config_keep_text(struct lbp_config_reader *reader,
	const struct lbp_toml_value *value, struct lbp_config_text *out);

/* Stores a string as an address that label's others must not equal. */
void lbp_config_keep_address(struct lbp_config_reader *reader,
	const struct lbp_config_field *field,
	const struct lbp_toml_value *value, const char *label,
	struct lbp_config_address *out);

/* Copies the host and port of an address that was split without error. */
void lbp_config_keep_parts(struct lbp_config_reader *reader,
	const struct lbp_config_parts *parts, struct lbp_toml_pos pos,
	struct lbp_config_address *out);

struct lbp_config_pos lbp_config_pos(struct lbp_toml_pos pos);

/* Less than, equal to or greater than 0, as a is to b in the text. */
int lbp_config_pos_compare(struct lbp_config_pos a, struct lbp_config_pos b);

/* Adds a name to a list; its pointers must live until the reader's end. */
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

/* Adds an address or url as a name that is compared in canonical form. */
void lbp_config_names_add_parts(struct lbp_config_reader *reader,
	struct lbp_config_names *names, const char *label,
	const struct lbp_toml_value *value,
	const struct lbp_config_parts *parts);

/* Sorts names by key and place. */
void lbp_config_names_sort(struct lbp_config_names *names);

/*
 * Sorts names by key and place, and records each one that an earlier one
 * equals, with the first one's line. Returns whether there was none.
 */
bool lbp_config_names_unique(
	struct lbp_config_reader *reader, struct lbp_config_names *names);

/* The first of the sorted names with this key, or NULL. */
const struct lbp_config_name *lbp_config_names_find(
	const struct lbp_config_names *names, struct lbp_toml_string key);

/*
 * Moves all errors, sorted by place, to *errors, which then owns them.
 * LBP_OK if there are none, LBP_ERR_CONFIG, LBP_ERR_NOMEM.
 */
enum lbp_err lbp_config_hand_over(
	struct lbp_config_reader *reader, struct lbp_config_errors *errors);

#endif
