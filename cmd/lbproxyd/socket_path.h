/* Where the admin socket is, for the server and for lbproxyctl. [CTL-3]. */
#ifndef SOCKET_PATH_H
#define SOCKET_PATH_H

#include <stdbool.h>

#include "server/config.h"

/* The longest, in bytes: it has another name first, which is 4 longer. */
#define SOCKET_PATH_MAX (LBP_CONFIG_PATH_MAX - 4)

/*
 * The path of server.admin_socket in the configuration with this path, to be
 * freed; NULL: out of memory.
 */
char *socket_path(const char *file, const char *text);

/* May it be one? */
bool socket_path_fits(const char *path);

#endif
