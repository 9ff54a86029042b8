/*
 * Problems with a configuration and the files that it names: at the start each
 * is a line on standard error, `FILE:LINE:COLUMN: error: MESSAGE`, with its
 * place shown below, and at a reload one in the log. [SRV-2], [SRV-3], [RLD-4],
 * [CFG-100].
 */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "notice.h"
#include "place.h"
#include "server/config.h"

struct problems {
	const char *file;          /* the configuration's path as given */
	const struct texts *texts; /* with the paths of other files */
	struct places places;      /* shown so far */
	unsigned count;
	struct notices *notices; /* collects warnings; NULL: drop them */
	/* Says one; NULL: on standard error. */
	void (*say)(const char *file, struct lbp_config_pos pos,
		const char *message);
};

/* Says one problem at a place of the configuration, and counts it. */
__attribute__((format(printf, 3, 4))) void problem(struct problems *problems,
	struct lbp_config_pos pos, const char *format, ...);

/*
 * Collects a warning, which always applies or, if expiry is not NULL, depends
 * on that. Running out of memory is a problem. [SRV-79].
 */
__attribute__((format(printf, 4, 5))) void problem_warn(
	struct problems *problems, struct lbp_config_pos pos,
	const struct lbp_expiry *expiry, const char *format, ...);

/* Collects what expires some day. Running out of memory is a problem. */
void problem_expires(struct problems *problems, struct lbp_config_pos pos,
	const struct lbp_expiring *expiring);

#endif
