/*
 * The grammars of the configuration's strings. Private to lbp_config_*.
 *
 * Functions that return a string return NULL if the value is valid, else a
 * static phrase that says what is wrong with it.
 */
#ifndef LBP_CONFIG_VALUE_H
#define LBP_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest canonical form of an address: name, two flags, port. */
#define LBP_CONFIG_CANONICAL_MAX (253 + 2 + 2)

/* The parts of an address or url; they point into the text. */
struct lbp_config_parts {
	bool tls;
	const char *host; /* without brackets */
	size_t host_len;
	uint16_t port;
	bool is_unix; /* host is the path of a socket, port is 0 */
};

/* UTF-8 without control characters (C0, DEL, C1) and not empty. [CFG-8] */
const char *lbp_config_check_text(const char *text, size_t len);

/* An app's or client's id. Source: [CFG-7]. */
const char *lbp_config_check_id(const char *text, size_t len);

/* An IPv4 or IPv6 literal without brackets, or a DNS name. [CFG-4] */
const char *lbp_config_check_host(const char *text, size_t len);

/* A client's URI. Source: [CFG-90]. */
const char *lbp_config_check_uri(const char *text, size_t len);

/* A client's DNS name. Source: [CFG-91]. */
const char *lbp_config_check_dns(const char *text, size_t len);

/* A character of a DNS name in lower case. */
char lbp_config_lower(char c);

/* "host:port", IPv6 in brackets; parts->tls is false. Source: [CFG-5]. */
const char *lbp_config_split_address(
	const char *text, size_t len, struct lbp_config_parts *parts);

/* "tcp://host:port", "tls://host:port", "unix:/path". [CFG-6], [CFG-67] */
const char *lbp_config_split_url(
	const char *text, size_t len, struct lbp_config_parts *parts);

/*
 * Writes the canonical form of a valid address to buf, which has
 * LBP_CONFIG_CANONICAL_MAX bytes, and returns its length. Two addresses have
 * the same one if and only if they mean the same: it has the value of a
 * literal or a name in lower case, the port, and tls; or the path.
 */
size_t lbp_config_canonical(const struct lbp_config_parts *parts, char *buf);

#endif
