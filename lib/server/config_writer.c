#include "server/config_writer.h"

#include <stdio.h>
#include <string.h>

#include "server/utf8.h"

static void put(struct lbp_config_writer *writer, const char *text, size_t len)
{
	writer->put(writer->user, text, len);
	writer->column = text[len - 1] == '\n' ? 0 : writer->column + len;
}

void lbp_config_put(struct lbp_config_writer *writer, const char *text)
{
	put(writer, text, strlen(text));
}

void lbp_config_put_number(struct lbp_config_writer *writer, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	lbp_config_put(writer, text);
}

void lbp_config_put_indent(struct lbp_config_writer *writer, size_t column)
{
	do
		lbp_config_put(writer, " ");
	while (writer->column < column);
}

static void put_character(struct lbp_config_writer *writer, uint32_t code)
{
	char text[16];
	size_t len = 1;

	text[0] = (char)code;
	if (code == '"' || code == '\\')
		len = (size_t)snprintf(text, sizeof(text), "\\%c", (int)code);
	else if (code > 0xffff)
		len = (size_t)snprintf(
			text, sizeof(text), "\\U%08X", (unsigned)code);
	else if (code < 0x20 || code >= 0x7f)
		len = (size_t)snprintf(
			text, sizeof(text), "\\u%04X", (unsigned)code);
	put(writer, text, len);
}

static void put_characters(
	struct lbp_config_writer *writer, const char *text, size_t len)
{
	while (len > 0) {
		uint32_t code;
		size_t n = lbp_utf8_decode(text, len, &code);

		put_character(writer, code == LBP_UTF8_INVALID ? 0xfffd : code);
		text += n;
		len -= n;
	}
}

void lbp_config_put_escaped(struct lbp_config_writer *writer, const char *text)
{
	put_characters(writer, text, strlen(text));
}

void lbp_config_put_string(
	struct lbp_config_writer *writer, const char *text, size_t len)
{
	lbp_config_put(writer, "\"");
	put_characters(writer, text, len);
	lbp_config_put(writer, "\"");
}

void lbp_config_put_key(struct lbp_config_writer *writer, const char *id)
{
	static const char bare[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-_";

	if (strspn(id, bare) == strlen(id))
		lbp_config_put(writer, id);
	else
		lbp_config_put_string(writer, id, strlen(id));
}
