#include "tls_identity.h"

#include <openssl/err.h>
#include <stddef.h>
#include <sys/stat.h>

#include "tls_file.h"

#define ACCEPTED_CHAIN                                                         \
	"a PEM file with the certificates of a chain, leaf first, each "       \
	"issued "                                                              \
	"by the next"
#define ACCEPTED_KEY                                                           \
	"a PEM file with one private key without passphrase: RSA of 2048 "     \
	"bits "                                                                \
	"or more, ECDSA on P-256, P-384 or P-521, Ed25519 or Ed448"

/* Certificate and key may be in one file, named by both keys. */
static bool is_combined(const struct tls_identity *identity, int dir_fd)
{
	struct stat one, other;

	return fstatat(dir_fd, identity->certificate->ptr, &one, 0) == 0 &&
	       fstatat(dir_fd, identity->private_key->ptr, &other, 0) == 0 &&
	       one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* Adds a certificate to a context: the leaf, or one above it. */
static bool use_certificate(SSL_CTX *ctx, const struct tls_file *file,
	const struct tls_parts *chain, size_t i)
{
	const struct tls_part *part = &chain->items[i];
	char why[TLS_JUDGE_WHY_MAX];

	ERR_clear_error();
	if (!tls_judge_key(X509_get0_pubkey(part->cert), why)) {
		tls_file_problem(file, "has a certificate on line %u %s",
			part->line, why);
		return false;
	}
	if (i == 0 ? SSL_CTX_use_certificate(ctx, part->cert) == 1
		   : SSL_CTX_add1_chain_cert(ctx, part->cert) == 1)
		return true;
	tls_file_problem(file,
		"has a certificate on line %u that cannot be used: %s",
		part->line, tls_file_reason("unknown reason"));
	return false;
}

static bool is_in_order(
	const struct tls_file *file, const struct tls_parts *chain, size_t i)
{
	const struct tls_part *part = &chain->items[i];
	char why[TLS_JUDGE_WHY_MAX];
	size_t k;

	for (k = 0; k < i; k++) {
		if (X509_cmp(chain->items[k].cert, part->cert) != 0)
			continue;
		tls_file_problem(file,
			"has the certificate of line %u again on line %u",
			chain->items[k].line, part->line);
		return false;
	}
	if (i == 0 ||
		tls_judge_issuer(chain->items[i - 1].cert, part->cert, why))
		return true;
	tls_file_problem(file,
		"has a certificate on line %u that did not issue the one "
		"before it: %s",
		part->line, why);
	return false;
}

static bool use_chain(SSL_CTX *ctx, const struct tls_identity *identity,
	int dir_fd, struct problems *problems)
{
	const struct tls_file file = {
		.key = identity->certificate_key,
		.path = identity->certificate,
		.dir_fd = dir_fd,
		.problems = problems,
		.kinds = TLS_FILE_CERTS,
		.others = is_combined(identity, dir_fd) ? TLS_FILE_KEYS : 0,
		.accepted = ACCEPTED_CHAIN,
	};
	struct tls_parts chain;
	bool ok = true;
	size_t i;

	if (!tls_file_read(&file, &chain))
		return false;
	for (i = 0; i < chain.len && ok; i++)
		ok = is_in_order(&file, &chain, i) &&
		     use_certificate(ctx, &file, &chain, i);
	if (ok)
		tls_judge_warn_chain(&file, &chain, identity->role);
	tls_parts_release(&chain);
	return ok;
}

/* leaf is NULL if there is no certificate that the key could belong to. */
static void use_key(SSL_CTX *ctx, const struct tls_identity *identity,
	const X509 *leaf, int dir_fd, struct problems *problems)
{
	const struct tls_file file = {
		.key = identity->private_key_key,
		.path = identity->private_key,
		.dir_fd = dir_fd,
		.problems = problems,
		.kinds = TLS_FILE_KEYS,
		.others = is_combined(identity, dir_fd) ? TLS_FILE_CERTS : 0,
		.accepted = ACCEPTED_KEY,
	};
	char why[TLS_JUDGE_WHY_MAX];
	const struct tls_part *part;
	struct tls_parts keys;

	if (!tls_file_read(&file, &keys))
		return;
	part = &keys.items[0];
	if (keys.len > 1)
		tls_file_problem(&file, "has another private key on line %u",
			keys.items[1].line);
	else if (!tls_judge_key(part->pkey, why))
		tls_file_problem(&file, "has a private key on line %u %s",
			part->line, why);
	else if (leaf != NULL && X509_check_private_key(leaf, part->pkey) != 1)
		tls_file_problem(&file,
			"does not belong to %s, whose leaf has "
			"another key",
			identity->certificate_key);
	else if (leaf != NULL && SSL_CTX_use_PrivateKey(ctx, part->pkey) != 1)
		tls_file_problem(&file, "cannot be used: %s",
			tls_file_reason("unknown reason"));
	tls_parts_release(&keys);
}

void tls_use_identity(SSL_CTX *ctx, const struct tls_identity *identity,
	int dir_fd, struct problems *problems)
{
	bool has_chain = use_chain(ctx, identity, dir_fd, problems);

	use_key(ctx, identity, has_chain ? SSL_CTX_get0_certificate(ctx) : NULL,
		dir_fd, problems);
}
