/* lib/serial.c: any text and any content of a DER integer. */
#include <stdlib.h>

#include "eva.h"
#include "serial.h"

/* Any bytes in place of a serial, but for its length. */
static void any_serial(struct lbp_serial *serial)
{
	Frama_C_make_unknown((char *)serial->octets, sizeof(serial->octets));
	serial->len = (uint8_t)Frama_C_interval(1, LBP_SERIAL_MAX);
}

static int use(void)
{
	char shown[LBP_SERIAL_TEXT_MAX];
	struct lbp_serial a, b;

	any_serial(&a);
	any_serial(&b);
	(void)lbp_serial_format(&a, shown);
	return lbp_serial_compare(&a, &b);
}

int main(void)
{
	size_t len = any_len();
	int what = Frama_C_interval(0, 2);
	struct lbp_serial serial;
	char *text;

	//@ split len;
	//@ split what;
	text = malloc(len);
	Frama_C_make_unknown(text, len);
	if (what == 0)
		return (int)lbp_serial_from_hex(&serial, text, len);
	if (what == 1)
		return (int)lbp_serial_from_der(&serial, (uint8_t *)text, len);
	return use();
}
