/*
 * Reads the blocks of a PEM text, up to its first fault. Nothing between BEGIN
 * and END is silently ignored; text outside the blocks is.
 *
 * Source: RFC 7468, with RFC 1421's headers as OpenSSL writes them;
 * SPEC.md [SRV-119] to [SRV-121].
 */
#ifndef LBP_PEM_H
#define LBP_PEM_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* The kinds of blocks, by label, each with a noun for messages. */
#define LBP_PEM_KIND_MAP(X)                                                    \
	X(LBP_PEM_OTHER, "an unknown block")                                   \
	X(LBP_PEM_CERTIFICATE, "a certificate")                                \
	X(LBP_PEM_TRUSTED, "a certificate with trust settings")                \
	X(LBP_PEM_CRL, "a revocation list")                                    \
	X(LBP_PEM_KEY, "a private key")                                        \
	X(LBP_PEM_RSA_KEY, "an RSA private key")                               \
	X(LBP_PEM_EC_KEY, "an EC private key")                                 \
	X(LBP_PEM_DSA_KEY, "a DSA private key")                                \
	X(LBP_PEM_ENCRYPTED_KEY, "an encrypted private key")                   \
	X(LBP_PEM_OPENSSH_KEY, "a private key in OpenSSH's format")            \
	X(LBP_PEM_EC_PARAMETERS, "EC parameters")                              \
	X(LBP_PEM_DH_PARAMETERS, "DH parameters")                              \
	X(LBP_PEM_PUBLIC_KEY, "a public key")                                  \
	X(LBP_PEM_REQUEST, "a certificate request")                            \
	X(LBP_PEM_PKCS7, "a PKCS#7 bundle")

#define LBP_PEM_KIND_ENUM(kind, text) kind,
enum lbp_pem_kind {
	LBP_PEM_KIND_MAP(LBP_PEM_KIND_ENUM)
};
#undef LBP_PEM_KIND_ENUM

/* A set of kinds. */
#define LBP_PEM_SET(kind) (1u << (kind))

enum lbp_pem_found {
	LBP_PEM_BLOCK,
	LBP_PEM_END,   /* there are no more blocks */
	LBP_PEM_FAULT, /* the text is damaged; reading stopped there */
};

/* A text being read. */
struct lbp_pem {
	const char *text; /* len bytes, the caller's */
	size_t len;
	size_t at;         /* bytes that were read */
	uint32_t line;     /* the last one that was read; from 1 */
	const char *fault; /* after LBP_PEM_FAULT: why; static */
};

struct lbp_pem_block {
	enum lbp_pem_kind kind;
	uint32_t line;     /* of its BEGIN */
	const char *label; /* label_len bytes, of the text */
	size_t label_len;
	size_t len; /* of the decoded bytes, at least 1 */
};

/* Starts reading len bytes, which stay the caller's and must not change. */
void lbp_pem_init(struct lbp_pem *pem, const char *text, size_t len);

/*
 * Finds the next block and decodes it into out, which must have room for as
 * many bytes as the whole text. LBP_PEM_FAULT: pem->fault says what is wrong,
 * and pem->line where; *block and out are undefined, and so is the result of
 * another call. LBP_PEM_END: *block is unchanged.
 */
LBP_MUST_CHECK enum lbp_pem_found lbp_pem_next(
	struct lbp_pem *pem, struct lbp_pem_block *block, uint8_t *out);

/* A noun with its article; static, never NULL. */
const char *lbp_pem_kind_text(enum lbp_pem_kind kind);

#endif
