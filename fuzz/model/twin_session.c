#include "twin_session.h"

#include <string.h>

#include "oracle.h"

void twin_session_init(struct twin_session *twin, struct twin_app *app,
	const struct lbp_session_timeouts *timeouts, uint64_t now_ns)
{
	/* What was there before is no part of it. */
	memset(&twin->session, 0xff, sizeof(twin->session));
	twin->app = app;
	lbp_session_init(&twin->session, app->app, timeouts, now_ns);
	model_session_init(&twin->model, &app->model, timeouts, now_ns);
	ORACLE("SES-14",
		lbp_session_deadline(&twin->session) == twin->model.deadline_ns,
		"the first deadline is another one");
}

static bool is_same(const struct twin_session *twin,
	const struct lbp_duties *got, const struct lbp_duties *want)
{
	return got->set == want->set && got->upstream == want->upstream &&
	       twin->session.state == twin->model.state &&
	       twin->session.reason == twin->model.reason;
}

#define TEXT                                                                   \
	"event %d: state %d, duties 0x%x, reason %s instead of %d, 0x%x, %s"
#define ARGS                                                                   \
	(int)kind, (int)twin->session.state, got->set,                         \
		lbp_reason_text(twin->session.reason), (int)twin->model.state, \
		want->set, lbp_reason_text(twin->model.reason)

static bool is_limit(enum lbp_reason reason)
{
	return reason == LBP_REASON_CONCURRENT_LIMIT ||
	       reason == LBP_REASON_RATE_LIMIT;
}

/* A step up to the relay: which requirement would a difference break? */
static void check_start(const struct twin_session *twin,
	const struct lbp_event *event, enum lbp_state before,
	const struct lbp_duties *got, const struct lbp_duties *want)
{
	enum lbp_event_kind kind = event->kind;
	bool same = is_same(twin, got, want);
	enum lbp_reason reason = twin->model.reason;

	ORACLE("SES-1", (got->set & LBP_DUTY_DIAL) == 0 || twin->model.admitted,
		"a dial before admission");
	if (reason == LBP_REASON_UNKNOWN_CLIENT ||
		reason == LBP_REASON_NOT_ALLOWED)
		ORACLE("SES-2", same, TEXT, ARGS);
	if (kind == LBP_EVENT_HANDSHAKE_DONE && before == LBP_SESSION_HANDSHAKE)
		ORACLE("SES-3", same, TEXT, ARGS);
	if (kind == LBP_EVENT_HANDSHAKE_DONE && before != LBP_SESSION_HANDSHAKE)
		ORACLE("SES-19", same, TEXT, ARGS);
	if (kind == LBP_EVENT_HANDSHAKE_DONE && event->is_full)
		ORACLE("SES-22", same && (got->set & LBP_DUTY_DIAL) == 0, TEXT,
			ARGS);
	if (kind == LBP_EVENT_HANDSHAKE_DONE &&
		(is_limit(reason) || is_limit(twin->session.reason)))
		ORACLE("SES-4", same, TEXT, ARGS);
	if (kind == LBP_EVENT_DIAL_FAILED || reason == LBP_REASON_NO_UPSTREAM)
		ORACLE("SES-5", same, TEXT, ARGS);
	if (kind == LBP_EVENT_DIAL_LOCAL)
		ORACLE("SES-28", same, TEXT, ARGS);
	if ((want->set & LBP_DUTY_DIAL) != 0 && (got->set & LBP_DUTY_DIAL) != 0)
		ORACLE("BAL-1", got->upstream == want->upstream,
			"upstream %u instead of %u", got->upstream,
			want->upstream);
}

/* The ways in which a session ends. */
static void check_end(const struct twin_session *twin, enum lbp_event_kind kind,
	enum lbp_state before, const struct lbp_duties *got,
	const struct lbp_duties *want)
{
	bool same = is_same(twin, got, want);

	if (kind == LBP_EVENT_ANSWERED || kind == LBP_EVENT_UPSTREAM_RESET)
		ORACLE("SES-29",
			got->health == want->health &&
				got->health_upstream == want->health_upstream,
			"health of upstream %u: change %d",
			got->health_upstream, (int)got->health);
	if (kind == LBP_EVENT_FLOW_FINISHED)
		ORACLE("SES-7", same, TEXT, ARGS);
	if (before == LBP_SESSION_RELAY && kind >= LBP_EVENT_CLIENT_RESET &&
		kind <= LBP_EVENT_UPSTREAM_TRUNCATED)
		ORACLE("SES-8", same && twin->session.cut == twin->model.cut,
			TEXT, ARGS);
	if (twin->session.state == LBP_SESSION_RESETTING)
		ORACLE("SES-43",
			twin->session.flow.pipes[twin->session.cut].state !=
				LBP_PIPE_ENDING,
			"a clean end of a side that broke off is passed on");
	if (before == LBP_SESSION_RESETTING)
		ORACLE("SES-42", same, TEXT, ARGS);
	if (before == LBP_SESSION_DIALING && kind == LBP_EVENT_CLIENT_TRUNCATED)
		ORACLE("SES-26", same, TEXT, ARGS);
	if (before <= LBP_SESSION_AUTHORIZED &&
		(kind == LBP_EVENT_TICK ||
			twin->model.reason == LBP_REASON_HANDSHAKE_TIMEOUT))
		ORACLE("SES-9", same, TEXT, ARGS);
	if (before == LBP_SESSION_DIALING &&
		(kind == LBP_EVENT_TICK || kind == LBP_EVENT_DIAL_DONE))
		ORACLE("SES-10", same, TEXT, ARGS);
	if (before == LBP_SESSION_RELAY && kind == LBP_EVENT_TICK)
		ORACLE("SES-11", same, TEXT, ARGS);
	if (twin->model.deadline_ns == LBP_NEVER && before != LBP_SESSION_ENDED)
		ORACLE("SES-20", same, TEXT, ARGS);
	if (before == LBP_SESSION_CLOSING)
		ORACLE("SES-12", same, TEXT, ARGS);
	if (kind == LBP_EVENT_STOP)
		ORACLE("SES-13", same, TEXT, ARGS);
	if (kind == LBP_EVENT_RELOADED)
		ORACLE("SES-18", same, TEXT, ARGS);
	if (kind == LBP_EVENT_EVICTED)
		ORACLE("SES-45", same && !twin->model.admitted, TEXT, ARGS);
	ORACLE("SES-1", same, TEXT, ARGS);
}

/* The upstream that the session had before the step has what it should. */
static void check_held(const struct twin_session *twin, uint32_t upstream)
{
	if (upstream == LBP_NONE)
		return;
	ORACLE("SES-6",
		lbp_app_open(twin->app->app, upstream) ==
			twin->app->model.upstreams[upstream].open,
		"upstream %u: %u open instead of %u", upstream,
		lbp_app_open(twin->app->app, upstream),
		twin->app->model.upstreams[upstream].open);
}

static void check_facts(const struct twin_session *twin,
	const struct lbp_duties *got, const struct lbp_duties *want)
{
	const struct lbp_session *session = &twin->session;
	const struct model_session *model = &twin->model;

	ORACLE("SES-14", lbp_session_deadline(session) == model->deadline_ns,
		"state %d has another deadline", (int)session->state);
	ORACLE("SES-5", session->tried[0] == model->tried,
		"tried 0x%x instead of 0x%x", session->tried[0], model->tried);
	ORACLE("SES-2", session->client == model->client,
		"client %u instead of %u", session->client, model->client);
	ORACLE("SES-2",
		session->names == model->names &&
			session->name_len == model->name_len,
		"other names");
	ORACLE("SES-5", session->upstream == model->upstream,
		"upstream %u instead of %u", session->upstream,
		model->upstream);
	ORACLE("SES-1", session->admitted == model->admitted, "admitted: %d",
		session->admitted);
	ORACLE("SES-3",
		lbp_session_is_authorized(session) ==
			(model->state == LBP_SESSION_AUTHORIZED),
		"authorized in state %d", (int)model->state);
	ORACLE("APP-4",
		got->health == want->health &&
			got->health_upstream == want->health_upstream,
		"health of upstream %u: change %d", got->health_upstream,
		(int)got->health);
	twin_app_check(twin->app);
}

static void check_illegal(const struct twin_session *twin,
	const struct lbp_session *before, enum lbp_err got,
	const struct lbp_duties *duties)
{
	ORACLE("SES-15", got == LBP_ERR_STATE, "%s in state %d",
		lbp_err_text(got), (int)before->state);
	ORACLE("SES-15", memcmp(&twin->session, before, sizeof(*before)) == 0,
		"an illegal event changed the session");
	ORACLE("SES-15", duties->set == 0, "duties 0x%x of an illegal event",
		duties->set);
	ORACLE("SES-16",
		before->state != LBP_SESSION_ENDED ||
			lbp_session_deadline(before) == LBP_NEVER,
		"an ended session has a deadline");
}

enum lbp_err twin_session_step(struct twin_session *twin,
	const struct lbp_event *event, uint64_t now_ns,
	struct lbp_duties *duties)
{
	const struct lbp_pipe *down = &twin->session.flow.pipes[LBP_DOWN];
	bool finished = lbp_flow_is_finished(&twin->session.flow);
	bool spoke = down->delivered + down->len > 0 ||
		     down->state == LBP_PIPE_ENDING ||
		     down->state == LBP_PIPE_ENDED;
	struct lbp_session before = twin->session;
	struct lbp_duties want;
	enum lbp_err want_err = model_session_step(
		&twin->model, event, now_ns, finished, spoke, &want);
	enum lbp_err err =
		lbp_session_step(&twin->session, event, now_ns, duties);

	ORACLE("SES-15", err == want_err, "event %d in state %d: %s",
		(int)event->kind, (int)before.state, lbp_err_text(err));
	if (err == LBP_OK) {
		check_start(twin, event, before.state, duties, &want);
		check_end(twin, event->kind, before.state, duties, &want);
	} else {
		check_illegal(twin, &before, err, duties);
	}
	check_held(twin, before.upstream);
	check_facts(twin, duties, &want);
	return err;
}

void twin_session_moved(struct twin_session *twin, uint64_t now_ns)
{
	lbp_session_moved(&twin->session, now_ns);
	model_session_moved(&twin->model, now_ns);
	ORACLE("SES-11",
		lbp_session_deadline(&twin->session) == twin->model.deadline_ns,
		"movement gives another deadline");
}
