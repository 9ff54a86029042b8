#include "model_session.h"

/* Holds any sum of times. */
__extension__ typedef unsigned __int128 wide;

/* When a time is over that counts from another one, both read as they are. */
static uint64_t end_of(uint64_t since_ns, uint64_t timeout_ns)
{
	wide sum = (wide)since_ns + timeout_ns;

	return timeout_ns != 0 && sum < LBP_NEVER ? (uint64_t)sum : LBP_NEVER;
}

static bool is_over(const struct model_session *model, uint64_t now_ns)
{
	return model->deadline_ns != LBP_NEVER && now_ns >= model->deadline_ns;
}

void model_session_init(struct model_session *model, struct model_app *app,
	const struct lbp_session_timeouts *timeouts, uint64_t now_ns)
{
	*model = (struct model_session){.app = app,
		.timeouts = timeouts,
		.client = LBP_NONE,
		.upstream = LBP_NONE,
		.deadline_ns = end_of(now_ns, timeouts->handshake_ns)};
}

static void give_back(struct model_session *model)
{
	if (model->has_connection)
		model_app_release(model->app, model->upstream);
	if (model->has_place)
		model_app_leave(model->app, model->client);
	model->has_connection = false;
	model->has_place = false;
}

/* The first reason stands and is reported, later ones are not. */
static void settle(struct model_session *model, enum lbp_reason reason,
	struct lbp_duties *duties)
{
	if (model->reports > 0)
		return;
	model->reason = reason;
	model->reports++;
	duties->set |= LBP_DUTY_REPORT;
}

static void end(struct model_session *model, enum lbp_reason reason,
	struct lbp_duties *duties)
{
	settle(model, reason, duties);
	give_back(model);
	model->state = LBP_SESSION_ENDED;
	model->deadline_ns = LBP_NEVER;
	duties->set |= LBP_DUTY_END;
}

static void close_with(struct model_session *model, enum lbp_reason reason,
	uint64_t now_ns, struct lbp_duties *duties)
{
	settle(model, reason, duties);
	give_back(model);
	model->state = LBP_SESSION_CLOSING;
	model->deadline_ns = end_of(now_ns, model->timeouts->linger_ns);
}

/* What a client is told after its handshake: an end without data. */
static void turn_away(struct model_session *model, enum lbp_reason reason,
	uint64_t now_ns, struct lbp_duties *duties)
{
	close_with(model, reason, now_ns, duties);
	duties->set |= LBP_DUTY_CLOSE_NOTIFY | LBP_DUTY_LINGER;
}

static void dial_next(
	struct model_session *model, uint64_t now_ns, struct lbp_duties *duties)
{
	uint32_t upstream;

	if (model_app_choose(model->app, model->tried, &upstream) != LBP_OK) {
		model->upstream = LBP_NONE;
		if (!model->was_short) {
			turn_away(
				model, LBP_REASON_NO_UPSTREAM, now_ns, duties);
			return;
		}
		end(model, LBP_REASON_INTERNAL, duties);
		duties->set |= LBP_DUTY_RESET_CLIENT;
		return;
	}
	model->state = LBP_SESSION_DIALING;
	model->upstream = upstream;
	model->has_connection = true;
	model->tried |= 1u << upstream;
	model->deadline_ns = end_of(now_ns, model->timeouts->connect_ns);
	duties->set |= LBP_DUTY_DIAL;
	duties->upstream = upstream;
}

static void end_of_dial(
	struct model_session *model, bool ok, struct lbp_duties *duties)
{
	duties->health_upstream = model->upstream;
	duties->health = model_app_dialed(model->app, model->upstream, ok);
	model->has_connection = ok;
}

static void identify(struct model_session *model, const struct lbp_event *event,
	uint64_t now_ns, struct lbp_duties *duties)
{
	model->names = event->names;
	model->name_len = event->name_len;
	model->client = LBP_NONE;
	switch (model_app_identify(
		model->app, event->names, event->name_len, &model->client)) {
	case LBP_OK:
		model->state = LBP_SESSION_AUTHORIZED;
		return;
	case LBP_ERR_NOT_ALLOWED:
		close_with(model, LBP_REASON_NOT_ALLOWED, now_ns, duties);
		break;
	default:
		close_with(model, LBP_REASON_UNKNOWN_CLIENT, now_ns, duties);
		break;
	}
	duties->set |= LBP_DUTY_REFUSE;
}

static void admit(struct model_session *model, bool is_full, uint64_t now_ns,
	struct lbp_duties *duties)
{
	if (model->state == LBP_SESSION_HANDSHAKE) {
		duties->set |= LBP_DUTY_RESET_CLIENT;
		end(model, LBP_REASON_NO_CERTIFICATE, duties);
		return;
	}
	/* By the policy as it is now, whatever it was during the handshake. */
	model->client = LBP_NONE;
	switch (model_app_identify(
		model->app, model->names, model->name_len, &model->client)) {
	case LBP_OK:
		break;
	case LBP_ERR_NOT_ALLOWED:
		turn_away(model, LBP_REASON_NOT_ALLOWED, now_ns, duties);
		return;
	default:
		turn_away(model, LBP_REASON_UNKNOWN_CLIENT, now_ns, duties);
		return;
	}
	if (is_full) {
		turn_away(model, LBP_REASON_MAX_CONNECTIONS, now_ns, duties);
		return;
	}
	switch (model_app_admit(model->app, model->client, now_ns)) {
	case LBP_OK:
		model->admitted = true;
		model->has_place = true;
		dial_next(model, now_ns, duties);
		break;
	case LBP_ERR_CONCURRENT:
		turn_away(model, LBP_REASON_CONCURRENT_LIMIT, now_ns, duties);
		break;
	default:
		turn_away(model, LBP_REASON_RATE_LIMIT, now_ns, duties);
		break;
	}
}

/* Who was told of a reload before the admission is whoever has the names. */
static void name_anew(struct model_session *model)
{
	model->client = LBP_NONE;
	if (model->state == LBP_SESSION_AUTHORIZED)
		(void)model_app_identify(model->app, model->names,
			model->name_len, &model->client);
}

/* An upstream that has no number any more is not one that was tried. */
static void keep_tried(struct model_session *model)
{
	for (uint32_t i = 0; i < model->app->upstream_len; i++) {
		if (model->app->upstreams[i].name == 0)
			model->tried &= ~(1u << i);
	}
}

/* Why an admitted session may not go on after a reload, or NONE. */
static enum lbp_reason fault_of(const struct model_session *model)
{
	uint32_t client = LBP_NONE;

	switch (model_app_identify(
		model->app, model->names, model->name_len, &client)) {
	case LBP_OK:
		return client == model->client ? LBP_REASON_NONE
					       : LBP_REASON_UNKNOWN_CLIENT;
	case LBP_ERR_NOT_ALLOWED:
		return LBP_REASON_NOT_ALLOWED;
	default:
		return LBP_REASON_UNKNOWN_CLIENT;
	}
}

static enum lbp_err in_handshake(struct model_session *model,
	const struct lbp_event *event, uint64_t now_ns,
	struct lbp_duties *duties)
{
	bool late = is_over(model, now_ns);

	if (event->kind == LBP_EVENT_TICK && !late)
		return LBP_OK;
	if (event->kind == LBP_EVENT_RELOADED) {
		name_anew(model);
		return LBP_OK;
	}
	if (event->kind == LBP_EVENT_IDENTIFIED) {
		identify(model, event, now_ns, duties);
		return LBP_OK;
	}
	if (event->kind == LBP_EVENT_HANDSHAKE_DONE && !late) {
		admit(model, event->is_full, now_ns, duties);
		return LBP_OK;
	}
	if (event->kind == LBP_EVENT_HANDSHAKE_FAILED) {
		close_with(model, event->reason, now_ns, duties);
		duties->set |= LBP_DUTY_LINGER;
		return LBP_OK;
	}
	duties->set |= LBP_DUTY_RESET_CLIENT;
	if (event->kind == LBP_EVENT_CLIENT_RESET)
		end(model, LBP_REASON_HANDSHAKE_FAILED, duties);
	else if (event->kind == LBP_EVENT_STOP)
		end(model, event->reason, duties);
	else if (event->kind == LBP_EVENT_EVICTED)
		end(model, LBP_REASON_HANDSHAKE_EVICTED, duties);
	else
		end(model, LBP_REASON_HANDSHAKE_TIMEOUT, duties);
	return LBP_OK;
}

static enum lbp_err in_dialing(struct model_session *model,
	const struct lbp_event *event, uint64_t now_ns,
	struct lbp_duties *duties)
{
	bool late = is_over(model, now_ns);

	if (event->kind == LBP_EVENT_RELOADED) {
		enum lbp_reason fault = fault_of(model);

		if (fault == LBP_REASON_NONE) {
			keep_tried(model);
			return LBP_OK;
		}
		duties->set |= LBP_DUTY_DROP_DIAL | LBP_DUTY_RESET_CLIENT;
		end(model, fault, duties);
	} else if (event->kind == LBP_EVENT_CLIENT_RESET ||
		   event->kind == LBP_EVENT_CLIENT_TRUNCATED ||
		   event->kind == LBP_EVENT_STOP) {
		duties->set |= LBP_DUTY_DROP_DIAL | LBP_DUTY_RESET_CLIENT;
		end(model,
			event->kind == LBP_EVENT_STOP ? event->reason
			: event->kind == LBP_EVENT_CLIENT_RESET
				? LBP_REASON_CLIENT_RESET
				: LBP_REASON_CLIENT_TRUNCATED,
			duties);
	} else if (event->kind == LBP_EVENT_DIAL_FAILED) {
		end_of_dial(model, false, duties);
		dial_next(model, now_ns, duties);
	} else if (event->kind == LBP_EVENT_DIAL_LOCAL) {
		/* As if this upstream had never been chosen, for its health. */
		model_app_release(model->app, model->upstream);
		model->has_connection = false;
		model->was_short = true;
		dial_next(model, now_ns, duties);
	} else if (late) {
		duties->set |= LBP_DUTY_DROP_DIAL;
		end_of_dial(model, false, duties);
		dial_next(model, now_ns, duties);
	} else if (event->kind == LBP_EVENT_DIAL_DONE) {
		duties->set |= LBP_DUTY_RELAY;
		model->state = LBP_SESSION_RELAY;
		model->deadline_ns = end_of(now_ns, model->timeouts->idle_ns);
	}
	return LBP_OK;
}

static bool is_cut(enum lbp_event_kind kind)
{
	return kind >= LBP_EVENT_CLIENT_RESET &&
	       kind <= LBP_EVENT_UPSTREAM_TRUNCATED;
}

/* How long a session waits for one more byte of a side that broke off. */
static uint64_t patience_ns(const struct model_session *model)
{
	uint64_t idle_ns = model->timeouts->idle_ns;

	return idle_ns == 0 || idle_ns > model->timeouts->linger_ns
		       ? model->timeouts->linger_ns
		       : idle_ns;
}

/* One side broke off: what it sent still goes, and nothing else. */
static void cut(struct model_session *model, enum lbp_event_kind kind,
	uint64_t now_ns, struct lbp_duties *duties)
{
	static const enum lbp_reason reasons[] = {
		[LBP_EVENT_CLIENT_RESET] = LBP_REASON_CLIENT_RESET,
		[LBP_EVENT_UPSTREAM_RESET] = LBP_REASON_UPSTREAM_RESET,
		[LBP_EVENT_CLIENT_TRUNCATED] = LBP_REASON_CLIENT_TRUNCATED,
		[LBP_EVENT_UPSTREAM_TRUNCATED] = LBP_REASON_UPSTREAM_TRUNCATED,
	};

	model->state = LBP_SESSION_RESETTING;
	model->cut = kind == LBP_EVENT_CLIENT_RESET ||
				     kind == LBP_EVENT_CLIENT_TRUNCATED
			     ? LBP_UP
			     : LBP_DOWN;
	model->cut_reason = reasons[kind];
	model->deadline_ns = end_of(now_ns, patience_ns(model));
	duties->set |= LBP_DUTY_RELAY;
}

static enum lbp_err in_relay(struct model_session *model,
	const struct lbp_event *event, uint64_t now_ns, bool flow_is_finished,
	bool upstream_spoke, struct lbp_duties *duties)
{
	enum lbp_reason reason = event->reason;

	if (event->kind == LBP_EVENT_ANSWERED) {
		if (model->answered || !upstream_spoke)
			return LBP_ERR_STATE;
		model->answered = true;
		end_of_dial(model, true, duties);
		return LBP_OK;
	}

	if (event->kind == LBP_EVENT_FLOW_FINISHED) {
		if (!flow_is_finished)
			return LBP_ERR_STATE;
		end(model, LBP_REASON_DONE, duties);
		return LBP_OK;
	}
	if (event->kind == LBP_EVENT_TICK) {
		if (!is_over(model, now_ns))
			return LBP_OK;
		reason = model->state == LBP_SESSION_RESETTING
				 ? model->cut_reason
				 : LBP_REASON_IDLE_TIMEOUT;
	}
	if (event->kind == LBP_EVENT_RELOADED) {
		reason = fault_of(model);
		if (reason == LBP_REASON_NONE) {
			keep_tried(model);
			return LBP_OK;
		}
	}
	if (is_cut(event->kind)) {
		cut(model, event->kind, now_ns, duties);
		return LBP_OK;
	}
	if (event->kind == LBP_EVENT_DELIVERED)
		reason = model->cut_reason;
	/* It broke off, and never said a byte. */
	if (model->state == LBP_SESSION_RESETTING && !upstream_spoke &&
		!model->answered &&
		(reason == LBP_REASON_UPSTREAM_RESET ||
			reason == LBP_REASON_UPSTREAM_TRUNCATED))
		end_of_dial(model, false, duties);
	duties->set |= LBP_DUTY_RESET_CLIENT | LBP_DUTY_RESET_UPSTREAM;
	end(model, reason, duties);
	return LBP_OK;
}

static enum lbp_err in_closing(struct model_session *model,
	const struct lbp_event *event, uint64_t now_ns,
	struct lbp_duties *duties)
{
	if (event->kind == LBP_EVENT_RELOADED)
		return LBP_OK;
	if (event->kind == LBP_EVENT_EVICTED && model->admitted)
		return LBP_ERR_STATE;
	if (event->kind == LBP_EVENT_HANDSHAKE_FAILED)
		duties->set |= LBP_DUTY_LINGER;
	else if (event->kind != LBP_EVENT_TICK || is_over(model, now_ns))
		end(model, LBP_REASON_NONE, duties);
	return LBP_OK;
}

/* Which events may happen in a state: a letter for each, by its number. */
static bool is_legal(enum lbp_state state, enum lbp_event_kind kind)
{
	/* I H F D f R C U t u d c T r E S l A: ... stop, dial local, answered
	 */
	static const char *const legal[] = {
		[LBP_SESSION_HANDSHAKE] = "IHF...C.....TrES..",
		[LBP_SESSION_AUTHORIZED] = "IHF...C.....TrES..",
		[LBP_SESSION_DIALING] = "...Df.C.t...Tr.Sl.",
		[LBP_SESSION_RELAY] = ".....RCUtu..Tr.S.A",
		[LBP_SESSION_RESETTING] = "..........d.Tr.S.A",
		[LBP_SESSION_CLOSING] = "..F...C....cTrES..",
		[LBP_SESSION_ENDED] = "..................",
	};

	return legal[state][kind] != '.';
}

enum lbp_err model_session_step(struct model_session *model,
	const struct lbp_event *event, uint64_t now_ns, bool flow_is_finished,
	bool upstream_spoke, struct lbp_duties *duties)
{
	*duties = (struct lbp_duties){
		.upstream = LBP_NONE, .health_upstream = LBP_NONE};
	if (!is_legal(model->state, event->kind))
		return LBP_ERR_STATE;
	switch (model->state) {
	case LBP_SESSION_HANDSHAKE:
	case LBP_SESSION_AUTHORIZED:
		return in_handshake(model, event, now_ns, duties);
	case LBP_SESSION_DIALING:
		return in_dialing(model, event, now_ns, duties);
	case LBP_SESSION_RELAY:
	case LBP_SESSION_RESETTING:
		return in_relay(model, event, now_ns, flow_is_finished,
			upstream_spoke, duties);
	case LBP_SESSION_CLOSING:
		return in_closing(model, event, now_ns, duties);
	case LBP_SESSION_ENDED:
		break;
	}
	return LBP_ERR_STATE;
}

void model_session_moved(struct model_session *model, uint64_t now_ns)
{
	if (model->state == LBP_SESSION_RELAY)
		model->deadline_ns = end_of(now_ns, model->timeouts->idle_ns);
	if (model->state == LBP_SESSION_RESETTING)
		model->deadline_ns = end_of(now_ns, patience_ns(model));
}
