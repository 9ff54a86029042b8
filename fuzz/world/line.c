/* What a line of the log has in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

const char *line_find(const char *line, const char *key)
{
	char quoted[40];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(line, quoted);
	return at == NULL ? NULL : at + strlen(quoted);
}

bool line_is(const char *value, const char *text)
{
	size_t len = strlen(text);

	return value != NULL && value[0] == '"' &&
	       strncmp(value + 1, text, len) == 0 && value[len + 1] == '"';
}

bool line_has(const char *line, const char *key, const char *text)
{
	return line_is(line_find(line, key), text);
}

uint64_t line_number(const char *line, const char *key)
{
	const char *value = line_find(line, key);

	return value == NULL ? 0 : strtoull(value, NULL, 10);
}
