/*
 * Two configurations that should be the same, of which one was read from what
 * config_text.h wrote.
 */
#ifndef LBP_MODEL_CONFIG_COMPARE_H
#define LBP_MODEL_CONFIG_COMPARE_H

#include "config.h"

/* Everything but the places. */
void config_compare(
	const struct lbp_config *got, const struct lbp_config *want);

/* The places in a plain text from which the configuration was read. */
void config_compare_places(const struct lbp_config *config, const char *text);

#endif
