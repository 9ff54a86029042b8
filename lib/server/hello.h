/*
 * Limits on a client's first handshake messages, to be checked before a TLS
 * library parses them: that is work done for somebody not yet verified.
 *
 * All calls take the body of a handshake message, without its four-byte
 * header, and keep no pointer into it. Source: SPEC.md [SRV-64], [SRV-65],
 * [SRV-67], [SRV-102].
 */
#ifndef LBP_HELLO_H
#define LBP_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define LBP_HELLO_MAX       8192 /* bytes of a ClientHello */
#define LBP_HELLO_NAMES_MAX 128  /* groups; as many signatures */

#define LBP_CERTS_MAX           4
#define LBP_CERTS_BYTES_MAX     16384 /* of the message */
#define LBP_CERT_RSA_BYTES      1024  /* of a modulus; 8192 bits */
#define LBP_CERT_EXPONENT_BYTES 8

/*
 * Checks a ClientHello (RFC 8446, 4.1.2; RFC 5246, 7.4.1.2). LBP_ERR_RANGE: it
 * is longer than LBP_HELLO_MAX, or offers more than LBP_HELLO_NAMES_MAX groups
 * or signature algorithms. LBP_ERR_SYNTAX: it is malformed.
 */
LBP_MUST_CHECK enum lbp_err lbp_hello_check(const uint8_t *body, size_t len);

/*
 * Checks a client's Certificate message of TLS 1.3 (RFC 8446, 4.4.2) or 1.2
 * (RFC 5246, 7.4.2). LBP_ERR_RANGE: it has too many bytes or certificates, or
 * a certificate's key is not accepted, which are only RSA keys of at most
 * LBP_CERT_RSA_BYTES and LBP_CERT_EXPONENT_BYTES, uncompressed points on named
 * curves, Ed25519 and Ed448. LBP_ERR_SYNTAX: it is malformed, or a certificate
 * in it is not DER up to and including its key.
 */
LBP_MUST_CHECK enum lbp_err lbp_certs_check(
	const uint8_t *body, size_t len, bool is_tls13);

/*
 * Leaves only the first certificate in a Certificate message of TLS 1.3, which
 * keeps its length: what follows becomes an extension of that certificate, of a
 * type that has no meaning (RFC 8701). A message with no other certificate, or
 * a malformed one, stays as it is.
 */
void lbp_certs_hide_others(uint8_t *body, size_t len);

#endif
