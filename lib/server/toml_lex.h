/*
 * Private to the TOML parser: a cursor over the text, and the tokens that
 * grammar rules are made of.
 *
 * Functions that return an enum lbp_err describe a fault in lex->error, and
 * leave the cursor anywhere: parsing ends there.
 *
 * Comments that begin with an @, here and in other readers of text, are for
 * ci/eva: contracts, and by which values it looks at the paths apart.
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
	size_t at;               /* bytes before the cursor, at most len */
	struct lbp_toml_pos pos; /* the cursor's place */
	char *out;               /* len + LBP_LEX_OUT_EXTRA bytes */
	size_t out_len;
	struct lbp_toml_error *error;
};

/* The byte at the cursor or some bytes ahead of it; -1 at the text's end. */
int lbp_lex_ahead(const struct lbp_lex *lex, size_t bytes);
int lbp_lex_peek(const struct lbp_lex *lex);

/* Moves the cursor over bytes, which the text has. */
/*@
  requires bytes <= lex->len - lex->at;
  requires \valid_read(lex->text + (lex->at .. lex->at + bytes - 1));
  assigns lex->at \from lex->at, bytes;
  assigns lex->pos \from lex->pos, lex->text[0 .. lex->len - 1], bytes;
  ensures lex->at == \old(lex->at) + bytes;
*/
void lbp_lex_skip(struct lbp_lex *lex, size_t bytes);

/* Skips one such byte if it is next, and says whether it was. */
bool lbp_lex_accept(struct lbp_lex *lex, char byte);

/* Skips spaces and tabs. */
void lbp_lex_blanks(struct lbp_lex *lex);

/* Skips one line end, LF or CR LF, if it is next, and says whether. */
bool lbp_lex_newline(struct lbp_lex *lex);

/* Skips a comment, if one is next, up to its line's end. */
LBP_MUST_CHECK enum lbp_err lbp_lex_comment(struct lbp_lex *lex);

/* A key between dots: bare, "basic" or 'literal'. */
LBP_MUST_CHECK enum lbp_err lbp_lex_key(
	struct lbp_lex *lex, struct lbp_toml_string *key);

/* A string of any of the four kinds; the cursor is at its first quote. */
LBP_MUST_CHECK enum lbp_err lbp_lex_string(
	struct lbp_lex *lex, struct lbp_toml_string *string);

/* Describe a fault, and return LBP_ERR_SYNTAX. */
enum lbp_err lbp_lex_fail(struct lbp_lex *lex, struct lbp_toml_pos pos,
	const char *format, ...) __attribute__((format(printf, 3, 4)));
/* "expected WHAT, found ...", at the cursor. */
enum lbp_err lbp_lex_expected(struct lbp_lex *lex, const char *what);

/*
 * Writes len bytes of UTF-8 as they may stand in a message: on one line, and
 * cut with "..." if they are long.
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
