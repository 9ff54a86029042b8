#include "serial.h"

#include <stdbool.h>
#include <string.h>

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
	struct lbp_serial serial = {0};

	while (len > 0 && octets[0] == 0) {
		octets++;
		len--;
	}
	if (len == 0 || len > LBP_SERIAL_MAX)
		return LBP_ERR_RANGE;
	memcpy(serial.octets, octets, len);
	serial.len = (uint8_t)len;
	*out = serial;
	return LBP_OK;
}

/* Is the colon at i between two octets, digits being those to its right? */
static bool colon_fits(const char *text, size_t i, size_t digits)
{
	return i > 0 && digits > 0 && digits % 2 == 0 && text[i + 1] != ':';
}

enum lbp_err lbp_serial_from_hex(
	struct lbp_serial *out, const char *text, size_t len)
{
	uint8_t octets[LBP_SERIAL_MAX] = {0};
	size_t digits = 0;
	bool fits = true;

	/* From the right, where the octets are aligned. */
	for (size_t left = len; left > 0; left--) {
		size_t i = left - 1;
		int value = hex_value(text[i]);
		size_t octet = digits / 2;

		if (text[i] == ':' && colon_fits(text, i, digits))
			continue;
		if (value < 0)
			return LBP_ERR_SYNTAX;
		if (octet < LBP_SERIAL_MAX)
			octets[LBP_SERIAL_MAX - 1 - octet] |=
				(uint8_t)(value << (digits % 2 * 4));
		else if (value != 0)
			fits = false;
		digits++;
	}
	if (digits == 0)
		return LBP_ERR_SYNTAX;
	return fits ? from_magnitude(out, octets, sizeof(octets))
		    : LBP_ERR_RANGE;
}

enum lbp_err lbp_serial_from_der(
	struct lbp_serial *out, const uint8_t *content, size_t len)
{
	if (len == 0)
		return LBP_ERR_SYNTAX;
	if ((content[0] & 0x80) != 0)
		return LBP_ERR_RANGE; /* negative */
	return from_magnitude(out, content, len);
}

int lbp_serial_compare(const struct lbp_serial *a, const struct lbp_serial *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->octets, b->octets, a->len);
}

size_t lbp_serial_format(const struct lbp_serial *serial, char *buf)
{
	static const char digits[] = "0123456789ABCDEF";
	char *p = buf;

	for (uint8_t i = 0; i < serial->len; i++) {
		if (i > 0)
			*p++ = ':';
		*p++ = digits[serial->octets[i] >> 4];
		*p++ = digits[serial->octets[i] & 15];
	}
	*p = '\0';
	return (size_t)(p - buf);
}
