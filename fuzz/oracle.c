#include "oracle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The linker's names for the two ends of the section; NULL without one. */
extern struct oracle_site *__start_oracle_sites[] __attribute__((weak));
extern struct oracle_site *__stop_oracle_sites[] __attribute__((weak));

void oracle_fail(
	const char *id, const char *file, int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "[%s] %s:%d: ", id, file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

int oracle_write_counts(void)
{
	const char *path = getenv("LBP_ORACLE_COUNTS");
	FILE *file;
	int failed;

	if (path == NULL)
		return 0;
	file = fopen(path, "a");
	if (file == NULL)
		return -1;
	for (struct oracle_site **at = __start_oracle_sites;
		at != __stop_oracle_sites; at++)
		fprintf(file, "%s %s:%d %lu\n", (*at)->id, (*at)->file,
			(*at)->line, (*at)->count);
	failed = ferror(file);
	return fclose(file) != 0 || failed ? -1 : 0;
}
