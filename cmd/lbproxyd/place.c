#include "place.h"

#include <stdio.h>

#include "texts.h"

/*
 * Turns to the text of a file; false: there is none. Where texts are dropped,
 * nothing shows them any more.
 */
static bool turn(
	struct places *places, const struct texts *texts, uint32_t number)
{
	const struct file *file;

	if (texts == NULL || number >= texts->len)
		return false;
	file = &texts->items[number].file;
	if (!places->is_begun || places->file != number)
		lbp_excerpts_init(&places->excerpts, file->text, file->len);
	places->is_begun = true;
	places->file = number;
	return true;
}

void place_print(struct places *places, const struct texts *texts,
	const char *own, struct lbp_config_pos pos, const char *level,
	const char *message)
{
	struct lbp_excerpt excerpt;

	fprintf(stderr, "%s:%u:%u: %s: %s\n", texts_path(texts, own, pos),
		pos.line, pos.column, level, message);
	if (turn(places, texts, pos.file) &&
		lbp_excerpts_cut(
			&places->excerpts, pos.line, pos.column, &excerpt))
		fprintf(stderr, " %5u | %s\n       | %*s^\n", pos.line,
			excerpt.line, (int)excerpt.caret, "");
}
