/* What reading and writing have in common. Private to lbp_proxy_*. */
#ifndef LBP_PROXY_STATE_H
#define LBP_PROXY_STATE_H

#include "server/proxy.h"
#include "server/span.h"

/* Version 2: a signature, version and command, family, the length of the rest.
 */
#define LBP_PROXY_SIGNATURE     "\r\n\r\n\0\r\nQUIT\n"
#define LBP_PROXY_SIGNATURE_LEN 12
#define LBP_PROXY_HEAD_LEN      16

/* The command, below the version. */
enum {
	LBP_PROXY_LOCAL = 0x20,
	LBP_PROXY_PROXY = 0x21,
};

/* Address family and transport protocol. */
enum {
	LBP_PROXY_UNSPEC = 0x00,
	LBP_PROXY_TCP4 = 0x11,
	LBP_PROXY_UDP4 = 0x12,
	LBP_PROXY_TCP6 = 0x21,
	LBP_PROXY_UDP6 = 0x22,
	LBP_PROXY_UNIX_STREAM = 0x31,
	LBP_PROXY_UNIX_DGRAM = 0x32,
};

/* Bytes of the two addresses, ports included. */
enum {
	LBP_PROXY_IPV4_LEN = 2 * 4 + 2 * 2,
	LBP_PROXY_IPV6_LEN = 2 * 16 + 2 * 2,
	LBP_PROXY_UNIX_LEN = 2 * 108,
};

/* Types of the values after the addresses. */
enum {
	LBP_PROXY_ALPN = 0x01,
	LBP_PROXY_AUTHORITY = 0x02,
	LBP_PROXY_CRC32C = 0x03,
	LBP_PROXY_SSL = 0x20,
	LBP_PROXY_SSL_VERSION = 0x21,
	LBP_PROXY_SSL_CN = 0x22,
	LBP_PROXY_SSL_CIPHER = 0x23,
	LBP_PROXY_SERIAL = 0xe0,
	LBP_PROXY_CLIENT_ID = 0xe1,
	LBP_PROXY_NAME = 0xe2,
};

/* The parts of reading: the bytes begin as a header of this version does. */
enum lbp_proxy_found lbp_proxy_read_v1(
	struct lbp_span bytes, struct lbp_proxy_header *out);
enum lbp_proxy_found lbp_proxy_read_v2(
	struct lbp_span bytes, struct lbp_proxy_header *out);

/* Notes why a header is bad. */
static inline enum lbp_proxy_found lbp_proxy_bad(
	struct lbp_proxy_header *out, const char *fault)
{
	out->fault = fault;
	return LBP_PROXY_BAD;
}

#endif
