/* Reading whole files. */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>

/* A file larger than this is a mistake. */
#define FILE_MAX (64 * 1024 * 1024)

/* Room for why a file was not read. */
#define FILE_WHY_MAX 128

struct file {
	char *text; /* len bytes; NULL: it was not read */
	size_t len;
	char why[FILE_WHY_MAX]; /* it was not read */
};

/*
 * Reads fd to its end. Here and below: false: it was not read, and file->why
 * has the reason; else the caller must release the file.
 */
bool file_read(struct file *file, int fd);

/*
 * Reads a regular file; path is relative to dir_fd. Anything else (a directory,
 * a pipe, a device) is rejected without being waited for. [SRV-72].
 */
bool file_read_regular(struct file *file, int dir_fd, const char *path);

/* Overwrites the text, which may be a key, and frees it. */
void file_release(struct file *file);

#endif
