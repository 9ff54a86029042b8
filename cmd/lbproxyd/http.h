/*
 * An HTTP server for a few short answers: a thread of its own over
 * libmicrohttpd. Only http.c includes that.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stddef.h>

#include "server/admin.h"

struct http;

/* Of whom a request is: the user of the process that connected. */
struct http_peer {
	uint32_t user; /* 0 if it came over TCP */
};

struct http_answer {
	unsigned status;
	const char *type;   /* of the body; static, like the next one */
	const char *policy; /* Content-Security-Policy; NULL: allow nothing */
	char *body;         /* len bytes of malloc, to be freed by http.c, */
	size_t len;         /* or NULL: there is none, or no memory for it */
};

/* Has all that is called in the server's thread. */
struct http_handler {
	/* Answers GET or HEAD for a resource. */
	void (*answer)(void *user, const struct lbp_admin_wish *wish,
		const struct http_peer *peer, struct http_answer *answer);
	void *user;
	bool is_local;   /* the port is for this machine alone */
	bool is_control; /* it is the admin socket */
};

/*
 * Serves connections on these listening sockets, len of them, which it takes
 * over even if it fails. handler is copied. NULL with errno set: it failed.
 */
struct http *http_start(
	const int *fds, size_t len, const struct http_handler *handler);

/* Ends it, its connections and its sockets; NULL is allowed. */
void http_stop(struct http *http);

#endif
