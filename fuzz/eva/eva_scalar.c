/* toml_scalar.c and toml_datetime.c: any token read as a value. */
#include "lex.h"
#include "server/toml_scalar.h"

int main(void)
{
	struct lbp_toml_value value;
	enum lbp_err err;
	struct lbp_lex lex;

	any_lex(&lex);
	//@ split lex.at;
	lex.out_len = lex.at;
	err = lbp_lex_scalar(&lex, &value);
	return (int)err;
}
