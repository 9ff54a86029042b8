#include <stdlib.h>
#include <string.h>

#include "server/figures.h"

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* As series are told apart. */
static int compare_names(
	const struct lbp_expiring *a, const struct lbp_expiring *b)
{
	int order = compare_numbers((int64_t)a->kind, (int64_t)b->kind);

	if (order == 0)
		order = strcmp(a->key, b->key);
	if (order == 0)
		order = strcmp(a->file, b->file);
	return order != 0 ? order : compare_numbers(a->line, b->line);
}

static int compare(const void *one, const void *other)
{
	const struct lbp_expiring *a = one;
	const struct lbp_expiring *b = other;
	int order = compare_names(a, b);

	return order != 0 ? order : compare_numbers(a->until_s, b->until_s);
}

size_t lbp_expiring_sort(struct lbp_expiring *items, size_t len)
{
	size_t kept = 0;
	size_t i;

	if (len == 0)
		return 0;
	qsort(items, len, sizeof(*items), compare);
	for (i = 1; i < len; i++) {
		if (compare_names(&items[kept], &items[i]) != 0)
			items[++kept] = items[i];
	}
	return kept + 1;
}
