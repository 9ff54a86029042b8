#include "server/utf8.h"

/*
 * What may follow a lead byte: how many continuation bytes, and the range of
 * the first of them, which is narrower where overlong forms, surrogates or
 * too large values would begin.
 */
struct lead {
	uint8_t last; /* the lead bytes up to this one, after the row before */
	uint8_t more;
	uint8_t low, high;
};

#define FIRST_LEAD 0xC2

static const struct lead leads[] = {
	{0xDF, 1, 0x80, 0xBF},
	{0xE0, 2, 0xA0, 0xBF},
	{0xEC, 2, 0x80, 0xBF},
	{0xED, 2, 0x80, 0x9F},
	{0xEF, 2, 0x80, 0xBF},
	{0xF0, 3, 0x90, 0xBF},
	{0xF3, 3, 0x80, 0xBF},
	{0xF4, 3, 0x80, 0x8F},
};

static const struct lead *find_lead(uint8_t byte)
{
	if (byte < FIRST_LEAD)
		return NULL;
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		if (byte <= leads[i].last)
			return &leads[i];
	}
	return NULL;
}

size_t lbp_utf8_decode(const char *text, size_t len, uint32_t *code)
{
	uint8_t first = (uint8_t)text[0];
	const struct lead *lead;
	uint32_t value;

	if (first < 0x80) {
		*code = first;
		return 1;
	}
	*code = LBP_UTF8_INVALID;
	lead = find_lead(first);
	if (!lead)
		return 1;
	value = first & (0x3FU >> lead->more);
	for (size_t i = 1; i <= lead->more; i++) {
		uint8_t low = i == 1 ? lead->low : 0x80;
		uint8_t high = i == 1 ? lead->high : 0xBF;

		if (i == len || (uint8_t)text[i] < low ||
			(uint8_t)text[i] > high)
			return i;
		value = value << 6 | ((uint8_t)text[i] & 0x3FU);
	}
	*code = value;
	return lead->more + 1U;
}

size_t lbp_utf8_encode(uint32_t code, char out[LBP_UTF8_MAX])
{
	size_t more = code < 0x80      ? 0
		      : code < 0x800   ? 1
		      : code < 0x10000 ? 2
				       : 3;
	static const uint8_t marks[] = {0x00, 0xC0, 0xE0, 0xF0};

	for (size_t i = more; i > 0; i--) {
		out[i] = (char)(0x80U | (code & 0x3FU));
		code >>= 6;
	}
	out[0] = (char)(marks[more] | code);
	return more + 1;
}
