#include "history.h"

/* Holds any sum of times. */
__extension__ typedef unsigned __int128 wide;

/* --- what follows from all that has happened --- */

enum lbp_state history_state(const struct history *history)
{
	if (history->has_ended)
		return LBP_SESSION_ENDED;
	if (history->was_refused)
		return LBP_SESSION_CLOSING;
	if (history->has_broken_off)
		return LBP_SESSION_RESETTING;
	if (history->was_relayed)
		return LBP_SESSION_RELAY;
	if (history->was_admitted)
		return LBP_SESSION_DIALING;
	return history->was_welcome ? LBP_SESSION_AUTHORIZED
				    : LBP_SESSION_HANDSHAKE;
}

/* [SES-6]: from its admission until it is refused after all, or ends. */
bool history_has_place(const struct history *history)
{
	return history->was_admitted && !history->was_refused &&
	       !history->has_ended;
}

bool history_is_relayed(const struct history *history)
{
	return history->was_relayed && !history->has_ended;
}

/* [SES-20]. */
static uint64_t end_of(uint64_t since_ns, uint64_t timeout_ns)
{
	wide sum = (wide)since_ns + timeout_ns;

	return timeout_ns != 0 && sum < LBP_NEVER ? (uint64_t)sum : LBP_NEVER;
}

/* [SES-42]; what is off is not the less. */
static uint64_t patience_ns(const struct lbp_session_timeouts *timeouts)
{
	uint64_t idle_ns = timeouts->idle_ns;

	return idle_ns == 0 || idle_ns > timeouts->linger_ns
		       ? timeouts->linger_ns
		       : idle_ns;
}

/* [SES-60], [SES-61]. */
static uint64_t lifetime_ends(const struct history *history)
{
	wide less = (wide)(history->lifetime_ns / 10) * history->share >> 32;

	if (!history_has_place(history) || history->lifetime_ns == LBP_NEVER)
		return LBP_NEVER;
	return end_of(
		history->admitted_ns, history->lifetime_ns - (uint64_t)less);
}

/* [SES-9], [SES-10], [SES-11], [SES-12], [SES-42]. */
static uint64_t state_ends(const struct history *history)
{
	const struct lbp_session_timeouts *timeouts = history->timeouts;

	if (history->has_ended)
		return LBP_NEVER;
	if (history->was_refused)
		return end_of(history->refused_ns, timeouts->linger_ns);
	if (history->has_broken_off)
		return end_of(history->moved_ns, patience_ns(timeouts));
	if (history->was_relayed)
		return end_of(history->moved_ns, timeouts->idle_ns);
	if (history->is_dialing)
		return end_of(history->dialed_ns, timeouts->connect_ns);
	return end_of(history->accepted_ns, timeouts->handshake_ns);
}

uint64_t history_deadline(const struct history *history)
{
	uint64_t lifetime_ns = lifetime_ends(history);
	uint64_t state_ns = state_ends(history);

	return lifetime_ns < state_ns ? lifetime_ns : state_ns;
}

/* --- what may happen, and what it counts as --- */

bool history_breaks_off(const struct moment *moment)
{
	return moment->event->kind >= LBP_EVENT_CLIENT_RESET &&
	       moment->event->kind <= LBP_EVENT_UPSTREAM_TRUNCATED;
}

bool history_allows(const struct moment *moment)
{
	const struct history *before = moment->before;
	bool is_whole = history_is_relayed(before) && !before->has_broken_off;

	if (before->has_ended)
		return false;
	switch (moment->event->kind) {
	case LBP_EVENT_TICK:
	case LBP_EVENT_RELOADED:
	case LBP_EVENT_STOP:
		return true;
	case LBP_EVENT_IDENTIFIED:
	case LBP_EVENT_HANDSHAKE_DONE:
		return !before->was_admitted && !before->was_refused;
	case LBP_EVENT_HANDSHAKE_FAILED:
		return !before->was_admitted || before->was_refused;
	case LBP_EVENT_EVICTED:
		return !before->was_admitted;
	case LBP_EVENT_DIAL_DONE:
	case LBP_EVENT_DIAL_FAILED:
	case LBP_EVENT_DIAL_LOCAL:
		return before->is_dialing;
	case LBP_EVENT_CLIENT_RESET:
		return !before->has_broken_off;
	case LBP_EVENT_CLIENT_TRUNCATED:
		return before->is_dialing || is_whole;
	case LBP_EVENT_UPSTREAM_RESET:
	case LBP_EVENT_UPSTREAM_TRUNCATED:
		return is_whole;
	case LBP_EVENT_FLOW_FINISHED:
		return is_whole && moment->is_finished;
	case LBP_EVENT_ANSWERED:
		return history_is_relayed(before) && !before->was_answered &&
		       moment->has_spoken;
	case LBP_EVENT_DELIVERED:
		return before->has_broken_off;
	case LBP_EVENT_CLIENT_ENDED:
		return before->was_refused;
	}
	return false;
}

static bool is_past_deadline(const struct moment *moment)
{
	uint64_t deadline_ns = history_deadline(moment->before);

	return deadline_ns != LBP_NEVER && moment->now_ns >= deadline_ns;
}

static bool is_late(const struct moment *moment)
{
	return (moment->event->kind == LBP_EVENT_HANDSHAKE_DONE ||
		       moment->event->kind == LBP_EVENT_DIAL_DONE) &&
	       is_past_deadline(moment);
}

bool history_happens(const struct moment *moment, enum lbp_event_kind kind)
{
	return moment->event->kind == kind && !is_late(moment);
}

/* [SES-14]. */
bool history_is_time_up(const struct moment *moment)
{
	return is_late(moment) || (history_happens(moment, LBP_EVENT_TICK) &&
					  is_past_deadline(moment));
}

bool history_is_expired(const struct moment *moment)
{
	return history_is_time_up(moment) &&
	       lifetime_ends(moment->before) <= moment->now_ns &&
	       lifetime_ends(moment->before) != LBP_NEVER;
}

/* [SES-10], [SES-28]: a dial has come to nothing. */
bool history_is_dial_lost(const struct moment *moment)
{
	return history_happens(moment, LBP_EVENT_DIAL_FAILED) ||
	       history_happens(moment, LBP_EVENT_DIAL_LOCAL) ||
	       (history_is_time_up(moment) && moment->before->is_dialing &&
		       !history_is_expired(moment));
}

/* --- what came of it --- */

void history_begin(struct history *history,
	const struct lbp_session_timeouts *timeouts, uint64_t now_ns)
{
	*history = (struct history){.timeouts = timeouts,
		.accepted_ns = now_ns,
		.client = LBP_NONE,
		.upstream = LBP_NONE};
}

static void note_relay(struct history *history, const struct moment *moment)
{
	bool is_done = history_happens(moment, LBP_EVENT_DIAL_DONE);
	bool is_broken =
		history_breaks_off(moment) && history_is_relayed(history);

	if (is_done)
		history->was_relayed = true;
	if (is_broken) {
		history->has_broken_off = true;
		history->how = moment->event->kind;
	}
	if (is_done || is_broken)
		history->moved_ns = moment->now_ns;
	if (history_happens(moment, LBP_EVENT_ANSWERED))
		history->was_answered = true;
}

static void note_dial(struct history *history, const struct moment *moment,
	const struct lbp_duties *duties)
{
	if (history_is_dial_lost(moment) ||
		history_happens(moment, LBP_EVENT_DIAL_DONE))
		history->is_dialing = false;
	if (history_happens(moment, LBP_EVENT_DIAL_LOCAL))
		history->was_short = true;
	if ((duties->set & LBP_DUTY_DIAL) == 0)
		return;
	history->is_dialing = true;
	history->tried |= 1u << duties->upstream;
	history->dialed_ns = moment->now_ns;
}

static void note_end(struct history *history, const struct moment *moment,
	const struct lbp_duties *duties, enum lbp_reason reason)
{
	bool is_reported = (duties->set & LBP_DUTY_REPORT) != 0;

	history->reports += is_reported;
	history->reason = reason;
	if ((duties->set & LBP_DUTY_END) != 0) {
		history->has_ended = true;
		history->is_dialing = false;
	} else if (is_reported) {
		history->was_refused = true;
		history->refused_ns = moment->now_ns;
	}
}

/* Who gets the number of an upstream that is gone has not been tried. */
static void note_free(struct history *history, const struct model_app *app)
{
	for (uint32_t i = 0; i < app->upstream_len; i++) {
		if (app->upstreams[i].name == 0)
			history->tried &= ~(1u << i);
	}
}

void history_note(struct history *history, const struct moment *moment,
	const struct lbp_duties *duties, const struct lbp_session *session)
{
	if (history_happens(moment, LBP_EVENT_IDENTIFIED)) {
		history->names = moment->event->names;
		history->name_len = moment->event->name_len;
		history->was_welcome = (duties->set & LBP_DUTY_REFUSE) == 0;
	}
	note_relay(history, moment);
	note_dial(history, moment, duties);
	note_end(history, moment, duties, lbp_session_reason(session));
	history->client = lbp_session_client(session);
	history->upstream = lbp_session_upstream(session);
	if (!history->was_admitted && lbp_session_is_admitted(session))
		history->admitted_ns = moment->now_ns;
	history->was_admitted = lbp_session_is_admitted(session);
	if (history_happens(moment, LBP_EVENT_RELOADED) &&
		history_has_place(history))
		note_free(history, moment->app);
}

void history_moved(struct history *history, uint64_t now_ns)
{
	history->moved_ns = now_ns;
}
