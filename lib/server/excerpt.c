#include "server/excerpt.h"

#include <stdio.h>
#include <string.h>

#include "server/utf8.h"

static const char dots[] = "...";
static const char mark[] = "\xef\xbb\xbf";

enum {
	DOTS = sizeof(dots) - 1,
	MARK = sizeof(mark) - 1,
	SHOWN_MAX = 10, /* columns of one character: \UXXXXXXXX */
};

/* A character of the text. */
struct character {
	size_t len;                /* 0: there is none, or it is not UTF-8 */
	char shown[SHOWN_MAX + 1]; /* as printable ASCII */
	size_t shown_len;
	bool is_last; /* TOML has none such: what follows may be anything */
};

static void restart(struct lbp_excerpts *excerpts)
{
	excerpts->at = excerpts->first;
	excerpts->line = 1;
	excerpts->column = 1;
}

void lbp_excerpts_init(
	struct lbp_excerpts *excerpts, const char *text, size_t len)
{
	bool is_marked = len >= MARK && memcmp(text, mark, MARK) == 0;

	*excerpts = (struct lbp_excerpts){
		.text = text, .len = len, .first = is_marked ? MARK : 0};
	restart(excerpts);
}

/* Is there a line's end at this byte, or the text's? */
static bool is_end(const struct lbp_excerpts *excerpts, size_t at)
{
	const char *text = excerpts->text;

	if (at == excerpts->len || text[at] == '\n')
		return true;
	return text[at] == '\r' && at + 1 < excerpts->len &&
	       text[at + 1] == '\n';
}

static bool next_line(struct lbp_excerpts *excerpts)
{
	const char *end;

	if (excerpts->at == excerpts->len)
		return false;
	end = memchr(excerpts->text + excerpts->at, '\n',
		excerpts->len - excerpts->at);
	if (end == NULL)
		return false;
	excerpts->at = (size_t)(end - excerpts->text) + 1;
	excerpts->line++;
	excerpts->column = 1;
	return true;
}

/* Goes to a place; false: there is none. */
static bool seek(struct lbp_excerpts *excerpts, uint32_t line, uint32_t column)
{
	uint32_t code;

	if (line < excerpts->line ||
		(line == excerpts->line && column < excerpts->column))
		restart(excerpts);
	while (excerpts->line < line) {
		if (!next_line(excerpts))
			return false;
	}
	while (excerpts->column < column && !is_end(excerpts, excerpts->at)) {
		excerpts->at += lbp_utf8_decode(excerpts->text + excerpts->at,
			excerpts->len - excerpts->at, &code);
		excerpts->column++;
	}
	return line == excerpts->line && column == excerpts->column;
}

static void show(struct character *character, uint32_t code)
{
	int len;

	if (code == '\t')
		len = snprintf(
			character->shown, sizeof(character->shown), "    ");
	else if (code >= 0x20 && code < 0x7f)
		len = snprintf(character->shown, sizeof(character->shown), "%c",
			(int)code);
	else
		len = snprintf(character->shown, sizeof(character->shown),
			code > 0xffff ? "\\U%08X" : "\\u%04X", (unsigned)code);
	character->shown_len = (size_t)len;
}

/* The character that begins at a byte of a line. */
static struct character character_at(
	const struct lbp_excerpts *excerpts, size_t at)
{
	struct character character = {0};
	uint32_t code;
	size_t len;

	if (is_end(excerpts, at))
		return character;
	len = lbp_utf8_decode(excerpts->text + at, excerpts->len - at, &code);
	if (code == LBP_UTF8_INVALID)
		return character;
	character.len = len;
	character.is_last = (code < 0x20 && code != '\t') || code == 0x7f;
	show(&character, code);
	return character;
}

/* The character that ends before a byte; none at the beginning of a line. */
static struct character character_before(
	const struct lbp_excerpts *excerpts, size_t at)
{
	struct character none = {0};
	size_t begin = at;

	while (begin > excerpts->first && at - begin < LBP_UTF8_MAX) {
		struct character character = character_at(excerpts, --begin);

		if (character.len == at - begin)
			return character;
	}
	return none;
}

static bool is_line_start(const struct lbp_excerpts *excerpts, size_t at)
{
	return at == excerpts->first || excerpts->text[at - 1] == '\n';
}

static void append(
	struct lbp_excerpt *out, size_t *len, const char *text, size_t text_len)
{
	memcpy(out->line + *len, text, text_len);
	*len += text_len;
	out->line[*len] = '\0';
}

/* Writes what comes before the place; returns how many columns. */
static size_t cut_before(
	const struct lbp_excerpts *excerpts, struct lbp_excerpt *out)
{
	size_t begin = excerpts->at;
	size_t columns = 0;
	size_t len = 0;

	for (;;) {
		struct character one = character_before(excerpts, begin);

		if (one.len == 0 || one.is_last ||
			columns + one.shown_len > LBP_EXCERPT_BEFORE_MAX - DOTS)
			break;
		begin -= one.len;
		columns += one.shown_len;
	}
	out->line[0] = '\0';
	if (!is_line_start(excerpts, begin))
		append(out, &len, dots, DOTS);
	while (begin < excerpts->at) {
		struct character one = character_at(excerpts, begin);

		append(out, &len, one.shown, one.shown_len);
		begin += one.len;
	}
	return len;
}

/* Writes the place and what comes after it, from column len on. */
static void cut_after(const struct lbp_excerpts *excerpts,
	struct lbp_excerpt *out, size_t len)
{
	size_t at = excerpts->at;
	size_t with_dots = len; /* columns that leave room for them */

	for (;;) {
		struct character one = character_at(excerpts, at);

		if (one.len == 0)
			return;
		if (len + one.shown_len > LBP_EXCERPT_MAX)
			break;
		append(out, &len, one.shown, one.shown_len);
		at += one.len;
		if (one.is_last)
			return;
		if (len <= LBP_EXCERPT_MAX - DOTS)
			with_dots = len;
	}
	append(out, &with_dots, dots, DOTS);
}

bool lbp_excerpts_cut(struct lbp_excerpts *excerpts, uint32_t line,
	uint32_t column, struct lbp_excerpt *out)
{
	if (!seek(excerpts, line, column))
		return false;
	out->caret = cut_before(excerpts, out);
	cut_after(excerpts, out, out->caret);
	return true;
}
