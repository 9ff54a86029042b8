/*
 * Problems of a configuration and of the files it names, each one line on
 * standard error: `FILE:LINE:COLUMN: error: MESSAGE`. [SRV-2], [SRV-3].
 */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "config.h"

struct problems {
	const char *file; /* the configuration's name, as it was given */
	unsigned count;
};

/* Prints one problem at a place of the configuration, and counts it. */
__attribute__((format(printf, 3, 4))) void problem(struct problems *problems,
	struct lbp_config_pos pos, const char *format, ...);

#endif
