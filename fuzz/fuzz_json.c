/*
 * The JSON writer against the plainest way to build the same text.
 *
 * Input: a capacity (two bytes), then parts: a byte, modulo 8, and what it
 * takes:
 *   0 begin an object   1 begin an array   2 end   3, 4 a string (a byte's
 *   number of bytes)   5 a number (8 bytes)   6 true   7 false
 * In an object each value takes a key first, drawn as a string is. The check
 * after each part is quadratic; inputs are cut at 4096 bytes. At the end the
 * whole is given in raw pieces, which the input's bytes cut.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "oracle.h"
#include "server/json.h"
#include "server/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define DEPTH_MAX 16
#define WHOLE_MAX (64 * 1024)

/* The text that the whole must be, built in the plainest way. */
struct model {
	char text[WHOLE_MAX];
	size_t len;
	bool object[DEPTH_MAX];
	bool used[DEPTH_MAX]; /* has a member or item already */
	unsigned depth;
	size_t checked; /* characters that were looked at */
};

static void model_put(struct model *model, const char *text, size_t len)
{
	if (len > WHOLE_MAX - model->len)
		abort();
	memcpy(model->text + model->len, text, len);
	model->len += len;
}

static void model_text(struct model *model, const char *text)
{
	model_put(model, text, strlen(text));
}

static void model_separate(struct model *model)
{
	if (model->used[model->depth])
		model_text(model, ",");
	model->used[model->depth] = true;
}

static void model_string(struct model *model, const char *text, size_t len)
{
	char escape[16];

	model_text(model, "\"");
	for (size_t at = 0; at < len;) {
		uint32_t code;
		size_t used = lbp_utf8_decode(text + at, len - at, &code);

		if (code == LBP_UTF8_INVALID) {
			model_text(model, "\xEF\xBF\xBD");
		} else if (code < 0x20 || (code > 0x7E && code < 0xA0) ||
			   code == 0x2028 || code == 0x2029) {
			(void)snprintf(escape, sizeof(escape), "\\u%04x",
				(unsigned)code);
			model_text(model, escape);
		} else {
			if (code == '"' || code == '\\')
				model_text(model, "\\");
			model_put(model, text + at, used);
		}
		at += used;
	}
	model_text(model, "\"");
}

/* A string's bytes from the input; they stay where they are. */
static const char *draw_string(struct bytes *bytes, size_t *len)
{
	const char *text;

	*len = bytes_u8(bytes);
	if (*len > bytes->len)
		*len = bytes->len;
	text = (const char *)bytes->ptr;
	bytes->ptr += *len;
	bytes->len -= *len;
	return text;
}

static void key(struct bytes *bytes, struct lbp_json *json, struct model *model)
{
	size_t len;
	const char *text;

	model_separate(model);
	if (!model->object[model->depth])
		return;
	text = draw_string(bytes, &len);
	lbp_json_key(json, text, len);
	model_string(model, text, len);
	model_text(model, ":");
}

static void begin(struct lbp_json *json, struct model *model, bool object)
{
	if (object)
		lbp_json_begin_object(json);
	else
		lbp_json_begin_array(json);
	model_text(model, object ? "{" : "[");
	model->depth++;
	model->object[model->depth] = object;
	model->used[model->depth] = false;
}

static void end(struct lbp_json *json, struct model *model)
{
	bool object = model->object[model->depth];

	if (object)
		lbp_json_end_object(json);
	else
		lbp_json_end_array(json);
	model_text(model, object ? "}" : "]");
	model->depth--;
}

static void scalar(struct bytes *bytes, unsigned part, struct lbp_json *json,
	struct model *model)
{
	char digits[32];
	const char *text;
	uint64_t number;
	size_t len;

	if (part == 5) {
		number = bytes_uint(bytes, 8);
		lbp_json_uint(json, number);
		(void)snprintf(digits, sizeof(digits), "%" PRIu64, number);
		model_text(model, digits);
	} else if (part >= 6) {
		lbp_json_bool(json, part == 6);
		model_text(model, part == 6 ? "true" : "false");
	} else {
		text = draw_string(bytes, &len);
		lbp_json_string(json, text, len);
		model_string(model, text, len);
	}
}

static void write_part(
	struct bytes *bytes, struct lbp_json *json, struct model *model)
{
	unsigned part = bytes_below(bytes, 8);

	if (part == 2) {
		if (model->depth > 1)
			end(json, model);
		return;
	}
	if (part < 2 && model->depth == DEPTH_MAX - 1)
		return;
	key(bytes, json, model);
	if (part < 2)
		begin(json, model, part == 0);
	else
		scalar(bytes, part, json, model);
}

static void check(const struct lbp_json *json, struct model *model)
{
	ORACLE("JSN-7", json->len <= json->cap, "%zu bytes in %zu", json->len,
		json->cap);
	ORACLE("JSN-7", json->overflow == (model->len > json->cap),
		"overflow %d for %zu bytes in %zu", json->overflow, model->len,
		json->cap);
	ORACLE("JSN-1",
		json->len <= model->len &&
			memcmp(json->buf, model->text, json->len) == 0,
		"another text than the model's");
	ORACLE("JSN-7", json->overflow || json->len == model->len,
		"%zu bytes of %zu", json->len, model->len);
	/* What was looked at before is the model's, and did not change. */
	for (; model->checked < json->len; model->checked++)
		ORACLE("JSN-3",
			(unsigned char)json->buf[model->checked] >= 0x20,
			"control character in the text");
}

/* The whole text as raw parts, cut where the input says. */
static void check_pieces(
	struct bytes cuts, char *buf, size_t cap, const struct model *model)
{
	struct lbp_json json;

	lbp_json_init(&json, buf, cap);
	for (size_t at = 0; at < model->len;) {
		size_t n = bytes_u8(&cuts) % 16;

		if (n == 0 || n > model->len - at)
			n = model->len - at;
		lbp_json_raw(&json, model->text + at, n);
		at += n;
	}
	ORACLE("JSN-6",
		json.overflow == (model->len > cap) && json.len <= model->len &&
			(json.overflow || json.len == model->len) &&
			memcmp(buf, model->text, json.len) == 0,
		"another text in pieces");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes bytes = {.ptr = data, .len = len < 4096 ? len : 4096};
	static struct model whole;
	struct model *model = &whole;
	size_t cap = bytes_uint(&bytes, 2);
	char *buf = malloc(cap + 1);
	struct lbp_json json;

	if (!buf)
		abort();
	model->len = 0;
	model->depth = 0;
	model->checked = 0;
	lbp_json_init(&json, buf, cap);
	buf[cap] = '!';
	begin(&json, model, true);
	while (bytes.len > 0) {
		write_part(&bytes, &json, model);
		check(&json, model);
	}
	while (model->depth > 0)
		end(&json, model);
	check(&json, model);
	check_pieces((struct bytes){data, len}, buf, cap, model);
	ORACLE("JSN-7", buf[cap] == '!', "written beyond the capacity");
	free(buf);
	return 0;
}
