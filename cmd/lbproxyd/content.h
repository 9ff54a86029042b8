/* The content of the files that a configuration names. [WAT-1]. */
#ifndef CONTENT_H
#define CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "server/config.h"

/*
 * Reads all certificates, keys, CAs and revocation lists; relative paths are
 * looked up in the directory open as dir_fd. Returns what stands for their
 * content, as server/rotation.h says.
 */
uint64_t content_of(const struct lbp_config *config, int dir_fd);

/*
 * How many bytes these files have, each as often as it is named, goes to
 * *bytes. False with errno set: one of them cannot be looked at.
 */
bool content_bytes(
	const struct lbp_config *config, int dir_fd, uint64_t *bytes);

#endif
