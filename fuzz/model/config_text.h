/*
 * A configuration written as TOML text again, without any code of lib, so
 * that what lib makes of the text can be compared with what was written.
 */
#ifndef LBP_MODEL_CONFIG_TEXT_H
#define LBP_MODEL_CONFIG_TEXT_H

#include "server/config.h"

enum config_style {
	CONFIG_PLAIN, /* a line for each key, and every default spelled out */
	CONFIG_DENSE, /* inline tables and escapes, no default, clients first */
};

/* The text, NUL-terminated; the caller frees it. */
char *config_text_write(
	const struct lbp_config *config, enum config_style style, size_t *len);

#endif
