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

/*
 * The same in files, plainly: the configuration's own without clients, and one
 * with the clients from one number to before another.
 */
char *config_text_write_own(const struct lbp_config *config, size_t *len);
char *config_text_write_clients(
	const struct lbp_config *config, size_t from, size_t to, size_t *len);

#endif
