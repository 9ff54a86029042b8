/* Reading by what clients are known. Private to lbp_config_*. */
#ifndef LBP_CONFIG_IDENTITY_H
#define LBP_CONFIG_IDENTITY_H

#include "server/config_reader.h"

/* For lbp_config_key.read; each stores its list in a client. */
void lbp_config_read_serials(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);
void lbp_config_read_uris(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);
void lbp_config_read_dns(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);

#endif
