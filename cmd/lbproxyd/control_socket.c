#include "control_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "socket_path.h"

/* Connections that wait; whoever comes then waits in connect(). */
#define BACKLOG 16

#define SUFFIX ".new"

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

/* Does a server answer there? *cause: it cannot be found out. */
static bool is_served(const char *path, const char **cause)
{
	const struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool served;

	if (fd < 0) {
		*cause = strerror(errno);
		return false;
	}
	served = connect(fd, (const struct sockaddr *)&address,
			 sizeof(address)) == 0;
	/* EAGAIN: its queue is full. */
	if (!served && errno == EAGAIN)
		served = true;
	else if (!served && errno != ECONNREFUSED && errno != ENOENT)
		*cause = strerror(errno);
	close(fd);
	return served;
}

/* False, with *cause: what is there must stay. */
static bool may_replace(const char *path, const char **cause)
{
	struct stat found;

	if (lstat(path, &found) != 0) {
		if (errno == ENOENT)
			return true;
		*cause = strerror(errno);
		return false;
	}
	if (!S_ISSOCK(found.st_mode)) {
		*cause = "a file that is no socket is there";
		return false;
	}
	*cause = NULL;
	if (is_served(path, cause))
		*cause = "another server answers there";
	return *cause == NULL;
}

/* What a start that was broken off has left. */
static void remove_socket(const char *path)
{
	struct stat found;

	if (lstat(path, &found) == 0 && S_ISSOCK(found.st_mode))
		(void)unlink(path);
}

/*
 * Under another name at first: nobody can connect to the path before the socket
 * is whole, and whatever was there is there until then.
 */
static int listen_at(const char *path)
{
	const struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -1;
	remove_socket(path);
	/* The file gets the socket's mode, less the umask. */
	if (fchmod(fd, S_IRUSR | S_IWUSR) == 0 &&
		bind(fd, (const struct sockaddr *)&address, sizeof(address)) ==
			0 &&
		chmod(path, S_IRUSR | S_IWUSR) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	error = errno;
	remove_socket(path);
	close(fd);
	errno = error;
	return -1;
}

/* Gives it its name. False with errno set: it failed, and is gone. */
static bool put_in_place(
	struct control_socket *control, const char *name, const char *path)
{
	struct stat made;
	int error;

	control->path = strdup(path);
	if (control->path != NULL && lstat(name, &made) == 0 &&
		rename(name, path) == 0) {
		control->device = made.st_dev;
		control->file = made.st_ino;
		return true;
	}
	error = control->path == NULL ? ENOMEM : errno;
	free(control->path);
	control->path = NULL;
	(void)unlink(name);
	errno = error;
	return false;
}

int control_socket_open(
	struct control_socket *control, const char *path, const char **cause)
{
	char name[SOCKET_PATH_MAX + sizeof(SUFFIX)];
	int fd;

	*control = (struct control_socket){0};
	if (!may_replace(path, cause))
		return -1;
	snprintf(name, sizeof(name), "%s" SUFFIX, path);
	fd = listen_at(name);
	if (fd >= 0 && put_in_place(control, name, path))
		return fd;
	*cause = strerror(errno);
	if (fd >= 0)
		close(fd);
	return -1;
}

bool control_socket_is_at(
	const struct control_socket *control, const char *path)
{
	struct stat found;

	return control->path != NULL && strcmp(control->path, path) == 0 &&
	       lstat(path, &found) == 0 && found.st_dev == control->device &&
	       found.st_ino == control->file;
}

void control_socket_remove(struct control_socket *control)
{
	if (control->path == NULL)
		return;
	if (control_socket_is_at(control, control->path))
		(void)unlink(control->path);
	free(control->path);
	*control = (struct control_socket){0};
}
