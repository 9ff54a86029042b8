/*
 * The way to the service manager: datagrams to the socket that NOTIFY_SOCKET
 * names, systemd's protocol (sd_notify(3)). [SVC-1].
 *
 * Not libsystemd's sd_notify: that opens a socket for each message, which a
 * server without free descriptors cannot do, and whose watchdog then ends it;
 * and it brings liblzma, libzstd, liblz4, libgcrypt and libcap into a process
 * that holds private keys.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The longest message, and the final NUL. */
#define NOTIFY_MAX 512

struct notify {
	int fd; /* -1: there is no service manager */
	socklen_t len;
	struct sockaddr_un to;
	bool has_failed; /* which was logged */
};

/*
 * Opens the way, if the environment has a service manager. Without one, or if
 * that fails, which is logged, nothing is ever sent.
 */
void notify_open(struct notify *notify);
void notify_close(struct notify *notify);

/* Returns true if there is a service manager. */
bool notify_is_open(const struct notify *notify);

/*
 * Sends assignments, separated by line ends, of less than NOTIFY_MAX bytes. It
 * waits for at most a second; the first failure is logged.
 */
void notify_send(struct notify *notify, const char *text);

/*
 * The same with a descriptor, of which the service manager gets a copy. False:
 * it was not sent.
 */
bool notify_send_fd(struct notify *notify, const char *text, int fd);

#endif
