#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "log.h"
#include "server/service.h"

static void log_failure(struct notify *notify, const char *cause)
{
	if (!notify->has_failed)
		log_error(
			LBP_LOG_WARN, "cannot tell the service manager", cause);
	notify->has_failed = true;
}

static int open_socket(void)
{
	/* A service manager that does not read must not stop the server. */
	const struct timeval second = {.tv_sec = 1};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		setsockopt(
			fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
	return fd;
}

void notify_open(struct notify *notify)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len;

	*notify = (struct notify){.fd = -1, .to.sun_family = AF_UNIX};
	if (name == NULL)
		return;
	len = lbp_service_socket(name, notify->to.sun_path);
	if (len == 0) {
		log_failure(notify, "NOTIFY_SOCKET is neither an absolute path "
				    "nor an abstract name");
		return;
	}
	notify->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	notify->fd = open_socket();
	if (notify->fd < 0)
		log_failure(notify, strerror(errno));
}

void notify_close(struct notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	notify->fd = -1;
}

bool notify_is_open(const struct notify *notify)
{
	return notify->fd >= 0;
}

/* With a descriptor, unless that is -1. */
static bool send_message(struct notify *notify, const char *text, int fd)
{
	char bytes[NOTIFY_MAX];
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS}};
	struct iovec part = {.iov_base = bytes};
	struct msghdr message = {.msg_name = &notify->to,
		.msg_namelen = notify->len,
		.msg_iov = &part,
		.msg_iovlen = 1};

	if (notify->fd < 0)
		return false;
	part.iov_len = (size_t)snprintf(bytes, sizeof(bytes), "%s", text);
	if (fd >= 0) {
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.room);
	}
	if (sendmsg(notify->fd, &message, MSG_NOSIGNAL) >= 0)
		return true;
	log_failure(notify, strerror(errno));
	return false;
}

void notify_send(struct notify *notify, const char *text)
{
	(void)send_message(notify, text, -1);
}

bool notify_send_fd(struct notify *notify, const char *text, int fd)
{
	return send_message(notify, text, fd);
}
