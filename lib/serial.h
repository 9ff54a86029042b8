/*
 * X.509 certificate serial numbers in canonical form.
 *
 * A serial is positive and at most 20 octets (RFC 5280, 4.1.2.2). Leading
 * zero octets carry no meaning and are dropped, so two serials are equal if
 * and only if their canonical forms are. Source: SPEC.md [SER-*].
 */
#ifndef LBP_SERIAL_H
#define LBP_SERIAL_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define LBP_SERIAL_MAX 20
/* Room for the text form: 20 octets, 19 colons and the final NUL. */
#define LBP_SERIAL_TEXT_MAX (3 * LBP_SERIAL_MAX)

/* Big endian, octets[0] not zero, 1 <= len; unused octets are zero. */
struct lbp_serial {
	uint8_t octets[LBP_SERIAL_MAX];
	uint8_t len;
};

/*
 * Reads a serial from len bytes of hex text: digits of either case, leading
 * zeros, and colons between octets ("1A2B3C", "1a:2b:3c", "0:1a2b").
 * LBP_ERR_SYNTAX: not of this form. LBP_ERR_RANGE: zero, or more than 20
 * octets. On error *out is as before. Source: [SER-1], [SER-2].
 */
LBP_MUST_CHECK enum lbp_err lbp_serial_from_hex(
	struct lbp_serial *out, const char *text, size_t len);

/*
 * Reads a serial from the len content octets of a DER INTEGER (two's
 * complement, X.690 8.3). LBP_ERR_SYNTAX: no octets. LBP_ERR_RANGE: zero,
 * negative, or more than 20 octets. On error *out is as before.
 * Source: [SER-3].
 */
LBP_MUST_CHECK enum lbp_err lbp_serial_from_der(
	struct lbp_serial *out, const uint8_t *content, size_t len);

/* Less than, equal to or greater than 0, as a is to b by value. */
int lbp_serial_compare(const struct lbp_serial *a, const struct lbp_serial *b);

/*
 * Writes the canonical text, upper-case octets joined by colons and a NUL,
 * to buf, which has LBP_SERIAL_TEXT_MAX bytes; returns its length without
 * the NUL. Source: [SER-4].
 */
size_t lbp_serial_format(const struct lbp_serial *serial, char *buf);

#endif
