/*
 * Asks a running server at its admin socket. It speaks HTTP, so that scripts
 * and curl may do the same; what it answers here is short and well-formed, for
 * only the server's own user can be there.
 */
#ifndef ASK_H
#define ASK_H

#include <jansson.h>

#include "command.h"

struct reply {
	unsigned status; /* of HTTP */
	char *body;      /* owned, with a NUL after len bytes */
	size_t len;
};

/* One thing that a request says; the list ends with a NULL name. */
struct argument {
	const char *name;
	const char *value;
};

/* The empty list. */
extern const struct argument ask_nothing[];

/*
 * The path of the socket that the options name, to be freed; the
 * configuration's if they name a configuration alone. NULL: there is none, and
 * standard error says why, unless it is to be quiet.
 */
char *ask_where(const struct options *options, bool quiet);

/*
 * Asks for path with these arguments, and reads the whole reply, which is to be
 * freed by reply_release. False, with errno set: nobody answers there.
 */
bool ask(const char *socket, const char *method, const char *path,
	const struct argument *arguments, struct reply *reply);

void reply_release(struct reply *reply);

/*
 * The same for a command that prints what comes of it. EXIT_SUCCESS: the reply
 * is of status 200; else the exit status, and standard error says why.
 */
int ask_server(const struct options *options, const char *method,
	const char *path, const struct argument *arguments,
	struct reply *reply);

/* Parses a reply, to be released by json_decref. NULL: it says why. */
json_t *reply_parse(const struct reply *reply);

#endif
