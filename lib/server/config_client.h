/* Reading [[client]] and what is below it. Private to lbp_config_*. */
#ifndef LBP_CONFIG_CLIENT_H
#define LBP_CONFIG_CLIENT_H

#include "server/config_reader.h"

/*
 * For lbp_config_key.read; remembers a file's clients. Source: [CFG-29].
 */
void lbp_config_find_clients(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);

/*
 * Stores all clients that were found in the configuration. They refer to apps,
 * which must have been read.
 */
void lbp_config_read_clients(struct lbp_config_reader *reader);

#endif
