#include "report.h"

#include <stdio.h>

#include "clock.h"
#include "log.h"
#include "strangers.h"

static void add_who(struct log_line *line, const struct conn *conn)
{
	const struct served_app *app = conn->app;
	const struct lbp_session *session = conn->session;
	const char *client = conn->conns->client_id;
	const struct lbp_name *known = lbp_session_names(session, NULL);
	const struct lbp_name *matched = lbp_session_matched(session);
	char serial[LBP_SERIAL_TEXT_MAX];
	char peer[ADDRESS_TEXT_MAX];

	log_string(line, "app", app->id);
	if (client[0] != '\0')
		log_string(line, "client", client);
	/* The serial is the first of the names. */
	if (known != NULL) {
		lbp_serial_format(&known->serial, serial);
		log_string(line, "serial", serial);
	}
	if (matched != NULL && matched != known)
		log_string(line, "name", matched->text);
	log_string(line, "peer", address_text(&conn->peer, peer));
	if (log_is_wanted(LBP_LOG_DEBUG))
		log_uint(line, "worker", conn->conns->number);
}

static void report_session(const struct conn *conn, uint64_t now_ns)
{
	const struct lbp_session *session = conn->session;
	uint32_t upstream = lbp_session_upstream(session);
	struct log_line line;

	log_begin(&line, LBP_LOG_INFO, "session");
	add_who(&line, conn);
	if (upstream != LBP_NONE)
		log_string(&line, "upstream", conn->target->url);
	log_string(&line, "tls", conn->tls);
	log_bool(&line, "resumed", conn->resumed);
	log_uint(&line, "bytes_up", lbp_session_delivered(session, LBP_UP));
	log_uint(&line, "bytes_down", lbp_session_delivered(session, LBP_DOWN));
	log_uint(&line, "duration_ms",
		(now_ns - conn->accepted_ns) / LBP_NS_PER_MS);
	log_string(
		&line, "reason", lbp_reason_text(lbp_session_reason(session)));
	/* None was left. */
	if (upstream == LBP_NONE)
		log_string(&line, "cause", conn->cause);
	log_end(&line);
}

/* Showing a certificate does not prove that one owns its key. */
static bool is_stranger(const struct conn *conn)
{
	return conn->tls == NULL;
}

static void report_reject(const struct conn *conn, bool yields)
{
	struct log_line line;

	log_begin(&line, LBP_LOG_INFO, "reject");
	line.yields = yields;
	add_who(&line, conn);
	log_string(&line, "reason",
		lbp_reason_text(lbp_session_reason(conn->session)));
	if (log_is_wanted(LBP_LOG_DEBUG))
		log_string(&line, "detail", conn->client.tls.detail);
	log_end(&line);
}

static void keep_reject(const struct conn *conn)
{
	const struct lbp_name *known = lbp_session_names(conn->session, NULL);
	struct reject reject = {.at_ms = clock_wall_ms(),
		.reason = lbp_session_reason(conn->session),
		.peer = conn->peer,
		.is_stranger = is_stranger(conn),
		.has_serial = known != NULL};

	if (known != NULL)
		reject.serial = known->serial;
	snprintf(reject.app, sizeof(reject.app), "%s", conn->app->id);
	snprintf(reject.client, sizeof(reject.client), "%s",
		conn->conns->client_id);
	rejects_add(&conn->conns->rejects, &reject);
}

uint64_t report_conn(const struct conn *conn, uint64_t now_ns)
{
	bool yields = is_stranger(conn);
	uint64_t due_ns = LBP_NEVER;

	if (!lbp_session_is_admitted(conn->session))
		keep_reject(conn);
	if (!log_is_wanted(LBP_LOG_INFO))
		return due_ns;
	if (lbp_session_is_admitted(conn->session))
		report_session(conn, now_ns);
	else if (!yields ||
		 strangers_admit(&conn->peer, lbp_session_reason(conn->session),
			 now_ns, &due_ns))
		report_reject(conn, yields);
	return due_ns;
}
