#include <stdlib.h>

#include "server/figures.h"

static int compare(const void *one, const void *other)
{
	const struct lbp_reject_figures *a = one;
	const struct lbp_reject_figures *b = other;

	return (a->at_ms < b->at_ms) - (a->at_ms > b->at_ms);
}

size_t lbp_rejects_latest(
	struct lbp_reject_figures *items, size_t len, size_t max)
{
	size_t kept[2] = {0, 0};
	size_t n = 0;
	size_t i;

	if (len == 0)
		return 0;
	qsort(items, len, sizeof(*items), compare);
	for (i = 0; i < len; i++) {
		if (kept[items[i].is_stranger]++ < max)
			items[n++] = items[i];
	}
	return n;
}
