/*
 * "Did you mean": the nearest of some known words. Private to lbp_config_*.
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
 * if it is near the guessed word and nearer than all before it. Near: at most
 * a third of the longer word's characters must be typed, left out, replaced
 * or swapped with the next one, at least one may be; the case of letters
 * does not count. Words over 64 characters are near nothing.
 */
void lbp_config_guess_offer(
	struct lbp_config_guess *guess, const char *known, size_t len);

#endif
