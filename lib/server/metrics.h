/*
 * A writer of Prometheus' text format, version 0.0.4, over the caller's
 * storage.
 *
 * A family is begun, and then has its samples: begin, labels, a value. What is
 * literal (names, helps, keys of labels) must be as the format wants it; the
 * values of labels may be anything. Overflow is sticky, as with the JSON
 * writer. Source: SPEC.md [ADM-10], [ADM-11].
 */
#ifndef LBP_METRICS_H
#define LBP_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/times.h"

struct lbp_metrics {
	char *buf;        /* the caller's; holds len bytes, without a NUL */
	size_t cap;       /* bytes */
	size_t len;       /* bytes, at most cap */
	bool overflow;    /* something did not fit: the text is incomplete */
	const char *name; /* private: the family's, static */
	bool has_labels;  /* private: of the current sample */
};

/* Starts an empty text in cap bytes at buf, which must outlive metrics. */
void lbp_metrics_init(struct lbp_metrics *metrics, char *buf, size_t cap);

/* Begins a family; type is "counter", "gauge" or "histogram". */
void lbp_metrics_family(struct lbp_metrics *metrics, const char *name,
	const char *type, const char *help);

/* Begins a sample of the family. */
void lbp_metrics_begin(struct lbp_metrics *metrics);

/*
 * Adds a label. What is not UTF-8 in its value becomes U+FFFD; line ends,
 * quotes and backslashes are escaped.
 */
void lbp_metrics_label(
	struct lbp_metrics *metrics, const char *key, const char *value);

/* Ends the sample with a number, or a time in seconds. */
void lbp_metrics_uint(struct lbp_metrics *metrics, uint64_t value);
void lbp_metrics_int(struct lbp_metrics *metrics, int64_t value);
void lbp_metrics_seconds(struct lbp_metrics *metrics, uint64_t ns);

/*
 * Adds all samples of a histogram of times; with a label unless its key is
 * NULL.
 */
void lbp_metrics_times(struct lbp_metrics *metrics, const char *key,
	const char *value, const struct lbp_times *times);

#endif
