/* The keys of whole files. Private to lbp_config_*. */
#ifndef LBP_CONFIG_ROOT_H
#define LBP_CONFIG_ROOT_H

#include "server/config.h"
#include "server/config_reader.h"
#include "server/toml.h"

/* What a configuration has that gives none of its keys. */
extern const struct lbp_config lbp_config_defaults;

extern const struct lbp_config_section lbp_config_tls_section;
extern const struct lbp_config_section lbp_config_timeouts_section;

/* Reads the configuration's own file; its clients are only found. */
void lbp_config_read_root(
	struct lbp_config_reader *reader, const struct lbp_toml_table *root);

/* Finds the clients of an included file. Source: [CFG-71]. */
void lbp_config_read_included(
	struct lbp_config_reader *reader, const struct lbp_toml_table *root);

/* Reads all clients, and compares what must be unique over all files. */
void lbp_config_read_rest(struct lbp_config_reader *reader);

#endif
