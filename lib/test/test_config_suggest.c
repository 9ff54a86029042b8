/* "Did you mean", against a slow and plain model of it. */
#include "server/config_suggest.h"

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
	LONGEST = 64,
	NOTHING_NEAR = 1000,
};

/* A word that ends where its memory ends; a sanitizer sees what is beyond. */
struct word {
	char *ptr;
	size_t len;
};

static struct word word_of(const char *text, size_t len)
{
	struct word word = {malloc(len > 0 ? len : 1), len};

	if (word.ptr == NULL)
		abort();
	if (len > 0)
		memcpy(word.ptr, text, len);
	return word;
}

static bool alike(char a, char b)
{
	static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char lower[] = "abcdefghijklmnopqrstuvwxyz";

	for (size_t i = 0; i < sizeof(upper) - 1; i++) {
		if ((a == upper[i] || a == lower[i]) &&
			(b == upper[i] || b == lower[i]))
			return true;
	}
	return a == b;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many characters are typed, left out, replaced or swapped. */
static size_t model(const struct word *a, const struct word *b)
{
	static size_t d[LONGEST + 1][LONGEST + 1];

	for (size_t i = 0; i <= a->len; i++) {
		for (size_t j = 0; j <= b->len; j++) {
			size_t best = i + j;

			if (i > 0)
				best = least(best, d[i - 1][j] + 1);
			if (j > 0)
				best = least(best, d[i][j - 1] + 1);
			if (i > 0 && j > 0)
				best = least(
					best, d[i - 1][j - 1] +
						      !alike(a->ptr[i - 1],
							      b->ptr[j - 1]));
			if (i > 1 && j > 1 &&
				alike(a->ptr[i - 1], b->ptr[j - 2]) &&
				alike(a->ptr[i - 2], b->ptr[j - 1]))
				best = least(best, d[i - 2][j - 2] + 1);
			d[i][j] = best;
		}
	}
	return d[a->len][b->len];
}

/* The distance of the one word that is offered, if it is near. */
static size_t offered(const struct word *word, const struct word *known)
{
	struct lbp_config_guess guess;

	lbp_config_guess_init(&guess, word->ptr, word->len);
	lbp_config_guess_offer(&guess, known->ptr, known->len);
	if (guess.best == NULL)
		return NOTHING_NEAR;
	CU_ASSERT_PTR_EQUAL(guess.best, known->ptr);
	CU_ASSERT_EQUAL(guess.best_len, known->len);
	return guess.best_distance;
}

static void each_pair_of_characters(void)
{
	bool good = true;

	for (int i = 0; i < 256; i++) {
		for (int j = 0; j < 256; j++) {
			char a = (char)i;
			char b = (char)j;
			struct word word = {&a, 1};
			struct word known = {&b, 1};

			good = good &&
			       offered(&word, &known) == (alike(a, b) ? 0 : 1);
		}
	}
	CU_ASSERT(good);
}

static uint32_t next_number(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

/* Types a character more, one less, another one, or two of them swapped. */
static void mistype(char *text, size_t *len, uint32_t *state)
{
	size_t at = *len > 0 ? next_number(state) % *len : 0;
	char typed = "abAz"[next_number(state) % 4];
	char was = *len > 0 ? text[at] : typed;

	switch (next_number(state) % 4) {
	case 0:
		if (*len < LONGEST) {
			memmove(text + at + 1, text + at, *len - at);
			text[at] = typed;
			++*len;
		}
		return;
	case 1:
		if (*len > 0) {
			--*len;
			memmove(text + at, text + at + 1, *len - at);
		}
		return;
	case 2:
		text[at] = typed;
		return;
	default:
		if (at + 1 < *len) {
			text[at] = text[at + 1];
			text[at + 1] = was;
		}
		return;
	}
}

static void check_pair(const char *a, size_t a_len, const char *b, size_t b_len)
{
	struct word word = word_of(a, a_len);
	struct word known = word_of(b, b_len);
	size_t longer = a_len > b_len ? a_len : b_len;
	size_t allowed = longer / 3 > 1 ? longer / 3 : 1;
	size_t wanted = model(&word, &known);

	CU_ASSERT_EQUAL(offered(&word, &known),
		wanted <= allowed ? wanted : NOTHING_NEAR);
	free(word.ptr);
	free(known.ptr);
}

static void many_pairs(void)
{
	uint32_t state = 1;

	for (size_t round = 0; round < 3000; round++) {
		char a[LONGEST];
		char b[LONGEST];
		size_t a_len = round < 100 ? LONGEST : round % 14;
		size_t b_len = a_len;
		size_t mistakes = next_number(&state) % (2 + a_len / 3);

		for (size_t i = 0; i < a_len; i++)
			a[i] = "abBz"[next_number(&state) % 4];
		memcpy(b, a, sizeof(b));
		for (size_t i = 0; i < mistakes; i++)
			mistype(b, &b_len, &state);
		check_pair(a, a_len, b, b_len);
		check_pair(b, b_len, a, a_len);
	}
}

static void how_much_is_near(void)
{
	static const struct {
		const char *word;
		const char *known;
		size_t distance;
	} cases[] = {
		{"", "", 0},
		{"", "a", 1},
		{"", "ab", NOTHING_NEAR},
		{"a", "b", 1},
		{"ab", "cd", NOTHING_NEAR},
		{"abcde", "abcxx", NOTHING_NEAR},
		{"abcde", "abcdx", 1},
		{"abcdef", "abcdxx", 2},
		{"abcdef", "abcxxx", NOTHING_NEAR},
		{"abcdef", "abcd", 2},
		{"abcdefgh", "abcdexxx", NOTHING_NEAR},
		{"abcdefghi", "abcdefxxx", 3},
		{"abcdefghi", "badcfeghi", 3},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct word word =
			word_of(cases[i].word, strlen(cases[i].word));
		struct word known =
			word_of(cases[i].known, strlen(cases[i].known));

		CU_ASSERT_EQUAL(offered(&word, &known), cases[i].distance);
		CU_ASSERT_EQUAL(offered(&known, &word), cases[i].distance);
		free(word.ptr);
		free(known.ptr);
	}
}

static void long_words_are_near_nothing(void)
{
	char text[LONGEST + 1];
	struct word longest = {text, LONGEST};
	struct word longer = {text, LONGEST + 1};

	memset(text, 'x', sizeof(text));
	CU_ASSERT_EQUAL(offered(&longest, &longest), 0);
	CU_ASSERT_EQUAL(offered(&longest, &longer), NOTHING_NEAR);
	CU_ASSERT_EQUAL(offered(&longer, &longest), NOTHING_NEAR);
	CU_ASSERT_EQUAL(offered(&longer, &longer), NOTHING_NEAR);
}

/* What is nearer wins; of those that are as near, the first. */
static void the_nearest_wins(void)
{
	static const char *const known[] = {
		"nothing", "abcdxx", "abcdyy", "Abcdey", "abcdez", "abcdxy"};
	struct lbp_config_guess guess;

	lbp_config_guess_init(&guess, "abcdef", 6);
	for (size_t i = 0; i < COUNT(known); i++) {
		lbp_config_guess_offer(&guess, known[i], strlen(known[i]));
		CU_ASSERT_PTR_EQUAL(guess.best, i == 0  ? NULL
						: i < 3 ? known[1]
							: known[3]);
	}
	CU_ASSERT_EQUAL(guess.best_len, 6);
	CU_ASSERT_EQUAL(guess.best_distance, 1);
}

void suite_config_suggest(void)
{
	CU_pSuite suite = CU_add_suite("config_suggest", NULL, NULL);

	CU_add_test(suite, "[CFG-43] only the case of letters does not count",
		each_pair_of_characters);
	CU_add_test(suite, "[CFG-43] a third may be wrong, one at least",
		how_much_is_near);
	CU_add_test(suite, "[CFG-43] near is what the model finds near",
		many_pairs);
	CU_add_test(suite, "[CFG-43] over 64 characters, nothing is near",
		long_words_are_near_nothing);
	CU_add_test(suite, "[CFG-10] the nearest wins, then the first",
		the_nearest_wins);
}
