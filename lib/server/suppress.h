/*
 * How many lines the log has for strangers: each attempt gets one of its own
 * up to a number in a second for each source and kind, beyond which attempts
 * are counted and summed up.
 *
 * All memory is in the object; with n pairs of a source and a kind every call
 * takes O(n), and there are at most LBP_SUPPRESS_PAIRS. Source: SPEC.md
 * [SUP-*].
 */
#ifndef LBP_SUPPRESS_H
#define LBP_SUPPRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "server/sources.h"

#define LBP_SUPPRESS_LINES     10 /* in a window, of one pair */
#define LBP_SUPPRESS_PAIRS     256
#define LBP_SUPPRESS_KINDS     64
#define LBP_SUPPRESS_WINDOW_NS LBP_NS_PER_S

/* A number of attempts that got no line of their own. */
struct lbp_suppress_sum {
	struct lbp_source source;
	uint32_t kind;
	bool others; /* of several sources; then source says nothing */
	uint64_t count;
};

/* Private: a pair in this window, and what was not taken of earlier ones. */
struct lbp_suppress_pair {
	struct lbp_source source;
	uint32_t kind;
	uint32_t lines;
	uint64_t count; /* in this window, without a line */
	uint64_t due;   /* of earlier windows */
};

/* Private but for its size. */
struct lbp_suppress {
	uint64_t end_ns; /* of the window */
	bool counts;     /* a count of this window is not 0 */
	uint32_t due;    /* how many pairs have some */
	uint32_t len;
	/* The first len of them; zeros; one for the others of each kind. */
	struct lbp_suppress_pair pairs[LBP_SUPPRESS_PAIRS + LBP_SUPPRESS_KINDS];
};

/* Starts without an attempt. */
void lbp_suppress_init(struct lbp_suppress *suppress);

/*
 * Does an attempt of this source and kind, below LBP_SUPPRESS_KINDS, get a
 * line of its own? If not, it is counted. now_ns is monotonic; a time before
 * that of an earlier call counts as that one's window. Source: [SUP-1] to
 * [SUP-3].
 */
bool lbp_suppress_admit(struct lbp_suppress *suppress,
	const struct lbp_source *source, uint32_t kind, uint64_t now_ns);

/*
 * When lbp_suppress_take has something: 0 if it has now, LBP_NEVER if nothing
 * was counted.
 */
uint64_t lbp_suppress_due(const struct lbp_suppress *suppress);

/*
 * Takes the sum of one pair in windows that have ended by now_ns, LBP_NEVER
 * for all of them. False: there is none left, and *sum is as before.
 * Source: [SUP-4].
 */
bool lbp_suppress_take(struct lbp_suppress *suppress, uint64_t now_ns,
	struct lbp_suppress_sum *sum);

/*
 * Gives back a sum that was taken and could not be told; it is part of the
 * pair's next one, or of the others' if there is no room for the pair any
 * more. Source: [SUP-4].
 */
void lbp_suppress_give_back(
	struct lbp_suppress *suppress, const struct lbp_suppress_sum *sum);

/* Do all invariants hold? For tests and fuzz targets; O(n * n). */
bool lbp_suppress_validate(const struct lbp_suppress *suppress);

#endif
