/*
 * PEM against a reading of the text line by line that knows nothing of states,
 * and each block against its own text written anew.
 *
 * Input: a text. What is found in it is looked for again in the same text with
 * CR LF for LF, which makes no difference.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "oracle.h"
#include "server/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define TEXT_MAX   4096
#define BLOCKS_MAX 128

struct found {
	struct lbp_pem_block blocks[BLOCKS_MAX];
	size_t len;
	uint8_t out[BLOCKS_MAX][64]; /* the first bytes of each */
	enum lbp_pem_found last;
	const char *fault;
	uint32_t line;
};

static void read_all(struct found *found, const char *text, size_t len)
{
	uint8_t *out = malloc(len + 1);
	struct lbp_pem pem;

	memset(found, 0, sizeof(*found));
	lbp_pem_init(&pem, text, len);
	for (;;) {
		struct lbp_pem_block *block = &found->blocks[found->len];

		found->last = lbp_pem_next(&pem, block, out);
		if (found->last != LBP_PEM_BLOCK)
			break;
		memcpy(found->out[found->len], out,
			block->len < 64 ? block->len : 64);
		found->len++;
	}
	found->fault = pem.fault;
	found->line = pem.line;
	free(out);
}

/* The line of this number, counted from 1, without blanks at its end. */
static const char *line_at(
	const char *text, size_t len, uint32_t number, size_t *line_len)
{
	const char *end = text + len;
	const char *next;

	for (; number > 1; number--) {
		next = memchr(text, '\n', (size_t)(end - text));
		if (next == NULL)
			return NULL;
		text = next + 1;
	}
	if (text == end)
		return NULL;
	next = memchr(text, '\n', (size_t)(end - text));
	*line_len = (size_t)((next == NULL ? end : next) - text);
	while (*line_len > 0 && strchr(" \t\r", text[*line_len - 1]) != NULL &&
		text[*line_len - 1] != '\0')
		(*line_len)--;
	return text;
}

/* Is this line WORD LABEL with its dashes? */
static bool is_marker(const char *line, size_t len, const char *word,
	const struct lbp_pem_block *block)
{
	char want[TEXT_MAX + 32];
	size_t at = strlen(strcpy(want, word));

	memcpy(want + at, block->label, block->label_len);
	at += block->label_len;
	memcpy(want + at, "-----", 5);
	return len == at + 5 && memcmp(line, want, len) == 0;
}

/* The base64 of some bytes, in the plainest way; its length. */
static size_t encode(const uint8_t *bytes, size_t len, char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
				     "nopqrstuvwxyz0123456789+/";
	size_t n = 0;

	for (size_t bit = 0; bit < 8 * len; bit += 6) {
		unsigned value = 0;

		for (size_t i = bit; i < bit + 6; i++) {
			unsigned one = i / 8 < len
					       ? bytes[i / 8] >> (7 - i % 8) & 1
					       : 0;
			value = value * 2 + one;
		}
		text[n++] = digits[value];
	}
	while (n % 4 != 0)
		text[n++] = '=';
	return n;
}

/* What stands in the block's lines is what it decoded to, and no more. */
static void check_block(const char *text, size_t len,
	const struct lbp_pem_block *block, const uint8_t *out)
{
	char body[TEXT_MAX], again[128];
	uint32_t number = block->line;
	bool in_headers = false;
	size_t body_len = 0;
	size_t line_len = 0;
	const char *line = line_at(text, len, number, &line_len);

	ORACLE("SRV-119",
		line != NULL && is_marker(line, line_len, "-----BEGIN ", block),
		"line %u does not begin the block", number);
	while ((line = line_at(text, len, ++number, &line_len)) != NULL &&
		!is_marker(line, line_len, "-----END ", block)) {
		if (number == block->line + 1)
			in_headers = memchr(line, ':', line_len) != NULL;
		for (size_t i = 0; i < line_len && !in_headers; i++) {
			if (strchr(" \t\r", line[i]) == NULL || line[i] == '\0')
				body[body_len++] = line[i];
		}
		in_headers = in_headers && line_len > 0;
	}
	ORACLE("SRV-119", line != NULL, "the block does not end");
	line_len = encode(out, block->len < 48 ? block->len : 48, again);
	ORACLE("SRV-119", body_len == (block->len + 2) / 3 * 4,
		"%zu digits for %zu bytes", body_len, block->len);
	ORACLE("SRV-119", memcmp(body, again, line_len) == 0,
		"other bytes than the text has");
}

/* What is free text has no part of a block in it. */
static bool is_outside(const struct found *found, const char *text, size_t len,
	uint32_t number)
{
	for (size_t i = 0; i < found->len; i++) {
		const struct lbp_pem_block *block = &found->blocks[i];
		uint32_t last = block->line;
		size_t line_len = 0;
		const char *line;

		do
			line = line_at(text, len, ++last, &line_len);
		while (line != NULL &&
			!is_marker(line, line_len, "-----END ", block));
		if (number >= block->line && number <= last)
			return false;
	}
	return true;
}

static void check_rest(const struct found *found, const char *text, size_t len)
{
	size_t line_len = 0;
	const char *line;

	for (uint32_t number = 1;
		(line = line_at(text, len, number, &line_len)) != NULL;
		number++) {
		bool is_free = is_outside(found, text, len, number);

		for (size_t i = 0; i + 6 <= line_len && is_free; i++)
			ORACLE("SRV-120",
				memcmp(line + i, "-BEGIN", 6) != 0 &&
					memcmp(line + i, "--END ", 6) != 0,
				"line %u is passed over", number);
		ORACLE("SRV-120",
			!is_free || memchr(line, '\0', line_len) == NULL,
			"a NUL on line %u", number);
	}
}

static void check_windows(
	const struct found *found, const char *text, size_t len)
{
	static struct found other;
	char more[2 * TEXT_MAX];
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			more[n++] = '\r';
		more[n++] = text[i];
	}
	read_all(&other, more, n);
	ORACLE("SRV-121",
		other.last == found->last && other.len == found->len &&
			other.line == found->line &&
			other.fault == found->fault,
		"CR LF makes a difference");
	ORACLE("SRV-121", memcmp(other.out, found->out, sizeof(other.out)) == 0,
		"CR LF makes other bytes");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct found found;
	const char *text = (const char *)data;

	if (len > TEXT_MAX || len == 0)
		return 0;
	read_all(&found, text, len);
	ORACLE("SRV-120",
		(found.last == LBP_PEM_FAULT) ==
			(found.fault != NULL && found.line > 0),
		"a fault without its reason");
	check_windows(&found, text, len);
	/* What an editor puts first belongs to no line. */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	for (size_t i = 0; i < found.len; i++) {
		check_block(text, len, &found.blocks[i], found.out[i]);
		ORACLE("SRV-123",
			lbp_pem_kind_text(found.blocks[i].kind)[0] == 'a' ||
				found.blocks[i].kind == LBP_PEM_EC_PARAMETERS ||
				found.blocks[i].kind == LBP_PEM_DH_PARAMETERS,
			"a kind without a noun");
	}
	if (found.last == LBP_PEM_END)
		check_rest(&found, text, len);
	return 0;
}
