#include "problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "texts.h"

static void say(struct problems *problems, struct lbp_config_pos pos,
	const char *message)
{
	if (problems->say != NULL)
		problems->say(texts_path(problems->texts, problems->file, pos),
			pos, message);
	else
		place_print(&problems->places, problems->texts, problems->file,
			pos, "error", message);
}

void problem(struct problems *problems, struct lbp_config_pos pos,
	const char *format, ...)
{
	char *message = NULL;
	va_list args;
	int len;

	problems->count++;
	va_start(args, format);
	len = vasprintf(&message, format, args);
	va_end(args);
	say(problems, pos, len < 0 ? "out of memory" : message);
	if (len >= 0)
		free(message);
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

void problem_expires(struct problems *problems, struct lbp_config_pos pos,
	const struct lbp_expiring *expiring)
{
	if (problems->notices != NULL &&
		!notices_add_expiring(problems->notices, expiring))
		problem(problems, pos, "out of memory");
}
