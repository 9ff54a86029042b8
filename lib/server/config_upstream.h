/* Reading [[app.upstream]]. Private to lbp_config_*. */
#ifndef LBP_CONFIG_UPSTREAM_H
#define LBP_CONFIG_UPSTREAM_H

#include "server/config_reader.h"

/* Of a key with no offset; the upstreams are stored in an app. */
extern const struct lbp_config_kind lbp_config_upstreams;

extern const struct lbp_config_section lbp_config_upstream_section;

#endif
