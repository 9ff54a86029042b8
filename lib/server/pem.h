/*
 * PEM: a text cut into its blocks, each checked and decoded, or the first
 * fault of it. Nothing between BEGIN and END is passed over in silence, and
 * what stands around the blocks is free text.
 *
 * Source: RFC 7468, with RFC 1421's headers as OpenSSL writes them; [SRV-72].
 */
#ifndef LBP_PEM_H
#define LBP_PEM_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* What a block is, by its label; each with a noun for messages. */
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
	LBP_PEM_END,   /* no more of them */
	LBP_PEM_FAULT, /* the text is damaged; nothing after it was read */
};

/* A text on its way through lbp_pem_next. */
struct lbp_pem {
	const char *text; /* len bytes, the caller's */
	size_t len;
	size_t at;         /* what was read already */
	uint32_t line;     /* of the line that was read last, from 1 */
	const char *fault; /* static; why, after LBP_PEM_FAULT */
};

struct lbp_pem_block {
	enum lbp_pem_kind kind;
	uint32_t line;     /* of its BEGIN */
	const char *label; /* label_len bytes, of the text */
	size_t label_len;
	size_t len; /* how many bytes it decodes to, at least 1 */
};

/* Starts to read len bytes, which stay the caller's and as they are. */
void lbp_pem_init(struct lbp_pem *pem, const char *text, size_t len);

/*
 * Finds the next block and decodes it into out, which has room for as many
 * bytes as the whole text has. LBP_PEM_FAULT: pem->fault says what is wrong
 * and pem->line where; *block and out are undefined, and so is what a further
 * call finds. LBP_PEM_END: *block is as before.
 */
LBP_MUST_CHECK enum lbp_pem_found lbp_pem_next(
	struct lbp_pem *pem, struct lbp_pem_block *block, uint8_t *out);

/* A noun with its article; never NULL, owned by the library. */
const char *lbp_pem_kind_text(enum lbp_pem_kind kind);

#endif
