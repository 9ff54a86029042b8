/*
 * Serial numbers against a reading of the text as a whole.
 *
 * Input: a byte, modulo 3, that says what the rest is:
 * - 0: a text
 * - 1: the content of a DER INTEGER
 * - 2: two serials to compare, each a byte for its length, modulo 20, plus 1,
 *   and its octets
 */
#include <ctype.h>
#include <string.h>

#include "bytes.h"
#include "oracle.h"
#include "serial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define DIGITS_MAX 4096

/* The hex digits of a text, or -1 if it is none. */
static int digits_of(const char *text, size_t len, char *digits)
{
	int digit_len = 0;
	int after = 0; /* digits since the last colon */
	bool colon = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == ':') {
			/* A first group may be odd, all others are even. */
			if (after == 0 || (colon && after % 2 != 0))
				return -1;
			colon = true;
			after = 0;
		} else if (isxdigit((unsigned char)text[i])) {
			digits[digit_len++] = text[i];
			after++;
		} else {
			return -1;
		}
	}
	return after == 0 || (colon && after % 2 != 0) ? -1 : digit_len;
}

static unsigned digit_value(char digit)
{
	return (unsigned)(strchr("0123456789abcdef",
				  tolower((unsigned char)digit)) -
			  "0123456789abcdef");
}

/* What a text of at most DIGITS_MAX bytes should be read as. */
static enum lbp_err read_text(
	struct lbp_serial *serial, const char *text, size_t len)
{
	char digits[DIGITS_MAX];
	int digit_len = digits_of(text, len, digits);
	int first = 0;

	if (digit_len < 0)
		return LBP_ERR_SYNTAX;
	while (first < digit_len && digits[first] == '0')
		first++;
	digit_len -= first;
	if (digit_len == 0 || digit_len > 2 * LBP_SERIAL_MAX)
		return LBP_ERR_RANGE;
	memset(serial, 0, sizeof(*serial));
	serial->len = (uint8_t)((digit_len + 1) / 2);
	for (int i = digit_len % 2; i < digit_len + digit_len % 2; i++) {
		unsigned value = serial->octets[i / 2];

		value = value * 16 +
			digit_value(digits[first + i - digit_len % 2]);
		serial->octets[i / 2] = (uint8_t)value;
	}
	return LBP_OK;
}

static void check_format(const struct lbp_serial *serial)
{
	char text[LBP_SERIAL_TEXT_MAX];
	struct lbp_serial again;
	size_t len = lbp_serial_format(serial, text);

	ORACLE("SER-4", len == strlen(text) && len == 3u * serial->len - 1,
		"the text has %zu characters", len);
	for (size_t i = 0; i < len; i++)
		ORACLE("SER-4",
			i % 3 == 2
				? text[i] == ':'
				: strchr("0123456789ABCDEF", text[i]) != NULL,
			"character %zu of %s", i, text);
	ORACLE("SER-4",
		lbp_serial_from_hex(&again, text, len) == LBP_OK &&
			memcmp(&again, serial, sizeof(again)) == 0,
		"%s is read as another serial", text);
}

static void check_canonical(const struct lbp_serial *serial)
{
	ORACLE("SER-2",
		serial->len >= 1 && serial->len <= LBP_SERIAL_MAX &&
			serial->octets[0] != 0,
		"not canonical");
	for (size_t i = serial->len; i < LBP_SERIAL_MAX; i++)
		ORACLE("SER-2", serial->octets[i] == 0, "unused octet %zu", i);
	check_format(serial);
}

static void check_hex(const char *text, size_t len)
{
	struct lbp_serial got = {{1, 2}, 3};
	struct lbp_serial want = got;
	enum lbp_err got_err = lbp_serial_from_hex(&got, text, len);
	enum lbp_err want_err = read_text(&want, text, len);

	ORACLE("SER-1",
		(got_err == LBP_ERR_SYNTAX) == (want_err == LBP_ERR_SYNTAX),
		"%s instead of %s", lbp_err_text(got_err),
		lbp_err_text(want_err));
	ORACLE("SER-2", got_err == want_err, "%s instead of %s",
		lbp_err_text(got_err), lbp_err_text(want_err));
	ORACLE("SER-2", memcmp(&got, &want, sizeof(got)) == 0,
		"another serial");
	if (got_err == LBP_OK)
		check_canonical(&got);
}

/* The content octets as hex text; what is negative has no text. */
static enum lbp_err read_content(
	struct lbp_serial *serial, const uint8_t *content, size_t len)
{
	char text[DIGITS_MAX];

	if (len > 0 && content[0] >= 0x80)
		return LBP_ERR_RANGE;
	for (size_t i = 0; i < len; i++) {
		text[2 * i] = "0123456789abcdef"[content[i] / 16];
		text[2 * i + 1] = "0123456789ABCDEF"[content[i] % 16];
	}
	return read_text(serial, text, 2 * len);
}

static void check_der(const uint8_t *content, size_t len)
{
	struct lbp_serial got = {{1, 2}, 3};
	struct lbp_serial want = got;
	enum lbp_err got_err = lbp_serial_from_der(&got, content, len);
	enum lbp_err want_err = read_content(&want, content, len);

	ORACLE("SER-3", got_err == want_err, "%s instead of %s",
		lbp_err_text(got_err), lbp_err_text(want_err));
	ORACLE("SER-3", memcmp(&got, &want, sizeof(got)) == 0,
		"another serial");
	if (got_err == LBP_OK)
		check_canonical(&got);
}

/* Draws the content of a serial, right-aligned; a zero has a last octet 1. */
static void draw_octets(struct bytes *bytes, uint8_t *octets)
{
	size_t len = bytes_below(bytes, LBP_SERIAL_MAX) + 1;

	memset(octets, 0, LBP_SERIAL_MAX + 1);
	for (size_t i = LBP_SERIAL_MAX + 1 - len; i <= LBP_SERIAL_MAX; i++)
		octets[i] = bytes_u8(bytes);
	if (octets[0] == 0 && memcmp(octets, octets + 1, LBP_SERIAL_MAX) == 0)
		octets[LBP_SERIAL_MAX] = 1;
}

static void check_compare(struct bytes *bytes)
{
	uint8_t octets[2][LBP_SERIAL_MAX + 1];
	struct lbp_serial a;
	struct lbp_serial b;
	int want = 0;
	int got;

	draw_octets(bytes, octets[0]);
	draw_octets(bytes, octets[1]);
	for (size_t i = 0; i <= LBP_SERIAL_MAX && want == 0; i++)
		want = octets[0][i] - octets[1][i];
	ORACLE("SER-3",
		lbp_serial_from_der(&a, octets[0], sizeof(octets[0])) ==
				LBP_OK &&
			lbp_serial_from_der(&b, octets[1], sizeof(octets[1])) ==
				LBP_OK,
		"a good serial is refused");
	got = lbp_serial_compare(&a, &b);
	ORACLE("SER-5", (got < 0) == (want < 0) && (got > 0) == (want > 0),
		"%d instead of %d", got, want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes bytes = {data, len};
	uint32_t kind = bytes_below(&bytes, 3);

	if (bytes.len > DIGITS_MAX / 2)
		return 0;
	if (kind == 0)
		check_hex((const char *)bytes.ptr, bytes.len);
	else if (kind == 1)
		check_der(bytes.ptr, bytes.len);
	else
		check_compare(&bytes);
	return 0;
}
