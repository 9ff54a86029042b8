/*
 * Private to the TOML parser: values of one token, which are booleans, numbers,
 * dates and times.
 */
#ifndef LBP_TOML_SCALAR_H
#define LBP_TOML_SCALAR_H

#include <stddef.h>

#include "server/toml_lex.h"

/*
 * Reads the token at the cursor, whose place becomes the value's. For any other
 * token the message of the fault says what a value may be.
 */
LBP_MUST_CHECK enum lbp_err lbp_lex_scalar(
	struct lbp_lex *lex, struct lbp_toml_value *value);

/*
 * The part of lbp_lex_scalar that knows dates and times: reads a token of len
 * bytes that starts like one of them.
 */
LBP_MUST_CHECK enum lbp_err lbp_lex_datetime(struct lbp_lex *lex,
	const char *token, size_t len, struct lbp_toml_value *value);

#endif
