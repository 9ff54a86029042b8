/*
 * lib/toml_lex.c: the cursor moved over any bytes, and any text quoted for a
 * message. The other drivers of the lexer rely on the contracts of these two.
 */
#include <stdlib.h>
#include <string.h>

#include "eva.h"
#include "server/toml_lex.h"

static void move(char *text, size_t len)
{
	struct lbp_lex lex = {.text = text, .len = len, .pos = {1, 1}};

	lbp_lex_skip(&lex, len);
	//@ assert lex.at == len;
}

static void quote(const char *text, size_t len)
{
	char out[LBP_LEX_QUOTE_MAX];

	(void)strlen(lbp_lex_quote(text, len, out));
}

int main(void)
{
	size_t len = any_len();
	char *text;

	//@ split len;
	text = malloc(len);
	Frama_C_make_unknown(text, len);
	if (Frama_C_interval(0, 1))
		move(text, len);
	else
		quote(text, len);
	return 0;
}
