/* Reading the configuration's own file and those that it includes. */
#ifndef CONFIGURATION_H
#define CONFIGURATION_H

#include "problem.h"
#include "server/config.h"
#include "texts.h"

/*
 * Reads the file of problems, and all that it includes, into texts; or, if
 * there are texts already, only these. NULL: each fault is a problem. [CFG-70]
 * to [CFG-79].
 */
struct lbp_config *configuration_load(
	struct texts *texts, struct problems *problems);

#endif
