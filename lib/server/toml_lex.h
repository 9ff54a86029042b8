/*
 * Private to the TOML parser: a cursor over the text, and the tokens of the
 * grammar.
 *
 * Functions that return an enum lbp_err describe a fault in lex->error; the
 * cursor may then be anywhere, for parsing ends there.
 *
 * Comments that begin with an @, here and in other readers of text, are for
 * ci/eva: contracts, and the values by which it keeps paths apart.
 */
#ifndef LBP_TOML_LEX_H
#define LBP_TOML_LEX_H

#include "server/toml.h"

/* What the resolved strings need beyond the text's length: see toml_lex.c. */
#define LBP_LEX_OUT_EXTRA 40
/* Room for a key or token in a message, the final NUL included. */
#define LBP_LEX_QUOTE_MAX 48

struct lbp_lex {
	const char *text;
	size_t len;
	size_t at;               /* the cursor, at most len */
	struct lbp_toml_pos pos; /* the cursor's place */
	char *out;               /* len + LBP_LEX_OUT_EXTRA bytes */
	size_t out_len;
	struct lbp_toml_error *error;
};

/* The byte at the cursor or some bytes ahead of it; -1 at the end. */
int lbp_lex_ahead(const struct lbp_lex *lex, size_t bytes);
int lbp_lex_peek(const struct lbp_lex *lex);

/* Moves the cursor over this many bytes, which the text must have. */
/*@
  requires bytes <= lex->len - lex->at;
  requires \valid_read(lex->text + (lex->at .. lex->at + bytes - 1));
  assigns lex->at \from lex->at, bytes;
  assigns lex->pos \from lex->pos, lex->text[0 .. lex->len - 1], bytes;
  ensures lex->at == \old(lex->at) + bytes;
*/
void lbp_lex_skip(struct lbp_lex *lex, size_t bytes);

/* Skips this byte if it is next, and returns whether it was. */
bool lbp_lex_accept(struct lbp_lex *lex, char byte);

/* Skips spaces and tabs. */
void lbp_lex_blanks(struct lbp_lex *lex);

/* Skips LF or CR LF if it is next, and returns whether it was. */
bool lbp_lex_newline(struct lbp_lex *lex);

/* Skips a comment if one is next, up to the end of its line. */
LBP_MUST_CHECK enum lbp_err lbp_lex_comment(struct lbp_lex *lex);

/* Reads one part of a dotted key: bare, "basic" or 'literal'. */
LBP_MUST_CHECK enum lbp_err lbp_lex_key(
	struct lbp_lex *lex, struct lbp_toml_string *key);

/* Reads a string of any kind; the cursor is at its first quote. */
LBP_MUST_CHECK enum lbp_err lbp_lex_string(
	struct lbp_lex *lex, struct lbp_toml_string *string);

/* Describes a fault, and returns LBP_ERR_SYNTAX. */
enum lbp_err lbp_lex_fail(struct lbp_lex *lex, struct lbp_toml_pos pos,
	const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with "expected WHAT, found ...", at the cursor. */
enum lbp_err lbp_lex_expected(struct lbp_lex *lex, const char *what);

/*
 * Writes len bytes of UTF-8 to out in a form fit for a message: on one line,
 * and cut with "..." if long. Returns out.
 */
/*@
  requires \valid_read(text + (0 .. len - 1));
  requires \initialized(text + (0 .. len - 1));
  requires \valid(out + (0 .. LBP_LEX_QUOTE_MAX - 1));
  assigns out[0 .. LBP_LEX_QUOTE_MAX - 1] \from text[0 .. len - 1], len;
  assigns \result \from out;
  ensures \result == out;
*/
const char *lbp_lex_quote(
	const char *text, size_t len, char out[LBP_LEX_QUOTE_MAX]);

#endif
