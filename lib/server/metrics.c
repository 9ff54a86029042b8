#include "server/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "server/utf8.h"

/* Room for a number, a time in seconds, and the final NUL. */
#define NUMBER_MAX 32

void lbp_metrics_init(struct lbp_metrics *metrics, char *buf, size_t cap)
{
	*metrics = (struct lbp_metrics){.buf = buf, .cap = cap};
}

static void put(struct lbp_metrics *metrics, const char *text, size_t len)
{
	if (metrics->overflow || len > metrics->cap - metrics->len) {
		metrics->overflow = true;
		return;
	}
	memcpy(metrics->buf + metrics->len, text, len);
	metrics->len += len;
}

static void put_text(struct lbp_metrics *metrics, const char *text)
{
	put(metrics, text, strlen(text));
}

void lbp_metrics_family(struct lbp_metrics *metrics, const char *name,
	const char *type, const char *help)
{
	metrics->name = name;
	put_text(metrics, "# HELP ");
	put_text(metrics, name);
	put_text(metrics, " ");
	put_text(metrics, help);
	put_text(metrics, "\n# TYPE ");
	put_text(metrics, name);
	put_text(metrics, " ");
	put_text(metrics, type);
	put_text(metrics, "\n");
}

static void begin(struct lbp_metrics *metrics, const char *suffix)
{
	put_text(metrics, metrics->name);
	put_text(metrics, suffix);
	metrics->has_labels = false;
}

void lbp_metrics_begin(struct lbp_metrics *metrics)
{
	begin(metrics, "");
}

static void put_char(struct lbp_metrics *metrics, uint32_t code,
	const char *text, size_t len)
{
	if (code == LBP_UTF8_INVALID) {
		put_text(metrics, "\xEF\xBF\xBD");
	} else if (code == '\n') {
		put_text(metrics, "\\n");
	} else {
		if (code == '"' || code == '\\')
			put_text(metrics, "\\");
		put(metrics, text, len);
	}
}

void lbp_metrics_label(
	struct lbp_metrics *metrics, const char *key, const char *value)
{
	size_t len = strlen(value);
	size_t at = 0;

	put_text(metrics, metrics->has_labels ? "," : "{");
	metrics->has_labels = true;
	put_text(metrics, key);
	put_text(metrics, "=\"");
	while (at < len && !metrics->overflow) {
		uint32_t code;
		size_t used = lbp_utf8_decode(value + at, len - at, &code);

		put_char(metrics, code, value + at, used);
		at += used;
	}
	put_text(metrics, "\"");
}

static void end(struct lbp_metrics *metrics, const char *value)
{
	put_text(metrics, metrics->has_labels ? "} " : " ");
	put_text(metrics, value);
	put_text(metrics, "\n");
}

void lbp_metrics_uint(struct lbp_metrics *metrics, uint64_t value)
{
	char text[NUMBER_MAX];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	end(metrics, text);
}

void lbp_metrics_int(struct lbp_metrics *metrics, int64_t value)
{
	char text[NUMBER_MAX];

	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	end(metrics, text);
}

/* Without zeros that mean nothing: labels are compared as texts. */
static void format_seconds(char text[NUMBER_MAX], uint64_t ns)
{
	size_t len = (size_t)snprintf(text, NUMBER_MAX,
		"%" PRIu64 ".%09" PRIu64, ns / LBP_NS_PER_S, ns % LBP_NS_PER_S);

	while (text[len - 1] == '0')
		text[--len] = '\0';
	if (text[len - 1] == '.')
		text[--len] = '\0';
}

void lbp_metrics_seconds(struct lbp_metrics *metrics, uint64_t ns)
{
	char text[NUMBER_MAX];

	format_seconds(text, ns);
	end(metrics, text);
}

static void begin_part(struct lbp_metrics *metrics, const char *suffix,
	const char *key, const char *value)
{
	begin(metrics, suffix);
	if (key != NULL)
		lbp_metrics_label(metrics, key, value);
}

void lbp_metrics_times(struct lbp_metrics *metrics, const char *key,
	const char *value, const struct lbp_times *times)
{
	char bound[NUMBER_MAX];
	uint64_t count = 0;
	uint32_t i;

	for (i = 0; i < LBP_TIMES_BUCKETS; i++) {
		count += times->counts[i];
		begin_part(metrics, "_bucket", key, value);
		if (i < LBP_TIMES_BUCKETS - 1)
			format_seconds(bound, lbp_times_bound_ns(i));
		else
			memcpy(bound, "+Inf", sizeof("+Inf"));
		lbp_metrics_label(metrics, "le", bound);
		lbp_metrics_uint(metrics, count);
	}
	begin_part(metrics, "_sum", key, value);
	lbp_metrics_seconds(metrics, times->sum_ns);
	begin_part(metrics, "_count", key, value);
	lbp_metrics_uint(metrics, count);
}
