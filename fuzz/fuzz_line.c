/*
 * A line of the log as it is read again: any text gives a string that keeps
 * the promises of the header, and what the JSON writer has written is found.
 *
 * Input: a byte, modulo 64, is the room; then the text of an object. It is also
 * written as the value of a member, between others.
 */
#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "server/json.h"
#include "server/json_read.h"
#include "server/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define TEXT_MAX 1024

static void check_string(const char *out, size_t cap, enum lbp_err err)
{
	size_t len = strnlen(out, cap);

	ORACLE("JSN-22", len < cap, "%zu bytes without an end", cap);
	ORACLE("JSN-22", err == LBP_OK || len == 0, "%s, and %s",
		lbp_err_text(err), out);
	while (len > 0) {
		uint32_t code;
		size_t n = lbp_utf8_decode(out, len, &code);

		ORACLE("JSN-21", code != LBP_UTF8_INVALID, "no UTF-8");
		out += n;
		len -= n;
	}
}

static void read_any(const uint8_t *data, size_t len, size_t cap)
{
	char *out = malloc(cap);
	enum lbp_err err;

	if (out == NULL)
		abort();
	err = lbp_json_find((const char *)data, len, "k", out, cap);
	ORACLE("JSN-20",
		err == LBP_OK || err == LBP_ERR_SYNTAX || err == LBP_ERR_RANGE,
		"%s", lbp_err_text(err));
	check_string(out, cap, err);
	free(out);
}

/* The text as a writer takes it: what is not UTF-8 becomes U+FFFD. */
static size_t replace(const uint8_t *data, size_t len, char *to)
{
	const char *text = (const char *)data;
	size_t size = 0;

	while (len > 0) {
		uint32_t code;
		size_t n = lbp_utf8_decode(text, len, &code);

		size += lbp_utf8_encode(
			code == LBP_UTF8_INVALID ? 0xfffd : code, to + size);
		text += n;
		len -= n;
	}
	to[size] = '\0';
	return size;
}

static void write_and_read(const uint8_t *data, size_t len)
{
	static char buf[16 * TEXT_MAX];
	static char want[4 * TEXT_MAX];
	static char got[4 * TEXT_MAX];
	bool has_nul = memchr(data, 0, len) != NULL;
	size_t size = replace(data, len, want);
	struct lbp_json json;
	enum lbp_err err;

	lbp_json_init(&json, buf, sizeof(buf));
	lbp_json_begin_object(&json);
	lbp_json_key(&json, "a", 1);
	lbp_json_begin_array(&json);
	lbp_json_string(&json, (const char *)data, len);
	lbp_json_uint(&json, len);
	lbp_json_end_array(&json);
	lbp_json_key(&json, "b", 1);
	lbp_json_bool(&json, true);
	lbp_json_key(&json, "k", 1);
	lbp_json_string(&json, (const char *)data, len);
	lbp_json_end_object(&json);
	err = lbp_json_find(buf, json.len, "k", got, sizeof(got));
	ORACLE("JSN-20", err == (has_nul ? LBP_ERR_RANGE : LBP_OK), "%s of %s",
		lbp_err_text(err), buf);
	ORACLE("JSN-20", has_nul || strcmp(got, want) == 0, "%zu bytes differ",
		size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;
	read_any(data + 1, len - 1, 1 + data[0] % 64);
	if (len - 1 <= TEXT_MAX)
		write_and_read(data + 1, len - 1);
	return 0;
}
