/* Whole files in memory. */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>

/* A file larger than this is a mistake. */
#define FILE_MAX (64 * 1024 * 1024)

/* Why a file was not read. */
#define FILE_WHY_MAX 128

struct file {
	char *text; /* len bytes, the caller's to free; NULL: not read */
	size_t len;
	char why[FILE_WHY_MAX]; /* it was not read, in words */
};

/* Reads what is open as fd to its end. */
bool file_read(struct file *file, int fd);

/*
 * Reads a regular file; path is relative to dir_fd. What is not one (a
 * directory, a pipe, a device) is not read, nor waited for. [SRV-72].
 */
bool file_read_regular(struct file *file, int dir_fd, const char *path);

/* Frees the text, which may have been a key: it is overwritten. */
void file_release(struct file *file);

#endif
