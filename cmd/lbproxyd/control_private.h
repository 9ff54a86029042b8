/* Shared by the files that answer what the admin socket is asked. */
#ifndef CONTROL_PRIVATE_H
#define CONTROL_PRIVATE_H

#include "control.h"

/* Begins the line of the log that says what somebody has done. [CTL-16]. */
void control_begin_line(struct log_line *line, const char *command,
	const struct http_peer *peer);

/* Is there a client with this id? */
bool control_is_listed(const struct view *view, const char *id);

/* With the errand taken: */

void control_list(struct control_asker *asker, struct http_answer *answer);
void control_kill(struct control_asker *asker, const struct view *view,
	const struct lbp_admin_wish *wish, const struct http_peer *peer,
	struct http_answer *answer);

#endif
