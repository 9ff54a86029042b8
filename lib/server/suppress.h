/*
 * Limits how many log lines strangers cause. For each pair of a source and a
 * kind, a number of attempts a second get a line each; further ones are counted
 * and summed up.
 *
 * All memory is in the object. With n pairs, at most LBP_SUPPRESS_PAIRS, each
 * call takes O(n). Source: SPEC.md [SUP-*].
 */
#ifndef LBP_SUPPRESS_H
#define LBP_SUPPRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "server/sources.h"

#define LBP_SUPPRESS_LINES     10 /* of one pair in a window */
#define LBP_SUPPRESS_PAIRS     256
#define LBP_SUPPRESS_KINDS     64
#define LBP_SUPPRESS_WINDOW_NS LBP_NS_PER_S

/* How many attempts of a pair got no line of their own. */
struct lbp_suppress_sum {
	struct lbp_source source;
	uint32_t kind;
	bool others; /* of several sources; source is then meaningless */
	uint64_t count;
};

/* Private: a pair in this window, and its count from earlier ones. */
struct lbp_suppress_pair {
	struct lbp_source source;
	uint32_t kind;
	uint32_t lines;
	uint64_t count; /* in this window, without a line */
	uint64_t due;   /* in earlier windows, not yet taken */
};

/* Fields are private. */
struct lbp_suppress {
	uint64_t end_ns; /* of the window */
	bool counts;     /* a count of this window is not 0 */
	uint32_t due;    /* pairs whose due is not 0 */
	uint32_t len;
	/* The first len of them; zeros; one for the others of each kind. */
	struct lbp_suppress_pair pairs[LBP_SUPPRESS_PAIRS + LBP_SUPPRESS_KINDS];
};

/* Starts without any attempts. */
void lbp_suppress_init(struct lbp_suppress *suppress);

/*
 * Returns true if an attempt of this source and kind (below LBP_SUPPRESS_KINDS)
 * gets a line of its own; else it is counted. now_ns is monotonic; if it goes
 * back, the attempt falls into the current window. Source: [SUP-1] to [SUP-3].
 */
bool lbp_suppress_admit(struct lbp_suppress *suppress,
	const struct lbp_source *source, uint32_t kind, uint64_t now_ns);

/*
 * When lbp_suppress_take will have a sum: 0 if it has one now, LBP_NEVER if
 * nothing was counted.
 */
uint64_t lbp_suppress_due(const struct lbp_suppress *suppress);

/*
 * Takes the sum of one pair over the windows that have ended by now_ns (all
 * windows with LBP_NEVER). False: none is left; *sum is unchanged. Source:
 * [SUP-4].
 */
bool lbp_suppress_take(struct lbp_suppress *suppress, uint64_t now_ns,
	struct lbp_suppress_sum *sum);

/*
 * Returns a sum that was taken but could not be logged. It becomes part of the
 * pair's next sum, or of the others' if there is no more room for the pair.
 * Source: [SUP-4].
 */
void lbp_suppress_give_back(
	struct lbp_suppress *suppress, const struct lbp_suppress_sum *sum);

/* Returns true if all invariants hold; for tests. O(n * n). */
bool lbp_suppress_validate(const struct lbp_suppress *suppress);

#endif
