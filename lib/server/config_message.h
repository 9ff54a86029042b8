/*
 * The text of one message about the configuration, built piece by piece.
 * Private to lbp_config_*. Source: SPEC.md [CFG-13].
 */
#ifndef LBP_CONFIG_MESSAGE_H
#define LBP_CONFIG_MESSAGE_H

#include <stddef.h>

#include "server/toml.h"

/* Room for a message, the final NUL included. */
#define LBP_CONFIG_MESSAGE_MAX 512

/* Starts as {.len = 0}; a message that does not fit is cut to end in "...". */
struct lbp_config_message {
	char text[LBP_CONFIG_MESSAGE_MAX];
	size_t len;
};

/* Appends formatted text. */
__attribute__((format(printf, 2, 3))) void lbp_config_say(
	struct lbp_config_message *message, const char *format, ...);

/* Appends a whole text, UTF-8; what is not printable ASCII is escaped. */
void lbp_config_say_plain(
	struct lbp_config_message *message, struct lbp_toml_string text);

/*
 * Appends a text from the file, shortened to 64 characters and with quotes and
 * backslashes escaped too, so that it can stand between single quotes.
 */
void lbp_config_say_escaped(
	struct lbp_config_message *message, struct lbp_toml_string text);

/* The same, between single quotes. */
void lbp_config_say_quoted(
	struct lbp_config_message *message, struct lbp_toml_string text);

/* A path, likewise, but not shortened; what is not UTF-8 shows as \uFFFD. */
void lbp_config_say_path(struct lbp_config_message *message, const char *path);

#endif
