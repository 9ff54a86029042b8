/* Log events of sessions. [LOG-3], [LOG-4]. */
#ifndef REPORT_H
#define REPORT_H

#include "conn.h"

/*
 * Logs the end of a session, or why a connection did not become one, which it
 * keeps for the admin port, too. Returns
 * when strangers_sum_up must be called for what was only counted, or LBP_NEVER.
 */
uint64_t report_conn(const struct conn *conn, uint64_t now_ns);

#endif
