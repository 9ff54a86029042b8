/*
 * Printing what is said about a place of the configuration, for people at a
 * terminal. [CFG-100], [SRV-2], [SRV-80].
 */
#ifndef PLACE_H
#define PLACE_H

#include "server/config.h"
#include "server/excerpt.h"

struct texts;

/* Of one configuration; starts as zero. */
struct places {
	struct lbp_excerpts excerpts; /* of a file, */
	uint32_t file;
	bool is_begun; /* if this is true */
};

/*
 * Prints `FILE:LINE:COLUMN: LEVEL: MESSAGE` on standard error, and the line
 * with a caret below it if the file's text is among texts (NULL: none). own is
 * the path of the configuration's own file. It is quickest if places come in
 * their order.
 */
void place_print(struct places *places, const struct texts *texts,
	const char *own, struct lbp_config_pos pos, const char *level,
	const char *message);

#endif
