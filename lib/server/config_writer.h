/*
 * Writing the values of a configuration as TOML. What is written is printable
 * ASCII, whatever the texts have in them. Private to lbp_config_*.
 */
#ifndef LBP_CONFIG_WRITER_H
#define LBP_CONFIG_WRITER_H

#include <stddef.h>

#include "server/config_reader.h"

struct lbp_config_writer {
	/* Takes len bytes, which are valid during the call. */
	void (*put)(void *user, const char *text, size_t len);
	void *user;
	size_t column; /* bytes of the line that is being written */
	const struct lbp_config *config; /* for what refers to others */
};

/* Writes a text as it is. */
void lbp_config_put(struct lbp_config_writer *writer, const char *text);

/* Writes a number. */
void lbp_config_put_number(struct lbp_config_writer *writer, uint64_t number);

/* Writes a UTF-8 text, with TOML's escapes for what is not printable ASCII. */
void lbp_config_put_escaped(struct lbp_config_writer *writer, const char *text);

/* Writes len bytes of UTF-8 as a TOML string. */
void lbp_config_put_string(
	struct lbp_config_writer *writer, const char *text, size_t len);

/* Writes an id as a TOML key, in quotes if it needs them. */
void lbp_config_put_key(struct lbp_config_writer *writer, const char *id);

/* Goes to a column of the line, or one space further if it is behind that. */
void lbp_config_put_indent(struct lbp_config_writer *writer, size_t column);

/* For lbp_config_kind.write; they write what is said in config_field.h. */
bool lbp_config_write_integer(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in);
bool lbp_config_write_boolean(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in);
bool lbp_config_write_duration(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in);
bool lbp_config_write_delay(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in);
bool lbp_config_write_choice(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in);
bool lbp_config_write_text(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in);
bool lbp_config_write_address(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in);

/* Likewise for arrays, which are in the object itself: lists, not offsets. */
bool lbp_config_write_includes(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *config);
bool lbp_config_write_listen(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *app);
bool lbp_config_write_networks(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *app);
bool lbp_config_write_alpn(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *app);
bool lbp_config_write_uris(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *client);
bool lbp_config_write_dns(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *client);

#endif
