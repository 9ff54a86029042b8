/*
 * What happened to a session: facts with their times, noted from its events
 * and from what it said itself; and what follows from them: what may happen
 * now, what the session is in, and until when. Source: SPEC.md [SES-*].
 */
#ifndef LBP_HISTORY_H
#define LBP_HISTORY_H

#include "model_app.h"
#include "session.h"

struct history {
	const struct lbp_session_timeouts *timeouts;
	uint64_t accepted_ns;
	/* The last identification, and who has the names by what is known. */
	const struct lbp_name *names;
	size_t name_len;
	uint32_t client; /* LBP_NONE: nobody */
	bool was_welcome;
	bool was_admitted;
	uint64_t admitted_ns;
	uint64_t lifetime_ns; /* 0, LBP_NEVER: none */
	uint32_t share;       /* of a tenth of it, which is left out */
	/* The last dial. */
	uint32_t upstream; /* LBP_NONE: none, or none was left */
	uint64_t dialed_ns;
	bool is_dialing; /* it has not ended */
	uint32_t tried;  /* a bit for each upstream */
	bool was_short;  /* a dial failed for want of our own */
	/* The relay. */
	bool was_relayed;
	bool was_answered;
	uint64_t moved_ns; /* when it began, a byte moved or a side broke off */
	bool has_broken_off;
	enum lbp_event_kind how; /* it broke off */
	/* The end. */
	uint32_t reports;
	enum lbp_reason reason;
	bool was_refused;
	uint64_t refused_ns;
	bool has_ended;
};

/* An event, and when and where it comes. */
struct moment {
	const struct history *before;
	struct model_app *app;
	const struct lbp_event *event;
	uint64_t now_ns;
	bool is_finished; /* both ends of the flow were passed on */
	bool has_spoken;  /* a byte or a clean end came from the upstream */
};

void history_begin(struct history *history,
	const struct lbp_session_timeouts *timeouts, uint64_t now_ns);

/* May this happen after all that has? [SES-15]. */
bool history_allows(const struct moment *moment);

/* Does this happen, and in time? What is done too late is a tick. [SES-41]. */
bool history_happens(const struct moment *moment, enum lbp_event_kind kind);

/* Is a deadline over, as the event shows? [SES-14]. */
bool history_is_time_up(const struct moment *moment);

/* Is the lifetime over, as the event shows? [SES-60]. */
bool history_is_expired(const struct moment *moment);

/* Was a dial in progress, and has come to nothing? [SES-10], [SES-28]. */
bool history_is_dial_lost(const struct moment *moment);

/* Does a side break off? */
bool history_breaks_off(const struct moment *moment);

/*
 * Notes what came of it: the duties, and what the session says by then. Before
 * it is a copy of the history.
 */
void history_note(struct history *history, const struct moment *moment,
	const struct lbp_duties *duties, const struct lbp_session *session);

/* A byte moved. */
void history_moved(struct history *history, uint64_t now_ns);

/* Has it a place in the limiter? Has it a relay? */
bool history_has_place(const struct history *history);
bool history_is_relayed(const struct history *history);

/* What the session is in, and until when. */
enum lbp_state history_state(const struct history *history);
uint64_t history_deadline(const struct history *history);

#endif
