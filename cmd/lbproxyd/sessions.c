#include "sessions.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "conn_private.h"

/* The id of a session's client, which stays its id until the session ends. */
static void copy_client(const struct conn *conn, char id[LBP_ID_MAX + 1])
{
	struct served_app *app = conn->app;

	pthread_mutex_lock(&app->lock);
	snprintf(id, LBP_ID_MAX + 1, "%s",
		lbp_policy_client_id(&app->policy->policy,
			lbp_session_client(conn->session)));
	pthread_mutex_unlock(&app->lock);
}

static void fill_row(
	struct session_row *row, const struct conn *conn, uint64_t now_ns)
{
	const struct lbp_session *session = conn->session;

	/* With its admission an upstream is chosen, and dialed. */
	*row = (struct session_row){
		.number = conn->number,
		.app = served_app_hold(conn->app),
		.target = target_hold(conn->target),
		.serial = lbp_session_names(session, NULL)->serial,
		.peer = conn->peer,
		.age_ns = now_ns - conn->accepted_ns,
		.bytes_up = lbp_session_delivered(session, LBP_UP),
		.bytes_down = lbp_session_delivered(session, LBP_DOWN),
	};
	copy_client(conn, row->client);
}

void sessions_list(struct session_batch *batch)
{
	uint64_t now_ns = clock_now_ns();
	const struct conn *conn;

	/* Of one that nobody waited for. */
	sessions_release(batch);
	/* The newest come first. */
	for (conn = batch->conns->all;
		conn != NULL && batch->len < SESSIONS_AT_ONCE;
		conn = conn->next) {
		if (conn->number < batch->below && conn_is_session(conn))
			fill_row(&batch->rows[batch->len++], conn, now_ns);
	}
}

void sessions_release(struct session_batch *batch)
{
	while (batch->len > 0) {
		batch->len--;
		served_app_release(batch->rows[batch->len].app);
		target_release(batch->rows[batch->len].target);
	}
}

static bool is_meant(const struct session_kill *kill, const struct conn *conn)
{
	char id[LBP_ID_MAX + 1];

	if (!conn_is_session(conn))
		return false;
	if (kill->client[0] == '\0')
		return conn->number == kill->number;
	copy_client(conn, id);
	return strcmp(id, kill->client) == 0;
}

void sessions_kill(struct session_kill *kill)
{
	const struct lbp_event event = {
		.kind = LBP_EVENT_STOP, .reason = LBP_REASON_KILLED};
	struct conn *conn, *next;

	for (conn = kill->conns->all; conn != NULL; conn = next) {
		next = conn->next;
		if (!is_meant(kill, conn))
			continue;
		kill->killed++;
		conn_step(conn, event);
	}
}
