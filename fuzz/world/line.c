/* What a line of the log has in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/calls.h"
#include "oracle.h"
#include "world.h"

#define DAY_MS UINT64_C(86400000)

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

/* The time of day that it begins with. */
static uint64_t day_ms(const char *line)
{
	unsigned h, m, s, ms;
	int n = sscanf(strchr(line, 'T') + 1, "%u:%u:%u.%uZ", &h, &m, &s, &ms);

	ORACLE("LOG-1", n == 4, "at what time? %s", line);
	return ((h * 60 + m) * 60 + s) * UINT64_C(1000) + ms;
}

uint64_t line_time_ns(const char *line)
{
	struct timespec now;
	uint64_t now_ms;

	(void)kernel_clock_gettime(CLOCK_REALTIME, &now);
	now_ms =
		(uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / KERNEL_MS;
	return kernel_now_ns() - (now_ms - day_ms(line)) % DAY_MS * KERNEL_MS;
}
