/* Reading by what clients are known. Private to lbp_config_*. */
#ifndef LBP_CONFIG_IDENTITY_H
#define LBP_CONFIG_IDENTITY_H

#include "server/config_reader.h"

/* Of keys with no offset; each stores its list in a client. */
extern const struct lbp_config_kind lbp_config_serials;
extern const struct lbp_config_kind lbp_config_uris;
extern const struct lbp_config_kind lbp_config_dns;

#endif
