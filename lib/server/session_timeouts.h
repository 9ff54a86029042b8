/*
 * How long the sessions of an app may take. Source: SPEC.md [SRV-170].
 */
#ifndef LBP_SESSION_TIMEOUTS_H
#define LBP_SESSION_TIMEOUTS_H

#include "server/config.h"
#include "session.h"

/* How long a refused client may take to close its side. [SES-12]. */
#define LBP_SERVER_LINGER_NS (2 * LBP_NS_PER_S)

/* Returns the timeouts of the sessions of one of the configuration's apps. */
struct lbp_session_timeouts lbp_session_timeouts_of(
	const struct lbp_config *config, const struct lbp_config_app *app);

#endif
