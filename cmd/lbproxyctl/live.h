/* What a running server says of a client and of upstreams. [EXP-10]. */
#ifndef LIVE_H
#define LIVE_H

#include <jansson.h>

#include "command.h"

struct live {
	char *where;    /* its socket; NULL: nobody is asked */
	json_t *status; /* NULL: nobody answers */
	json_t *uses;   /* what clients were told to use, an array */
};

/* Asks the server that the options name, if it answers. */
void live_open(struct live *live, const struct options *options);
void live_release(struct live *live);

/* A client's use of an app, and an app's upstreams; NULL: not known. */
json_t *live_client(struct live *live, const char *app, const char *client);
json_t *live_upstreams(const struct live *live, const char *app);

#endif
