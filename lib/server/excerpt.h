/*
 * The line of a text that a place is in, to be shown with a caret below the
 * place. Source: SPEC.md [CFG-100] to [CFG-102].
 */
#ifndef LBP_EXCERPT_H
#define LBP_EXCERPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LBP_EXCERPT_MAX        72 /* columns of a line that are shown */
#define LBP_EXCERPT_BEFORE_MAX 48 /* of those, before the place */

struct lbp_excerpt {
	char line[LBP_EXCERPT_MAX + 1]; /* printable ASCII */
	size_t caret;                   /* columns of it before the place */
};

/*
 * Looks for places in a text, which it does not own. Places that are asked for
 * in their order take one walk through the text together.
 */
struct lbp_excerpts {
	const char *text; /* len bytes */
	size_t len;
	size_t first; /* of the text's bytes: those before are its mark */
	/* The place that was found last, and the byte that is there. */
	size_t at;
	uint32_t line;
	uint32_t column;
};

/* Starts at the beginning of a text, which must live as long. */
void lbp_excerpts_init(
	struct lbp_excerpts *excerpts, const char *text, size_t len);

/*
 * Cuts out what to show of the line of a place, with lines and columns as those
 * of struct lbp_toml_pos. False: the text has no such place.
 */
bool lbp_excerpts_cut(struct lbp_excerpts *excerpts, uint32_t line,
	uint32_t column, struct lbp_excerpt *out);

#endif
