/*
 * Which protocol is spoken over TLS (ALPN, RFC 7301): the server's choice of
 * what a client offers. Source: SPEC.md [SRV-173] to
 * [SRV-175].
 */
#ifndef LBP_ALPN_H
#define LBP_ALPN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LBP_ALPN_NAMES_MAX 16  /* of one app */
#define LBP_ALPN_BYTES_MAX 255 /* of one app's names, with their lengths */

/*
 * An app's protocols, the most wanted one first, each after a byte with its
 * length, as on the wire. It starts as zeros: none.
 */
struct lbp_alpn {
	uint8_t len; /* of list */
	uint8_t list[LBP_ALPN_BYTES_MAX];
};

/* A name in a list. */
struct lbp_alpn_name {
	const uint8_t *ptr;
	uint8_t len;
};

/*
 * Appends a name of len bytes, at least 1, of which nothing is kept. False:
 * there is no room for it; nothing changes.
 */
bool lbp_alpn_add(struct lbp_alpn *alpn, const void *name, size_t len);

enum lbp_alpn_choice {
	LBP_ALPN_IGNORED, /* we have no names */
	LBP_ALPN_CHOSEN,
	LBP_ALPN_NONE, /* none in common, or the client's list is malformed */
};

/*
 * Chooses the first of our names that the client offers in its list, len bytes
 * as on the wire. *chosen is set, to the name in offered, only if there is one.
 */
enum lbp_alpn_choice lbp_alpn_choose(const struct lbp_alpn *alpn,
	const uint8_t *offered, size_t len, struct lbp_alpn_name *chosen);

#endif
