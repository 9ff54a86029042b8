/*
 * What the reason of a reject means to an operator, and what mends it. Source:
 * SPEC.md [ADM-23], [SES-17].
 */
#ifndef LBP_REASON_HELP_H
#define LBP_REASON_HELP_H

#include "reason.h"

/* A sentence, static. Reasons of ends that are no rejects have one, too. */
const char *lbp_reason_help(enum lbp_reason reason);

#endif
