/* The content of the files that a configuration names. [WAT-1]. */
#ifndef CONTENT_H
#define CONTENT_H

#include <stdint.h>

#include "server/config.h"

/*
 * Reads all certificates, keys, CAs and revocation lists; relative paths are
 * looked up in the directory open as dir_fd. Returns what stands for their
 * content, as server/rotation.h says.
 */
uint64_t content_of(const struct lbp_config *config, int dir_fd);

#endif
