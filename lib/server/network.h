/*
 * IP addresses, and the networks that contain them. An IPv4 address is kept as
 * the IPv6 address ::ffff:a.b.c.d that stands for it, so each address has one
 * form only. Source: SPEC.md [PRX-*].
 */
#ifndef LBP_NETWORK_H
#define LBP_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lbp_ip {
	uint8_t octets[16]; /* in network byte order */
};

/* All addresses whose first bits are those of ip; its other bits are 0. */
struct lbp_network {
	struct lbp_ip ip;
	uint8_t bits; /* 0 to 128; of IPv4, 96 more than written */
};

/* The address of these octets, which are in network byte order. */
struct lbp_ip lbp_ip_v4(const uint8_t octets[4]);
struct lbp_ip lbp_ip_v6(const uint8_t octets[16]);

/* Returns true for an IPv4 address, also if it came as ::ffff:a.b.c.d. */
bool lbp_ip_is_v4(const struct lbp_ip *ip);

/*
 * Reads len characters as an IPv4 address (four decimal numbers without
 * leading zeros) or an IPv6 address (RFC 4291, no zone). False: they are none;
 * *ip is unchanged.
 */
bool lbp_ip_read_v4(struct lbp_ip *ip, const char *text, size_t len);
bool lbp_ip_read_v6(struct lbp_ip *ip, const char *text, size_t len);

/*
 * Reads "ADDRESS/LENGTH" or "ADDRESS", the network of this address alone. NULL:
 * *out is the network; else a static phrase says what is wrong with the text,
 * and *out is unchanged. Source: [PRX-12].
 */
const char *lbp_network_parse(
	struct lbp_network *out, const char *text, size_t len);

/*
 * Returns true if one of len networks contains the address. A network shorter
 * than ::ffff:0:0/96, such as ::/0, contains no IPv4 address. [PRX-13].
 */
bool lbp_networks_contain(const struct lbp_network *networks, size_t len,
	const struct lbp_ip *ip);

#endif
