/*
 * Problems of a configuration and of the files it names, each one line on
 * standard error: `FILE:LINE:COLUMN: error: MESSAGE`. [SRV-2], [SRV-3].
 */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "notice.h"
#include "server/config.h"

struct problems {
	const char *file; /* the configuration's name, as it was given */
	unsigned count;
	struct notices *notices; /* where warnings are kept; NULL: nowhere */
};

/* Prints one problem at a place of the configuration, and counts it. */
__attribute__((format(printf, 3, 4))) void problem(struct problems *problems,
	struct lbp_config_pos pos, const char *format, ...);

/*
 * Keeps a warning: one that always holds, or if expiry is not NULL, what it
 * is the expiry of. Without memory for it there is a problem. [SRV-79].
 */
__attribute__((format(printf, 4, 5))) void problem_warn(
	struct problems *problems, struct lbp_config_pos pos,
	const struct lbp_expiry *expiry, const char *format, ...);

#endif
