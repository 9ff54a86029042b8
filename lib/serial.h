/*
 * Serial numbers of X.509 certificates in canonical form.
 *
 * A serial is positive and has at most 20 octets (RFC 5280, 4.1.2.2). Leading
 * zero octets have no meaning and are dropped, so that two serials are equal
 * if and only if their canonical forms are. Source: SPEC.md [SER-*].
 */
#ifndef LBP_SERIAL_H
#define LBP_SERIAL_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

LBP_BEGIN_DECLS

#define LBP_SERIAL_MAX 20
/* Size of the longest text: 20 octets, 19 colons and the final NUL. */
#define LBP_SERIAL_TEXT_MAX (3 * LBP_SERIAL_MAX)

/* Big-endian, octets[0] is not zero, len >= 1; unused octets are zero. */
struct lbp_serial {
	uint8_t octets[LBP_SERIAL_MAX];
	uint8_t len;
};

/*
 * Parses len bytes of hexadecimal text, which need not end in a NUL: digits of
 * either case, optional leading zeros, optional colons between octets
 * ("1A2B3C", "1a:2b:3c", "0:1a2b"). LBP_ERR_SYNTAX: not of this form.
 * LBP_ERR_RANGE: zero, or more than 20 octets. On error *out is unchanged.
 * Source: [SER-1], [SER-2].
 */
LBP_MUST_CHECK enum lbp_err lbp_serial_from_hex(
	struct lbp_serial *out, const char *text, size_t len);

/*
 * Parses the len content octets of a DER INTEGER (two's complement, X.690
 * 8.3). LBP_ERR_SYNTAX: there are none. LBP_ERR_RANGE: zero, negative, or more
 * than 20 octets. On error *out is unchanged. Source: [SER-3].
 */
LBP_MUST_CHECK enum lbp_err lbp_serial_from_der(
	struct lbp_serial *out, const uint8_t *content, size_t len);

/*
 * Compares two canonical serials by value: the result is negative, zero or
 * positive as a is less than, equal to or greater than b. Source: [SER-5].
 */
int lbp_serial_compare(const struct lbp_serial *a, const struct lbp_serial *b);

/*
 * Writes the canonical text of a canonical serial, upper-case octets joined by
 * colons, and a NUL to buf, which has room for LBP_SERIAL_TEXT_MAX bytes.
 * Returns the length of the text without the NUL. Source: [SER-4].
 */
size_t lbp_serial_format(const struct lbp_serial *serial, char *buf);

LBP_END_DECLS

#ifdef __FRAMAC__
#include "proof/serial.h"
#endif

#endif
