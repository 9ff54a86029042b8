#include "problem.h"

#include <stdarg.h>
#include <stdio.h>

void problem(struct problems *problems, struct lbp_config_pos pos,
	const char *format, ...)
{
	va_list args;

	problems->count++;
	fprintf(stderr, "%s:%u:%u: error: ", problems->file, pos.line,
		pos.column);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}
