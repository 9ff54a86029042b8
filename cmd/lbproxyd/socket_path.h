/* Where the admin socket is, for the server and for lbproxyctl. [CTL-3]. */
#ifndef SOCKET_PATH_H
#define SOCKET_PATH_H

#include <stdbool.h>

/* The longest, in bytes; a name that is 4 longer fits into an address. */
#define SOCKET_PATH_MAX 103

/*
 * The path of server.admin_socket in the configuration with this path, to be
 * freed; NULL: out of memory.
 */
char *socket_path(const char *file, const char *text);

/* May it be one? */
bool socket_path_fits(const char *path);

#endif
