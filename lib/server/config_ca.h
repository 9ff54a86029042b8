/* Reading the CAs of clients. Private to lbp_config_*. */
#ifndef LBP_CONFIG_CA_H
#define LBP_CONFIG_CA_H

#include "server/config_reader.h"

/* For lbp_config_key.read; tls.crl is read after tls.client_ca. */
void lbp_config_read_cas(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);
void lbp_config_read_crl(
	struct lbp_config_reader *reader, const struct lbp_config_field *field);

#endif
