#include "oracle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct oracle_site *sites;

void oracle_hit(struct oracle_site *site)
{
	if (site->count++ == 0) {
		site->next = sites;
		sites = site;
	}
}

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

/* The sum over a requirement's sites; 0 if an earlier site has told it. */
static unsigned long sum_of(const struct oracle_site *first)
{
	unsigned long sum = 0;

	for (const struct oracle_site *s = sites; s != first; s = s->next) {
		if (strcmp(s->id, first->id) == 0)
			return 0;
	}
	for (const struct oracle_site *s = first; s != NULL; s = s->next) {
		if (strcmp(s->id, first->id) == 0)
			sum += s->count;
	}
	return sum;
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
	for (const struct oracle_site *s = sites; s != NULL; s = s->next) {
		unsigned long sum = sum_of(s);

		if (sum > 0)
			fprintf(file, "%s %lu\n", s->id, sum);
	}
	failed = ferror(file);
	return fclose(file) != 0 || failed ? -1 : 0;
}
