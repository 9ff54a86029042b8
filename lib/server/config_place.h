/*
 * Where a file says what a configuration has: the places that the configuration
 * itself does not keep.
 */
#ifndef LBP_CONFIG_PLACE_H
#define LBP_CONFIG_PLACE_H

#include "server/config.h"
#include "server/toml.h"

/*
 * Each returns NULL if a text has no such thing, or has it in another form; a
 * table may be NULL too.
 */

const struct lbp_toml_entry *lbp_config_place_key(
	const struct lbp_toml_table *table, const char *name);

const struct lbp_toml_table *lbp_config_place_table(
	const struct lbp_toml_table *table, const char *name);

/* Table i of an array of tables. */
const struct lbp_toml_table *lbp_config_place_item(
	const struct lbp_toml_table *table, const char *name, size_t i);

#endif
