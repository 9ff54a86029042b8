/*
 * What is allowed and will hurt, now or as time goes on: warnings of a
 * configuration and of the files it names. [SRV-79], [SRV-80].
 */
#ifndef NOTICE_H
#define NOTICE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/config.h"
#include "server/expiry.h"

struct notice {
	struct lbp_config_pos pos;
	char *text;               /* what it is about, or all of it */
	bool is_standing;         /* expiry is not set; true at all times */
	struct lbp_expiry expiry; /* what is worth a warning at some times */
};

struct notices {
	const char *file;     /* the configuration's name, as it was given */
	struct notice *items; /* len of them, as they were found */
	size_t len;
};

/*
 * Keeps one; text, which it frees, came from malloc. False: out of memory.
 */
bool notices_add(struct notices *notices, const struct notice *notice);

/*
 * Says those that hold now, by the system's clock, in the order of their
 * places.
 */
void notices_for_each(struct notices *notices,
	void (*say)(const char *file, struct lbp_config_pos pos,
		const char *message));

/* Prints them: `FILE:LINE:COLUMN: warning: MESSAGE` on standard error. */
void notices_print(struct notices *notices);

void notices_release(struct notices *notices);

#endif
