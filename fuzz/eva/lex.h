/*
 * A cursor anywhere in a text of any LEN_MAX bytes, which is as good as every
 * shorter text, and with as much of the room for strings in use as the text
 * before the cursor can have taken: never more bytes than it has.
 */
#ifndef EVA_LEX_H
#define EVA_LEX_H

#include "eva.h"
#include "server/toml_lex.h"

static char text[LEN_MAX];
static char room[LEN_MAX + LBP_LEX_OUT_EXTRA];
static struct lbp_toml_error error;

static void any_lex(struct lbp_lex *lex)
{
	Frama_C_make_unknown(text, sizeof(text));
	Frama_C_make_unknown(room, sizeof(room));
	Frama_C_make_unknown(error.message, sizeof(error.message));
	*lex = (struct lbp_lex){
		.text = text,
		.len = sizeof(text),
		.at = LEN_MAX - any_len(),
		.out = room,
		.error = &error,
	};
	lex->pos.line = Frama_C_unsigned_int_interval(0, UINT32_MAX);
	lex->pos.column = Frama_C_unsigned_int_interval(0, UINT32_MAX);
}

#endif
