/*
 * The TOML parser: any bytes are a document or have one well-described fault,
 * and the same bytes always give the same.
 */
#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "server/json.h"
#include "server/toml.h"
#include "server/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* How many characters each line of the text has. */
struct lines {
	size_t *widths;
	size_t count;
};

static struct lines measure(const char *text, size_t len)
{
	struct lines lines = {.widths = calloc(len + 1, sizeof(size_t))};
	size_t at = 0;

	if (!lines.widths)
		abort();
	lines.count = 1;
	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		at = 3;
	for (; at < len; at++) {
		if (text[at] == '\n')
			lines.count++;
		else if (((unsigned char)text[at] & 0xC0) != 0x80)
			lines.widths[lines.count - 1]++;
	}
	return lines;
}

static bool inside(const struct lines *lines, struct lbp_toml_pos pos)
{
	return pos.line >= 1 && pos.line <= lines->count && pos.column >= 1 &&
	       pos.column <= lines->widths[pos.line - 1] + 1;
}

static bool before(struct lbp_toml_pos a, struct lbp_toml_pos b)
{
	return a.line < b.line || (a.line == b.line && a.column < b.column);
}

static void check_string(struct lbp_toml_string string)
{
	size_t at = 0;

	ORACLE("TOM-28", string.ptr[string.len] == '\0', "no NUL at the end");
	while (at < string.len) {
		uint32_t code;

		at += lbp_utf8_decode(string.ptr + at, string.len - at, &code);
		ORACLE("TOM-7", code != LBP_UTF8_INVALID, "not UTF-8");
	}
}

static void check_datetime(const struct lbp_toml_value *value)
{
	const struct lbp_toml_datetime *datetime = &value->as.datetime;

	if (value->type != LBP_TOML_LOCAL_TIME)
		ORACLE("TOM-15",
			datetime->month >= 1 && datetime->month <= 12 &&
				datetime->day >= 1 && datetime->day <= 31,
			"no such day");
	ORACLE("TOM-15",
		datetime->hour <= 23 && datetime->minute <= 59 &&
			datetime->second <= 60,
		"no such time");
	ORACLE("TOM-16", datetime->nanosecond <= 999999999, "fraction");
	ORACLE("TOM-14", abs(datetime->offset_min) < 24 * 60, "offset");
}

static void check_table(const struct lines *lines,
	const struct lbp_toml_table *table, unsigned depth);

static void check_value(const struct lines *lines,
	const struct lbp_toml_value *value, unsigned depth)
{
	ORACLE("TOM-25", inside(lines, value->pos), "value at %u:%u",
		value->pos.line, value->pos.column);
	switch (value->type) {
	case LBP_TOML_STRING:
		check_string(value->as.string);
		break;
	case LBP_TOML_ARRAY:
		ORACLE("TOM-24", depth <= LBP_TOML_DEPTH_MAX, "%u deep", depth);
		for (size_t i = 0; i < value->as.array->len; i++) {
			const struct lbp_toml_value *item =
				&value->as.array->items[i];

			check_value(lines, item, depth + 1);
			ORACLE("TOM-29",
				i == 0 || before(item[-1].pos, item->pos),
				"item %zu is not after the last", i);
		}
		break;
	case LBP_TOML_TABLE:
		check_table(lines, value->as.table, depth);
		break;
	case LBP_TOML_OFFSET_DATETIME:
	case LBP_TOML_LOCAL_DATETIME:
	case LBP_TOML_LOCAL_DATE:
	case LBP_TOML_LOCAL_TIME:
		check_datetime(value);
		break;
	case LBP_TOML_INTEGER:
	case LBP_TOML_FLOAT:
	case LBP_TOML_BOOLEAN:
		break;
	}
}

static void check_table(const struct lines *lines,
	const struct lbp_toml_table *table, unsigned depth)
{
	ORACLE("TOM-24", depth <= LBP_TOML_DEPTH_MAX, "%u deep", depth);
	for (size_t i = 0; i < table->len; i++) {
		const struct lbp_toml_entry *entry = &table->entries[i];

		check_string(entry->key);
		ORACLE("TOM-28",
			lbp_toml_get(table, entry->key.ptr, entry->key.len) ==
				entry,
			"entry %zu is not found", i);
		ORACLE("TOM-40", inside(lines, entry->pos), "key at %u:%u",
			entry->pos.line, entry->pos.column);
		ORACLE("TOM-29", i == 0 || before(entry[-1].pos, entry->pos),
			"entry %zu is not after the last", i);
		check_value(lines, &entry->value, depth + 1);
	}
}

static void check_error(
	const struct lines *lines, const struct lbp_toml_error *error)
{
	size_t len = strnlen(error->message, LBP_TOML_MESSAGE_MAX);

	ORACLE("TOM-26", inside(lines, error->pos), "fault at %u:%u",
		error->pos.line, error->pos.column);
	ORACLE("TOM-26", len > 0 && len < LBP_TOML_MESSAGE_MAX - 1,
		"message of %zu bytes", len);
	for (size_t at = 0; at < len;) {
		uint32_t code;

		at += lbp_utf8_decode(error->message + at, len - at, &code);
		ORACLE("TOM-26",
			code >= 0x20 && code != 0x7F &&
				code != LBP_UTF8_INVALID,
			"message is not one line of UTF-8");
	}
}

static bool same_table(
	const struct lbp_toml_table *a, const struct lbp_toml_table *b);

static bool same_datetime(
	const struct lbp_toml_datetime *a, const struct lbp_toml_datetime *b)
{
	return a->year == b->year && a->month == b->month && a->day == b->day &&
	       a->hour == b->hour && a->minute == b->minute &&
	       a->second == b->second && a->nanosecond == b->nanosecond &&
	       a->offset_min == b->offset_min;
}

static bool same_value(
	const struct lbp_toml_value *a, const struct lbp_toml_value *b)
{
	if (a->type != b->type || memcmp(&a->pos, &b->pos, sizeof(a->pos)) != 0)
		return false;
	if (a->type == LBP_TOML_TABLE)
		return same_table(a->as.table, b->as.table);
	if (a->type == LBP_TOML_STRING)
		return a->as.string.len == b->as.string.len &&
		       memcmp(a->as.string.ptr, b->as.string.ptr,
			       a->as.string.len) == 0;
	if (a->type == LBP_TOML_BOOLEAN)
		return a->as.boolean == b->as.boolean;
	if (a->type == LBP_TOML_INTEGER || a->type == LBP_TOML_FLOAT)
		return a->as.integer == b->as.integer; /* the same bits */
	if (a->type != LBP_TOML_ARRAY)
		return same_datetime(&a->as.datetime, &b->as.datetime);
	if (a->as.array->len != b->as.array->len)
		return false;
	for (size_t i = 0; i < a->as.array->len; i++) {
		if (!same_value(&a->as.array->items[i], &b->as.array->items[i]))
			return false;
	}
	return true;
}

static bool same_table(
	const struct lbp_toml_table *a, const struct lbp_toml_table *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		const struct lbp_toml_entry *left = &a->entries[i];
		const struct lbp_toml_entry *right = &b->entries[i];

		if (left->key.len != right->key.len ||
			memcmp(left->key.ptr, right->key.ptr, left->key.len) !=
				0 ||
			!same_value(&left->value, &right->value))
			return false;
	}
	return true;
}

/* The second parse has other leftovers in memory than the first. */
static void check_again(const char *text, size_t len, enum lbp_err first_err,
	const struct lbp_toml *first, const struct lbp_toml_error *first_error)
{
	struct lbp_toml_error error;
	struct lbp_toml *doc;
	enum lbp_err err;

	memset(&error, 0xA5, sizeof(error));
	err = lbp_toml_parse(text, len, &doc, &error);
	ORACLE("TOM-1", err == first_err, "%d and then %d", first_err, err);
	if (err) {
		ORACLE("TOM-26",
			strcmp(error.message, first_error->message) == 0 &&
				memcmp(&error.pos, &first_error->pos,
					sizeof(error.pos)) == 0,
			"two messages for one text");
	} else {
		ORACLE("TOM-1",
			same_table(lbp_toml_root(doc), lbp_toml_root(first)),
			"two trees for one text");
	}
	lbp_toml_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct lines lines = measure(text, len);
	struct lbp_toml_error error;
	struct lbp_toml *doc;
	enum lbp_err err = lbp_toml_parse(text, len, &doc, &error);

	if (err) {
		ORACLE("TOM-1", err == LBP_ERR_SYNTAX && !doc, "error %d", err);
		check_error(&lines, &error);
	} else {
		check_table(&lines, lbp_toml_root(doc), 0);
	}
	/* It takes as long as all the rest: some lengths will do. */
	if (len % 4 == 0)
		check_again(text, len, err, doc, &error);
	lbp_toml_free(doc);
	free(lines.widths);
	return 0;
}
