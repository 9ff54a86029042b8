/* Booleans and numbers. */
#include "server/toml_scalar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond any exponent that the digits of a text could bring back. */
#define EXPONENT_MAX INT64_C(1000000000000000)

/* A number's text, and how far it was read. */
struct number {
	const char *text;
	size_t len;
	size_t at;
};

static bool is_digit(int byte)
{
	return byte >= '0' && byte <= '9';
}

/* The value of a digit of any base up to 16, or 16. */
static unsigned digit_value(char byte)
{
	if (is_digit(byte))
		return (unsigned)(byte - '0');
	if (byte >= 'a' && byte <= 'f')
		return (unsigned)(byte - 'a') + 10;
	if (byte >= 'A' && byte <= 'F')
		return (unsigned)(byte - 'A') + 10;
	return 16;
}

static bool next_is(const struct number *number, const char *set)
{
	return number->at < number->len &&
	       strchr(set, number->text[number->at]) != NULL;
}

/* Reads one or more digits with single underscores between them. */
static bool digits(struct number *number, unsigned base)
{
	bool digit = false;

	for (; number->at < number->len; number->at++) {
		if (digit && number->text[number->at] == '_')
			digit = false;
		else if (digit_value(number->text[number->at]) < base)
			digit = true;
		else
			break;
	}
	return digit;
}

static enum lbp_err not_a_value(
	struct lbp_lex *lex, const struct number *number)
{
	char quote[LBP_LEX_QUOTE_MAX];

	return lbp_lex_fail(lex, lex->pos,
		"'%s' is not a value; accepted: a string in quotes, a number, "
		"a boolean, a date or time, [...] or {...}",
		lbp_lex_quote(number->text, number->len, quote));
}

static enum lbp_err not_a_number(struct lbp_lex *lex)
{
	return lbp_lex_fail(lex, lex->pos,
		"not a number; accepted: for example 42, 1_000, 0x2A, 0o52, "
		"0b10, -1.5, 6e23, inf, nan");
}

/* Converts a text that digits() has accepted as a whole. */
static enum lbp_err integer(struct lbp_lex *lex, const struct number *number,
	unsigned base, struct lbp_toml_value *value)
{
	bool negative = number->text[0] == '-';
	uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
	uint64_t sum = 0;

	//@ split base;
	for (size_t i = base == 10 ? 0 : 2; i < number->len; i++) {
		unsigned digit = digit_value(number->text[i]);

		//@ split digit;
		if (digit >= base)
			continue;
		if (sum > (limit - digit) / base)
			return lbp_lex_fail(lex, lex->pos,
				"integer does not fit 64 bits; accepted: "
				"%" PRId64 " to %" PRId64,
				INT64_MIN, INT64_MAX);
		sum = sum * base + digit;
	}
	value->type = LBP_TOML_INTEGER;
	if (negative && sum > 0)
		value->as.integer = -(int64_t)(sum - 1) - 1;
	else
		value->as.integer = (int64_t)sum;
	return LBP_OK;
}

/* The exponent as written, as far as it can matter. */
static int64_t exponent(const char *text, size_t len)
{
	bool negative = false;
	int64_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned digit = digit_value(text[i]);

		if (text[i] == '-')
			negative = true;
		else if (digit < 10 && sum < EXPONENT_MAX)
			sum = sum * 10 + digit;
	}
	return negative ? -sum : sum;
}

/*
 * strtod rounds correctly, but wants the locale's decimal point. So it gets
 * a copy that has none: 1_0.25e3 becomes 1025e1.
 */
static double real(const struct lbp_lex *lex, const struct number *number)
{
	char *copy = lex->out + lex->out_len;
	size_t used = 0, i;
	int64_t after_point = 0, shift = 0;
	bool point = false;

	for (i = 0; i < number->len; i++) {
		char byte = number->text[i];

		if (byte == 'e' || byte == 'E')
			break;
		point = point || byte == '.';
		if (byte == '.' || byte == '_')
			continue;
		copy[used++] = byte;
		after_point += point;
	}
	//@ split i;
	if (i < number->len)
		shift = exponent(number->text + i + 1, number->len - i - 1);
	(void)snprintf(copy + used, LBP_LEX_OUT_EXTRA - 1, "e%" PRId64,
		shift - after_point);
	return strtod(copy, NULL);
}

static enum lbp_err prefixed(struct lbp_lex *lex, struct number *number,
	struct lbp_toml_value *value)
{
	char prefix = number->text[1];
	unsigned base = prefix == 'x' ? 16 : prefix == 'o' ? 8 : 2;

	number->at = 2;
	if (!digits(number, base) || number->at != number->len)
		return not_a_number(lex);
	return integer(lex, number, base, value);
}

/* inf and nan; false if it is neither. */
static bool special(const struct number *number, struct lbp_toml_value *value)
{
	const char *name = number->text + number->at;

	if (number->len - number->at != 3)
		return false;
	if (memcmp(name, "inf", 3) == 0)
		value->as.real = number->text[0] == '-' ? -HUGE_VAL : HUGE_VAL;
	else if (memcmp(name, "nan", 3) == 0)
		value->as.real = (double)NAN;
	else
		return false;
	value->type = LBP_TOML_FLOAT;
	return true;
}

/* The fraction and exponent, all of which are optional; false if malformed. */
static bool float_part(struct number *number)
{
	if (next_is(number, ".")) {
		number->at++;
		if (!digits(number, 10))
			return false;
	}
	if (next_is(number, "eE")) {
		number->at++;
		number->at += next_is(number, "+-");
		if (!digits(number, 10))
			return false;
	}
	return number->at == number->len;
}

static enum lbp_err decimal(struct lbp_lex *lex, struct number *number,
	struct lbp_toml_value *value)
{
	size_t first;

	number->at = next_is(number, "+-");
	if (special(number, value))
		return LBP_OK;
	first = number->at;
	if (first == number->len || !is_digit(number->text[first]))
		return not_a_value(lex, number);
	if (!digits(number, 10))
		return not_a_number(lex);
	if (number->text[first] == '0' && number->at - first > 1)
		return lbp_lex_fail(
			lex, lex->pos, "a number cannot begin with a zero");
	if (number->at == number->len)
		return integer(lex, number, 10, value);
	if (!float_part(number))
		return not_a_number(lex);
	value->type = LBP_TOML_FLOAT;
	value->as.real = real(lex, number);
	return LBP_OK;
}

static bool is_word(const struct number *number, const char *word)
{
	return number->len == strlen(word) &&
	       memcmp(number->text, word, number->len) == 0;
}

static bool is_token(int byte)
{
	return is_digit(byte) || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z') || byte == '_' || byte == '+' ||
	       byte == '-' || byte == '.' || byte == ':';
}

/* Returns true if a token begins with this many digits and then the mark. */
static bool begins(const struct number *token, size_t count, char mark)
{
	if (token->len <= count || token->text[count] != mark)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!is_digit(token->text[i]))
			return false;
	}
	return true;
}

/* A date may be followed by a space and its time. */
static void measure(const struct lbp_lex *lex, struct number *token)
{
	while (is_token(lbp_lex_ahead(lex, token->len)))
		token->len++;
	if (token->len == 10 && begins(token, 4, '-') &&
		lbp_lex_ahead(lex, 10) == ' ' &&
		is_digit(lbp_lex_ahead(lex, 11))) {
		do {
			token->len++;
		} while (is_token(lbp_lex_ahead(lex, token->len)));
	}
}

enum lbp_err lbp_lex_scalar(struct lbp_lex *lex, struct lbp_toml_value *value)
{
	struct number token = {.text = lex->text + lex->at};
	enum lbp_err err = LBP_OK;

	measure(lex, &token);
	//@ split token.len;
	if (token.len == 0)
		return lbp_lex_expected(lex, "a value");
	value->pos = lex->pos;
	if (is_word(&token, "true") || is_word(&token, "false")) {
		value->type = LBP_TOML_BOOLEAN;
		value->as.boolean = token.text[0] == 't';
	} else if (begins(&token, 4, '-') || begins(&token, 2, ':')) {
		err = lbp_lex_datetime(lex, token.text, token.len, value);
	} else if (token.len > 2 && token.text[0] == '0' &&
		   strchr("xob", token.text[1])) {
		err = prefixed(lex, &token, value);
	} else {
		err = decimal(lex, &token, value);
	}
	if (!err)
		lbp_lex_skip(lex, token.len);
	return err;
}
