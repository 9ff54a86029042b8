#include "server/json_read.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "server/utf8.h"

struct reader {
	const char *at;
	const char *end;
};

/* Where a string goes; without room it is only skipped. */
struct target {
	char *out; /* NULL: nowhere */
	size_t cap;
	size_t len;
	bool overflow; /* or it had a NUL */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && is_blank(*reader->at))
		reader->at++;
}

static bool accept(struct reader *reader, char c)
{
	skip_blanks(reader);
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

static void put(struct target *target, uint32_t code)
{
	char bytes[LBP_UTF8_MAX];
	size_t n = lbp_utf8_encode(code, bytes);

	if (target->out == NULL)
		return;
	if (code == 0 || n >= target->cap - target->len) {
		target->overflow = true;
		return;
	}
	memcpy(target->out + target->len, bytes, n);
	target->len += n;
}

/* Four hex digits; false: there are none. */
static bool read_unit(struct reader *reader, uint32_t *unit)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";

	if (reader->end - reader->at < 4)
		return false;
	*unit = 0;
	for (int i = 0; i < 4; i++) {
		const char *digit = *reader->at == '\0'
					    ? NULL
					    : strchr(digits, *reader->at);

		if (digit == NULL)
			return false;
		*unit = *unit << 4 | (uint32_t)((digit - digits) % 16);
		reader->at++;
	}
	return true;
}

/* The rest of \uXXXX, of which two may be one character. */
static bool read_code(struct reader *reader, uint32_t *code)
{
	uint32_t low;

	if (!read_unit(reader, code))
		return false;
	if (*code < 0xd800 || *code > 0xdfff)
		return true;
	if (*code > 0xdbff || reader->end - reader->at < 2 ||
		reader->at[0] != '\\' || reader->at[1] != 'u')
		return false;
	reader->at += 2;
	if (!read_unit(reader, &low) || low < 0xdc00 || low > 0xdfff)
		return false;
	*code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

static bool read_escape(struct reader *reader, uint32_t *code)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meant[] = "\"\\/\b\f\n\r\t";
	const char *letter;

	if (reader->at == reader->end || *reader->at == '\0')
		return false;
	if (*reader->at == 'u') {
		reader->at++;
		return read_code(reader, code);
	}
	letter = strchr(letters, *reader->at);
	if (letter == NULL)
		return false;
	reader->at++;
	*code = (unsigned char)meant[letter - letters];
	return true;
}

/* A character of a string, which must not be its end. */
static bool read_character(struct reader *reader, uint32_t *code)
{
	size_t n = lbp_utf8_decode(
		reader->at, (size_t)(reader->end - reader->at), code);

	if (*code == LBP_UTF8_INVALID || *code < 0x20)
		return false;
	reader->at += n;
	return *code != '\\' || read_escape(reader, code);
}

static bool read_string(struct reader *reader, struct target *target)
{
	if (!accept(reader, '"'))
		return false;
	while (reader->at < reader->end && *reader->at != '"') {
		uint32_t code;

		if (!read_character(reader, &code))
			return false;
		put(target, code);
	}
	return accept(reader, '"');
}

/* A number, true, false or null: what looks like one. */
static bool skip_word(struct reader *reader)
{
	static const char word[] = "+-.0123456789Eaeflnrstu";
	const char *begin = reader->at;

	while (reader->at < reader->end && *reader->at != '\0' &&
		strchr(word, *reader->at) != NULL)
		reader->at++;
	return reader->at > begin;
}

/* A value, whose string goes to target, but no array. */
static bool read_plain(struct reader *reader, struct target *target)
{
	skip_blanks(reader);
	if (reader->at < reader->end && *reader->at == '"')
		return read_string(reader, target);
	return skip_word(reader);
}

/* A value; no array has another one in the log, and no object is one. */
static bool read_value(struct reader *reader, struct target *target)
{
	struct target nowhere = {0};

	if (!accept(reader, '['))
		return read_plain(reader, target);
	if (accept(reader, ']'))
		return true;
	do {
		if (!read_plain(reader, &nowhere))
			return false;
	} while (accept(reader, ','));
	return accept(reader, ']');
}

/* A member, whose string goes to target if this is its key. */
static bool read_member(
	struct reader *reader, const char *key, struct target *target)
{
	char name[64] = "";
	struct target to = {.out = name, .cap = sizeof(name)};
	struct target nowhere = {0};
	bool is_it;

	if (!read_string(reader, &to) || !accept(reader, ':'))
		return false;
	name[to.len] = '\0';
	is_it = !to.overflow && target->len == 0 && strcmp(name, key) == 0;
	return read_value(reader, is_it ? target : &nowhere);
}

static bool read_object(
	struct reader *reader, const char *key, struct target *target)
{
	if (!accept(reader, '{'))
		return false;
	if (accept(reader, '}'))
		return true;
	do {
		if (!read_member(reader, key, target))
			return false;
	} while (accept(reader, ','));
	return accept(reader, '}');
}

enum lbp_err lbp_json_find(
	const char *text, size_t len, const char *key, char *out, size_t cap)
{
	struct reader reader = {text, text + len};
	struct target target = {.out = out, .cap = cap};
	bool ok = read_object(&reader, key, &target);

	skip_blanks(&reader);
	if (!ok || reader.at != reader.end || target.overflow)
		target.len = 0;
	out[target.len] = '\0';
	if (!ok || reader.at != reader.end)
		return LBP_ERR_SYNTAX;
	return target.overflow ? LBP_ERR_RANGE : LBP_OK;
}
