/* Whether a client is still trusted, while it is there. [RLD-6], [RLD-19]. */
#include "clock.h"
#include "conn_private.h"
#include "server/expiry.h"

void conn_await_expiry(struct conn *conn)
{
	struct timespec today;

	conn->judge_ns = LBP_NEVER;
	if (conn->keeps_expired)
		return;
	clock_gettime(CLOCK_REALTIME, &today);
	conn->judge_ns = lbp_expiry_due_ns(tls_trusted_until(&conn->client.tls),
		today.tv_sec, (uint64_t)today.tv_nsec, clock_now_ns());
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
