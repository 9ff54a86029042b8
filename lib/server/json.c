#include "server/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/utf8.h"

void lbp_json_init(struct lbp_json *json, char *buf, size_t cap)
{
	*json = (struct lbp_json){.buf = buf, .cap = cap};
}

void lbp_json_raw(struct lbp_json *json, const char *text, size_t len)
{
	if (json->overflow || len > json->cap - json->len) {
		json->overflow = true;
		return;
	}
	if (len > 0)
		memcpy(json->buf + json->len, text, len);
	json->len += len;
}

static void put_text(struct lbp_json *json, const char *text)
{
	lbp_json_raw(json, text, strlen(text));
}

static void separate(struct lbp_json *json)
{
	if (json->comma)
		put_text(json, ",");
	json->comma = true;
}

static void begin(struct lbp_json *json, const char *bracket)
{
	separate(json);
	put_text(json, bracket);
	json->comma = false;
}

static void end(struct lbp_json *json, const char *bracket)
{
	put_text(json, bracket);
	json->comma = true;
}

void lbp_json_begin_object(struct lbp_json *json)
{
	begin(json, "{");
}

void lbp_json_end_object(struct lbp_json *json)
{
	end(json, "}");
}

void lbp_json_begin_array(struct lbp_json *json)
{
	begin(json, "[");
}

void lbp_json_end_array(struct lbp_json *json)
{
	end(json, "]");
}

/* DEL, the C1 controls and the two separators end a line in some viewers. */
static bool is_escaped(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code <= 0x9F) ||
	       code == 0x2028 || code == 0x2029;
}

static void put_char(
	struct lbp_json *json, uint32_t code, const char *text, size_t len)
{
	char escape[16];

	if (code == LBP_UTF8_INVALID) {
		put_text(json, "\xEF\xBF\xBD");
	} else if (is_escaped(code)) {
		(void)snprintf(escape, sizeof(escape), "\\u%04" PRIx32, code);
		put_text(json, escape);
	} else {
		if (code == '"' || code == '\\')
			put_text(json, "\\");
		lbp_json_raw(json, text, len);
	}
}

static void put_string(struct lbp_json *json, const char *text, size_t len)
{
	size_t at = 0;

	put_text(json, "\"");
	while (at < len && !json->overflow) {
		uint32_t code;
		size_t used = lbp_utf8_decode(text + at, len - at, &code);

		put_char(json, code, text + at, used);
		at += used;
	}
	put_text(json, "\"");
}

void lbp_json_key(struct lbp_json *json, const char *key, size_t len)
{
	separate(json);
	put_string(json, key, len);
	put_text(json, ":");
	json->comma = false;
}

void lbp_json_string(struct lbp_json *json, const char *text, size_t len)
{
	separate(json);
	put_string(json, text, len);
}

void lbp_json_uint(struct lbp_json *json, uint64_t value)
{
	char digits[24];

	separate(json);
	(void)snprintf(digits, sizeof(digits), "%" PRIu64, value);
	put_text(json, digits);
}

void lbp_json_bool(struct lbp_json *json, bool value)
{
	separate(json);
	put_text(json, value ? "true" : "false");
}
