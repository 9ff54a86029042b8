/*
 * The header of the PROXY protocol, which a balancer puts before the bytes of
 * a connection that it passes on: who has made that connection, and how. It is
 * read from balancers in front, in version 1 or 2, and written to upstreams in
 * version 2. Source: "The PROXY protocol, versions 1 & 2", SPEC.md [PRX-*].
 */
#ifndef LBP_PROXY_H
#define LBP_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/network.h"

#define LBP_PROXY_MAX    1024 /* bytes of a header */
#define LBP_PROXY_CN_MAX 256  /* bytes of a common name that is passed on */

/* The two ends of a connection, the source being who has made it. */
struct lbp_proxy_ends {
	struct lbp_ip source;
	struct lbp_ip destination;
	uint16_t source_port;
	uint16_t destination_port;
	bool are_known; /* false: the other members mean nothing */
};

/* --- reading ------------------------------------------------------------- */

enum lbp_proxy_found {
	LBP_PROXY_MORE, /* the beginning of a header; more is to come */
	LBP_PROXY_WHOLE,
	LBP_PROXY_BAD,
};

struct lbp_proxy_header {
	size_t len; /* bytes, at most LBP_PROXY_MAX; what follows is not its */
	/* Not known: the connection is to be taken as its own, [PRX-7]. */
	struct lbp_proxy_ends ends;
	const char *fault; /* of LBP_PROXY_BAD: why; static */
};

/*
 * Reads the first len bytes of a connection. LBP_PROXY_WHOLE: *out is the
 * header. LBP_PROXY_MORE: all of the bytes belong to a header, they are fewer
 * than LBP_PROXY_MAX, and the caller tries again with at least one more.
 * LBP_PROXY_BAD: they begin no header that is accepted; out->fault says why.
 * Other members of *out are undefined. Neither of the last two results changes
 * with more bytes. Source: [PRX-1] to [PRX-8].
 */
enum lbp_proxy_found lbp_proxy_read(
	const uint8_t *bytes, size_t len, struct lbp_proxy_header *out);

/* --- writing ------------------------------------------------------------- */

/* Bytes of any content; len 0: there are none, and ptr may be NULL. */
struct lbp_proxy_text {
	const void *ptr;
	size_t len;
};

/* A client, whose certificate was verified, as an upstream is told of it. */
struct lbp_proxy_client {
	struct lbp_proxy_ends ends;
	bool is_resumed;               /* its TLS session is */
	struct lbp_proxy_text version; /* of TLS, such as "TLSv1.3" */
	struct lbp_proxy_text cipher;
	struct lbp_proxy_text common_name; /* UTF-8 */
	struct lbp_proxy_text alpn;        /* the protocol that was chosen */
	struct lbp_proxy_text authority;   /* the server name that it sent */
	struct lbp_proxy_text serial;      /* in its canonical form */
	struct lbp_proxy_text id;
	struct lbp_proxy_text name; /* of the certificate, that identified it */
};

/*
 * Writes a header about a client to buf, and returns its length, at most cap
 * and LBP_PROXY_MAX. Texts that do not fit in the rest, in the order of
 * [PRX-10], are left out. 0: cap does not suffice for the addresses; buf is
 * unchanged. Source: [PRX-9] to [PRX-14].
 */
size_t lbp_proxy_write(
	uint8_t *buf, size_t cap, const struct lbp_proxy_client *client);

/*
 * Writes a header of a connection without a client, a check, to buf; returns
 * its length, or 0 if cap does not suffice. Source: [PRX-9].
 */
size_t lbp_proxy_write_local(uint8_t *buf, size_t cap);

#endif
