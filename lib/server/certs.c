/* Certificates, parsed up to and including their keys. [SRV-67], [SRV-102]. */
#include <string.h>

#include "server/hello.h"
#include "server/span.h"

/* Tags of DER. */
enum {
	TAG_INTEGER = 0x02,
	TAG_BITS = 0x03,
	TAG_OID = 0x06,
	TAG_SEQUENCE = 0x30,
	TAG_VERSION = 0xa0, /* [0] of a TBSCertificate */
};

/* Takes a length in DER: definite and as short as can be. */
static bool take_length(struct lbp_span *span, size_t *len)
{
	size_t first;

	if (!lbp_span_number(span, 1, &first))
		return false;
	*len = first;
	if (first < 0x80)
		return true;
	/* More than two octets do not fit into a message. */
	if (first == 0x81)
		return lbp_span_number(span, 1, len) && *len >= 0x80;
	return first == 0x82 && lbp_span_number(span, 2, len) && *len >= 0x100;
}

/* Takes an element with this tag; *content is its content. */
static bool take(struct lbp_span *span, size_t tag, struct lbp_span *content)
{
	size_t got, len;

	return lbp_span_number(span, 1, &got) && got == tag &&
	       take_length(span, &len) && lbp_span_take(span, len, content);
}

static bool skip(struct lbp_span *span, size_t tag)
{
	struct lbp_span content;

	return take(span, tag, &content);
}

static bool is_oid(struct lbp_span oid, const char *octets, size_t len)
{
	return oid.len == len && memcmp(oid.ptr, octets, len) == 0;
}

#define IS_OID(oid, octets) is_oid(oid, octets, sizeof(octets) - 1)

/* Counts the octets of a positive INTEGER; false: it is not one. */
static bool take_magnitude(struct lbp_span *span, size_t *len)
{
	struct lbp_span number;

	if (!take(span, TAG_INTEGER, &number) || number.len == 0)
		return false;
	*len = number.ptr[0] == 0 ? number.len - 1 : number.len;
	return true;
}

static enum lbp_err check_rsa(struct lbp_span bits)
{
	struct lbp_span key;
	size_t modulus, exponent;

	if (!take(&bits, TAG_SEQUENCE, &key) ||
		!take_magnitude(&key, &modulus) ||
		!take_magnitude(&key, &exponent))
		return LBP_ERR_SYNTAX;
	return modulus > LBP_CERT_RSA_BYTES ||
			       exponent > LBP_CERT_EXPONENT_BYTES
		       ? LBP_ERR_RANGE
		       : LBP_OK;
}

/* Decompressing a point is work. */
static enum lbp_err check_ec(struct lbp_span parameters, struct lbp_span bits)
{
	if (!skip(&parameters, TAG_OID) || bits.len == 0 || bits.ptr[0] != 4)
		return LBP_ERR_RANGE;
	return LBP_OK;
}

/* A SubjectPublicKeyInfo, RFC 5280, 4.1. */
static enum lbp_err check_key(struct lbp_span info)
{
	struct lbp_span algorithm, oid, bits;
	size_t unused;

	if (!take(&info, TAG_SEQUENCE, &algorithm) ||
		!take(&algorithm, TAG_OID, &oid) ||
		!take(&info, TAG_BITS, &bits) ||
		!lbp_span_number(&bits, 1, &unused))
		return LBP_ERR_SYNTAX;
	if (IS_OID(oid, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01") ||
		IS_OID(oid, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"))
		return check_rsa(bits);
	if (IS_OID(oid, "\x2a\x86\x48\xce\x3d\x02\x01"))
		return check_ec(algorithm, bits);
	if (IS_OID(oid, "\x2b\x65\x70") || IS_OID(oid, "\x2b\x65\x71"))
		return LBP_OK;
	return LBP_ERR_RANGE;
}

/* A Certificate, RFC 5280, 4.1, up to its key. */
static enum lbp_err check_cert(struct lbp_span der)
{
	struct lbp_span cert, tbs, info;

	if (!take(&der, TAG_SEQUENCE, &cert) ||
		!take(&cert, TAG_SEQUENCE, &tbs))
		return LBP_ERR_SYNTAX;
	if (tbs.len > 0 && tbs.ptr[0] == TAG_VERSION &&
		!skip(&tbs, TAG_VERSION))
		return LBP_ERR_SYNTAX;
	/* Serial; signature, issuer, validity, subject. */
	if (!skip(&tbs, TAG_INTEGER) || !skip(&tbs, TAG_SEQUENCE) ||
		!skip(&tbs, TAG_SEQUENCE) || !skip(&tbs, TAG_SEQUENCE) ||
		!skip(&tbs, TAG_SEQUENCE) || !take(&tbs, TAG_SEQUENCE, &info))
		return LBP_ERR_SYNTAX;
	return check_key(info);
}

/* Takes and checks one entry of the list. */
static enum lbp_err check_entry(struct lbp_span *list, bool is_tls13)
{
	struct lbp_span der, extensions;

	if (!lbp_span_vector(list, 3, &der) ||
		(is_tls13 && !lbp_span_vector(list, 2, &extensions)))
		return LBP_ERR_SYNTAX;
	return check_cert(der);
}

enum lbp_err lbp_certs_check(const uint8_t *body, size_t len, bool is_tls13)
{
	struct lbp_span rest = {body, len};
	struct lbp_span context, list;
	enum lbp_err err = LBP_OK;
	unsigned n;

	if (len > LBP_CERTS_BYTES_MAX)
		return LBP_ERR_RANGE;
	if ((is_tls13 && !lbp_span_vector(&rest, 1, &context)) ||
		!lbp_span_vector(&rest, 3, &list) || rest.len > 0)
		return LBP_ERR_SYNTAX;
	for (n = 0; n < LBP_CERTS_MAX && list.len > 0 && err == LBP_OK; n++)
		err = check_entry(&list, is_tls13);
	return err == LBP_OK && list.len > 0 ? LBP_ERR_RANGE : err;
}

/* Reserved for values that a peer must ignore, RFC 8701. */
#define TYPE_WITHOUT_MEANING 0x0a0a

/* Type and length of an extension. */
#define EXTENSION_HEADER 4

static void put_16(uint8_t *at, size_t number)
{
	at[0] = (uint8_t)(number >> 8);
	at[1] = (uint8_t)number;
}

void lbp_certs_hide_others(uint8_t *body, size_t len)
{
	struct lbp_span rest = {body, len};
	struct lbp_span context, list, der, extensions;
	uint8_t *others;

	if (!lbp_span_vector(&rest, 1, &context) ||
		!lbp_span_vector(&rest, 3, &list) ||
		!lbp_span_vector(&list, 3, &der) ||
		!lbp_span_vector(&list, 2, &extensions) ||
		list.len < EXTENSION_HEADER ||
		extensions.len + list.len > UINT16_MAX)
		return;
	others = body + (list.ptr - body);
	put_16(others - extensions.len - 2, extensions.len + list.len);
	put_16(others, TYPE_WITHOUT_MEANING);
	put_16(others + 2, list.len - EXTENSION_HEADER);
}
