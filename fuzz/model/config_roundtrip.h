/*
 * A configuration that is written as text is read as what it was.
 */
#ifndef LBP_MODEL_CONFIG_ROUNDTRIP_H
#define LBP_MODEL_CONFIG_ROUNDTRIP_H

#include "server/config.h"

/* In every style of config_text.h; an oracle fails if a field differs, or in
 * the plain one a place. */
void config_roundtrip(const struct lbp_config *config);

/* An oracle fails if a value differs but `include`. */
void config_compare(
	const struct lbp_config *got, const struct lbp_config *want);

#endif
