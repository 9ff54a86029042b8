/* Reading [tls], and the CAs of clients. Private to lbp_config_*. */
#ifndef LBP_CONFIG_CA_H
#define LBP_CONFIG_CA_H

#include "server/config_reader.h"

/* Of tls.crl, which is read after tls.client_ca. */
extern const struct lbp_config_kind lbp_config_crl;

extern const struct lbp_config_section lbp_config_ca_section;

#endif
