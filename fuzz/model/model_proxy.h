/* PROXY headers and networks, read as a whole and bit by bit. */
#ifndef LBP_MODEL_PROXY_H
#define LBP_MODEL_PROXY_H

#include "server/proxy.h"

/* What lbp_proxy_read should answer, but for the fault. */
enum lbp_proxy_found model_proxy_read(
	const uint8_t *bytes, size_t len, struct lbp_proxy_header *out);

/*
 * Sets the first checksum of four bytes in the header that len bytes are to
 * what it has to be, if they have one.
 */
void model_proxy_sum(uint8_t *bytes, size_t len);

/* What lbp_network_parse should make of a text; false: an error. */
bool model_network_parse(struct lbp_network *out, const char *text, size_t len);

/* Is the address in the network, of which it has the family? */
bool model_network_contains(
	const struct lbp_network *network, const struct lbp_ip *ip);

#endif
