/* Whether a client is still trusted, while it is there. [RLD-6], [RLD-19]. */
#include "clock.h"
#include "conn_private.h"
#include "server/expiry.h"

/* The clock that certificates go by may be behind this one by a tick. */
#define TICK_NS (10 * LBP_NS_PER_MS)

/* When on the monotonic clock it is so late by the calendar. */
static uint64_t monotonic(int64_t time_s)
{
	uint64_t now = clock_now_ns();
	struct timespec today;

	if (time_s == LBP_EXPIRY_NEVER)
		return LBP_NEVER;
	clock_gettime(CLOCK_REALTIME, &today);
	if (time_s <= today.tv_sec)
		return now + TICK_NS;
	return now + (uint64_t)(time_s - today.tv_sec) * LBP_NS_PER_S -
	       (uint64_t)today.tv_nsec + TICK_NS;
}

void conn_await_expiry(struct conn *conn)
{
	conn->judge_ns = LBP_NEVER;
	if (!conn->keeps_expired)
		conn->judge_ns =
			monotonic(tls_trusted_until(&conn->client.tls));
}

/* Unlike its timeouts, this is as the configuration in force says. */
static bool keeps_expired(struct served_app *app)
{
	bool keeps;

	pthread_mutex_lock(&app->lock);
	keeps = app->settings.keeps_expired;
	pthread_mutex_unlock(&app->lock);
	return keeps;
}

void conn_judge(struct conn *conn)
{
	enum lbp_reason reason = LBP_REASON_NONE;

	conn->keeps_expired = keeps_expired(conn->app);
	if (conn->client.tls.ssl != NULL)
		reason = tls_renew(&conn->client.tls, conn->conns->tls);
	if (lbp_session_is_admitted(conn->session)) {
		reason = lbp_expiry_spare(reason, conn->keeps_expired);
		conn_await_expiry(conn);
	}
	conn_step(conn, (struct lbp_event){
				.kind = LBP_EVENT_RELOADED, .reason = reason});
}
