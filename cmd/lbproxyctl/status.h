/* How the status of a server is shown. */
#ifndef STATUS_H
#define STATUS_H

#include <jansson.h>

/* Why the next session does not get an upstream, or that it does. */
const char *choice_text(const json_t *upstream);

/* Prints the server, its apps and clients, as a terminal has room for. */
void status_print_short(const json_t *status);

#endif
