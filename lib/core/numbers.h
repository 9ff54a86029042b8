/*
 * Names keep their numbers: who is known before a reload and wanted after it
 * has one number throughout. Source: SPEC.md [APP-10], [APP-11], [POL-5].
 */
#ifndef LBP_NUMBERS_H
#define LBP_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* The names in some list, by number. */
struct lbp_named {
	const char *(*name_of)(const void *list, size_t number); /* or NULL */
	const void *list;
	size_t len;
};

/*
 * Looks up the number in known of each name that is wanted: numbers has
 * wanted->len entries, each of which becomes that number, or LBP_NONE if the
 * name is not known. LBP_ERR_NAME_TWICE: one name is wanted twice.
 * LBP_ERR_NOMEM. On error the numbers have no meaning.
 */
LBP_MUST_CHECK enum lbp_err lbp_numbers_keep(uint32_t *numbers,
	const struct lbp_named *wanted, const struct lbp_named *known);

/*
 * Gives each of len numbers that is LBP_NONE one that no name in known has,
 * the smallest first, and beyond those the next ones. Returns how many numbers
 * there are then, known's included.
 */
size_t lbp_numbers_give(
	uint32_t *numbers, size_t len, const struct lbp_named *known);

#endif
