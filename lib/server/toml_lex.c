/*
 * Every resolved string is written, with its NUL, to lex->out. That never fills
 * up: a quoted string has two quotes in the text, no escape is shorter than
 * what it stands for, and a bare key has at least the '=', '.' or ']' after it,
 * except one key at the text's end. LBP_LEX_OUT_EXTRA is for that one, and for
 * the copy of a number that is converted there.
 */
#include "server/toml_lex.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/utf8.h"

int lbp_lex_ahead(const struct lbp_lex *lex, size_t bytes)
{
	if (bytes >= lex->len - lex->at)
		return -1;
	return (unsigned char)lex->text[lex->at + bytes];
}

int lbp_lex_peek(const struct lbp_lex *lex)
{
	return lbp_lex_ahead(lex, 0);
}

void lbp_lex_skip(struct lbp_lex *lex, size_t bytes)
{
	for (; bytes > 0; bytes--) {
		unsigned char byte = (unsigned char)lex->text[lex->at++];

		if (byte == '\n') {
			lex->pos.line++;
			lex->pos.column = 1;
		} else if ((byte & 0xC0U) != 0x80U) {
			lex->pos.column++;
		}
	}
}

bool lbp_lex_accept(struct lbp_lex *lex, char byte)
{
	if (lbp_lex_peek(lex) != (unsigned char)byte)
		return false;
	lbp_lex_skip(lex, 1);
	return true;
}

static bool is_blank(int byte)
{
	return byte == ' ' || byte == '\t';
}

void lbp_lex_blanks(struct lbp_lex *lex)
{
	//@ dynamic_split lex->at;
	while (is_blank(lbp_lex_peek(lex)))
		lbp_lex_skip(lex, 1);
}

/* The length of the line end that is this far ahead; 0: there is none. */
static size_t newline_len(const struct lbp_lex *lex, size_t ahead)
{
	if (lbp_lex_ahead(lex, ahead) == '\n')
		return 1;
	return lbp_lex_ahead(lex, ahead) == '\r' &&
			       lbp_lex_ahead(lex, ahead + 1) == '\n'
		       ? 2
		       : 0;
}

bool lbp_lex_newline(struct lbp_lex *lex)
{
	size_t bytes = newline_len(lex, 0);

	lbp_lex_skip(lex, bytes);
	return bytes > 0;
}

enum lbp_err lbp_lex_fail(
	struct lbp_lex *lex, struct lbp_toml_pos pos, const char *format, ...)
{
	va_list args;

	lex->error->pos = pos;
	va_start(args, format);
	(void)vsnprintf(
		lex->error->message, sizeof(lex->error->message), format, args);
	va_end(args);
	return LBP_ERR_SYNTAX;
}

enum lbp_err lbp_lex_expected(struct lbp_lex *lex, const char *what)
{
	char found[LBP_LEX_QUOTE_MAX];
	const char *text = lex->text + lex->at;
	uint32_t code;
	size_t used;

	if (lex->at == lex->len)
		return lbp_lex_fail(lex, lex->pos,
			"expected %s, found the end of the text", what);
	if (newline_len(lex, 0) > 0)
		return lbp_lex_fail(lex, lex->pos,
			"expected %s, found the end of the line", what);
	used = lbp_utf8_decode(text, lex->len - lex->at, &code);
	if (code == LBP_UTF8_INVALID)
		return lbp_lex_fail(lex, lex->pos,
			"expected %s, found byte 0x%02X, not UTF-8", what,
			(unsigned char)text[0]);
	if (code <= 0x20 || code == 0x7F)
		return lbp_lex_fail(lex, lex->pos,
			"expected %s, found U+%04" PRIX32, what, code);
	return lbp_lex_fail(lex, lex->pos, "expected %s, found '%s'", what,
		lbp_lex_quote(text, used, found));
}

const char *lbp_lex_quote(
	const char *text, size_t len, char out[LBP_LEX_QUOTE_MAX])
{
	static const char more[] = "...";
	size_t at = 0, used = 0;

	//@ dynamic_split at;
	//@ dynamic_split used;
	while (at < len && used <= LBP_LEX_QUOTE_MAX - 4 - sizeof(more)) {
		uint32_t code;
		size_t bytes = lbp_utf8_decode(text + at, len - at, &code);

		//@ split bytes;
		if (code < 0x20 || (code >= 0x7F && code < 0xA0) ||
			code == 0x2028 || code == 0x2029) {
			out[used++] = '?';
		} else {
			memcpy(out + used, text + at, bytes);
			used += bytes;
		}
		at += bytes;
	}
	memcpy(out + used, at < len ? more : "", at < len ? sizeof(more) : 1);
	return out;
}

static void put(struct lbp_lex *lex, const char *bytes, size_t len)
{
	memcpy(lex->out + lex->out_len, bytes, len);
	lex->out_len += len;
}

/*
 * Skips a character that comments and strings may contain unescaped, and gives
 * its length. The cursor is not at the text's end.
 */
static enum lbp_err plain_char(
	struct lbp_lex *lex, const char *where, size_t *used)
{
	const char *text = lex->text + lex->at;
	uint32_t code;

	*used = lbp_utf8_decode(text, lex->len - lex->at, &code);
	//@ split *used;
	if (code == LBP_UTF8_INVALID)
		return lbp_lex_fail(lex, lex->pos,
			"byte 0x%02X in a %s; accepted: text in UTF-8",
			(unsigned char)text[0], where);
	if ((code < 0x20 && code != '\t') || code == 0x7F)
		return lbp_lex_fail(lex, lex->pos,
			"control character U+%04" PRIX32
			" in a %s; accepted: no control characters except tab",
			code, where);
	lbp_lex_skip(lex, *used);
	return LBP_OK;
}

enum lbp_err lbp_lex_comment(struct lbp_lex *lex)
{
	enum lbp_err err;
	size_t used;

	if (lbp_lex_peek(lex) != '#')
		return LBP_OK;
	//@ dynamic_split lex->at;
	while (lex->at < lex->len && newline_len(lex, 0) == 0) {
		err = plain_char(lex, "comment", &used);
		if (err)
			return err;
	}
	return LBP_OK;
}

static enum lbp_err string_char(struct lbp_lex *lex)
{
	const char *text = lex->text + lex->at;
	size_t used;
	enum lbp_err err = plain_char(lex, "string", &used);

	if (!err)
		put(lex, text, used);
	return err;
}

static int hex_digit(int byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

/* The cursor is at the backslash of \uXXXX or \UXXXXXXXX. */
static enum lbp_err unicode_escape(struct lbp_lex *lex)
{
	int kind = lbp_lex_ahead(lex, 1);
	size_t digits = kind == 'u' ? 4 : 8;
	char bytes[LBP_UTF8_MAX];
	uint32_t code = 0;

	for (size_t i = 0; i < digits; i++) {
		int digit = hex_digit(lbp_lex_ahead(lex, 2 + i));

		if (digit < 0)
			return lbp_lex_fail(lex, lex->pos,
				"\\%c needs %zu hexadecimal digits", kind,
				digits);
		code = code << 4 | (uint32_t)digit;
	}
	if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return lbp_lex_fail(lex, lex->pos,
			"U+%04" PRIX32 " is not a character; accepted: up to "
			"D7FF, and E000 to 10FFFF",
			code);
	put(lex, bytes, lbp_utf8_encode(code, bytes));
	lbp_lex_skip(lex, 2 + digits);
	return LBP_OK;
}

static enum lbp_err escape(struct lbp_lex *lex)
{
	static const char names[] = "btnfr\"\\", bytes[] = "\b\t\n\f\r\"\\";
	int name = lbp_lex_ahead(lex, 1);
	const char *found;

	if (name == 'u' || name == 'U')
		return unicode_escape(lex);
	found = name > 0 ? strchr(names, name) : NULL;
	if (!found)
		return lbp_lex_fail(lex, lex->pos,
			"unknown escape; accepted: \\b \\t \\n \\f \\r \\\" "
			"\\\\ \\uXXXX \\UXXXXXXXX");
	put(lex, &bytes[found - names], 1);
	lbp_lex_skip(lex, 2);
	return LBP_OK;
}

/*
 * A backslash at the end of a line joins it to the text that follows. If the
 * cursor is at one, skips everything between and returns true.
 */
static bool line_join(struct lbp_lex *lex)
{
	size_t ahead = 1;

	//@ dynamic_split lex->at;
	while (is_blank(lbp_lex_ahead(lex, ahead)))
		ahead++;
	if (newline_len(lex, ahead) == 0)
		return false;
	lbp_lex_skip(lex, ahead);
	do {
		lbp_lex_blanks(lex);
	} while (lbp_lex_newline(lex));
	return true;
}

/* One character of a string; in a multi-line one, also a line end or join. */
static enum lbp_err string_part(struct lbp_lex *lex, int quote, bool many)
{
	if (many && lbp_lex_newline(lex)) {
		put(lex, "\n", 1);
		return LBP_OK;
	}
	if (quote != '"' || lbp_lex_peek(lex) != '\\')
		return string_char(lex);
	return many && line_join(lex) ? LBP_OK : escape(lex);
}

static enum lbp_err one_line(struct lbp_lex *lex, int quote)
{
	enum lbp_err err;

	//@ dynamic_split lex->at;
	lbp_lex_skip(lex, 1);
	while (lbp_lex_peek(lex) != quote) {
		if (lex->at == lex->len || newline_len(lex, 0) > 0)
			return lbp_lex_expected(lex,
				quote == '"' ? "a closing \"" : "a closing '");
		err = string_part(lex, quote, false);
		if (err)
			return err;
	}
	lbp_lex_skip(lex, 1);
	return LBP_OK;
}

/*
 * Skips up to five quotes. Three or more close the string, and those before
 * the last three belong to it; fewer belong to it too.
 */
static bool closing_quotes(struct lbp_lex *lex, int quote)
{
	const char *text = lex->text + lex->at;
	size_t run = 0;

	while (run < 5 && lbp_lex_ahead(lex, run) == quote)
		run++;
	put(lex, text, run < 3 ? run : run - 3);
	lbp_lex_skip(lex, run);
	return run >= 3;
}

static enum lbp_err many_lines(struct lbp_lex *lex, int quote)
{
	struct lbp_toml_pos start = lex->pos;
	enum lbp_err err;

	//@ dynamic_split lex->at;
	lbp_lex_skip(lex, 3);
	(void)lbp_lex_newline(lex);
	while (lbp_lex_peek(lex) != quote || !closing_quotes(lex, quote)) {
		if (lex->at == lex->len)
			return lbp_lex_fail(lex, start,
				"this multi-line string is not closed; "
				"expected %c%c%c at its end",
				quote, quote, quote);
		err = string_part(lex, quote, true);
		if (err)
			return err;
	}
	return LBP_OK;
}

/* Terminates the string that begins at out + start. */
static struct lbp_toml_string take(struct lbp_lex *lex, size_t start)
{
	struct lbp_toml_string string = {
		.ptr = lex->out + start, .len = lex->out_len - start};

	put(lex, "", 1);
	return string;
}

enum lbp_err lbp_lex_string(struct lbp_lex *lex, struct lbp_toml_string *string)
{
	int quote = lbp_lex_peek(lex);
	size_t start = lex->out_len;
	enum lbp_err err;

	if (lbp_lex_ahead(lex, 1) == quote && lbp_lex_ahead(lex, 2) == quote)
		err = many_lines(lex, quote);
	else
		err = one_line(lex, quote);
	if (!err)
		*string = take(lex, start);
	return err;
}

static bool is_bare(int byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

enum lbp_err lbp_lex_key(struct lbp_lex *lex, struct lbp_toml_string *key)
{
	int first = lbp_lex_peek(lex);
	size_t start = lex->out_len, from = lex->at;

	if (first == '"' || first == '\'') {
		if (lbp_lex_ahead(lex, 1) == first &&
			lbp_lex_ahead(lex, 2) == first)
			return lbp_lex_fail(lex, lex->pos,
				"a key cannot be a multi-line string");
		return lbp_lex_string(lex, key);
	}
	if (!is_bare(first))
		return lbp_lex_expected(
			lex, "a key (letters, digits, '_', '-', or in quotes)");
	//@ dynamic_split lex->at;
	while (is_bare(lbp_lex_peek(lex)))
		lbp_lex_skip(lex, 1);
	put(lex, lex->text + from, lex->at - from);
	*key = take(lex, start);
	return LBP_OK;
}
