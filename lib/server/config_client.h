/* Reading [[client]] and what is below it. Private to lbp_config_*. */
#ifndef LBP_CONFIG_CLIENT_H
#define LBP_CONFIG_CLIENT_H

#include "server/config_reader.h"

/* Of a key with no offset; remembers a file's clients. Source: [CFG-29]. */
extern const struct lbp_config_kind lbp_config_clients;

extern const struct lbp_config_section lbp_config_client_section;

/*
 * Stores all clients that were found in the configuration. They refer to apps,
 * which must have been read.
 */
void lbp_config_read_clients(struct lbp_config_reader *reader);

#endif
