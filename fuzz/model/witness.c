#include "witness.h"

#include <string.h>

#include "oracle.h"
#include "verdict.h"

void witness_init(struct witness *witness, struct twin_app *app,
	const struct lbp_session_timeouts *timeouts, uint64_t now_ns)
{
	/* What was there before is no part of it. */
	memset(&witness->session, 0xff, sizeof(witness->session));
	witness->app = app;
	lbp_session_init(&witness->session, app->app, timeouts, now_ns);
	history_begin(&witness->history, timeouts, now_ns);
	ORACLE("SES-14",
		lbp_session_deadline(&witness->session) ==
			history_deadline(&witness->history),
		"the first deadline is another one");
}

void witness_set_lifetime(
	struct witness *witness, uint64_t lifetime_ns, uint32_t share)
{
	bool is_late = witness->history.was_admitted;
	enum lbp_err err =
		lbp_session_set_lifetime(&witness->session, lifetime_ns, share);

	ORACLE("SES-61", err == (is_late ? LBP_ERR_STATE : LBP_OK),
		"%s, admitted: %d", lbp_err_text(err), is_late);
	if (!is_late) {
		witness->history.lifetime_ns = lifetime_ns;
		witness->history.share = share;
	}
	ORACLE("SES-61",
		lbp_session_deadline(&witness->session) ==
			history_deadline(&witness->history),
		"a lifetime gives another deadline");
}

/* What the step of an event gave, and what had to come of it. */
struct step {
	const struct witness *witness;
	const struct history *before;
	const struct moment *moment;
	const struct lbp_duties *duties;
	struct verdict verdict;
};

static struct moment moment_of(const struct witness *witness,
	const struct history *before, const struct lbp_event *event,
	uint64_t now_ns)
{
	const struct lbp_flow *flow = &witness->session.flow;
	const struct lbp_pipe *down = &flow->pipes[LBP_DOWN];

	return (struct moment){.before = before,
		.app = &witness->app->model,
		.event = event,
		.now_ns = now_ns,
		.is_finished = lbp_flow_is_finished(flow),
		.has_spoken = down->delivered + down->len > 0 ||
			      down->state == LBP_PIPE_ENDING ||
			      down->state == LBP_PIPE_ENDED};
}

bool witness_allows(const struct witness *witness,
	const struct lbp_event *event, uint64_t now_ns)
{
	struct moment moment =
		moment_of(witness, &witness->history, event, now_ns);

	return history_allows(&moment);
}

static bool is_given(const struct step *step, enum lbp_duty duty)
{
	return (step->duties->set & duty) != 0;
}

static bool happens(const struct step *step, enum lbp_event_kind kind)
{
	return history_happens(step->moment, kind);
}

/* The reason stands from the first report on. */
static enum lbp_reason reason_due(const struct step *step)
{
	return step->before->reports > 0 ? step->before->reason
					 : step->verdict.reason;
}

/* Does it go on, close or end as it has to, and for the right reason? */
static bool is_fate_right(const struct step *step)
{
	const struct lbp_session *session = &step->witness->session;
	bool closes = step->before->was_refused || step->verdict.is_refused;

	return is_given(step, LBP_DUTY_END) == step->verdict.has_ended &&
	       (session->state == LBP_SESSION_CLOSING) ==
		       (closes && !step->verdict.has_ended) &&
	       session->reason == reason_due(step);
}

#define FATE                                                                   \
	"event %d: state %d, reason %s instead of %s%s%s",                     \
		(int)step->moment->event->kind,                                \
		(int)step->witness->session.state,                             \
		lbp_reason_text(step->witness->session.reason),                \
		lbp_reason_text(reason_due(step)),                             \
		step->verdict.is_refused ? ", refused" : "",                   \
		step->verdict.has_ended ? ", ended" : ""

static bool is_limit(enum lbp_reason reason)
{
	return reason == LBP_REASON_CONCURRENT_LIMIT ||
	       reason == LBP_REASON_RATE_LIMIT;
}

/* Up to the relay: which requirement would another fate break? */
static void check_start(const struct step *step)
{
	bool is_right = is_fate_right(step);
	bool is_done = happens(step, LBP_EVENT_HANDSHAKE_DONE);
	enum lbp_reason reason = step->verdict.reason;

	if (happens(step, LBP_EVENT_IDENTIFIED))
		ORACLE("SES-2", is_right, FATE);
	if (is_done && !step->before->was_welcome)
		ORACLE("SES-3", is_right && is_given(step, LBP_DUTY_END), FATE);
	if (is_done && step->before->was_welcome)
		ORACLE("SES-19", is_right, FATE);
	if (is_done && step->moment->event->is_full)
		ORACLE("SES-22", is_right && !is_given(step, LBP_DUTY_DIAL),
			FATE);
	if (is_done &&
		(is_limit(reason) || is_limit(step->witness->session.reason)))
		ORACLE("SES-4", is_right && !is_given(step, LBP_DUTY_DIAL),
			FATE);
	if (happens(step, LBP_EVENT_DIAL_FAILED) ||
		reason == LBP_REASON_NO_UPSTREAM)
		ORACLE("SES-5", is_right, FATE);
	if (happens(step, LBP_EVENT_DIAL_LOCAL))
		ORACLE("SES-28", is_right, FATE);
	if (reason == LBP_REASON_INTERNAL && step->before->is_dialing)
		ORACLE("SES-46", is_right, FATE);
	if (!happens(step, step->moment->event->kind))
		ORACLE("SES-41", is_right, FATE);
}

static void check_time(const struct step *step)
{
	bool is_right = is_fate_right(step);

	if (step->before->was_refused)
		ORACLE("SES-12", is_right, FATE);
	else if (history_is_expired(step->moment))
		ORACLE("SES-60", is_right, FATE);
	else if (step->before->is_dialing)
		ORACLE("SES-10", is_right, FATE);
	else if (step->before->has_broken_off)
		ORACLE("SES-42", is_right, FATE);
	else if (step->before->was_relayed)
		ORACLE("SES-11", is_right, FATE);
	else
		ORACLE("SES-9", is_right, FATE);
	if (history_deadline(step->before) == LBP_NEVER)
		ORACLE("SES-20", is_right && step->duties->set == 0, FATE);
}

/* The ways in which a session ends, or does not. */
static void check_end(const struct step *step)
{
	bool is_right = is_fate_right(step);
	enum lbp_event_kind kind = step->moment->event->kind;

	if (kind == LBP_EVENT_TICK)
		check_time(step);
	if (kind == LBP_EVENT_FLOW_FINISHED)
		ORACLE("SES-7", is_right, FATE);
	if (history_breaks_off(step->moment) && step->before->was_relayed)
		ORACLE("SES-8", is_right && !is_given(step, LBP_DUTY_END),
			FATE);
	if (history_breaks_off(step->moment) && step->before->is_dialing)
		ORACLE("SES-26", is_right, FATE);
	if (kind == LBP_EVENT_DELIVERED)
		ORACLE("SES-42", is_right, FATE);
	if (kind == LBP_EVENT_CLIENT_ENDED)
		ORACLE("SES-12", is_right, FATE);
	if (kind == LBP_EVENT_STOP)
		ORACLE("SES-13", is_right, FATE);
	if (kind == LBP_EVENT_RELOADED)
		ORACLE("SES-18", is_right, FATE);
	if (kind == LBP_EVENT_EVICTED)
		ORACLE("SES-45", is_right && !step->before->was_admitted, FATE);
	ORACLE("SES-1", is_right, FATE);
}

#define GIVEN                                                                  \
	"duties 0x%x in state %d", step->duties->set,                          \
		(int)step->witness->session.state

/* Each duty that the client notices is given when it has to be, and only
 * then. */
static void check_duties_to_client(const struct step *step)
{
	const struct verdict *verdict = &step->verdict;
	bool is_failed = happens(step, LBP_EVENT_HANDSHAKE_FAILED);
	bool is_identified = happens(step, LBP_EVENT_IDENTIFIED);
	bool is_turned_away =
		verdict->is_refused && !is_failed && !is_identified;
	bool is_clean = verdict->reason == LBP_REASON_DONE;

	ORACLE("SES-2",
		is_given(step, LBP_DUTY_REFUSE) ==
			(verdict->is_refused && is_identified),
		GIVEN);
	ORACLE("SES-4", is_given(step, LBP_DUTY_CLOSE_NOTIFY) == is_turned_away,
		GIVEN);
	ORACLE("SES-12",
		is_given(step, LBP_DUTY_LINGER) ==
			(is_turned_away || is_failed),
		GIVEN);
	ORACLE("SES-13",
		is_given(step, LBP_DUTY_RESET_CLIENT) ==
			(verdict->has_ended && !is_clean &&
				!step->before->was_refused),
		GIVEN);
	ORACLE("SES-17",
		is_given(step, LBP_DUTY_REPORT) ==
			(step->before->reports == 0 &&
				(verdict->has_ended || verdict->is_refused)),
		GIVEN);
}

/* The same of the upstream. */
static void check_duties_to_upstream(const struct step *step)
{
	const struct verdict *verdict = &step->verdict;
	bool is_told = happens(step, LBP_EVENT_DIAL_FAILED) ||
		       happens(step, LBP_EVENT_DIAL_LOCAL);
	bool is_clean = verdict->reason == LBP_REASON_DONE;
	bool is_cut =
		history_breaks_off(step->moment) && step->before->was_relayed;

	ORACLE("SES-5", is_given(step, LBP_DUTY_DIAL) == verdict->is_dialed,
		GIVEN);
	ORACLE("BAL-1", step->duties->upstream == verdict->upstream,
		"upstream %u instead of %u", step->duties->upstream,
		verdict->upstream);
	ORACLE("SES-10",
		is_given(step, LBP_DUTY_DROP_DIAL) ==
			(step->before->is_dialing && !is_told &&
				(history_is_dial_lost(step->moment) ||
					verdict->has_ended)),
		GIVEN);
	ORACLE("SES-25",
		is_given(step, LBP_DUTY_RELAY) ==
			(is_cut || happens(step, LBP_EVENT_DIAL_DONE)),
		GIVEN);
	ORACLE("SES-8",
		is_given(step, LBP_DUTY_RESET_UPSTREAM) ==
			(verdict->has_ended && !is_clean &&
				step->before->was_relayed),
		GIVEN);
}

static void check_health(const struct step *step)
{
	bool is_right =
		step->duties->health == step->verdict.health &&
		step->duties->health_upstream == step->verdict.health_upstream;

	if (happens(step, LBP_EVENT_ANSWERED))
		ORACLE("SES-29", is_right, "upstream %u: change %d",
			step->duties->health_upstream,
			(int)step->duties->health);
	if (step->verdict.has_ended && step->before->was_relayed &&
		step->verdict.health_upstream != LBP_NONE)
		ORACLE("SES-47", is_right, "upstream %u: change %d",
			step->duties->health_upstream,
			(int)step->duties->health);
	else if (step->verdict.has_ended && step->before->was_relayed)
		ORACLE("SES-49", is_right, "upstream %u: change %d",
			step->duties->health_upstream,
			(int)step->duties->health);
	ORACLE("APP-4", is_right, "upstream %u: change %d",
		step->duties->health_upstream, (int)step->duties->health);
}

/* What the session says after a step, by the history that has it. */
static void check_facts(const struct step *step)
{
	const struct lbp_session *session = &step->witness->session;
	const struct history *after = &step->witness->history;

	ORACLE("SES-1", session->state == history_state(after),
		"state %d instead of %d", (int)session->state,
		(int)history_state(after));
	ORACLE("SES-14",
		lbp_session_deadline(session) == history_deadline(after),
		"state %d has another deadline", (int)session->state);
	ORACLE("SES-5", session->tried[0] == after->tried,
		"tried 0x%x instead of 0x%x", session->tried[0], after->tried);
	ORACLE("SES-2", session->client == step->verdict.client,
		"client %u instead of %u", session->client,
		step->verdict.client);
	ORACLE("SES-2",
		session->names == after->names &&
			session->name_len == after->name_len,
		"other names");
	ORACLE("SES-1",
		session->admitted == (step->before->was_admitted ||
					     step->verdict.is_admitted),
		"admitted: %d", session->admitted);
	ORACLE("SES-3",
		lbp_session_is_authorized(session) ==
			(session->state == LBP_SESSION_AUTHORIZED),
		"authorized in state %d", (int)session->state);
	ORACLE("SES-17", after->reports == (session->reason != 0),
		"%u reports of %s", after->reports,
		lbp_reason_text(session->reason));
	if (session->state == LBP_SESSION_RESETTING)
		ORACLE("SES-43",
			session->cut == (after->how == LBP_EVENT_CLIENT_RESET ||
								after->how ==
									LBP_EVENT_CLIENT_TRUNCATED
							? LBP_UP
							: LBP_DOWN) &&
				session->flow.pipes[session->cut].state !=
					LBP_PIPE_ENDING,
			"a clean end of a side that broke off is passed on");
}

/* The upstreams that it had and has are what they should be. */
static void check_upstream(const struct step *step)
{
	const struct lbp_session *session = &step->witness->session;
	bool is_asked =
		step->verdict.is_admitted || history_is_dial_lost(step->moment);
	uint32_t want =
		is_asked ? step->verdict.upstream : step->before->upstream;

	ORACLE("SES-5", session->upstream == want, "upstream %u instead of %u",
		session->upstream, want);
	if (step->before->upstream == LBP_NONE)
		return;
	ORACLE("SES-6",
		lbp_app_open(step->witness->app->app, step->before->upstream) ==
			step->witness->app->model
				.upstreams[step->before->upstream]
				.open,
		"upstream %u has other connections", step->before->upstream);
}

static void check_illegal(const struct witness *witness,
	const struct lbp_session *before, enum lbp_err got,
	const struct lbp_duties *duties)
{
	ORACLE("SES-15", got == LBP_ERR_STATE, "%s in state %d",
		lbp_err_text(got), (int)before->state);
	ORACLE("SES-15",
		memcmp(&witness->session, before, sizeof(*before)) == 0,
		"an illegal event changed the session");
	ORACLE("SES-15", duties->set == 0, "duties 0x%x of an illegal event",
		duties->set);
	ORACLE("SES-16",
		before->state != LBP_SESSION_ENDED ||
			lbp_session_deadline(before) == LBP_NEVER,
		"an ended session has a deadline");
}

/* A tick that ends nothing leaves the session as it was. */
static void check_quiet(const struct step *step, const struct lbp_session *was)
{
	if (step->moment->event->kind == LBP_EVENT_TICK &&
		!step->verdict.has_ended && !history_is_dial_lost(step->moment))
		ORACLE("SES-40",
			memcmp(&step->witness->session, was, sizeof(*was)) ==
					0 &&
				step->duties->set == 0,
			"a tick before the deadline changes something");
}

enum lbp_err witness_step(struct witness *witness,
	const struct lbp_event *event, uint64_t now_ns,
	struct lbp_duties *duties)
{
	const struct lbp_session was = witness->session;
	const struct history before = witness->history;
	struct moment moment = moment_of(witness, &before, event, now_ns);
	struct step step = {.witness = witness,
		.before = &before,
		.moment = &moment,
		.duties = duties};
	bool is_legal = history_allows(&moment);
	enum lbp_err err =
		lbp_session_step(&witness->session, event, now_ns, duties);

	ORACLE("SES-15", (err == LBP_OK) == is_legal,
		"event %d in state %d: %s", (int)event->kind, (int)was.state,
		lbp_err_text(err));
	if (!is_legal) {
		check_illegal(witness, &was, err, duties);
		return err;
	}
	step.verdict = verdict_of(&moment);
	check_start(&step);
	check_end(&step);
	check_duties_to_client(&step);
	check_duties_to_upstream(&step);
	check_health(&step);
	check_quiet(&step, &was);
	history_note(&witness->history, &moment, duties, &witness->session);
	check_facts(&step);
	check_upstream(&step);
	twin_app_check(witness->app);
	return err;
}

void witness_moved(struct witness *witness, uint64_t now_ns)
{
	lbp_session_moved(&witness->session, now_ns);
	history_moved(&witness->history, now_ns);
	ORACLE("SES-11",
		lbp_session_deadline(&witness->session) ==
			history_deadline(&witness->history),
		"movement gives another deadline");
}
