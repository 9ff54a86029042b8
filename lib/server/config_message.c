#include "server/config_message.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "server/utf8.h"

enum {
	SHOWN_MAX = 64, /* characters of a text from the file */
};

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

/* Takes the first character off a text. */
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

/* So that it can stand between single quotes. */
static void say_inside(struct lbp_config_message *message, uint32_t code)
{
	if (code == '\'' || code == '\\')
		say_byte(message, '\\');
	say_character(message, code);
}

void lbp_config_say_escaped(
	struct lbp_config_message *message, struct lbp_toml_string text)
{
	for (int i = 0; i < SHOWN_MAX && text.len != 0; i++)
		say_inside(message, take_character(&text));
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

void lbp_config_say_path(struct lbp_config_message *message, const char *path)
{
	struct lbp_toml_string text = {path, strlen(path)};

	say_byte(message, '\'');
	while (text.len != 0) {
		uint32_t code = take_character(&text);

		say_inside(message, code == LBP_UTF8_INVALID ? 0xfffd : code);
	}
	say_byte(message, '\'');
}
