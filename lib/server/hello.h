/*
 * What a client's first messages may be like. To be asked before a TLS library
 * takes them apart, since that is work for which nobody was verified yet.
 *
 * Both calls read the body of a handshake message, without its header of four
 * bytes; they keep nothing. Source: SPEC.md [SRV-64] and [SRV-65].
 */
#ifndef LBP_HELLO_H
#define LBP_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define LBP_HELLO_MAX       8192 /* bytes of a ClientHello */
#define LBP_HELLO_NAMES_MAX 128  /* groups, and as many signatures */

#define LBP_CERTS_MAX           4
#define LBP_CERTS_BYTES_MAX     16384 /* of the message */
#define LBP_CERT_RSA_BYTES      1024  /* of a modulus: 8192 bits */
#define LBP_CERT_EXPONENT_BYTES 8

/*
 * Judges a ClientHello (RFC 8446, 4.1.2; RFC 5246, 7.4.1.2). LBP_ERR_RANGE: it
 * is longer than LBP_HELLO_MAX, or offers more than LBP_HELLO_NAMES_MAX groups
 * or signature algorithms. LBP_ERR_SYNTAX: it is not one.
 */
LBP_MUST_CHECK enum lbp_err lbp_hello_check(const uint8_t *body, size_t len);

/*
 * Judges a client's Certificate message, of TLS 1.3 (RFC 8446, 4.4.2) or 1.2
 * (RFC 5246, 7.4.2). LBP_ERR_RANGE: it has too many bytes or certificates, or
 * one of them has a key that is not to be used: anything but RSA of up to
 * LBP_CERT_RSA_BYTES and LBP_CERT_EXPONENT_BYTES, a point that is not
 * compressed on a named curve, Ed25519 and Ed448. LBP_ERR_SYNTAX: it is no
 * such message, or something in it is not the DER of a certificate as far as
 * its key.
 */
LBP_MUST_CHECK enum lbp_err lbp_certs_check(
	const uint8_t *body, size_t len, bool is_tls13);

#endif
