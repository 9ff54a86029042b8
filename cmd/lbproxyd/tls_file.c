#include "tls_file.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

/* Room for what is wrong, including the path and a command with it. */
#define WHAT_MAX 9216

const char *tls_file_reason(const char *otherwise)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return reason != NULL ? reason : otherwise;
}

void tls_file_problem(const struct tls_file *file, const char *format, ...)
{
	char what[WHAT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	problem(file->problems, file->path->pos, "%s: '%s' %s; accepted: %s",
		file->key, file->path->ptr, what, file->accepted);
}

/* A path as a shell needs it; in buf if it needs quotes. */
static const char *shell_word(const char *path, char *buf, size_t cap)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_./-+,:@%=";
	size_t len = 0;

	if (path[strspn(path, plain)] == '\0')
		return path;
	buf[len++] = '\'';
	for (; *path != '\0' && len + 6 < cap; path++) {
		if (*path == '\'')
			len += (size_t)snprintf(buf + len, cap - len, "'\\''");
		else
			buf[len++] = *path;
	}
	snprintf(buf + len, cap - len, "'");
	return buf;
}

/* Prints what the file is, and the command (without path) that converts it. */
static void suggest(
	const struct tls_file *file, const char *what, const char *command)
{
	char quoted[WHAT_MAX / 2];
	const char *path = shell_word(file->path->ptr, quoted, sizeof(quoted));

	if (command == NULL)
		tls_file_problem(file, "%s", what);
	else
		tls_file_problem(file, "%s: %s %s", what, command, path);
}

/* Kinds of DER, and the commands (without path) that convert them to PEM. */
static const struct der_kind {
	ASN1_ITEM_EXP *item;
	const char *what;
	const char *command;
} der_kinds[] = {
	{ASN1_ITEM_ref(X509), "is a certificate in DER, not PEM",
		"openssl x509 -inform DER -out new.pem -in"},
	{ASN1_ITEM_ref(X509_CRL), "is a revocation list in DER, not PEM",
		"openssl crl -inform DER -out new.pem -in"},
	{ASN1_ITEM_ref(X509_REQ), "is a certificate request in DER", NULL},
	{ASN1_ITEM_ref(PKCS12), "is a PKCS#12 file, not PEM",
		"openssl pkcs12 -noenc -out new.pem -in"},
	{ASN1_ITEM_ref(PKCS7), "is a PKCS#7 bundle in DER, not PEM",
		"openssl pkcs7 -inform DER -print_certs -out new.pem -in"},
	{ASN1_ITEM_ref(PKCS8_PRIV_KEY_INFO), "is a private key in DER, not PEM",
		"openssl pkey -inform DER -out new.pem -in"},
	{ASN1_ITEM_ref(X509_SIG), "is an encrypted private key in DER, not PEM",
		"openssl pkey -inform DER -out new.pem -in"},
	{ASN1_ITEM_ref(X509_PUBKEY), "is a public key in DER", NULL},
	/* NULL: a key in the form of its algorithm. */
	{NULL, "is a private key in DER, not PEM",
		"openssl pkey -inform DER -out new.pem -in"},
};

static bool is_der(const struct der_kind *kind, const struct file *read)
{
	const unsigned char *at = (const unsigned char *)read->text;
	EVP_PKEY *pkey = NULL;
	ASN1_VALUE *value = NULL;

	if (kind->item != NULL)
		value = ASN1_item_d2i(
			NULL, &at, (long)read->len, ASN1_ITEM_ptr(kind->item));
	else
		pkey = d2i_AutoPrivateKey(NULL, &at, (long)read->len);
	if (value != NULL)
		ASN1_item_free(value, ASN1_ITEM_ptr(kind->item));
	EVP_PKEY_free(pkey);
	return value != NULL || pkey != NULL;
}

/* Recognizes a file without blocks by its form; true: it was reported. */
static bool explain_der(const struct tls_file *file, const struct file *read)
{
	size_t i;

	for (i = 0; i < sizeof(der_kinds) / sizeof(der_kinds[0]); i++) {
		const struct der_kind *kind = &der_kinds[i];

		/* Each kind is a SEQUENCE. */
		if (read->text[0] != 0x30 || !is_der(kind, read))
			continue;
		suggest(file, kind->what, kind->command);
		return true;
	}
	return false;
}

/* Reports a block that is not accepted here. */
static void explain_kind(
	const struct tls_file *file, const struct lbp_pem_block *block)
{
	char what[160];

	if (block->kind == LBP_PEM_OTHER)
		snprintf(what, sizeof(what), "has '%.*s' on line %u",
			block->label_len > 64 ? 64 : (int)block->label_len,
			block->label, block->line);
	else
		snprintf(what, sizeof(what), "has %s on line %u",
			lbp_pem_kind_text(block->kind), block->line);
	if (block->kind == LBP_PEM_ENCRYPTED_KEY)
		suggest(file, what, "openssl pkey -out new.key -in");
	else if (block->kind == LBP_PEM_OPENSSH_KEY)
		suggest(file, what, "ssh-keygen -p -m PKCS8 -f");
	else if (block->kind == LBP_PEM_TRUSTED)
		suggest(file, what, "openssl x509 -out new.pem -in");
	else if (block->kind == LBP_PEM_PKCS7)
		suggest(file, what,
			"openssl pkcs7 -print_certs -out new.pem -in");
	else
		tls_file_problem(file, "%s", what);
}

/* "PRIVATE KEY" is PKCS#8; the others say what they are. */
static EVP_PKEY *parse_key(
	enum lbp_pem_kind kind, const unsigned char **at, long len)
{
	PKCS8_PRIV_KEY_INFO *info;
	EVP_PKEY *pkey = NULL;

	if (kind == LBP_PEM_RSA_KEY)
		return d2i_PrivateKey(EVP_PKEY_RSA, NULL, at, len);
	if (kind == LBP_PEM_EC_KEY)
		return d2i_PrivateKey(EVP_PKEY_EC, NULL, at, len);
	if (kind == LBP_PEM_DSA_KEY)
		return d2i_PrivateKey(EVP_PKEY_DSA, NULL, at, len);
	info = d2i_PKCS8_PRIV_KEY_INFO(NULL, at, len);
	if (info != NULL)
		pkey = EVP_PKCS82PKEY(info);
	PKCS8_PRIV_KEY_INFO_free(info);
	return pkey;
}

/* Returns true if the block holds what its label says, and no more. */
static bool parse_part(struct tls_part *part, const struct lbp_pem_block *block,
	const unsigned char *der)
{
	const unsigned char *at = der;
	long len = (long)block->len;

	*part = (struct tls_part){.line = block->line};
	ERR_clear_error();
	if (block->kind == LBP_PEM_CERTIFICATE)
		part->cert = d2i_X509(NULL, &at, len);
	else if (block->kind == LBP_PEM_CRL)
		part->crl = d2i_X509_CRL(NULL, &at, len);
	else
		part->pkey = parse_key(block->kind, &at, len);
	return (part->cert != NULL || part->crl != NULL ||
		       part->pkey != NULL) &&
	       at == der + len;
}

static void release_part(struct tls_part *part)
{
	X509_free(part->cert);
	X509_CRL_free(part->crl);
	EVP_PKEY_free(part->pkey);
}

static void add_part(const struct tls_file *file, struct tls_parts *parts,
	const struct lbp_pem_block *block, const unsigned char *der)
{
	struct tls_part *items =
		realloc(parts->items, (parts->len + 1) * sizeof(*parts->items));

	if (items == NULL) {
		problem(file->problems, file->path->pos, "%s: out of memory",
			file->key);
		return;
	}
	parts->items = items;
	if (parse_part(&items[parts->len++], block, der))
		return;
	tls_file_problem(file, "has %s on line %u that cannot be read (%s)",
		lbp_pem_kind_text(block->kind), block->line,
		tls_file_reason("trailing bytes"));
}

static void take_block(const struct tls_file *file, struct tls_parts *parts,
	const struct lbp_pem_block *block, const unsigned char *der)
{
	unsigned set = LBP_PEM_SET(block->kind);

	if (((file->kinds | file->others) & set) == 0)
		explain_kind(file, block);
	else if ((file->kinds & set) != 0 &&
		 block->kind != LBP_PEM_EC_PARAMETERS)
		add_part(file, parts, block, der);
}

/* What a file with blocks of which none is used must contain one of. */
static const char *wanted_text(const struct tls_file *file)
{
	/* Lists are alone in their file. */
	return file->kinds == TLS_FILE_CERTS ? "certificate" : "private key";
}

static void read_blocks(const struct tls_file *file, const struct file *read,
	unsigned char *der, struct tls_parts *parts)
{
	unsigned before = file->problems->count;
	struct lbp_pem_block block;
	enum lbp_pem_found found;
	struct lbp_pem pem;
	bool any = false;

	lbp_pem_init(&pem, read->text, read->len);
	while ((found = lbp_pem_next(&pem, &block, der)) == LBP_PEM_BLOCK) {
		take_block(file, parts, &block, der);
		any = true;
	}
	if (!any && explain_der(file, read))
		return;
	if (found == LBP_PEM_FAULT)
		tls_file_problem(
			file, "is damaged on line %u: %s", pem.line, pem.fault);
	else if (!any)
		tls_file_problem(file, "has no PEM block");
	else if (parts->len == 0 && file->problems->count == before)
		tls_file_problem(file, "has no %s", wanted_text(file));
}

bool tls_file_read(const struct tls_file *file, struct tls_parts *parts)
{
	unsigned before = file->problems->count;
	unsigned char *der = NULL;
	struct file read;

	*parts = (struct tls_parts){0};
	if (!file_read_regular(&read, file->dir_fd, file->path->ptr)) {
		tls_file_problem(file, "cannot be read: %s", read.why);
		return false;
	}
	if (read.len == 0) {
		tls_file_problem(file, "is empty");
	} else if ((der = malloc(read.len)) == NULL) {
		problem(file->problems, file->path->pos, "%s: out of memory",
			file->key);
	} else {
		read_blocks(file, &read, der, parts);
		OPENSSL_cleanse(der, read.len);
	}
	free(der);
	file_release(&read);
	ERR_clear_error();
	if (file->problems->count == before)
		return true;
	tls_parts_release(parts);
	return false;
}

void tls_parts_release(struct tls_parts *parts)
{
	size_t i;

	for (i = 0; i < parts->len; i++)
		release_part(&parts->items[i]);
	free(parts->items);
	*parts = (struct tls_parts){0};
}
