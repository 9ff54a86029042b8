#include "socket_path.h"

#include <stdlib.h>
#include <string.h>

char *socket_path(const char *file, const char *text)
{
	const char *slash = strrchr(file, '/');
	size_t dir = text[0] == '/' || slash == NULL
			     ? 0
			     : (size_t)(slash - file) + 1;
	size_t len = strlen(text);
	char *path = malloc(dir + len + 1);

	if (path == NULL)
		return NULL;
	memcpy(path, file, dir);
	memcpy(path + dir, text, len + 1);
	return path;
}

bool socket_path_fits(const char *path)
{
	return strlen(path) <= SOCKET_PATH_MAX;
}
