/* Log events of upstreams. [LOG-4], [SRV-28], [SRV-347]. */
#ifndef REPORT_HEALTH_H
#define REPORT_HEALTH_H

#include "served.h"

/*
 * Gives back the lock of an application, under which the health of an upstream,
 * which has this url, came to this change. The change is kept for the admin
 * port and logged with its cause, in the order of the changes; nothing is for
 * LBP_HEALTH_SAME.
 */
void report_health(struct served_app *app, uint32_t upstream, const char *url,
	enum lbp_health_change change, const char *cause);

#endif
