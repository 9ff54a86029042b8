/*
 * Whether a client and its upstream are still trusted, while they are there.
 * [RLD-6], [RLD-19], [RLD-21].
 */
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

/* Has it an upstream whose number it holds? */
static bool has_upstream(const struct conn *conn)
{
	switch (lbp_session_state(conn->session)) {
	case LBP_SESSION_DIALING:
	case LBP_SESSION_RELAY:
	case LBP_SESSION_RESETTING:
		return true;
	default:
		return false;
	}
}

/*
 * Unlike its timeouts, these are as the configuration in force says. Returns
 * the target that its upstream has there, held; NULL: it has no upstream.
 */
static struct target *consult(struct conn *conn)
{
	struct served_app *app = conn->app;
	struct target *target = NULL;

	pthread_mutex_lock(&app->lock);
	conn->keeps_expired = app->settings.keeps_expired;
	if (has_upstream(conn)) {
		const struct place *place = lbp_app_upstream_user(
			app->app, lbp_session_upstream(conn->session));

		target = target_hold(place->target);
	}
	pthread_mutex_unlock(&app->lock);
	return target;
}

/* One that is not connected yet is judged when it is. [RLD-21], [RLD-22]. */
static void judge_upstream(struct conn *conn, struct target *now)
{
	if (now->tls == NULL)
		return;
	if (lbp_session_state(conn->session) == LBP_SESSION_DIALING) {
		target_release(conn->renewed);
		conn->renewed = target_hold(now);
		dial_renew(&conn->dial, now->tls);
	} else if (!tls_client_accepts(
			   now->tls, conn->target->tls, &conn->upstream.tls)) {
		conn_step(
			conn, (struct lbp_event){.kind = LBP_EVENT_STOP,
				      .reason = LBP_REASON_UPSTREAM_UNTRUSTED});
	}
}

void conn_judge(struct conn *conn)
{
	struct target *now = consult(conn);
	enum lbp_reason reason = LBP_REASON_NONE;

	if (conn->client.tls.ssl != NULL)
		reason = tls_renew(&conn->client.tls, conn->conns->tls);
	if (lbp_session_is_admitted(conn->session)) {
		reason = lbp_expiry_spare(reason, conn->keeps_expired);
		conn_await_expiry(conn);
	}
	conn_step(conn, (struct lbp_event){
				.kind = LBP_EVENT_RELOADED, .reason = reason});
	if (now != NULL && has_upstream(conn))
		judge_upstream(conn, now);
	target_release(now);
}
