#include "core/numbers.h"

#include <stdlib.h>
#include <string.h>

/* A name that is wanted, and which one of them it is. */
struct wanted {
	const char *name;
	size_t at;
};

static int compare_names(const void *a, const void *b)
{
	const struct wanted *x = a;
	const struct wanted *y = b;

	return strcmp(x->name, y->name);
}

static enum lbp_err sort(struct wanted *by_name, const struct lbp_named *wanted)
{
	for (size_t i = 0; i < wanted->len; i++) {
		by_name[i].name = wanted->name_of(wanted->list, i);
		by_name[i].at = i;
	}
	qsort(by_name, wanted->len, sizeof(*by_name), compare_names);
	for (size_t i = 1; i < wanted->len; i++) {
		if (compare_names(&by_name[i - 1], &by_name[i]) == 0)
			return LBP_ERR_NAME_TWICE;
	}
	return LBP_OK;
}

static void keep(uint32_t *numbers, const struct wanted *by_name, size_t len,
	const struct lbp_named *known)
{
	size_t i;

	for (i = 0; i < len; i++)
		numbers[i] = LBP_NONE;
	for (i = 0; i < known->len; i++) {
		struct wanted key = {.name = known->name_of(known->list, i)};
		const struct wanted *found = NULL;

		if (key.name != NULL)
			found = bsearch(
				&key, by_name, len, sizeof(key), compare_names);
		if (found != NULL)
			numbers[found->at] = (uint32_t)i;
	}
}

enum lbp_err lbp_numbers_keep(uint32_t *numbers, const struct lbp_named *wanted,
	const struct lbp_named *known)
{
	/* One more than needed: calloc of nothing may return NULL. */
	struct wanted *by_name = calloc(wanted->len + 1, sizeof(*by_name));
	enum lbp_err err;

	if (by_name == NULL)
		return LBP_ERR_NOMEM;
	err = sort(by_name, wanted);
	if (err == LBP_OK)
		keep(numbers, by_name, wanted->len, known);
	free(by_name);
	return err;
}

size_t lbp_numbers_give(
	uint32_t *numbers, size_t len, const struct lbp_named *known)
{
	size_t all = known->len;
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		if (numbers[i] != LBP_NONE)
			continue;
		while (at < known->len &&
			known->name_of(known->list, at) != NULL)
			at++;
		numbers[i] = (uint32_t)at++;
		if (at > all)
			all = at;
	}
	return all;
}
