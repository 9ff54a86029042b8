#include "problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

void problem_warn(struct problems *problems, struct lbp_config_pos pos,
	const struct lbp_expiry *expiry, const char *format, ...)
{
	struct notice notice = {.pos = pos, .is_standing = expiry == NULL};
	va_list args;
	int len;

	if (problems->notices == NULL)
		return;
	if (expiry != NULL)
		notice.expiry = *expiry;
	va_start(args, format);
	len = vasprintf(&notice.text, format, args);
	va_end(args);
	if (len < 0 || !notices_add(problems->notices, &notice))
		problem(problems, pos, "out of memory");
}
