/*
 * The writer of metrics: what it wrote is read again, by the rules of the
 * format, and must be what it was given.
 *
 * Input: a capacity (two bytes), then samples: a byte, whose lowest two bits
 * are the number of labels; for each a byte, its length, and the value, in
 * which a NUL ends it; then 8 bytes, the sample's value.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "oracle.h"
#include "server/metrics.h"
#include "server/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define LABELS_MAX  3
#define SAMPLES_MAX 32
#define VALUE_MAX   256
#define WHOLE_MAX   (128 * 1024)

struct sample {
	unsigned labels;
	char values[LABELS_MAX][VALUE_MAX];
	uint64_t number;
};

static const char *const keys[LABELS_MAX] = {"app", "upstream", "le"};

static void draw(struct bytes *bytes, struct sample *sample)
{
	sample->labels = bytes_u8(bytes) & 3;
	for (unsigned i = 0; i < sample->labels; i++) {
		size_t len = bytes_u8(bytes);

		memset(sample->values[i], 0, VALUE_MAX);
		if (len > bytes->len)
			len = bytes->len;
		if (len >= VALUE_MAX)
			len = VALUE_MAX - 1;
		memcpy(sample->values[i], bytes->ptr, len);
		bytes->ptr += len;
		bytes->len -= len;
	}
	sample->number = bytes_uint(bytes, 8);
}

static void write_all(
	struct lbp_metrics *metrics, const struct sample *samples, unsigned len)
{
	lbp_metrics_family(metrics, "a_total", "counter", "A help.");
	for (unsigned i = 0; i < len; i++) {
		lbp_metrics_begin(metrics);
		for (unsigned n = 0; n < samples[i].labels; n++)
			lbp_metrics_label(
				metrics, keys[n], samples[i].values[n]);
		lbp_metrics_uint(metrics, samples[i].number);
	}
}

/* What a label's value must read as. */
static size_t expected(const char *value, char *out)
{
	size_t len = strlen(value);
	size_t n = 0;

	for (size_t at = 0; at < len;) {
		uint32_t code;
		size_t used = lbp_utf8_decode(value + at, len - at, &code);

		if (code == LBP_UTF8_INVALID)
			code = 0xFFFD;
		n += lbp_utf8_encode(code, out + n);
		at += used;
	}
	return n;
}

static const char *take(const char *at, const char *text)
{
	size_t len = strlen(text);

	ORACLE("ADM-10", strncmp(at, text, len) == 0,
		"'%.40s' where '%s' has to be", at, text);
	return at + len;
}

/* A reader of quoted values that knows of the three escapes alone. */
static const char *read_value(const char *at, const char *value)
{
	char want[3 * VALUE_MAX];
	char got[8 * VALUE_MAX];
	size_t want_len = expected(value, want);
	size_t len = 0;

	for (; *at != '"'; at++) {
		ORACLE("ADM-11", *at != '\n' && *at != '\0',
			"a value goes over the end of a line");
		if (*at == '\\') {
			at++;
			ORACLE("ADM-11",
				*at == 'n' || *at == '"' || *at == '\\',
				"an escape that there is not: %d", *at);
			got[len++] = *at == 'n' ? '\n' : *at;
		} else {
			got[len++] = *at;
		}
	}
	ORACLE("ADM-11", len == want_len && memcmp(got, want, len) == 0,
		"a value reads as %.*s", (int)len, got);
	return at;
}

static const char *read_sample(const char *at, const struct sample *sample)
{
	char number[32];

	at = take(at, "a_total");
	for (unsigned i = 0; i < sample->labels; i++) {
		at = take(at, i == 0 ? "{" : ",");
		at = take(at, keys[i]);
		at = take(at, "=\"");
		at = read_value(at, sample->values[i]);
		at = take(at, "\"");
	}
	if (sample->labels > 0)
		at = take(at, "}");
	snprintf(number, sizeof(number), " %" PRIu64 "\n", sample->number);
	return take(at, number);
}

static void check_whole(
	const char *text, const struct sample *samples, unsigned len)
{
	const char *at =
		take(text, "# HELP a_total A help.\n# TYPE a_total counter\n");

	for (unsigned i = 0; i < len; i++)
		at = read_sample(at, &samples[i]);
	ORACLE("ADM-10", *at == '\0', "more than was given: %.40s", at);
}

static void check_part(const char *whole, size_t whole_len, size_t cap,
	const struct sample *samples, unsigned len)
{
	char *part = malloc(cap + 1);
	struct lbp_metrics metrics;

	lbp_metrics_init(&metrics, part, cap);
	write_all(&metrics, samples, len);
	ORACLE("ADM-10", metrics.overflow == (whole_len > cap),
		"%zu bytes in %zu overflow: %d", whole_len, cap,
		metrics.overflow);
	ORACLE("ADM-10",
		metrics.len <= cap && memcmp(part, whole, metrics.len) == 0,
		"what fits is not the beginning");
	free(part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct sample samples[SAMPLES_MAX];
	static char whole[WHOLE_MAX];
	struct bytes bytes = {data, len};
	size_t cap = bytes_uint(&bytes, 2);
	struct lbp_metrics metrics;
	unsigned n = 0;

	while (bytes.len > 0 && n < SAMPLES_MAX)
		draw(&bytes, &samples[n++]);
	lbp_metrics_init(&metrics, whole, sizeof(whole) - 1);
	write_all(&metrics, samples, n);
	ORACLE("ADM-10", !metrics.overflow, "it does not fit");
	whole[metrics.len] = '\0';
	check_whole(whole, samples, n);
	check_part(whole, metrics.len, cap, samples, n);
	return 0;
}
