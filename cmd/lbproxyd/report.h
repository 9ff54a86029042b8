/* Log events of sessions and upstreams. [LOG-3], [LOG-4], [SRV-28]. */
#ifndef REPORT_H
#define REPORT_H

#include "conn.h"

/*
 * Logs the end of a session, or why a connection did not become one, which it
 * keeps for the admin port, too. Returns
 * when strangers_sum_up must be called for what was only counted, or LBP_NEVER.
 */
uint64_t report_conn(const struct conn *conn, uint64_t now_ns);

/*
 * Logs a change of the health of an upstream, which has this url, and keeps it
 * for the admin port; nothing for LBP_HEALTH_SAME.
 */
void report_health(struct served_app *app, uint32_t upstream, const char *url,
	enum lbp_health_change change, const char *cause);

#endif
