/* In place of cmd/lbproxyd/http.c, for programs without libmicrohttpd. */
#include <errno.h>

#include "../cmd/lbproxyd/http.h"

struct http *http_start(
	const int *fds, size_t len, const struct http_handler *handler)
{
	(void)fds;
	(void)len;
	(void)handler;
	errno = ENOSYS;
	return NULL;
}

void http_stop(struct http *http)
{
	(void)http;
}
