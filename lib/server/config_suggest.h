/*
 * "Did you mean": the known word nearest to a mistyped one. Private to
 * lbp_config_*. Source: SPEC.md [CFG-43].
 */
#ifndef LBP_CONFIG_SUGGEST_H
#define LBP_CONFIG_SUGGEST_H

#include <stddef.h>

struct lbp_config_guess {
	const char *word;
	size_t len;
	const char *best; /* the nearest offered word; NULL: none is near */
	size_t best_len;
	size_t best_distance;
};

/* Starts a guess at what was meant by word, which must outlive the guess. */
void lbp_config_guess_init(
	struct lbp_config_guess *guess, const char *word, size_t len);

/*
 * Offers a known word, which must outlive the guess. It becomes the best one
 * if it is near the mistyped word, and nearer than all before it. Near means
 * that the number of edits that turn one into the other is at most 1 or a third
 * of the longer word's length. An edit inserts, deletes or replaces a
 * character, or swaps two adjacent ones; the case of letters does not count.
 * Words of more than 64 characters are near nothing.
 */
void lbp_config_guess_offer(
	struct lbp_config_guess *guess, const char *known, size_t len);

#endif
