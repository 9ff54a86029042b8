/* The forms in which the keys are told, on standard output. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <stdbool.h>

#include "server/config_message.h"
#include "server/config_reader.h"
#include "server/config_writer.h"

/* Room for a value, the final NUL included. */
#define VALUE_MAX 256

/* A JSON schema, for editors. */
void put_schema(void);

/* A configuration with all keys, and what they are for. */
void put_toml(void);

/* The lists of lbproxyd.toml(5). */
void put_man(void);

/* Puts words on lines of at most 79 columns that begin with a prefix. */
void put_wrapped(const char *prefix, const char *text);

/* What a key accepts; in message. */
const char *accepted(
	const struct lbp_config_key *key, struct lbp_config_message *message);

/* Writes the value that a key has by default; false: there is none. */
bool default_of(const struct lbp_config_section *section,
	const struct lbp_config_key *key, char buf[VALUE_MAX]);

/* Does it take tables in the place of a value? */
bool is_alternative(const struct lbp_config_key *key);

#endif
