/* Reading [[app]] and what is below it. Private to lbp_config_*. */
#ifndef LBP_CONFIG_APP_H
#define LBP_CONFIG_APP_H

#include "limiter.h"
#include "server/config.h"
#include "server/config_reader.h"

/* Of a key with no offset; the apps are stored in the configuration. */
extern const struct lbp_config_kind lbp_config_apps;

extern const struct lbp_config_section lbp_config_app_section;
extern const struct lbp_config_section lbp_config_app_timeouts_section;
extern const struct lbp_config_section lbp_config_limits_section;
extern const struct lbp_config_section lbp_config_health_section;

/*
 * Reads a table of limits over those in *out; what the table does not have
 * stays. path is the table's name in messages; the places of what it has go to
 * *places.
 */
void lbp_config_read_limits(struct lbp_config_reader *reader, const char *path,
	const struct lbp_toml_value *value, struct lbp_limits *out,
	struct lbp_config_limit_places *places);

#endif
