/*
 * Reading the values that several sections have: numbers, texts, durations,
 * addresses. Private to lbp_config_*.
 */
#ifndef LBP_CONFIG_FIELD_H
#define LBP_CONFIG_FIELD_H

#include "server/config_reader.h"
#include "server/config_value.h"

/* What several keys accept. */
#define LBP_CONFIG_DURATION                                                    \
	"a duration from \"1ms\" to \"8760h\": an integer and ms, s, m or h"
#define LBP_CONFIG_DURATION_OR_OFF LBP_CONFIG_DURATION ", or \"off\""
#define LBP_CONFIG_DELAY                                                       \
	"a duration from \"0s\" to \"8760h\": an integer and ms, s, m or h"
#define LBP_CONFIG_ADDRESS "\"host:port\", IPv6 in brackets"
#define LBP_CONFIG_ID                                                          \
	"1 to 64 printable ASCII characters, no space, '\"' or '\\'"

/* Schemas of texts. */
#define LBP_CONFIG_SCHEMA_TEXT "\"type\": \"string\", \"minLength\": 1"
#define LBP_CONFIG_SCHEMA_ID                                                   \
	"\"type\": \"string\", \"pattern\": "                                  \
	"\"^[!#-\\\\[\\\\]-~]{1,64}$\""
#define LBP_CONFIG_SCHEMA_ADDRESS                                              \
	"\"type\": \"string\", \"pattern\": "                                  \
	"\"^([^:/\\\\[\\\\]]+|\\\\[[0-9A-Fa-f:.]+\\\\]):[1-9][0-9]{0,4}$\""

/*
 * What most keys are: uint32_t, bool, uint64_t (durations, nanoseconds; off is
 * 0), an enum (choice), struct lbp_config_text (text, id, host), struct
 * lbp_config_address or, for a table, the object that key->section describes.
 */
extern const struct lbp_config_kind lbp_config_integer;
extern const struct lbp_config_kind lbp_config_boolean;
extern const struct lbp_config_kind lbp_config_duration;
extern const struct lbp_config_kind lbp_config_delay;
extern const struct lbp_config_kind lbp_config_duration_or_off;
extern const struct lbp_config_kind lbp_config_choice;
extern const struct lbp_config_kind lbp_config_text;
extern const struct lbp_config_kind lbp_config_id;
extern const struct lbp_config_kind lbp_config_host;
extern const struct lbp_config_kind lbp_config_address;
extern const struct lbp_config_kind lbp_config_table;

/* For lbp_config_kind.read, as above. */
void lbp_config_read_choice(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);
void lbp_config_read_text(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);
void lbp_config_read_id(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);

/* Copies a string value; out->ptr is NULL if there is no memory. */
void lbp_config_keep_text(struct lbp_config_reader *reader,
	const struct lbp_toml_value *value, struct lbp_config_text *out);

/*
 * Stores a string as an address to listen on, which must be unique; label is
 * the key that it is the value of.
 */
void lbp_config_keep_address(struct lbp_config_reader *reader,
	const struct lbp_config_field *field,
	const struct lbp_toml_value *value, const char *label,
	struct lbp_config_address *out);

/* Copies the host and port of an address that was split without error. */
void lbp_config_keep_parts(struct lbp_config_reader *reader,
	const struct lbp_config_parts *parts, struct lbp_toml_pos pos,
	struct lbp_config_address *out);

#endif
