/* lib/toml_lex.c: keys, strings of all kinds, comments and line ends. */
#include "lex.h"

int main(void)
{
	int what = Frama_C_interval(0, 4);
	struct lbp_toml_string string;
	enum lbp_err err = LBP_OK;
	struct lbp_lex lex;

	any_lex(&lex);
	//@ dynamic_split lex.at;
	//@ split what;
	lex.out_len = lex.at;
	if (what == 0) {
		err = lbp_lex_comment(&lex);
	} else if (what == 1) {
		lbp_lex_blanks(&lex);
		(void)lbp_lex_newline(&lex);
		(void)lbp_lex_accept(&lex, '=');
		err = lbp_lex_expected(&lex, "a token");
	} else if (what == 2) {
		err = lbp_lex_key(&lex, &string);
	} else if (lex.at < lex.len) {
		text[lex.at] = what == 3 ? '"' : '\'';
		err = lbp_lex_string(&lex, &string);
	}
	/* After an error there is no next token. */
	if (err == LBP_OK) {
		//@ assert lex.out_len <= lex.at + 1;
	}
	return (int)err;
}
