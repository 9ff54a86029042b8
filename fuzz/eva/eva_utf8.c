/* lib/utf8.c: any bytes decoded, any code point encoded. */
#include <stdlib.h>

#include "eva.h"
#include "server/utf8.h"

int main(void)
{
	size_t len = Frama_C_size_t_interval(1, LEN_MAX);
	uint32_t any = Frama_C_unsigned_int_interval(0, 0x10FFFF);
	char encoded[LBP_UTF8_MAX];
	uint32_t code;
	char *text;

	//@ split len;
	text = malloc(len);
	Frama_C_make_unknown(text, len);
	(void)lbp_utf8_decode(text, len, &code);
	(void)lbp_utf8_encode(any, encoded);
	return 0;
}
