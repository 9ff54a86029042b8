#include <CUnit/CUnit.h>
#include <string.h>

#include "serial.h"
#include "suites.h"

/* 20 octets, the most there can be. */
#define LONGEST "0102030405060708090A0B0C0D0E0F1011121314"

static const struct lbp_serial untouched = {{9, 8, 7}, 3};

static enum lbp_err read_text(struct lbp_serial *out, const char *text)
{
	*out = untouched;
	return lbp_serial_from_hex(out, text, strlen(text));
}

static void expect_text(const char *text, const char *canonical)
{
	struct lbp_serial serial;
	char buf[LBP_SERIAL_TEXT_MAX];

	CU_ASSERT_EQUAL_FATAL(read_text(&serial, text), LBP_OK);
	CU_ASSERT_EQUAL(lbp_serial_format(&serial, buf), strlen(canonical));
	CU_ASSERT_STRING_EQUAL(buf, canonical);
}

static void expect_error(const char *text, enum lbp_err err)
{
	struct lbp_serial serial;

	CU_ASSERT_EQUAL(read_text(&serial, text), err);
	CU_ASSERT_EQUAL(memcmp(&serial, &untouched, sizeof(serial)), 0);
}

static void hex_is_read(void)
{
	expect_text("1", "01");
	expect_text("1a2B3c", "1A:2B:3C");
	expect_text("1A:2b:3C", "1A:2B:3C");
	expect_text("0:1a2b", "1A:2B");
	expect_text("1a2:b3", "01:A2:B3");
	expect_text("1:a2b3", "01:A2:B3");
	expect_text("09AFaf:90", "09:AF:AF:90");
}

static void other_text_is_refused(void)
{
	static const char *const texts[] = {"", ":", "::", ":1",
		"1:", "12:", ":12", "12::34", "1:2", "12:3", "1:2:3", "1a2:b3c",
		"g1", "1G", "/1", "@1", "`1", " 1", "1 ", "0x12", "-1", "1\n",
		"12 34", "12;34", "1:23:", "0::0", "12:::34"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_error(texts[i], LBP_ERR_SYNTAX);
}

static void nul_is_no_digit(void)
{
	struct lbp_serial serial = untouched;

	CU_ASSERT_EQUAL(
		lbp_serial_from_hex(&serial, "12\0", 3), LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL(lbp_serial_from_hex(&serial,
				"\0"
				"12",
				3),
		LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL(lbp_serial_from_hex(&serial, NULL, 0), LBP_ERR_SYNTAX);
}

static void sizes_are_bounded(void)
{
	struct lbp_serial serial;

	CU_ASSERT_EQUAL(read_text(&serial, LONGEST), LBP_OK);
	CU_ASSERT_EQUAL(serial.len, 20);
	CU_ASSERT_EQUAL(serial.octets[0], 0x01);
	CU_ASSERT_EQUAL(serial.octets[19], 0x14);
	CU_ASSERT_EQUAL(read_text(&serial, "00:0" LONGEST), LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL(read_text(&serial, "0:00" LONGEST), LBP_OK);
	CU_ASSERT_EQUAL(serial.len, 20);
	expect_error("01" LONGEST, LBP_ERR_RANGE);
	expect_error("1" LONGEST, LBP_ERR_RANGE);
	expect_error("1000" LONGEST, LBP_ERR_RANGE);
	expect_error("1" LONGEST "g", LBP_ERR_SYNTAX);
	expect_error("g1" LONGEST, LBP_ERR_SYNTAX);
	expect_error("0", LBP_ERR_RANGE);
	expect_error("00:00", LBP_ERR_RANGE);
}

static void leading_zeros_may_be_many(void)
{
	struct lbp_serial serial;
	char text[1000];

	memset(text, '0', sizeof(text));
	CU_ASSERT_EQUAL(lbp_serial_from_hex(&serial, text, sizeof(text)),
		LBP_ERR_RANGE);
	text[sizeof(text) - 3] = 'f';
	CU_ASSERT_EQUAL_FATAL(
		lbp_serial_from_hex(&serial, text, sizeof(text)), LBP_OK);
	CU_ASSERT_EQUAL(serial.len, 2);
	CU_ASSERT_EQUAL(serial.octets[0], 0x0f);
	CU_ASSERT_EQUAL(serial.octets[1], 0x00);
	text[0] = '1';
	CU_ASSERT_EQUAL(lbp_serial_from_hex(&serial, text, sizeof(text)),
		LBP_ERR_RANGE);
}

static void der_is_the_same_serial(void)
{
	static const uint8_t plain[] = {0x1a, 0x2b, 0x3c};
	static const uint8_t padded[] = {0, 0, 0x9a, 0x00};
	static const uint8_t highest[] = {0x7f, 0xff};
	struct lbp_serial text;
	struct lbp_serial der;

	CU_ASSERT_EQUAL(read_text(&text, "1A2B3C"), LBP_OK);
	CU_ASSERT_EQUAL(lbp_serial_from_der(&der, plain, 3), LBP_OK);
	CU_ASSERT_EQUAL(memcmp(&der, &text, sizeof(der)), 0);
	CU_ASSERT_EQUAL(read_text(&text, "7F:FF"), LBP_OK);
	CU_ASSERT_EQUAL(lbp_serial_from_der(&der, highest, 2), LBP_OK);
	CU_ASSERT_EQUAL(memcmp(&der, &text, sizeof(der)), 0);
	CU_ASSERT_EQUAL(read_text(&text, "9A:00"), LBP_OK);
	CU_ASSERT_EQUAL(lbp_serial_from_der(&der, padded + 1, 3), LBP_OK);
	CU_ASSERT_EQUAL(memcmp(&der, &text, sizeof(der)), 0);
	CU_ASSERT_EQUAL(lbp_serial_from_der(&der, padded, 4), LBP_OK);
	CU_ASSERT_EQUAL(memcmp(&der, &text, sizeof(der)), 0);
}

static void expect_der(const uint8_t *content, size_t len, enum lbp_err err)
{
	struct lbp_serial serial = untouched;

	CU_ASSERT_EQUAL(lbp_serial_from_der(&serial, content, len), err);
	if (err != LBP_OK)
		CU_ASSERT_EQUAL(memcmp(&serial, &untouched, sizeof(serial)), 0);
}

static void other_der_is_refused(void)
{
	static const uint8_t negative[] = {0x80, 0x01};
	static const uint8_t zeros[30] = {0};
	uint8_t long_content[22] = {0};

	expect_der(negative, 0, LBP_ERR_SYNTAX);
	expect_der(negative, 1, LBP_ERR_RANGE);
	expect_der(negative, 2, LBP_ERR_RANGE);
	expect_der(zeros, 1, LBP_ERR_RANGE);
	expect_der(zeros, sizeof(zeros), LBP_ERR_RANGE);
	long_content[2] = 0xff;
	expect_der(long_content, 22, LBP_OK);
	long_content[1] = 0x01;
	expect_der(long_content, 22, LBP_ERR_RANGE);
	expect_der(long_content + 1, 21, LBP_ERR_RANGE);
	expect_der(long_content + 1, 20, LBP_OK);
}

static void text_is_canonical(void)
{
	struct lbp_serial serial;
	struct lbp_serial again;
	char buf[LBP_SERIAL_TEXT_MAX + 1];

	memset(buf, '#', sizeof(buf));
	CU_ASSERT_EQUAL(read_text(&serial, "000" LONGEST), LBP_OK);
	CU_ASSERT_EQUAL(lbp_serial_format(&serial, buf), 59);
	CU_ASSERT_STRING_EQUAL(buf,
		"01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14");
	CU_ASSERT_EQUAL(buf[LBP_SERIAL_TEXT_MAX], '#');
	CU_ASSERT_EQUAL(read_text(&again, buf), LBP_OK);
	CU_ASSERT_EQUAL(memcmp(&serial, &again, sizeof(serial)), 0);
}

static void order_is_by_value(void)
{
	static const char *const rising[] = {"1", "7f", "80", "ff", "0100",
		"0101", "7fff", "8000", "ff00", "010000", LONGEST,
		"FF02030405060708090A0B0C0D0E0F1011121314"};
	size_t len = sizeof(rising) / sizeof(rising[0]);

	for (size_t i = 0; i < len; i++) {
		for (size_t j = 0; j < len; j++) {
			struct lbp_serial a;
			struct lbp_serial b;
			int order;

			CU_ASSERT_EQUAL(read_text(&a, rising[i]), LBP_OK);
			CU_ASSERT_EQUAL(read_text(&b, rising[j]), LBP_OK);
			order = lbp_serial_compare(&a, &b);
			CU_ASSERT_EQUAL(order < 0, i < j);
			CU_ASSERT_EQUAL(order > 0, i > j);
		}
	}
}

void suite_serial(void)
{
	CU_pSuite suite = CU_add_suite("serial", NULL, NULL);

	CU_add_test(
		suite, "[SER-1] hex text with and without colons", hex_is_read);
	CU_add_test(suite, "[SER-1] any other text is a syntax error",
		other_text_is_refused);
	CU_add_test(suite, "[SER-1] a NUL is no digit, and no end",
		nul_is_no_digit);
	CU_add_test(suite, "[SER-2] 1 to 20 octets without leading zeros",
		sizes_are_bounded);
	CU_add_test(suite, "[SER-2] any number of leading zeros",
		leading_zeros_may_be_many);
	CU_add_test(suite, "[SER-3] DER gives the same serial as text",
		der_is_the_same_serial);
	CU_add_test(suite, "[SER-3] DER that is no serial is refused",
		other_der_is_refused);
	CU_add_test(suite, "[SER-4] the canonical text and back",
		text_is_canonical);
	CU_add_test(suite, "[SER-5] serials are ordered by value",
		order_is_by_value);
}
