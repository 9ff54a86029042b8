/*
 * By which of its subject alternative names a certificate's holder may be
 * known. Names are looked at one after the other, as the certificate has them.
 * Source: SPEC.md [SRV-180] to [SRV-182].
 */
#ifndef LBP_SANS_H
#define LBP_SANS_H

#include <stdbool.h>
#include <stddef.h>

#include "name.h"

/* More names than this that a client could list are too many. */
#define LBP_SANS_MAX 128

/* What was seen so far; starts as zeros. */
struct lbp_sans {
	size_t len;      /* names to be kept, LBP_SANS_MAX + 1 at most, and */
	size_t size;     /* the bytes of their texts, a NUL after each */
	bool has_uri;    /* of any scheme */
	bool has_spiffe; /* the last URI is one of the scheme spiffe */
	bool has_both;   /* two URIs of which one is, or more */
};

/*
 * Looks at the next name, len bytes of text, a URI or a DNS name by its kind.
 * Returns true if a client could list it, so that it is to be kept.
 */
bool lbp_sans_take(struct lbp_sans *sans, enum lbp_name_kind kind,
	const char *text, size_t len);

/* After the last name: is it a certificate by which somebody can be known? */
bool lbp_sans_are_fine(const struct lbp_sans *sans);

#endif
