#include "include.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

static const char wild[] = "*?[";

/*
 * An item relative to the directory of the configuration, which in a pattern
 * stands for nothing but itself. NULL: out of memory.
 */
static char *full_path(const char *file, const char *item, bool is_pattern)
{
	const char *slash = item[0] == '/' ? NULL : strrchr(file, '/');
	size_t dir_len = slash == NULL ? 0 : (size_t)(slash - file) + 1;
	size_t item_len = strlen(item);
	char *path = malloc(2 * dir_len + item_len + 1);
	char *end = path;
	size_t i;

	if (path == NULL)
		return NULL;
	for (i = 0; i < dir_len; i++) {
		if (is_pattern &&
			(file[i] == '\\' || strchr(wild, file[i]) != NULL))
			*end++ = '\\';
		*end++ = file[i];
	}
	memcpy(end, item, item_len + 1);
	return path;
}

/* For glob: what is not there does not match, what cannot be read may. */
static int stops(const char *directory, int error)
{
	(void)directory;
	errno = error;
	return error != ENOENT;
}

static int compare(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

/* Moves the paths that glob has found. */
static bool take_all(struct include *include, glob_t *found)
{
	size_t i;

	include->paths = calloc(found->gl_pathc + 1, sizeof(char *));
	if (include->paths == NULL)
		return false;
	for (i = 0; i < found->gl_pathc; i++) {
		char *path = strdup(found->gl_pathv[i]);

		if (path == NULL)
			return false;
		include->paths[include->len++] = path;
	}
	qsort(include->paths, include->len, sizeof(char *), compare);
	return true;
}

static bool find_all(struct include *include, const char *pattern)
{
	glob_t found = {0};
	bool ok;
	int rc;

	errno = 0;
	rc = glob(pattern, GLOB_NOSORT, stops, &found);
	ok = rc == 0 ? take_all(include, &found) : rc == GLOB_NOMATCH;
	if (rc == GLOB_ABORTED)
		include->why = strerror(errno);
	globfree(&found);
	return ok;
}

bool include_find(struct include *include, const char *file, const char *item)
{
	bool is_pattern = strpbrk(item, wild) != NULL;
	char *path = full_path(file, item, is_pattern);
	bool ok;

	*include = (struct include){0};
	if (path == NULL)
		return false;
	if (is_pattern) {
		ok = find_all(include, path);
		free(path);
		return ok;
	}
	include->paths = calloc(1, sizeof(char *));
	if (include->paths == NULL) {
		free(path);
		return false;
	}
	include->paths[include->len++] = path;
	return true;
}

void include_release(struct include *include)
{
	size_t i;

	for (i = 0; i < include->len; i++)
		free(include->paths[i]);
	free(include->paths);
}
