/*
 * What the admin socket answers beyond the admin port: sessions, and commands.
 * [CTL-10] to [CTL-16].
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "crew.h"
#include "errand.h"
#include "http.h"
#include "log.h"
#include "sessions.h"
#include "view.h"

/* Room for the lines of the log that say why a reload was refused. */
#define CONTROL_LOG_MAX ((size_t)64 * 1024)

/* What came of a reload that was asked for. The main thread's until then. */
struct control_reload {
	bool ok;
	bool is_draining; /* the server: it was not tried */
	uint64_t generation;
	uint64_t duration_ms;
	struct log_copy log;
	char text[CONTROL_LOG_MAX];
};

/* What those who ask have in common. */
struct control {
	struct crew *crew;
	struct errand errand;
	/* Of whoever has taken the errand: */
	struct session_batch batch;
	struct session_kill kill;
	struct control_reload reload;
	/*
	 * Begins a reload, in the main thread; control_reloaded is to be called
	 * when it is over, with control->reload filled in.
	 */
	void (*ask_reload)(void *user);
	void *user;
};

/* Begins; ask_reload and user must be set. The crew must outlive it. */
void control_init(struct control *control, struct crew *crew);
void control_release(struct control *control);

/* The reload that was asked for is over. */
void control_reloaded(struct control *control);

/* One admin socket, and whoever asks there. */
struct control_asker {
	struct control *control;
	struct asker asker;
};

/*
 * Answers a request, in the admin socket's thread; the view is what is in
 * force. True: the answer is there; false: it is none of these.
 */
bool control_answer(struct control_asker *asker, struct view *view,
	const struct lbp_admin_wish *wish, const struct http_peer *peer,
	struct http_answer *answer);

/* Answers with a text. */
void control_say(struct http_answer *answer, unsigned status, const char *text);

#endif
