/* What the log says of sessions and upstreams. [LOG-3], [LOG-4], [SRV-28]. */
#ifndef REPORT_H
#define REPORT_H

#include "conn.h"

/*
 * A session's end, or why it never became one; what is only counted is to be
 * summed up (strangers_sum_up) at the time that it returns, or LBP_NEVER.
 */
uint64_t report_conn(const struct conn *conn, uint64_t now_ns);

/* A change of an upstream's health; LBP_HEALTH_SAME is not worth a line. */
void report_health(const struct served_app *app, uint32_t upstream,
	enum lbp_health_change change, const char *cause);

#endif
