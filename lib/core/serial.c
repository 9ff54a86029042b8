#include "serial.h"

#include <stdbool.h>

#ifdef __FRAMAC__
#include "proof/serial_private.h"
#endif

/*@ assigns \nothing;
  @ ensures \result == hex_digit(c);
  @*/
static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Makes the canonical form of a big-endian magnitude of any length. */
static enum lbp_err from_magnitude(
	struct lbp_serial *out, const uint8_t *octets, size_t len)
{
	/*@ loop invariant 0 <= len <= \at(len, Pre);
	  @ loop invariant octets == \at(octets, Pre) + \at(len, Pre) - len;
	  @ loop invariant serial_zeros(\at(octets, Pre), \at(len, Pre) - len);
	  @ loop assigns octets, len;
	  @ loop variant len;
	  @*/
	while (len > 0 && octets[0] == 0) {
		octets++;
		len--;
	}
	if (len == 0 || len > LBP_SERIAL_MAX)
		return LBP_ERR_RANGE;
	/*@ loop invariant 0 <= i <= LBP_SERIAL_MAX;
	  @ loop invariant \forall integer j; 0 <= j < i ==>
	  @ 	out->octets[j] == (j < len ? octets[j] : 0);
	  @ loop invariant serial_zeros(\at(octets, Pre), \at(len, Pre) - len);
	  @ loop assigns i, out->octets[0 .. LBP_SERIAL_MAX - 1];
	  @ loop variant LBP_SERIAL_MAX - i;
	  @*/
	for (size_t i = 0; i < LBP_SERIAL_MAX; i++)
		out->octets[i] = i < len ? octets[i] : 0;
	out->len = (uint8_t)len;
	//@ assert serial_canonical(out);
	//@ assert serial_zeros(\at(octets, Pre), \at(len, Pre) - out->len);
	/*@ assert \forall integer i; 0 <= i < len ==>
	  @ 	out->octets[i] == octets[i];
	  @*/
	//@ assert octets == \at(octets, Pre) + (\at(len, Pre) - out->len);
	return LBP_OK;
}

/* Is the colon at i between two octets, digits being those to its right? */
/*@ requires digits > 0 ==>
  @ 	i < SIZE_MAX && \valid_read(text + i) && \valid_read(text + i + 1);
  @ assigns \nothing;
  @ ensures \result <==> 0 < i && digits > 0 && digits % 2 == 0 &&
  @ 	text[i + 1] != ':';
  @*/
static bool colon_fits(const char *text, size_t i, size_t digits)
{
	return i > 0 && digits > 0 && digits % 2 == 0 && text[i + 1] != ':';
}

/* Puts digit k from the right, where there is none yet, nor left of it. */
static void put_digit(uint8_t *octets, size_t k, int value)
{
	uint8_t *octet = &octets[LBP_SERIAL_MAX - 1 - k / 2];

	//@ assert serial_digit(octets, LBP_SERIAL_MAX, k) == 0;
	//@ assert serial_digit(octets, LBP_SERIAL_MAX, k + 1) == 0;
	*octet = (uint8_t)(*octet + (k % 2 == 0 ? value : 16 * value));
}

enum lbp_err lbp_serial_from_hex(
	struct lbp_serial *out, const char *text, size_t len)
{
	uint8_t octets[LBP_SERIAL_MAX] = {0};
	size_t digits = 0;
	bool fits = true;
	enum lbp_err err;

	/* From the right, where the octets are aligned. */
	/*@ loop invariant 0 <= i <= len;
	  @ loop invariant digits == hex_digits(text, i, len) <= len - i;
	  @ loop invariant i < len ==> digits > 0;
	  @ loop invariant hex_text_from(text, i, len);
	  @ loop invariant \forall integer j; i <= j <= len ==>
	  @ 	0 <= hex_digits(text, j, len) <= digits;
	  @ loop invariant \forall integer j; i <= j < len && text[j] != ':' ==>
	  @ 	hex_digits(text, j + 1, len) < digits;
	  @ loop invariant
	  @ 	hex_in_octets(text, i, len, &octets[0], LBP_SERIAL_MAX);
	  @ loop invariant serial_short(&octets[0], LBP_SERIAL_MAX, digits);
	  @ loop invariant fits <==>
	  @ 	hex_zeros(text, i, 2 * LBP_SERIAL_MAX, len);
	  @ loop invariant fits && serial_zeros(&octets[0], LBP_SERIAL_MAX) <==>
	  @ 	hex_zeros(text, i, 0, len);
	  @ loop assigns i, digits, fits, octets[0 .. LBP_SERIAL_MAX - 1];
	  @ loop variant i;
	  @*/
	for (size_t i = len; i > 0; i--) {
		char c = text[i - 1];
		int value = hex_value(c);

		if (c == ':' && colon_fits(text, i - 1, digits))
			continue;
		if (value < 0)
			return LBP_ERR_SYNTAX;
		if (digits < 2 * LBP_SERIAL_MAX)
			put_digit(octets, digits, value);
		else if (value != 0)
			fits = false;
		//@ assert hex_digits(text, i - 1, len) == digits + 1;
		digits++;
	}
	if (digits == 0)
		return LBP_ERR_SYNTAX;
	/*@ assert hex_fits(text, len) <==>
	  @ 	fits && serial_fits(&octets[0], LBP_SERIAL_MAX);
	  @*/
	if (!fits)
		return LBP_ERR_RANGE;
	err = from_magnitude(out, octets, sizeof(octets));
	//@ assert hex_whole(text, len, &octets[0], LBP_SERIAL_MAX);
	return err;
}

enum lbp_err lbp_serial_from_der(
	struct lbp_serial *out, const uint8_t *content, size_t len)
{
	if (len == 0)
		return LBP_ERR_SYNTAX;
	if (content[0] >= 0x80)
		return LBP_ERR_RANGE; /* negative */
	return from_magnitude(out, content, len);
}

int lbp_serial_compare(const struct lbp_serial *a, const struct lbp_serial *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	/*@ loop invariant 0 <= i <= a->len && serial_same(a, b, i);
	  @ loop assigns i;
	  @ loop variant a->len - i;
	  @*/
	for (uint8_t i = 0; i < a->len; i++) {
		if (a->octets[i] != b->octets[i])
			return a->octets[i] - b->octets[i];
	}
	return 0;
}

/*@ requires 0 <= digit < 16;
  @ assigns \nothing;
  @ ensures \result == hex_upper(digit);
  @*/
static char hex_char(int digit)
{
	return (char)(digit < 10 ? '0' + digit : 'A' + digit - 10);
}

size_t lbp_serial_format(const struct lbp_serial *serial, char *buf)
{
	size_t len = 0;

	/*@ loop invariant 0 <= i <= serial->len;
	  @ loop invariant len == (i > 0 ? 3 * i - 1 : 0);
	  @ loop invariant serial_text(serial, buf, i);
	  @ loop assigns i, len, buf[0 .. 3 * serial->len - 2];
	  @ loop variant serial->len - i;
	  @*/
	for (uint8_t i = 0; i < serial->len; i++) {
		if (i > 0)
			buf[len++] = ':';
		buf[len++] = hex_char(serial->octets[i] / 16);
		buf[len++] = hex_char(serial->octets[i] % 16);
	}
	buf[len] = '\0';
	return len;
}
