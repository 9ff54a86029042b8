/*
 * A configuration drawn from the bytes of a fuzz input: every field anywhere
 * within its bounds, often at them, whatever the bytes are.
 */
#ifndef LBP_MODEL_CONFIG_DRAW_H
#define LBP_MODEL_CONFIG_DRAW_H

#include "bytes.h"
#include "server/config.h"

/* Valid until the next call; nobody frees it. It has no places. */
const struct lbp_config *config_draw(struct bytes *bytes);

#endif
