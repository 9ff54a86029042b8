/*
 * The texts of a configuration: its own file's, and those of the files that it
 * includes, by the numbers that places in them have.
 */
#ifndef TEXTS_H
#define TEXTS_H

#include "file.h"
#include "server/config.h"

struct text {
	char *path;     /* owned; NULL: the configuration's own */
	size_t include; /* which item of `include` it is for */
	struct file file;
};

struct texts {
	struct text *items; /* len of them; 0 is the configuration's own */
	size_t len;
	size_t cap;
};

/*
 * Adds a text and takes over the file; the path is copied. False: out of
 * memory, and the file was released.
 */
bool texts_add(struct texts *texts, const char *path, size_t include,
	struct file *file);

/* Copies texts that have not been dropped. False: out of memory. */
bool texts_copy(struct texts *copy, const struct texts *texts);

/* The path of the file that a place is in; own is the configuration's. */
static inline const char *texts_path(
	const struct texts *texts, const char *own, struct lbp_config_pos pos)
{
	return pos.file == 0 ? own : texts->items[pos.file].path;
}

/* Frees what the files had in them; their paths stay. */
void texts_drop(struct texts *texts);

void texts_release(struct texts *texts);

#endif
