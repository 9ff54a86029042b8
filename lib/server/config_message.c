#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/config_reader.h"
#include "server/config_suggest.h"
#include "server/utf8.h"

enum {
	SHOWN_MAX = 64,   /* characters of a text from the file */
	LISTED_MAX = 240, /* bytes of a message before a list is cut */
	/* So many words are compared; then errors go without a guess. */
	COMPARED_MAX = 65536,
};

struct lbp_config_told {
	struct lbp_config_told *older;
	struct lbp_config_error error;
};

struct lbp_config_pos lbp_config_pos(struct lbp_toml_pos pos)
{
	return (struct lbp_config_pos){pos.line, pos.column};
}

int lbp_config_pos_compare(struct lbp_config_pos a, struct lbp_config_pos b)
{
	uint64_t a_place = (uint64_t)a.line << 32 | a.column;
	uint64_t b_place = (uint64_t)b.line << 32 | b.column;

	return (a_place > b_place) - (a_place < b_place);
}

void *lbp_config_alloc(struct lbp_config_reader *reader,
	struct lbp_config_arena **arena, size_t count, size_t size)
{
	void *room = lbp_config_arena_alloc(arena, count, size);

	if (room == NULL)
		reader->nomem = true;
	return room;
}

static void cut(struct lbp_config_message *message)
{
	message->len = sizeof(message->text) - 1;
	memcpy(message->text + message->len - 3, "...", sizeof("..."));
}

void lbp_config_say(struct lbp_config_message *message, const char *format, ...)
{
	size_t room = sizeof(message->text) - message->len;
	va_list args;
	size_t wanted;

	va_start(args, format);
	wanted = (size_t)vsnprintf(
		message->text + message->len, room, format, args);
	va_end(args);
	if (wanted < room)
		message->len += wanted;
	else
		cut(message);
}

static void say_byte(struct lbp_config_message *message, char byte)
{
	if (message->len == sizeof(message->text) - 1) {
		cut(message);
		return;
	}
	message->text[message->len++] = byte;
	message->text[message->len] = '\0';
}

static void say_character(struct lbp_config_message *message, uint32_t code)
{
	if (code >= 0x20 && code < 0x7f)
		say_byte(message, (char)code);
	else if (code <= 0xffff)
		lbp_config_say(message, "\\u%04X", (unsigned)code);
	else
		lbp_config_say(message, "\\U%08X", (unsigned)code);
}

/* The first character of a text, which is then without it. */
static uint32_t take_character(struct lbp_toml_string *text)
{
	uint32_t code;
	size_t len = lbp_utf8_decode(text->ptr, text->len, &code);

	text->ptr += len;
	text->len -= len;
	return code;
}

void lbp_config_say_plain(
	struct lbp_config_message *message, struct lbp_toml_string text)
{
	while (text.len != 0)
		say_character(message, take_character(&text));
}

void lbp_config_say_escaped(
	struct lbp_config_message *message, struct lbp_toml_string text)
{
	for (int i = 0; i < SHOWN_MAX && text.len != 0; i++) {
		uint32_t code = take_character(&text);

		if (code == '\'' || code == '\\')
			say_byte(message, '\\');
		say_character(message, code);
	}
	if (text.len != 0)
		lbp_config_say(message, "...");
}

void lbp_config_say_quoted(
	struct lbp_config_message *message, struct lbp_toml_string text)
{
	say_byte(message, '\'');
	lbp_config_say_escaped(message, text);
	say_byte(message, '\'');
}

static size_t index_of(const struct lbp_config_names *names, const char *shown)
{
	size_t i = 0;

	while (i < names->len && names->items[i].shown.ptr != shown)
		i++;
	return i;
}

size_t lbp_config_say_nearest(struct lbp_config_reader *reader,
	struct lbp_config_message *message, struct lbp_toml_string word,
	const struct lbp_config_names *names)
{
	struct lbp_config_guess guess;
	const char *before = "; accepted: ";

	lbp_config_guess_init(&guess, word.ptr, word.len);
	if (reader->compared < COMPARED_MAX) {
		reader->compared += names->len;
		for (size_t i = 0; i < names->len; i++)
			lbp_config_guess_offer(&guess,
				names->items[i].shown.ptr,
				names->items[i].shown.len);
	}
	if (guess.best != NULL) {
		lbp_config_say(message, "; did you mean ");
		lbp_config_say_quoted(message,
			(struct lbp_toml_string){guess.best, guess.best_len});
		before = "? accepted: ";
	}
	for (size_t i = 0; i < names->len; i++) {
		lbp_config_say(message, "%s", before);
		before = ", ";
		if (message->len > LISTED_MAX) {
			lbp_config_say(message, "...");
			break;
		}
		lbp_config_say_escaped(message, names->items[i].shown);
	}
	return index_of(names, guess.best);
}

void lbp_config_tell(struct lbp_config_reader *reader,
	struct lbp_config_pos pos, const struct lbp_config_message *message)
{
	struct lbp_config_told *told =
		lbp_config_alloc(reader, &reader->scratch, 1, sizeof(*told));
	char *text = lbp_config_alloc(
		reader, &reader->messages, message->len + 1, 1);

	if (told == NULL || text == NULL)
		return;
	memcpy(text, message->text, message->len);
	told->error = (struct lbp_config_error){pos, text};
	told->older = reader->told;
	reader->told = told;
	reader->told_len++;
}

static int compare_errors(const void *left, const void *right)
{
	const struct lbp_config_error *a = left;
	const struct lbp_config_error *b = right;
	int order = lbp_config_pos_compare(a->pos, b->pos);

	return order != 0 ? order : strcmp(a->message, b->message);
}

enum lbp_err lbp_config_hand_over(
	struct lbp_config_reader *reader, struct lbp_config_errors *errors)
{
	struct lbp_config_error *items;
	size_t len = 0;

	if (reader->nomem)
		return LBP_ERR_NOMEM;
	if (reader->told_len == 0)
		return LBP_OK;
	items = lbp_config_alloc(
		reader, &reader->messages, reader->told_len, sizeof(*items));
	if (items == NULL)
		return LBP_ERR_NOMEM;
	for (struct lbp_config_told *told = reader->told; told != NULL;
		told = told->older)
		items[len++] = told->error;
	qsort(items, len, sizeof(*items), compare_errors);
	*errors = (struct lbp_config_errors){items, len, reader->messages};
	reader->messages = NULL;
	return LBP_ERR_CONFIG;
}
