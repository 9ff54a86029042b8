/* Printing the configuration in effect. [CFG-110]. */
#ifndef SHOW_H
#define SHOW_H

#include "snapshot.h"

/*
 * Prints a configuration, which must still have its texts, on standard output.
 * False: it could not, and standard error has the reason.
 */
bool show_print(const struct snapshot *snapshot);

#endif
