/* Dates and times: RFC 3339, section 5.6, as TOML narrows it. */
#include <stdlib.h>

#include "server/toml_scalar.h"

/* What is left of a token; ok turns false at the first fault. */
struct scan {
	const char *text;
	size_t len;
	bool ok;
};

static int first(const struct scan *scan)
{
	return scan->len > 0 ? (unsigned char)scan->text[0] : -1;
}

static void skip(struct scan *scan)
{
	scan->text++;
	scan->len--;
}

static void mark(struct scan *scan, char byte)
{
	if (first(scan) == (unsigned char)byte)
		skip(scan);
	else
		scan->ok = false;
}

/* The value of the next character; -1 if it is no digit. */
static int digit_next(const struct scan *scan)
{
	int byte = first(scan);

	return byte >= '0' && byte <= '9' ? byte - '0' : -1;
}

/* Reads exactly this many digits. */
static unsigned digits(struct scan *scan, unsigned count)
{
	unsigned sum = 0;

	for (; count > 0; count--) {
		int digit = digit_next(scan);

		if (digit < 0) {
			scan->ok = false;
			return 0;
		}
		sum = sum * 10 + (unsigned)digit;
		skip(scan);
	}
	return sum;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	static const uint8_t days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

static enum lbp_err scan_date(
	struct lbp_lex *lex, struct scan *scan, struct lbp_toml_datetime *date)
{
	//@ dynamic_split scan->len;
	date->year = (uint16_t)digits(scan, 4);
	mark(scan, '-');
	date->month = (uint8_t)digits(scan, 2);
	mark(scan, '-');
	date->day = (uint8_t)digits(scan, 2);
	if (!scan->ok)
		return lbp_lex_fail(lex, lex->pos,
			"not a date; accepted: for example 1979-05-27");
	if (date->month < 1 || date->month > 12)
		return lbp_lex_fail(lex, lex->pos,
			"there is no month %02u; accepted: 01 to 12",
			date->month);
	if (date->day < 1 || date->day > days_in_month(date->year, date->month))
		return lbp_lex_fail(lex, lex->pos,
			"there is no day %02u in %04u-%02u; accepted: 01 to %u",
			date->day, date->year, date->month,
			days_in_month(date->year, date->month));
	return LBP_OK;
}

/* Reads one or more digits; those after the ninth are ignored. */
static uint32_t fraction(struct scan *scan)
{
	uint32_t sum = 0;
	unsigned count = 0;
	int digit = digit_next(scan);

	scan->ok = scan->ok && digit >= 0;
	for (; digit >= 0; digit = digit_next(scan)) {
		if (count++ < 9)
			sum = sum * 10 + (uint32_t)digit;
		skip(scan);
	}
	for (; count < 9; count++)
		sum *= 10;
	return sum;
}

static enum lbp_err scan_time(
	struct lbp_lex *lex, struct scan *scan, struct lbp_toml_datetime *time)
{
	//@ dynamic_split scan->len;
	time->hour = (uint8_t)digits(scan, 2);
	mark(scan, ':');
	time->minute = (uint8_t)digits(scan, 2);
	mark(scan, ':');
	time->second = (uint8_t)digits(scan, 2);
	if (first(scan) == '.') {
		skip(scan);
		time->nanosecond = fraction(scan);
	}
	if (!scan->ok)
		return lbp_lex_fail(lex, lex->pos,
			"not a time; accepted: for example 07:32:00 or "
			"07:32:00.999");
	if (time->hour > 23 || time->minute > 59 || time->second > 60)
		return lbp_lex_fail(lex, lex->pos,
			"there is no time %02u:%02u:%02u; accepted: 00:00:00 "
			"to 23:59:60",
			time->hour, time->minute, time->second);
	return LBP_OK;
}

/* Z or +HH:MM or -HH:MM. */
static enum lbp_err scan_offset(
	struct lbp_lex *lex, struct scan *scan, int16_t *offset_min)
{
	int sign = first(scan);
	unsigned hour, minute;

	//@ dynamic_split scan->len;
	skip(scan);
	*offset_min = 0;
	if (sign == 'Z' || sign == 'z')
		return LBP_OK;
	hour = digits(scan, 2);
	mark(scan, ':');
	minute = digits(scan, 2);
	if ((sign != '+' && sign != '-') || !scan->ok || hour > 23 ||
		minute > 59)
		return lbp_lex_fail(lex, lex->pos,
			"not an offset from UTC; accepted: Z, or -23:59 to "
			"+23:59");
	*offset_min = (int16_t)(hour * 60 + minute);
	if (sign == '-')
		*offset_min = (int16_t) - *offset_min;
	return LBP_OK;
}

static bool time_follows(const struct scan *scan)
{
	return first(scan) == 'T' || first(scan) == 't' || first(scan) == ' ';
}

/* Reads what follows a date: nothing, or a time and perhaps an offset. */
static enum lbp_err scan_after_date(
	struct lbp_lex *lex, struct scan *scan, struct lbp_toml_value *value)
{
	struct lbp_toml_datetime *datetime = &value->as.datetime;
	enum lbp_err err;

	//@ dynamic_split scan->len;
	value->type = LBP_TOML_LOCAL_DATE;
	if (!time_follows(scan))
		return LBP_OK;
	skip(scan);
	value->type = LBP_TOML_LOCAL_DATETIME;
	err = scan_time(lex, scan, datetime);
	if (err || scan->len == 0)
		return err;
	value->type = LBP_TOML_OFFSET_DATETIME;
	return scan_offset(lex, scan, &datetime->offset_min);
}

enum lbp_err lbp_lex_datetime(struct lbp_lex *lex, const char *token,
	size_t len, struct lbp_toml_value *value)
{
	struct scan scan = {.text = token, .len = len, .ok = true};
	enum lbp_err err;

	//@ dynamic_split scan.len;
	value->as.datetime = (struct lbp_toml_datetime){0};
	if (token[2] == ':') {
		value->type = LBP_TOML_LOCAL_TIME;
		err = scan_time(lex, &scan, &value->as.datetime);
	} else {
		err = scan_date(lex, &scan, &value->as.datetime);
		if (!err)
			err = scan_after_date(lex, &scan, value);
	}
	if (!err && scan.len > 0)
		return lbp_lex_fail(lex, lex->pos,
			"not a date or time; accepted: for example 1979-05-27, "
			"07:32:00, 1979-05-27T07:32:00 and with Z or +01:00");
	return err;
}
