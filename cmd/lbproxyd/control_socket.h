/*
 * The admin socket: a unix socket in the file system, which only its owner and
 * root may connect to. [CTL-3] to [CTL-6].
 */
#ifndef CONTROL_SOCKET_H
#define CONTROL_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

struct control_socket {
	char *path; /* owned; NULL: there is none */
	dev_t device;
	ino_t file;
};

/*
 * Makes the socket at a path, and listens on it; the descriptor is the
 * caller's. What a server that is gone has left there is replaced. -1: *cause,
 * static or strerror's, says why it failed.
 */
int control_socket_open(
	struct control_socket *control, const char *path, const char **cause);

/* Is it still the one that is found at this path? */
bool control_socket_is_at(
	const struct control_socket *control, const char *path);

/* Removes it from the file system, if it is still there; nothing if none. */
void control_socket_remove(struct control_socket *control);

#endif
