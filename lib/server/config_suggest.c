#include "server/config_suggest.h"

#include <stdbool.h>

enum {
	WORD_MAX = 64,
};

static size_t min_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same(char a, char b)
{
	return lower(a) == lower(b);
}

/* Optimal string alignment distance; both words fit WORD_MAX. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MAX + 1] = {0};

	for (size_t j = 1; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t cost = same(a[i - 1], b[j - 1]) ? 0 : 1;

			row[j] = min_of(above[j], row[j - 1]) + 1;
			row[j] = min_of(row[j], above[j - 1] + cost);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
				same(a[i - 2], b[j - 1]))
				row[j] = min_of(
					row[j], rows[(i + 1) % 3][j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

void lbp_config_guess_init(
	struct lbp_config_guess *guess, const char *word, size_t len)
{
	*guess = (struct lbp_config_guess){.word = word, .len = len};
}

void lbp_config_guess_offer(
	struct lbp_config_guess *guess, const char *known, size_t len)
{
	size_t longer = guess->len > len ? guess->len : len;
	size_t found;

	if (longer > WORD_MAX)
		return;
	found = distance(guess->word, guess->len, known, len);
	if (found > 1 && found > longer / 3)
		return;
	if (guess->best == NULL || found < guess->best_distance) {
		guess->best = known;
		guess->best_len = len;
		guess->best_distance = found;
	}
}
