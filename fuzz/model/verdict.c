#include "verdict.h"

static bool is_completed(const struct moment *moment)
{
	return history_happens(moment, LBP_EVENT_HANDSHAKE_DONE) &&
	       moment->before->was_welcome;
}

/* --- why a session ends: one rule each; LBP_REASON_NONE: not for this --- */

/* Of these names by the policy as it is now; *client: whose they are. */
static enum lbp_reason reason_of(const struct moment *moment,
	const struct lbp_name *names, size_t len, uint32_t *client)
{
	*client = LBP_NONE;
	switch (model_app_identify(moment->app, names, len, client)) {
	case LBP_OK:
		return LBP_REASON_NONE;
	case LBP_ERR_NOT_ALLOWED:
		return LBP_REASON_NOT_ALLOWED;
	case LBP_ERR_AMBIGUOUS:
		return LBP_REASON_AMBIGUOUS;
	default:
		return LBP_REASON_UNKNOWN_CLIENT;
	}
}

static enum lbp_reason ses_2(const struct moment *moment)
{
	uint32_t client;

	return history_happens(moment, LBP_EVENT_IDENTIFIED)
		       ? reason_of(moment, moment->event->names,
				 moment->event->name_len, &client)
		       : LBP_REASON_NONE;
}

static enum lbp_reason ses_3(const struct moment *moment)
{
	return history_happens(moment, LBP_EVENT_HANDSHAKE_DONE) &&
			       !moment->before->was_welcome
		       ? LBP_REASON_NO_CERTIFICATE
		       : LBP_REASON_NONE;
}

static enum lbp_reason ses_7(const struct moment *moment)
{
	return history_happens(moment, LBP_EVENT_FLOW_FINISHED)
		       ? LBP_REASON_DONE
		       : LBP_REASON_NONE;
}

/* [SES-8], [SES-26]; before there is a session it is no client's reset. */
static enum lbp_reason reason_of_break(
	const struct history *history, enum lbp_event_kind kind)
{
	if (!history->was_admitted)
		return LBP_REASON_HANDSHAKE_FAILED;
	switch (kind) {
	case LBP_EVENT_CLIENT_RESET:
		return LBP_REASON_CLIENT_RESET;
	case LBP_EVENT_CLIENT_TRUNCATED:
		return LBP_REASON_CLIENT_TRUNCATED;
	case LBP_EVENT_UPSTREAM_RESET:
		return LBP_REASON_UPSTREAM_RESET;
	default:
		return LBP_REASON_UPSTREAM_TRUNCATED;
	}
}

/* Before all that is due by then as well. */
static enum lbp_reason ses_60(const struct moment *moment)
{
	return history_is_expired(moment) ? LBP_REASON_LIFETIME
					  : LBP_REASON_NONE;
}

/* Without a relay there is nobody to deliver anything to. */
static enum lbp_reason ses_26(const struct moment *moment)
{
	return history_breaks_off(moment) && !history_is_relayed(moment->before)
		       ? reason_of_break(moment->before, moment->event->kind)
		       : LBP_REASON_NONE;
}

/* It is delivered, or time is up. */
static enum lbp_reason ses_42(const struct moment *moment)
{
	return moment->before->has_broken_off &&
			       (history_happens(moment, LBP_EVENT_DELIVERED) ||
				       history_is_time_up(moment))
		       ? reason_of_break(moment->before, moment->before->how)
		       : LBP_REASON_NONE;
}

static enum lbp_reason ses_9(const struct moment *moment)
{
	return history_is_time_up(moment) && !moment->before->was_admitted
		       ? LBP_REASON_HANDSHAKE_TIMEOUT
		       : LBP_REASON_NONE;
}

static enum lbp_reason ses_11(const struct moment *moment)
{
	return history_is_time_up(moment) && history_is_relayed(moment->before)
		       ? LBP_REASON_IDLE_TIMEOUT
		       : LBP_REASON_NONE;
}

static enum lbp_reason ses_12(const struct moment *moment)
{
	return history_happens(moment, LBP_EVENT_HANDSHAKE_FAILED)
		       ? moment->event->reason
		       : LBP_REASON_NONE;
}

static enum lbp_reason ses_13(const struct moment *moment)
{
	return history_happens(moment, LBP_EVENT_STOP) ? moment->event->reason
						       : LBP_REASON_NONE;
}

static enum lbp_reason ses_18(const struct moment *moment)
{
	const struct history *before = moment->before;
	enum lbp_reason reason;
	uint32_t client;

	if (!history_happens(moment, LBP_EVENT_RELOADED) ||
		!history_has_place(before))
		return LBP_REASON_NONE;
	reason = reason_of(moment, before->names, before->name_len, &client);
	return reason == LBP_REASON_NONE && client != before->client
		       ? LBP_REASON_UNKNOWN_CLIENT
		       : reason;
}

static enum lbp_reason ses_19(const struct moment *moment)
{
	uint32_t client;

	return is_completed(moment) ? reason_of(moment, moment->before->names,
					      moment->before->name_len, &client)
				    : LBP_REASON_NONE;
}

static enum lbp_reason ses_22(const struct moment *moment)
{
	return is_completed(moment) && moment->event->is_full
		       ? LBP_REASON_MAX_CONNECTIONS
		       : LBP_REASON_NONE;
}

static enum lbp_reason ses_45(const struct moment *moment)
{
	return history_happens(moment, LBP_EVENT_EVICTED)
		       ? LBP_REASON_HANDSHAKE_EVICTED
		       : LBP_REASON_NONE;
}

/* The first one that gives a reason counts. */
static enum lbp_reason reason_by_rules(const struct moment *moment)
{
	static enum lbp_reason (*const rules[])(const struct moment *) = {ses_2,
		ses_3, ses_60, ses_7, ses_26, ses_42, ses_9, ses_11, ses_12,
		ses_13, ses_18, ses_19, ses_22, ses_45};
	enum lbp_reason reason = LBP_REASON_NONE;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) &&
			   reason == LBP_REASON_NONE;
		i++)
		reason = rules[i](moment);
	return reason;
}

/* The limits are asked last, and count who passes them. */
static enum lbp_reason ses_4(const struct moment *moment, uint32_t client)
{
	switch (model_app_admit(moment->app, client, moment->now_ns)) {
	case LBP_OK:
		return LBP_REASON_NONE;
	case LBP_ERR_CONCURRENT:
		return LBP_REASON_CONCURRENT_LIMIT;
	default:
		return LBP_REASON_RATE_LIMIT;
	}
}

/* [SES-5], [SES-46]: nobody is left to dial. */
static enum lbp_reason reason_of_no_upstream(const struct moment *moment)
{
	return moment->before->was_short ||
			       history_happens(moment, LBP_EVENT_DIAL_LOCAL)
		       ? LBP_REASON_INTERNAL
		       : LBP_REASON_NO_UPSTREAM;
}

/* --- what has to come of a moment --- */

/* Who has the names: asked when they come, after a reload before admission,
 * and at admission. [SES-2], [SES-19]. */
static uint32_t client_of(const struct moment *moment)
{
	const struct history *before = moment->before;
	uint32_t client = before->client;

	if (history_happens(moment, LBP_EVENT_IDENTIFIED))
		(void)reason_of(moment, moment->event->names,
			moment->event->name_len, &client);
	else if (is_completed(moment) ||
		 (history_happens(moment, LBP_EVENT_RELOADED) &&
			 history_state(before) == LBP_SESSION_AUTHORIZED))
		(void)reason_of(
			moment, before->names, before->name_len, &client);
	return client;
}

/* A refusal is told to a client that may be waiting to hear it. */
static bool is_refusal(const struct moment *moment, enum lbp_reason reason)
{
	return !moment->before->was_refused &&
	       (reason == LBP_REASON_NO_UPSTREAM || is_completed(moment) ||
		       history_happens(moment, LBP_EVENT_IDENTIFIED) ||
		       history_happens(moment, LBP_EVENT_HANDSHAKE_FAILED));
}

static void tell_health(
	const struct moment *moment, bool ok, struct verdict *verdict)
{
	verdict->health_upstream = moment->before->upstream;
	verdict->health =
		model_app_dialed(moment->app, moment->before->upstream, ok);
}

/* [SES-29], [SES-47], [SES-28], [SES-49]: what its connection says. */
static void judge_connection(
	const struct moment *moment, struct verdict *verdict)
{
	const struct history *before = moment->before;
	bool is_silent = !before->was_answered && !moment->has_spoken;
	bool broke_off = verdict->reason == LBP_REASON_UPSTREAM_RESET ||
			 verdict->reason == LBP_REASON_UPSTREAM_TRUNCATED;

	if (history_happens(moment, LBP_EVENT_ANSWERED))
		tell_health(moment, true, verdict);
	else if (history_is_dial_lost(moment) &&
		 !history_happens(moment, LBP_EVENT_DIAL_LOCAL))
		tell_health(moment, false, verdict);
	else if (history_is_dial_lost(moment))
		(void)model_app_release(moment->app, before->upstream);
	else if (verdict->reason == LBP_REASON_NONE)
		return;
	else if (history_is_relayed(before) && is_silent && broke_off)
		tell_health(moment, false, verdict);
	else if (history_is_relayed(before) || before->is_dialing)
		(void)model_app_release(moment->app, before->upstream);
}

static void judge_dial(const struct moment *moment, struct verdict *verdict)
{
	if (!verdict->is_admitted && !history_is_dial_lost(moment))
		return;
	if (model_app_choose(moment->app, moment->before->tried,
		    &verdict->upstream) == LBP_OK)
		verdict->is_dialed = true;
	else
		verdict->reason = reason_of_no_upstream(moment);
}

struct verdict verdict_of(const struct moment *moment)
{
	const struct history *before = moment->before;
	struct verdict verdict = {.reason = reason_by_rules(moment),
		.client = client_of(moment),
		.upstream = LBP_NONE,
		.health_upstream = LBP_NONE};

	if (is_completed(moment) && verdict.reason == LBP_REASON_NONE) {
		verdict.reason = ses_4(moment, verdict.client);
		verdict.is_admitted = verdict.reason == LBP_REASON_NONE;
	}
	if (before->was_refused &&
		!history_happens(moment, LBP_EVENT_HANDSHAKE_FAILED))
		verdict.has_ended =
			verdict.reason != LBP_REASON_NONE ||
			history_is_time_up(moment) ||
			history_happens(moment, LBP_EVENT_CLIENT_ENDED);
	judge_connection(moment, &verdict);
	judge_dial(moment, &verdict);
	if (before->was_refused || verdict.reason == LBP_REASON_NONE)
		return verdict;
	verdict.is_refused = is_refusal(moment, verdict.reason);
	verdict.has_ended = !verdict.is_refused;
	if (history_has_place(before) || verdict.is_admitted)
		(void)model_app_leave(moment->app, verdict.client);
	return verdict;
}
