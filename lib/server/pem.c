#include "server/pem.h"

#include <stdbool.h>
#include <string.h>

#define DASHES          "-----"
#define LENGTH(literal) (sizeof(literal) - 1)

/* A part of the text. */
struct part {
	const char *ptr;
	size_t len;
};

/* A base64 decoder. */
struct decoder {
	uint8_t *out;
	size_t len;
	uint32_t bits;    /* the last ones belong to the unfinished group */
	unsigned digits;  /* in that group, including padding */
	unsigned padding; /* only the end may follow */
};

static const struct {
	const char *label;
	enum lbp_pem_kind kind;
} labels[] = {
	{"CERTIFICATE", LBP_PEM_CERTIFICATE},
	{"X509 CERTIFICATE", LBP_PEM_CERTIFICATE},
	{"TRUSTED CERTIFICATE", LBP_PEM_TRUSTED},
	{"X509 CRL", LBP_PEM_CRL},
	{"PRIVATE KEY", LBP_PEM_KEY},
	{"RSA PRIVATE KEY", LBP_PEM_RSA_KEY},
	{"EC PRIVATE KEY", LBP_PEM_EC_KEY},
	{"DSA PRIVATE KEY", LBP_PEM_DSA_KEY},
	{"ENCRYPTED PRIVATE KEY", LBP_PEM_ENCRYPTED_KEY},
	{"OPENSSH PRIVATE KEY", LBP_PEM_OPENSSH_KEY},
	{"EC PARAMETERS", LBP_PEM_EC_PARAMETERS},
	{"DH PARAMETERS", LBP_PEM_DH_PARAMETERS},
	{"X9.42 DH PARAMETERS", LBP_PEM_DH_PARAMETERS},
	{"PUBLIC KEY", LBP_PEM_PUBLIC_KEY},
	{"RSA PUBLIC KEY", LBP_PEM_PUBLIC_KEY},
	{"CERTIFICATE REQUEST", LBP_PEM_REQUEST},
	{"NEW CERTIFICATE REQUEST", LBP_PEM_REQUEST},
	{"PKCS7", LBP_PEM_PKCS7},
	{"CMS", LBP_PEM_PKCS7},
};

const char *lbp_pem_kind_text(enum lbp_pem_kind kind)
{
	static const char *const texts[] = {
#define KIND(name, text) [name] = (text),
		LBP_PEM_KIND_MAP(KIND)
#undef KIND
	};

	return (size_t)kind < sizeof(texts) / sizeof(texts[0])
		       ? texts[kind]
		       : texts[LBP_PEM_OTHER];
}

static bool is_equal(struct part a, const char *b, size_t len)
{
	return a.len == len && memcmp(a.ptr, b, len) == 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes the next line, without trailing blanks; false: there is none. */
static bool next_line(struct lbp_pem *pem, struct part *line)
{
	const char *start = pem->text + pem->at;
	size_t left = pem->len - pem->at;
	const char *end;

	if (left == 0)
		return false;
	end = memchr(start, '\n', left);
	line->ptr = start;
	line->len = end == NULL ? left : (size_t)(end - start);
	pem->at += end == NULL ? left : line->len + 1;
	pem->line++;
	while (line->len > 0 && is_blank(line->ptr[line->len - 1]))
		line->len--;
	return true;
}

static bool contains(struct part line, const char *word, size_t len)
{
	size_t i;

	for (i = 0; i + len <= line.len; i++) {
		if (memcmp(line.ptr + i, word, len) == 0)
			return true;
	}
	return false;
}

static bool begins(struct part text, const char *word)
{
	size_t len = strlen(word);

	return text.len >= len && memcmp(text.ptr, word, len) == 0;
}

/*
 * Returns true if a line is meant to begin or end a block. If it does not do so
 * correctly, that is a fault: the block would otherwise pass for free text.
 */
static bool is_marker(struct part line)
{
	const char *end = line.ptr + line.len;
	const char *at = line.ptr;

	while ((at = memchr(at, '-', (size_t)(end - at))) != NULL) {
		struct part rest = {at + 1, (size_t)(end - at) - 1};

		if (begins(rest, "BEGIN") || begins(rest, " BEGIN") ||
			begins(rest, "END") || begins(rest, " END"))
			return true;
		at++;
	}
	return false;
}

/* Returns true for "-----BEGIN LABEL-----"; start is "-----BEGIN ". */
static bool read_marker(
	struct part line, const char *start, size_t start_len, struct part *out)
{
	size_t around = start_len + LENGTH(DASHES);

	if (line.len <= around || memcmp(line.ptr, start, start_len) != 0 ||
		memcmp(line.ptr + line.len - LENGTH(DASHES), DASHES,
			LENGTH(DASHES)) != 0)
		return false;
	out->ptr = line.ptr + start_len;
	out->len = line.len - around;
	return !contains(*out, DASHES, LENGTH(DASHES));
}

static bool read_begin(struct part line, struct part *label)
{
	static const char start[] = DASHES "BEGIN ";

	return read_marker(line, start, LENGTH(start), label);
}

static bool read_end(struct part line, struct part *label)
{
	static const char start[] = DASHES "END ";

	return read_marker(line, start, LENGTH(start), label);
}

/* The value of a base64 digit, or -1. */
static int digit_of(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	const char *at = memchr(digits, c, LENGTH(digits));

	return at == NULL ? -1 : (int)(at - digits);
}

/* Ends a group of four digits, some of which are padding. */
static bool end_group(struct decoder *decoder)
{
	unsigned bytes = 3 - decoder->padding;
	unsigned i;

	/* The last digit may have bits that are part of no byte. */
	if ((decoder->bits & ((1u << (8 * decoder->padding)) - 1)) != 0)
		return false;
	for (i = 0; i < bytes; i++)
		decoder->out[decoder->len++] =
			(uint8_t)(decoder->bits >> (16 - 8 * i));
	decoder->digits = 0;
	return true;
}

static bool add_digit(struct decoder *decoder, char c)
{
	int digit = digit_of(c);

	if (c == '=' && decoder->digits >= 2) {
		decoder->padding++;
		digit = 0;
	} else if (digit < 0 || decoder->padding > 0) {
		return false;
	}
	decoder->bits = decoder->bits << 6 | (uint32_t)digit;
	decoder->digits++;
	return decoder->digits < 4 || end_group(decoder);
}

static bool add_line(struct decoder *decoder, struct part line)
{
	size_t i;

	for (i = 0; i < line.len; i++) {
		if (!is_blank(line.ptr[i]) && !add_digit(decoder, line.ptr[i]))
			return false;
	}
	return true;
}

static enum lbp_pem_found fail(struct lbp_pem *pem, const char *fault)
{
	pem->fault = fault;
	return LBP_PEM_FAULT;
}

/* Skips the headers of RFC 1421: "Name: value" lines up to an empty one. */
static bool read_header(struct part line, struct lbp_pem_block *block)
{
	if (contains(line, "ENCRYPTED", LENGTH("ENCRYPTED")))
		block->kind = LBP_PEM_ENCRYPTED_KEY;
	return line.len > 0;
}

/* Reads a line that is meant to end the block. */
static enum lbp_pem_found end_block(struct lbp_pem *pem, struct part line,
	const struct decoder *decoder, struct lbp_pem_block *block)
{
	struct part label;

	if (read_begin(line, &label))
		return fail(pem, "a block begins inside another one, whose "
				 "END is missing");
	if (!read_end(line, &label))
		return fail(pem, "a BEGIN or END line is damaged");
	if (!is_equal(label, block->label, block->label_len))
		return fail(pem, "END has another label than BEGIN");
	if (decoder->digits != 0)
		return fail(pem, "the base64 ends too early");
	if (decoder->len == 0)
		return fail(pem, "nothing stands between BEGIN and END");
	block->len = decoder->len;
	return LBP_PEM_BLOCK;
}

static enum lbp_pem_found read_block(
	struct lbp_pem *pem, struct lbp_pem_block *block, uint8_t *out)
{
	struct decoder decoder = {.out = out};
	bool in_headers = true;
	struct part line;

	while (next_line(pem, &line)) {
		if (is_marker(line))
			return end_block(pem, line, &decoder, block);
		if (pem->line == block->line + 1 && !contains(line, ":", 1))
			in_headers = false;
		if (in_headers)
			in_headers = read_header(line, block);
		else if (!add_line(&decoder, line))
			return fail(pem, "a character is not base64");
	}
	pem->line = block->line;
	return fail(pem, "the block has no END line");
}

static enum lbp_pem_kind kind_of(struct part label)
{
	size_t i;

	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (is_equal(label, labels[i].label, strlen(labels[i].label)))
			return labels[i].kind;
	}
	return LBP_PEM_OTHER;
}

void lbp_pem_init(struct lbp_pem *pem, const char *text, size_t len)
{
	static const char mark[] = "\xef\xbb\xbf";

	*pem = (struct lbp_pem){.text = text, .len = len};
	/* A UTF-8 byte order mark, as some editors write it. */
	if (len >= LENGTH(mark) && memcmp(text, mark, LENGTH(mark)) == 0)
		pem->at = LENGTH(mark);
}

enum lbp_pem_found lbp_pem_next(
	struct lbp_pem *pem, struct lbp_pem_block *block, uint8_t *out)
{
	struct part line, label;

	while (next_line(pem, &line)) {
		if (contains(line, "", 1))
			return fail(pem, "a NUL byte: this is not text");
		if (!is_marker(line))
			continue;
		if (read_end(line, &label))
			return fail(pem, "END without BEGIN");
		if (!read_begin(line, &label))
			return fail(pem, "a BEGIN or END line is damaged");
		*block = (struct lbp_pem_block){
			.kind = kind_of(label),
			.line = pem->line,
			.label = label.ptr,
			.label_len = label.len,
		};
		return read_block(pem, block, out);
	}
	return LBP_PEM_END;
}
