#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_CAP (1 << 16)

static bool fail(struct file *file, const char *why)
{
	snprintf(file->why, sizeof(file->why), "%s", why);
	file_release(file);
	return false;
}

/* Like realloc, but leaves no copy of a key behind. */
static bool grow(struct file *file, size_t cap)
{
	char *text = malloc(cap);

	if (text == NULL)
		return false;
	if (file->len > 0)
		memcpy(text, file->text, file->len);
	file_release(file);
	file->text = text;
	return true;
}

bool file_read(struct file *file, int fd)
{
	size_t cap = FIRST_CAP;
	ssize_t n;

	*file = (struct file){0};
	if (!grow(file, cap))
		return fail(file, "out of memory");
	for (;;) {
		n = read(fd, file->text + file->len, cap - file->len);
		if (n == 0)
			return true;
		if (n < 0)
			return fail(file, strerror(errno));
		file->len += (size_t)n;
		if (file->len < cap)
			continue;
		if (cap >= FILE_MAX)
			return fail(file, "it is larger than 64 MiB");
		cap *= 2;
		if (!grow(file, cap))
			return fail(file, "out of memory");
	}
}

/* Why this is not a regular file, or NULL. */
static const char *irregular(int fd)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return strerror(errno);
	if (S_ISREG(status.st_mode))
		return NULL;
	if (S_ISDIR(status.st_mode))
		return "it is a directory";
	if (S_ISFIFO(status.st_mode))
		return "it is a pipe, not a regular file";
	return "it is not a regular file";
}

bool file_read_regular(struct file *file, int dir_fd, const char *path)
{
	/* Without O_NONBLOCK, opening a pipe would block. */
	int fd = openat(
		dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *why;
	bool ok;

	*file = (struct file){0};
	if (fd < 0)
		return fail(file, strerror(errno));
	why = irregular(fd);
	ok = why == NULL ? file_read(file, fd) : fail(file, why);
	close(fd);
	return ok;
}

void file_release(struct file *file)
{
	if (file->text != NULL)
		explicit_bzero(file->text, file->len);
	free(file->text);
	file->text = NULL;
}
